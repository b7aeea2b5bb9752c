/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which daemon is meant: that of the state folder, or one at a URL. For the files of this room that hold a
 * libcurl handle.
 */
#ifndef AMK_CLIENT_PLACE_H
#define AMK_CLIENT_PLACE_H

#include <stdint.h>
#include <sys/un.h>

#include <curl/curl.h>

#include "client/url.h"
#include "core/err.h"
#include "core/path.h"

#define AMK_PLACE_PATIENCE INT64_C(30000000000) /* ns to wait for a daemon at a URL that was there before */

struct amk_place {
	bool remote;	    /* at .url; else the socket at .at */
	struct amk_url url;
	char *token;	    /* or NULL */
	char state[AMK_PATH_MAX];
	int dir; /* the state folder; open when not remote */
	struct sockaddr_un at;
};

/*
 * From --url, AMIKA_URL, else the state folder, which is made if need be. Warns on stderr when a token
 * is about to go over a network in the clear.
 */
int amk_place_open(struct amk_place *p, struct amk_err *e);
void amk_place_close(struct amk_place *p);

/* Resets the handle and says where it goes: to `path` there, by no way that was not asked for. */
void amk_place_set_up(const struct amk_place *p, CURL *curl, const char *path);
/* The headers of every request: the token, and none that would make us wait. The caller frees the list. */
struct curl_slist *amk_place_headers(const struct amk_place *p);

/* What a reply of status 300 and up means: *e, -1. */
int amk_place_refused(const struct amk_place *p, long status, const char *body, size_t n, struct amk_err *e);
/* Nothing answers, or no longer: *e, -1. */
int amk_place_unreachable(const struct amk_place *p, CURLcode why, struct amk_err *e);

#endif
