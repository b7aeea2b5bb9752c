/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of events and the place reached in it, over as many connections as it takes. For follow.c. */
#ifndef AMK_CLIENT_SOURCE_H
#define AMK_CLIENT_SOURCE_H

#include <curl/curl.h>

#include "client/client.h"
#include "client/follow.h"
#include "client/frames.h"

struct amk_source {
	struct amk_source *next;
	struct amk_client *client; /* borrowed, as is .multi */
	CURLM *multi;
	CURL *curl;
	struct curl_slist *headers;
	char *session;	/* NULL: all sessions in one stream */
	uint64_t after; /* given out: a sequence, or of all sessions a cursor */
	uint64_t gap;	/* the end of the last one that was told of */
	struct amk_frames feed;
	struct amk_buf problem; /* body of a refusal */
	unsigned barren; /* connections in a row that brought nothing */
	bool notices;	 /* lines about the stream are wanted, too */
	bool paused;	 /* libcurl holds bytes back until what is there was given out */
	bool dismissed;	 /* the daemon ended the stream in order: it is stopped or restarted by someone */
	int64_t opened;	 /* monotonic ns */
	int64_t missed;	 /* since then a daemon at a URL is looked for; 0: it is there */
	int64_t again;	 /* when to look for it again; 0: a transfer runs */
	int64_t pause;	 /* between the looks */
	struct amk_err error; /* of a callback */
};

struct amk_source *amk_source_new(struct amk_client *c, CURLM *multi, const char *session, uint64_t after);
void amk_source_free(struct amk_source *s);

/* The next line that has arrived and was not given out yet; false when there is none. */
bool amk_source_next(struct amk_source *s, struct amk_follow_line *line);
/* The source of a transfer. */
struct amk_source *amk_source_of(CURL *curl);
/* Its transfer is over: 0 when there is another, now or at .again; -1 when that was the last. */
int amk_source_ended(struct amk_source *s, CURLcode result, struct amk_err *e);
/* Looks for the daemon again when it is time. */
void amk_source_look(struct amk_source *s, int64_t now);

#endif
