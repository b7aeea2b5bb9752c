/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions asked on the terminal while the stream goes on, and taken back when someone else was first. */
#ifndef AMK_CLIENT_PROMPT_H
#define AMK_CLIENT_PROMPT_H

#include <stdbool.h>

#include "client/caller.h"
#include "client/client.h"

struct amk_prompt_item; /* an open decision */

struct amk_prompt {
	struct amk_client *client; /* borrowed */
	struct amk_prompt_item *first, **last; /* the first is on the screen */
	struct amk_buf typed;
	bool deaf; /* stdin has ended: what is open stays open */
	char by[AMK_CALLER_NAME];
};

/* Somebody is there to ask: stdin and stderr are terminals and records were not asked for. */
bool amk_prompt_possible(void);

void amk_prompt_init(struct amk_prompt *p, struct amk_client *c);
void amk_prompt_release(struct amk_prompt *p);
/* A question is on the screen: what is typed belongs to amk_prompt_typed. */
bool amk_prompt_listens(const struct amk_prompt *p);
/* For permission.requested and question.requested. */
void amk_prompt_asked(struct amk_prompt *p, const struct amk_json *event);
/* For permission.resolved and question.resolved: takes the question back, naming who answered. */
void amk_prompt_settled(struct amk_prompt *p, const struct amk_json *event);
/* Stdin can be read. -1 only when the daemon cannot be told. */
int amk_prompt_typed(struct amk_prompt *p, struct amk_err *e);
/* Other output stood in between. */
void amk_prompt_again(const struct amk_prompt *p);

#endif
