/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked, told apart from how it is asked: so that a question is known when it is asked again. */
#ifndef AMK_DECISION_CONTENT_H
#define AMK_DECISION_CONTENT_H

#define AMK_CONTENT 65 /* bytes of its name */

/*
 * The same for the same kind, tool and input, or the same questions, whatever the order of members; the agent's ids and
 * its comments do not count. `request` is a JSON object: the members of amika.decision.
 */
const char *amk_content_of(char to[AMK_CONTENT], const char *kind, const char *request);

#endif
