/* SPDX-License-Identifier: Apache-2.0 */
/* amika-session: makes, lists, shows and ends sessions. */
#include <stdio.h>

#include "client/client.h"
#include "client/create.h"
#include "client/offer.h"
#include "client/queue.h"
#include "client/show.h"
#include "client/watch.h"
#include "core/jw.h"

static const char *opt_agent, *opt_model, *opt_mode, *opt_title;
static bool opt_forget, opt_follow;

static const struct amk_show_column columns[] = {
	{ "SESSION", "session_id" }, { "AGENT", "agent" },  { "STATE", "state" },	  { "REASON", "state_reason" },
	{ "SINCE", "stateSince" },   { "RSS", "resident" }, { "DIRECTORY", "directory" }, { "TITLE", "title" },
};
static struct amk_show_table table = {
	.type = "session",
	.columns = columns,
	.n = AMK_COUNT(columns),
	.as = { [4] = AMK_SHOW_AGE, [5] = AMK_SHOW_SIZE },
};

static int create_one(struct amk_client *c, const char *name, const struct amk_buf *body, struct amk_err *e)
{
	struct amk_json *record AMK_AUTO(json) = NULL;

	if (amk_create_session(c, name, body, &record, e) < 0)
		return -1;
	return amk_show_add(&table, record, e);
}

/* All names are checked before the first session is made. */
static int create_all(struct amk_client *c, const struct amk_args *a, const struct amk_buf *body, struct amk_err *e)
{
	for (int i = 0; i < a->argc; i++)
		if (amk_create_check(a->argv[i], e) < 0)
			return -1;
	for (int i = 0; i < a->argc || i == 0; i++)
		if (create_one(c, a->argc ? a->argv[i] : NULL, body, e) < 0)
			return -1;
	return amk_show_end(&table, e);
}

static int create(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(8u << 20);
	int r = -1;

	if (!opt_agent) {
		amk_err_set(e, AMK_EUSAGE, "--agent is needed");
		return amk_err_hint(e, "see: amika agent list");
	}
	if (amk_client_open(&c, e) == 0 && amk_create_body(c, opt_agent, a, &body, e) == 0)
		r = create_all(c, a, &body, e);
	amk_strv_release(&amk_create_given.environment);
	return r;
}

static int list_add(void *arg, const struct amk_json *session, struct amk_err *e)
{
	return amk_show_add(arg, session, e);
}

static int list_end(void *arg, struct amk_err *e)
{
	return amk_show_end(arg, e);
}

static int list(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	(void)a;
	if (amk_client_open(&c, e) < 0)
		return -1;
	if (opt_follow)
		return amk_watch_follow(c, list_add, list_end, &table, e);
	return amk_watch_list(c, list_add, &table, e) < 0 ? -1 : amk_show_end(&table, e);
}

static int show_one(struct amk_client *c, const char *name, struct amk_err *e)
{
	struct amk_json *record AMK_AUTO(json) = NULL;

	if (amk_client_id("session", name, e) < 0 || amk_client_get(c, &record, e, "/v1/sessions/%s", name) < 0)
		return -1;
	return amk_show_record("session", record, e);
}

static int show(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < a->argc; i++)
		if (show_one(c, a->argv[i], e) < 0)
			return -1;
	return 0;
}

/* Gone before we could hear that it is gone is what was wanted. */
static int forget(struct amk_client *c, const char *path, struct amk_err *e)
{
	bool twice = false;
	struct amk_call call = { .method = "DELETE", .path = path, .again = true, .twice = &twice };

	if (amk_client_call(c, &call, NULL, e) == 0 || (twice && e->code == AMK_ENOSESSION))
		return 0;
	return -1;
}

/* The record as it was last, and that it is no more. */
static int show_forgotten(const struct amk_json *record, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	struct amk_json *last AMK_AUTO(json) = NULL;

	amk_json_print(&b, NULL, record);
	b.n--; /* the closing brace */
	amk_buf_adds(&b, ",\"forgotten\":true}");
	last = amk_json_parse(b.s, b.n, e);
	return last ? amk_show_add(&table, last, e) : -1;
}

