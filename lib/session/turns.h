/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches into a running turn: messages put into it, and its end before its time. */
#ifndef AMK_SESSION_TURNS_H
#define AMK_SESSION_TURNS_H

#include "session/internal.h"

/* steering.c: may a message go into a turn at all, can this one go into one now, and putting it there. */
int amk_session_steer_check(const struct amk_session *s, struct amk_err *e);
bool amk_session_steer_may(const struct amk_session *s, const struct amk_state_message *m);
int amk_session_steer(struct amk_session *s, struct amk_state_message *m, struct amk_receipt *r, struct amk_err *e);
/* After the program's end: those it never took up wait in the queue again, where they stood. */
void amk_session_steer_again(struct amk_session *s);

/* cancel.c: a turn was cancelled, by an earlier daemon maybe: the agent's time to end it begins. */
void amk_cancel_wait(struct amk_session *s);
/* Tells the shim which turn runs, before its message is written, and which one it has to clear up after. */
void amk_cancel_tell(struct amk_session *s);

#endif
