/* SPDX-License-Identifier: Apache-2.0 */
/* Making a session, as amika-session and amika-run do. */
#ifndef AMK_CLIENT_CREATE_H
#define AMK_CLIENT_CREATE_H

#include "client/client.h"
#include "core/cmd.h"

struct amk_create {
	const char *directory, *model, *variant, *permission_mode, *agent_mode, *title;
	struct amk_strv environment;
};
extern struct amk_create amk_create_given;

/* Rows for an option table. */
#define AMK_CREATE_OPTIONS \
	{ 'C', "directory", AMK_OPT_STR, &amk_create_given.directory, "DIR", "where the agent works" }, \
	{ 'm', "model", AMK_OPT_STR, &amk_create_given.model, "MODEL", "the model, in the agent's words" }, \
	{ 0, "variant", AMK_OPT_STR, &amk_create_given.variant, "VARIANT", "of the model (see: amika agent models)" }, \
	{ 'p', "permission-mode", AMK_OPT_STR, &amk_create_given.permission_mode, "MODE", \
	  "what the agent may do unasked (see: amika agent list)" }, \
	{ 0, "agent-mode", AMK_OPT_STR, &amk_create_given.agent_mode, "MODE", "a label (see: amika agent modes)" }, \
	{ 'e', "env", AMK_OPT_LIST, &amk_create_given.environment, "NAME[=VALUE]", \
	  "a variable for the agent; without VALUE yours" }, \
	{ 0, "title", AMK_OPT_STR, &amk_create_given.title, "TEXT", "a title for lists" }

/* `name` may be a new session's name. */
int amk_create_check(const char *name, struct amk_err *e);
/* The request's body, the same for all sessions of one command. `a` holds the agent's own arguments. */
int amk_create_body(struct amk_client *c, const char *agent, const struct amk_args *a, struct amk_buf *body,
		    struct amk_err *e);
/*
 * The session's record; the caller frees it. Without a name (NULL) one is made that is not taken. When the connection broke and a session of that name is there
 * afterwards, it is taken for ours if it was made just now from what we asked for.
 */
int amk_create_session(struct amk_client *c, const char *name, const struct amk_buf *body, struct amk_json **record,
		       struct amk_err *e);

#endif
