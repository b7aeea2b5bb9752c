/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer fits what was asked, before anything is done with it. */
#ifndef AMK_SESSION_REPLY_H
#define AMK_SESSION_REPLY_H

#include "agent/agent.h"
#include "decision/decision.h"

/*
 * A question needs one list of answers for each question it holds: one answer where only one may be chosen, none where
 * it may be left out, of the type it asks for. Changed input goes with "once", stop with "reject", both only to agents
 * that understand them. 0, or -1 with AMK_EINVALID.
 */
int amk_reply_check(const struct amk_decision *d, const struct amk_decision_answer *a, const struct amk_codec *c,
		    struct amk_err *e);

#endif
