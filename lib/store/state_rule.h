/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of rules, and what was looked at for a decision. */
#ifndef AMK_STORE_STATE_RULE_H
#define AMK_STORE_STATE_RULE_H

#include "store/store.h"

/* A rule that answers decisions, see amika-rule(5). Texts may be NULL where it says so. */
struct amk_state_rule {
	int64_t row; /* "r_ROW" */
	const char *scope; /* "daemon", "agent", "session" */
	int64_t session;   /* of scope session; else 0 */
	const char *session_id; /* readers only; or NULL */
	const char *agent;	/* of scope agent; else or NULL */
	const char *kind;	/* "permission", "question" */
	const char *tool, *command, *path, *input; /* each or NULL */
	const char *action;  /* "allow", "deny", "ask" */
	const char *message; /* or NULL */
	const char *by;	     /* who made it, or NULL */
	int64_t created;     /* ns */
};
/*
 * Puts it at the end of its scope; at its beginning when `before` is -1; else before that rule, which must be of the
 * same scope (AMK_ENOTFOUND when there is none, AMK_EINVALID when it is of another).
 */
int amk_state_rule_add(struct amk_store *s, struct amk_state_rule *r, int64_t before, struct amk_err *e);
/* AMK_ENOTFOUND when there is none. */
int amk_state_rule_remove(struct amk_store *s, int64_t row, struct amk_err *e);
/* How many there are in a scope; session is that of scope session, else 0. */
int amk_state_rule_count(struct amk_store *s, const char *scope, int64_t session, int64_t *n, struct amk_err *e);
/* Those that count for a session of an agent, in their order; session 0: all, but for those of ended sessions. */
int amk_state_rules(struct amk_store *s, int64_t session, const char *agent,
		    bool (*each)(void *arg, const struct amk_state_rule *r), void *arg, struct amk_err *e);
/* What was looked at when a decision was opened: JSON. */
int amk_state_rule_trace(struct amk_store *s, int64_t decision, const char *trace, struct amk_err *e);
/* Appends it to b, nothing when there is none. */
int amk_state_rule_traced(struct amk_store *s, int64_t decision, struct amk_buf *b, struct amk_err *e);

#endif
