/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a hook's command, kept by amika-once (run/once.h). */
#ifndef AMK_OUTLET_ATTEMPT_H
#define AMK_OUTLET_ATTEMPT_H

#include <stdint.h>

#include "core/id.h"
#include "loop/loop.h"
#include "outlet/hook.h"

struct amk_attempt;

struct amk_attempt_spec {
	const struct amk_hook *hook;
	const char *state; /* the state folder */
	const char *session_id, *event;
	int64_t delivery; /* row */
	int number;	  /* of the attempt, from 1 */
	int record;	  /* its stdin, borrowed for the call */
	uint64_t files;	  /* its soft limit of open files; 0: the daemon's */
	int64_t grace_ms; /* between TERM and KILL */
};

/* How a delivery is called: "h_7". */
#define AMK_ATTEMPT_ID AMK_ID_ROW
const char *amk_attempt_id(char to[AMK_ATTEMPT_ID], int64_t delivery);
/* 0: no delivery is called so. */
int64_t amk_attempt_row(const char *id);

/* over(arg) comes from the loop when nothing of the command is left; amk_attempt_free is fine in it. */
struct amk_attempt *amk_attempt_start(struct amk_loop *l, const struct amk_attempt_spec *spec, void (*over)(void *arg),
				      void *arg, struct amk_err *e);
/* Once it is over: NULL when the command exited with 0, else why it failed, as in "NAME exited with status 1". */
const char *amk_attempt_why(const struct amk_attempt *a);
/* The beginning of what it wrote to stdout and stderr; "" for nothing. */
#define AMK_ATTEMPT_OUTPUT 1000
const char *amk_attempt_output(const struct amk_attempt *a);
/* Ends its tree; `over` follows. */
void amk_attempt_end(struct amk_attempt *a);
/* Lets go; what is left of it ends by itself. */
void amk_attempt_free(struct amk_attempt *a);

/* A file without a name that holds the line and a newline, to be read from its beginning; -1. */
int amk_attempt_record(const char *line, size_t n, struct amk_err *e);

#endif
