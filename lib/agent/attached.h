/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attachments of a message. Each is {"path","mime","filename"} as it was sent, and, when its bytes go to the
 * agent, "media_type" and "data" (base64): what was read when the message came, so that a replay says the same.
 */
#ifndef AMK_AGENT_ATTACHED_H
#define AMK_AGENT_ATTACHED_H

#include "agent/agent.h"

/* NULL when there are none; the caller frees it. */
struct amk_json *amk_attached_list(const struct amk_input *in);
/* What it is, or NULL when nobody said. */
const char *amk_attached_mime(const struct amk_json *attachment);
/* Adds them to an open content array: an image, or a file that is read. */
void amk_attached_parts(struct amk_buf *b, const struct amk_json *list);
/* Adds a list of their paths, to stand behind the message's text. */
void amk_attached_names(struct amk_buf *b, const struct amk_json *list);

#endif