static int end_one(struct amk_client *c, const char *name, struct amk_err *e)
{
	struct amk_json *record AMK_AUTO(json) = NULL;
	char path[256];
	struct amk_call call = { .method = "POST", .path = path, .again = true };

	if (amk_client_id("session", name, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/v1/sessions/%s/terminate", name);
	if (amk_client_call(c, &call, NULL, e) < 0 || amk_client_get(c, &record, e, "/v1/sessions/%s", name) < 0)
		return -1;
	if (!opt_forget)
		return amk_show_add(&table, record, e);
	snprintf(path, sizeof path, "/v1/sessions/%s", name);
	return forget(c, path, e) < 0 ? -1 : show_forgotten(record, e);
}

static int end(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < a->argc; i++)
		if (end_one(c, a->argv[i], e) < 0)
			return -1;
	return amk_show_end(&table, e);
}

/* Those that go by name and answer with the session as it is then. */
static int post_one(struct amk_client *c, const char *name, const char *what, struct amk_err *e)
{
	struct amk_json *record AMK_AUTO(json) = NULL;
	char path[256];
	struct amk_call call = { .method = "POST", .path = path, .again = true };

	if (amk_client_id("session", name, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/v1/sessions/%s/%s", name, what);
	if (amk_client_call(c, &call, NULL, e) < 0 || amk_client_get(c, &record, e, "/v1/sessions/%s", name) < 0)
		return -1;
	return amk_show_add(&table, record, e);
}

static int post_all(const struct amk_args *a, const char *what, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < a->argc; i++)
		if (post_one(c, a->argv[i], what, e) < 0)
			return -1;
	return amk_show_end(&table, e);
}

static int sleep_verb(const struct amk_args *a, struct amk_err *e)
{
	return post_all(a, "sleep", e);
}

static int warm(const struct amk_args *a, struct amk_err *e)
{
	return post_all(a, "warm", e);
}

static void put(struct amk_buf *b, const char *key, const char *value)
{
	if (value)
		amk_jw_cstr(b, key, value);
}

static int set(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct amk_json *record AMK_AUTO(json) = NULL;
	char path[256];
	struct amk_call call = { .method = "PATCH", .path = path, .body = &body, .again = true };

	if (!opt_model && !opt_mode && !opt_title)
		return amk_err_set(e, AMK_EUSAGE, "--model, --permission-mode or --title is needed");
	amk_jw_open(&body, NULL, '{');
	put(&body, "model", opt_model);
	put(&body, "permissionMode", opt_mode);
	put(&body, "title", opt_title);
	amk_jw_close(&body, '}');
	if (amk_client_id("session", a->argv[0], e) < 0 || amk_client_open(&c, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/v1/sessions/%s", a->argv[0]);
	if (amk_client_call(c, &call, &record, e) < 0 || amk_show_add(&table, record, e) < 0)
		return -1;
	return amk_show_end(&table, e);
}

static const struct amk_opt set_options[] = {
	{ 'm', "model", AMK_OPT_STR, &opt_model, "MODEL", "the model, in the agent's words" },
	{ 'p', "permission-mode", AMK_OPT_STR, &opt_mode, "MODE", "what the agent may do unasked" },
	{ 0, "title", AMK_OPT_STR, &opt_title, "TEXT", "a title for lists" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt create_options[] = {
	{ 'a', "agent", AMK_OPT_STR, &opt_agent, "AGENT", "which agent works in it" },
	AMK_CREATE_OPTIONS,
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt list_options[] = {
	{ 'f', "follow", AMK_OPT_FLAG, &opt_follow, NULL, "go on with those that change, until a signal" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt end_options[] = {
	{ 0, "forget", AMK_OPT_FLAG, &opt_forget, NULL, "remove all that is kept of it, for good and unasked" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt options[] = { AMK_CLIENT_OPTION, AMK_OPT_END };

static const struct amk_cmd cmd_create = {
	.name = "create",
	.summary = "Make a session for each NAME",
	.operands = "[NAME…]",
	.max = -1,
	.rest = true,
	.writes = "session",
	.opts = create_options,
	.run = create,
	.example = "amika session create --agent claude tau",
};
static const struct amk_cmd cmd_list = {
	.name = "list",
	.summary = "List sessions, the newest first",
	.writes = "session",
	.opts = list_options,
	.run = list,
};
static const struct amk_cmd cmd_show = {
	.name = "show",
	.summary = "Show what a session is made from and how it stands",
	.operands = "NAME…",
	.min = 1,
	.max = -1,
	.writes = "session",
	.opts = options,
	.run = show,
};
static const struct amk_cmd cmd_end = {
	.name = "end",
	.summary = "End a session and every process it started",
	.operands = "NAME…",
	.min = 1,
	.max = -1,
	.writes = "session",
	.opts = end_options,
	.run = end,
};
static const struct amk_cmd cmd_sleep = {
	.name = "sleep",
	.summary = "End the program of a session that has nothing to do",
	.operands = "NAME…",
	.min = 1,
	.max = -1,
	.writes = "session",
	.opts = options,
	.run = sleep_verb,
};
static const struct amk_cmd cmd_warm = {
	.name = "warm",
	.summary = "Start a session's program before there is a message for it",
	.operands = "NAME…",
	.min = 1,
	.max = -1,
	.writes = "session",
	.opts = options,
	.run = warm,
};
static const struct amk_cmd cmd_set = {
	.name = "set",
	.summary = "Change the model, the permission mode or the title of a session",
	.operands = "NAME",
	.min = 1,
	.max = 1,
	.writes = "session",
	.opts = set_options,
	.run = set,
	.example = "amika session set --model sonnet tau",
};
static const struct amk_cmd *const verbs[] = { &cmd_create, &cmd_list, &cmd_show, &cmd_set, &amk_queue_cmd,
					      &amk_queue_cmd_cancel, &cmd_sleep, &cmd_warm, &cmd_end, NULL };

static const struct amk_cmd cmd = {
	.name = "amika-session",
	.summary = "Make, list, show and end sessions",
	.verbs = verbs,
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika session list",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
