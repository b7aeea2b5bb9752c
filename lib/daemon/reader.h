/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader: a cursor in the log of one session, or of all, and nothing else. Whoever has a socket with room
 * asks it for bytes; one that does not ask costs no memory and delays nobody.
 */
#ifndef AMK_DAEMON_READER_H
#define AMK_DAEMON_READER_H

#include "daemon/daemon.h"

struct amk_reader;

struct amk_reader_spec {
	const char *session_id; /* copied; NULL: all sessions */
	uint64_t after; /* the cursor: a sequence of the session, a row of the log for all */
	uint64_t limit; /* frames; 0: no limit */
	bool hidden;	/* profile=amika: all events */
	bool notices;	/* hello, session.state, gap: lines about the stream, without an id */
	bool raw;	/* with the native payloads */
	/* Ends behind the first event that closes the turn of this message (see amika-api(7), messages/stream);
	 * copied; NULL: never. */
	const char *turn_of;
	/* One line as it is sent; id 0: it has none. As amk_sse_frame. */
	void (*frame)(struct amk_buf *b, uint64_t id, const char *line, size_t n);
};

/* wake(arg), which may be NULL, is called when there may be more. NULL: there is no such session. */
struct amk_reader *amk_reader_open(struct amk_daemon *d, const struct amk_reader_spec *spec,
				   void (*wake)(void *arg), void *arg, struct amk_err *e);
void amk_reader_close(struct amk_reader *r);

/* 1..max bytes of frames; WAIT: none now; END: none any more. */
enum amk_pull amk_reader_pull(struct amk_reader *r, char *to, size_t max, size_t *n);
/* The bytes given so far end with a whole frame. */
bool amk_reader_between(const struct amk_reader *r);
/* Behind the last whole frame given. */
uint64_t amk_reader_cursor(const struct amk_reader *r);
/* True when the log could not be read: what was given is not all there is. */
bool amk_reader_failed(const struct amk_reader *r, struct amk_err *e);
/* Whether there is another frame, limit or not. */
bool amk_reader_has_more(struct amk_reader *r);

#endif
