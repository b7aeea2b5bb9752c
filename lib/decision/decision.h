/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: what an agent asked, durable, answered exactly once. */
#ifndef AMK_DECISION_DECISION_H
#define AMK_DECISION_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/id.h"
#include "core/json.h"
#include "event/event.h"
#include "store/store.h"

#define AMK_DECISION_ID AMK_ID_ROW /* "d_N" */

const char *amk_decision_id(char to[AMK_DECISION_ID], int64_t row);
/* The row named by "d_N", 0 when it is no such name. */
int64_t amk_decision_row(const char *id);

/* Who asks: a session's run; and until when there is time to answer (ns since the epoch), or 0. */
struct amk_decision_asker {
	int64_t session, run, deadline;
};
/* What its record adds to an event: members of amika.decision. */
struct amk_decision_place {
	int64_t row;
	int64_t deadline; /* or 0 */
	int64_t previous; /* the one it repeats, asked by a program that is gone; or 0 */
};
void amk_decision_members(struct amk_buf *b, const struct amk_decision_place *at);

/* Records what `said` opens, and *at names it. In the turn's transaction, like all here. */
int amk_decision_open(struct amk_store *s, const struct amk_decision_asker *asker, const struct amk_said *said,
		      struct amk_decision_place *at, struct amk_err *e);

/* An answer as a client gives it. */
struct amk_decision_answer {
	const char *reply;   /* "once", "always", "reject", "answer" */
	const char *message; /* free text, or NULL */
	const char *answers; /* JSON [[string]], or NULL */
	const char *input;   /* what is allowed instead of what was asked, a JSON object, or NULL */
	bool stop;	     /* denied, and the turn ends */
	const char *by;	     /* who */
	const char *rule;    /* by which rule, or NULL */
	bool expired;	     /* nobody answered in time: this is what is said instead */
	const char *made;    /* the rule that "always" made (JSON), or NULL */
	const struct amk_json *wanted; /* what that rule is to be, see always.h, or NULL */
};
/*
 * Closes the one `said` resolves; answer is NULL when nobody answered (void). *at names it.
 * AMK_EANSWERED when it was closed before.
 */
int amk_decision_close(struct amk_store *s, const struct amk_decision_asker *asker, const struct amk_said *said,
		       const struct amk_decision_answer *answer, struct amk_decision_place *at, struct amk_err *e);

/* A decision as the API shows it, copied out. */
struct amk_decision {
	int64_t row, session, run;
	char *session_id, *native_id, *kind, *state, *request;
	char *reason, *answer, *by, *rule; /* or NULL */
	int64_t previous;		   /* row, or 0 */
	int64_t created, closed, deadline, delivered; /* ns, 0: not */
};
/* AMK_ENODECISION when there is none. Release what was found. */
int amk_decision_find(struct amk_store *s, int64_t row, struct amk_decision *d, struct amk_err *e);
void amk_decision_release(struct amk_decision *d);
/* AMK_EANSWERED unless it is open: who has closed it, with what and when, or why it is void. */
int amk_decision_check_open(const struct amk_decision *d, struct amk_err *e);
void amk_decision_write(struct amk_buf *b, const struct amk_decision *d);
/* The members of its line (see amika-lines(5)) but for its type, into the open object. */
void amk_decision_write_line(struct amk_buf *b, const struct amk_decision *d);
/* Writes `"decisions":[…]`, oldest first; session 0 means of all. */
int amk_decision_list(struct amk_store *s, int64_t session, bool open_only, struct amk_buf *b, struct amk_err *e);

#endif
