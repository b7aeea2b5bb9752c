/* SPDX-License-Identifier: Apache-2.0 */
/* One request to an amikad: that of the state folder, or one at a URL. libcurl stays behind this header and follow.h. */
#ifndef AMK_CLIENT_CLIENT_H
#define AMK_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cmd.h"
#include "core/err.h"
#include "core/json.h"

struct amk_client;

struct amk_client_options {
	bool no_start;
	const char *url, *token_file;
};
extern struct amk_client_options amk_client_given;

/* Rows every tool's option table has. */
#define AMK_CLIENT_OPTION \
	{ 0, "no-start", AMK_OPT_FLAG, &amk_client_given.no_start, NULL, "fail when no daemon runs, do not start one" }, \
	{ 0, "url", AMK_OPT_STR, &amk_client_given.url, "URL", "the daemon at http://HOST:PORT, else AMIKA_URL" }, \
	{ 0, "token-file", AMK_OPT_STR, &amk_client_given.token_file, "FILE", "the token for it, else AMIKA_TOKEN" }

/* What they read from the environment, for --spec. */
#define AMK_CLIENT_ENVIRONMENT \
	"AMIKA_STATE_DIRECTORY AMIKA_NO_START AMIKA_URL AMIKA_TOKEN AMIKA_TOKEN_FILE"

/*
 * Opens the state folder, or makes ready for the daemon at --url or AMIKA_URL. None is needed before the
 * first call. That of the state folder is started by it unless --no-start or AMIKA_NO_START=1 forbid it
 * (AMK_EUNREACHABLE); one at a URL never is.
 */
int amk_client_open(struct amk_client **c, struct amk_err *e);
/*
 * What --url or AMIKA_URL say; NULL: the state folder's daemon is meant. Folders, programs and variables
 * of this machine mean nothing to a daemon at a URL.
 */
const char *amk_client_url(void);
void amk_client_free(struct amk_client *c);
void amk_auto_client(struct amk_client **c);

struct amk_call {
	const char *method; /* "GET", "POST", "DELETE" */
	const char *path;   /* "/v1/sessions/tau", escaped */
	const struct amk_buf *body; /* JSON, or NULL */
	bool whole;  /* ask for the record the call made or changed */
	bool again;  /* may be sent again when the connection breaks. GET always may */
	bool *twice; /* set when it was: the first one may have been done. Or NULL */
};

/*
 * Does the call. *reply is the JSON of its answer, NULL when it has none; the caller frees it. A
 * refusal becomes *e by its problem document. Safe with a NULL `reply`.
 */
int amk_client_call(struct amk_client *c, const struct amk_call *call, struct amk_json **reply, struct amk_err *e);
/* GET of "FORMAT" and the reply. */
int amk_client_get(struct amk_client *c, struct amk_json **reply, struct amk_err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* GET of `path`; what it answers is in *body as it came. */
int amk_client_text(struct amk_client *c, const char *path, struct amk_buf *body, struct amk_err *e);

/* AMK_EINVALID unless `id` can be part of a path; `what` names it in the sentence ("session"). */
int amk_client_id(const char *what, const char *id, struct amk_err *e);
/* Adds s as it stands in a URL's query. */
void amk_client_escape(struct amk_buf *b, const char *s);

/* From here on everything that is asked is given up after so many ms in all, and not asked again. */
void amk_client_hurry(struct amk_client *c, int64_t ms);

/* For follow.c and the checks of the doctor. */
/* No session is called so: the remedy in *e becomes the nearest name of those made last, if one is near. */
void amk_client_near(struct amk_client *c, const char *session, struct amk_err *e);
bool amk_client_may_start(void);
/* A daemon answers now, started if need be and allowed; at a URL it is waited for if it ever answered. */
int amk_client_ensure(struct amk_client *c, bool start, struct amk_err *e);
struct amk_place;
const struct amk_place *amk_client_place(const struct amk_client *c);
/* It answered at least once. */
bool amk_client_met(const struct amk_client *c);
void amk_client_meet(struct amk_client *c);

#endif
