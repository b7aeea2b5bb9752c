/* SPDX-License-Identifier: Apache-2.0 */
/* How long a decision may wait, and whether its answer has reached the program (handover.c). */
#ifndef AMK_SESSION_DEADLINE_H
#define AMK_SESSION_DEADLINE_H

#include <stdint.h>

#include "core/err.h"

struct amk_session;
struct amk_sessions;

int amk_deadline_open(struct amk_sessions *all, struct amk_err *e); /* waits for the earliest */
void amk_deadline_close(struct amk_sessions *all);
int64_t amk_deadline_of(const struct amk_sessions *all, const char *kind); /* of what is asked now, or 0 */
void amk_deadline_add(struct amk_sessions *all, int64_t deadline);	   /* of what was asked; 0: none */

/* handover.c: whether the program has read what was answered */
void amk_handover_sent(struct amk_session *s); /* the step that answered is over */
void amk_handover_look(struct amk_session *s); /* at what the program has read by now */
void amk_handover_end(struct amk_session *s);  /* the program is over: what it has not read is void */

#endif
