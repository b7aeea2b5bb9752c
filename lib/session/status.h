/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session is doing, why, and since when. It is set once, at the end of a loop turn, from what is recorded
 * then, stored with it, and only read afterwards: whoever shows it and whoever comes after a restart see the same.
 */
#ifndef AMK_SESSION_STATUS_H
#define AMK_SESSION_STATUS_H

#include "agent/agent.h"
#include "store/state.h"

struct amk_session;

struct amk_status {
	const char *word; /* "starting", "working", "waiting", "idle", "asleep", "ended", "failed": constants */
	char *reason;
	int64_t since; /* ns; no two changes of any sessions have the same, later ones have more */
	struct amk_session *before, *after; /* in the order of `since` */
	char *rest;  /* the reason while it has no program; NULL: it never had one */
	bool failed; /* its last program ended as it should not have */
	bool stored; /* as it is */
};

void amk_status_load(struct amk_session *s, const struct amk_state_session *r);
void amk_status_release(struct amk_session *s);
/* Sets it from what is, and stores it if it is not. */
void amk_status_look(struct amk_session *s);
/* Its program is over: what becomes of its state until there is another. */
void amk_status_over(struct amk_session *s, const struct amk_input *exit, bool was_busy);
/* It could not be taken up: counts as ended, for this daemon. */
void amk_status_broken(struct amk_session *s, const struct amk_err *why);

#endif
