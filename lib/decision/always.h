/* SPDX-License-Identifier: Apache-2.0 */
/* "Always": from a request to the rule that would have answered it, no wider than what was asked unless somebody says so. */
#ifndef AMK_DECISION_ALWAYS_H
#define AMK_DECISION_ALWAYS_H

#include "decision/rule.h"
#include "decision/subject.h"

struct amk_always {
	struct amk_state_rule rule; /* texts borrowed from the subject, `wanted` and below */
	struct amk_buf text;
};

/*
 * The rule for a request. `wanted` is NULL or an object of the API (scope, command, path, toolWide): what the person asked
 * for. Without it: a command the agent suggests if it is exact, else the tool with the command, the path or the input as
 * they are. 1: made, not stored yet; 0: this request is asked each time; -1: `wanted` is no rule for this request.
 * Release it, also after 0 and -1.
 */
int amk_always_make(struct amk_always *a, const struct amk_subject *s, const struct amk_json *wanted, struct amk_err *e);
void amk_always_release(struct amk_always *a);

#endif
