/* SPDX-License-Identifier: Apache-2.0 */
/* The deletion of sessions, and of the oldest events of those that stay. */
#ifndef AMK_SESSION_FORGET_H
#define AMK_SESSION_FORGET_H

#include "session/internal.h"

int amk_forget_open(struct amk_sessions *all, struct amk_err *e); /* goes on with what was begun */
void amk_forget_close(struct amk_sessions *all);
const struct amk_forget *amk_forget_next(const struct amk_forget *f);
void amk_forget_work(struct amk_sessions *all); /* a little; the loop comes again when there is more */
void amk_forget_look(struct amk_session *s);	/* has it more events than are kept? */

#endif
