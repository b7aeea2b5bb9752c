/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the amikad of this state folder. libcurl stays behind this header and follow.h. */
#ifndef AMK_CLIENT_CLIENT_H
#define AMK_CLIENT_CLIENT_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/cmd.h"
#include "core/err.h"
#include "core/json.h"

struct amk_client;

/* The row every tool's option table has. */
extern bool amk_client_no_start;
#define AMK_CLIENT_OPTION \
	{ 0, "no-start", AMK_OPT_FLAG, &amk_client_no_start, NULL, "fail when no daemon runs, do not start one" }

/*
 * Opens the state folder. No daemon is needed before the first call, which starts one unless
 * --no-start or AMIKA_NO_START=1 forbid it (AMK_EUNREACHABLE).
 */
int amk_client_open(struct amk_client **c, struct amk_err *e);
void amk_client_free(struct amk_client *c);
void amk_auto_client(struct amk_client **c);

struct amk_call {
	const char *method; /* "GET", "POST" */
	const char *path;   /* "/v1/sessions/tau", escaped */
	const struct amk_buf *body; /* JSON, or NULL */
	bool whole;  /* ask for the record the call made or changed */
	bool again;  /* may be sent twice: done once more when the connection breaks. GET always may */
};

/*
 * Does the call. *reply is the JSON of its answer, NULL when it has none; the caller frees it. A
 * refusal becomes *e by its problem document. Safe with a NULL `reply`.
 */
int amk_client_call(struct amk_client *c, const struct amk_call *call, struct amk_json **reply, struct amk_err *e);
/* GET of "FORMAT" and the reply. */
int amk_client_get(struct amk_client *c, struct amk_json **reply, struct amk_err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* AMK_EINVALID unless `id` can be part of a path; `what` names it in the sentence ("session"). */
int amk_client_id(const char *what, const char *id, struct amk_err *e);
/* Adds s as it stands in a URL's query. */
void amk_client_escape(struct amk_buf *b, const char *s);

/* For follow.c and the checks of the doctor. */
bool amk_client_may_start(void);
/* A daemon answers now, started if need be and allowed. */
int amk_client_ensure(struct amk_client *c, bool start, struct amk_err *e);
const char *amk_client_state(const struct amk_client *c);
/* What CURLOPT_UNIX_SOCKET_PATH takes; short, and valid as long as the client. */
const char *amk_client_socket(const struct amk_client *c);

#endif
