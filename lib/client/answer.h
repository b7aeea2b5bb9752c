/* SPDX-License-Identifier: Apache-2.0 */
/* Answering a decision once, also when it is not heard that it was answered. */
#ifndef AMK_CLIENT_ANSWER_H
#define AMK_CLIENT_ANSWER_H

#include "client/client.h"

/*
 * Sends the answer `body` (reply, message, answers, input, stop, by). When the connection broke and the decision is
 * answered afterwards, that counts as ours if it is the same answer by the same. *record is the decision,
 * the caller frees it; `record` may be NULL.
 */
int amk_answer_send(struct amk_client *c, const char *id, const struct amk_buf *body, struct amk_json **record,
		    struct amk_err *e);

#endif
