/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step opened is shown to the rules once the line that asked is behind us, in the same transaction. What they answer
 * is a recorded input: a replay does not ask them again.
 */
#ifndef AMK_SESSION_RULED_H
#define AMK_SESSION_RULED_H

#include "session/internal.h"

void amk_ruled_opened(struct amk_session *s, int64_t decision);
void amk_ruled_work(struct amk_session *s);
/*
 * The rule an answer "always" makes, stored. Its JSON goes to *made, nothing where this request is asked each time. *added
 * is its row where it was not there before: remove it if the answer comes to nothing.
 */
int amk_ruled_always(struct amk_session *s, const struct amk_decision *d, const struct amk_decision_answer *a,
		     struct amk_buf *made, int64_t *added, struct amk_err *e);

#endif
