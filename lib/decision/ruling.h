/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules say about a request, and which of them were looked at. The first that matches decides. What cannot be
 * read is asked: a rule that denies or asks decides so at once, one that allows lets only a deny, or an allow of the very
 * same input, come behind it.
 */
#ifndef AMK_DECISION_RULING_H
#define AMK_DECISION_RULING_H

#include "decision/rule.h"
#include "decision/subject.h"

#define AMK_RULING_NAME 64
#define AMK_RULING_WHY 1024

struct amk_ruling {
	const struct amk_subject *subject;
	const char *action; /* "allow", "deny", "ask"; NULL: not decided yet */
	char id[AMK_RULING_NAME]; /* "r_3", "mode bypass" */
	char by[AMK_RULING_NAME]; /* "rule r_3", "mode bypass": who answered */
	char scope[16];		  /* "daemon", "agent", "session", "mode" */
	struct amk_buf why, message;
	struct amk_buf trace; /* JSON: what was looked at, in order */
	char held[AMK_RULING_NAME], held_scope[16]; /* the first that allows and could not read it, or "" */
	struct amk_buf held_why;
};

/* The subject stays the caller's, and as it is until release. */
void amk_ruling_begin(struct amk_ruling *g, const struct amk_subject *s);
/* The rules one after another, in their order: false when it is decided. */
bool amk_ruling_look(struct amk_ruling *g, const struct amk_state_rule *r);
/* No more rules: the session's mode, then asking. */
void amk_ruling_end(struct amk_ruling *g);
void amk_ruling_release(struct amk_ruling *g);

/* All of the above with the rules of the store that count for a session. */
int amk_ruling_make(struct amk_ruling *g, struct amk_store *store, int64_t session, const struct amk_subject *s,
		    struct amk_err *e);
/* {"id","scope","action","why"}. */
void amk_ruling_write(struct amk_buf *b, const char *key, const struct amk_ruling *g);

#endif
