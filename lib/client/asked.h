/* SPDX-License-Identifier: Apache-2.0 */
/* A decision as a person reads it: all of what is asked, or one line of it. Takes decision lines, see amika-lines(5). */
#ifndef AMK_CLIENT_ASKED_H
#define AMK_CLIENT_ASKED_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/json.h"

/*
 * Everything in the record, nothing cut; what the agent wrote is made safe for a terminal. An edit is shown as a diff,
 * with `colour` in the colours of one.
 */
void amk_asked_show(struct amk_buf *out, const struct amk_json *decision, bool colour);

/* "Bash: ls -la", "Which colour? (and 2 more)", "plan: 1. Write tests": at most `max` characters of the agent's. */
void amk_asked_word(struct amk_buf *out, const struct amk_json *decision, size_t max);

/* Whether stdout is a terminal that shows colours: not with NO_COLOR or TERM=dumb. */
bool amk_asked_colour(void);

#endif
