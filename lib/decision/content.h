/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked, told apart from how it is asked: so that a question is known when it is asked again. */
#ifndef AMK_DECISION_CONTENT_H
#define AMK_DECISION_CONTENT_H

#include "core/buf.h"
#include "core/json.h"

/*
 * Writes a value with the members of its objects by their keys: the agents do not keep their order. As deep as the JSON
 * gate lets it be. `without`: a member of the outermost object that is left out, or NULL.
 */
void amk_content_write(struct amk_buf *b, const char *key, const struct amk_json *j, const char *without);

#define AMK_CONTENT 65 /* bytes of its name */

/*
 * The same for the same kind, tool and input, or the same questions, whatever the order of members; the agent's ids and
 * its comments do not count. `request` is a JSON object: the members of amika.decision.
 */
const char *amk_content_of(char to[AMK_CONTENT], const char *kind, const char *request);

#endif
