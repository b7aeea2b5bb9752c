/* SPDX-License-Identifier: Apache-2.0 */
/* amika decision rule: making rules, trying them, and finding out which one answered. */
#include "client/rules.h"

#include <stdio.h>
#include <string.h>

#include "client/caller.h"
#include "client/client.h"
#include "client/show.h"
#include "core/jw.h"
#include "core/utf8.h"

#define BODY_MAX (1u << 20)

static struct {
	const char *session, *scope, *agent, *kind, *tool, *command, *path, *message, *before, *mode, *directory;
	bool first;
} opt;

static const struct amk_show_column rule_columns[] = {
	{ "RULE", "rule_id" }, { "SCOPE", "scope" },	 { "SESSION", "session_id" }, { "ACTION", "action" },
	{ "TOOL", "tool" },    { "COMMAND", "command" }, { "PATH", "path" },	      { "BY", "by" },
};
static struct amk_show_table rules = { .type = "rule", .columns = rule_columns, .n = AMK_COUNT(rule_columns) };

static const struct amk_show_column looked_columns[] = {
	{ "RULE", "id" }, { "SCOPE", "scope" }, { "RESULT", "result" }, { "WHY", "why" },
};
static struct amk_show_table looked = { .type = "looked", .columns = looked_columns, .n = AMK_COUNT(looked_columns) };

struct member {
	const char *key, *value;
};

/* Those that were given; what goes to the daemon must be text. */
static int write_members(struct amk_buf *b, const struct member *m, size_t n, struct amk_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!m[i].value)
			continue;
		if (!amk_utf8_valid(m[i].value, strlen(m[i].value)))
			return amk_err_set(e, AMK_EINVALID, "an option's value is not UTF-8");
		amk_jw_cstr(b, m[i].key, m[i].value);
	}
	return 0;
}

static int write_rule(struct amk_buf *b, const char *action, struct amk_err *e)
{
	char by[AMK_CALLER_NAME];
	const struct member members[] = {
		{ "action", action },	{ "scope", opt.scope },	    { "sessionId", opt.session }, { "agent", opt.agent },
		{ "kind", opt.kind },	{ "tool", opt.tool },	    { "command", opt.command },	  { "path", opt.path },
		{ "message", opt.message }, { "before", opt.before }, { "by", by },
	};

	amk_caller_name(by, "amika decision", false);
	amk_jw_open(b, NULL, '{');
	if (write_members(b, members, AMK_COUNT(members), e) < 0)
		return -1;
	if (opt.first)
		amk_jw_bool(b, "first", true);
	amk_jw_close(b, '}');
	return amk_buf_ok(b) ? 0 : amk_err_set(e, AMK_ETOOBIG, "a rule of more than %u bytes", BODY_MAX);
}

static int add(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_json *record AMK_AUTO(json) = NULL;
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(BODY_MAX);
	const struct amk_call call = { .method = "POST", .path = "/v1/rules", .body = &body };

	if (write_rule(&body, a->argv[0], e) < 0 || amk_client_open(&c, e) < 0 ||
	    amk_client_call(c, &call, &record, e) < 0 || amk_show_add(&rules, record, e) < 0)
		return -1;
	return amk_show_end(&rules, e);
}

static int list(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_json *reply AMK_AUTO(json) = NULL;

	(void)a;
	if ((opt.session && amk_client_id("session", opt.session, e) < 0) || amk_client_open(&c, e) < 0 ||
	    amk_client_get(c, &reply, e, "/v1/rules%s%s", opt.session ? "?session=" : "",
			   opt.session ? opt.session : "") < 0)
		return -1;
	for (const struct amk_json *r = amk_json_first(amk_json_get(reply, "rules")); r; r = amk_json_next(r))
		if (amk_show_add(&rules, r, e) < 0)
			return -1;
	return amk_show_end(&rules, e);
}

static int remove_all(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < a->argc; i++) {
		char path[256];
		const struct amk_call call = { .method = "DELETE", .path = path };

		if (amk_client_id("rule", a->argv[i], e) < 0)
			return -1;
		snprintf(path, sizeof path, "/v1/rules/%.200s", a->argv[i]);
		if (amk_client_call(c, &call, NULL, e) < 0)
			return -1;
	}
	return 0;
}

/* A line of what was looked at; for people a row each, and what came of it. */
static int show_ruling(const struct amk_json *ruling, const char *trace, struct amk_err *e)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(BODY_MAX);
	const struct amk_json *rule = amk_json_get(ruling, "rule");

	if (amk_cmd_records())
		return amk_show_record("ruling", ruling, e);
	for (const struct amk_json *t = amk_json_first(amk_json_get(ruling, trace)); t; t = amk_json_next(t))
		if (amk_show_add(&looked, t, e) < 0)
			return -1;
	if (amk_show_end(&looked, e) < 0)
		return -1;
	if (strcmp(trace, "kept") != 0)
		amk_buf_addf(&out, "%s: %s\n", amk_json_get_str(ruling, "action"), amk_json_get_str(rule, "id"));
	else if (amk_json_get_str(ruling, "by"))
		amk_buf_addf(&out, "%s by %s\n", amk_json_get_str(ruling, "state"), amk_json_get_str(ruling, "by"));
	else
		amk_buf_addf(&out, "%s\n", amk_json_get_str(ruling, "state"));
	return amk_show_bytes(out.s, out.n, e);
}

static int post_test(const struct amk_buf *body, const char *trace, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_json *reply AMK_AUTO(json) = NULL;
	const struct amk_call call = { .method = "POST", .path = "/v1/rules/test", .body = body, .again = true };

	if (amk_client_open(&c, e) < 0 || amk_client_call(c, &call, &reply, e) < 0)
		return -1;
	return show_ruling(reply, trace, e);
}

/* Where a path begins: without a session, here. "": the daemon knows. */
static int find_directory(char to[AMK_PATH_MAX], struct amk_err *e)
{
	to[0] = '\0';
	if (!opt.directory && (opt.session || amk_client_url()))
		return 0;
	if (!amk_client_url())
		return amk_caller_directory(to, opt.directory, e);
	snprintf(to, AMK_PATH_MAX, "%s", opt.directory);
	return amk_caller_far_directory(opt.directory, e);
}

static int test(const struct amk_args *a, struct amk_err *e)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(BODY_MAX);
	char here[AMK_PATH_MAX];
	struct member members[] = {
		{ "sessionId", opt.session }, { "agent", opt.agent }, { "kind", opt.kind }, { "tool", opt.tool },
		{ "command", opt.command },   { "path", opt.path },   { "permissionMode", opt.mode }, { "directory", NULL },
	};

	(void)a;
	if (find_directory(here, e) < 0)
		return -1;
	members[AMK_COUNT(members) - 1].value = here[0] ? here : NULL;
	amk_jw_open(&body, NULL, '{');
	if (write_members(&body, members, AMK_COUNT(members), e) < 0)
		return -1;
	amk_jw_close(&body, '}');
	return post_test(&body, "trace", e);
}

static int explain(const struct amk_args *a, struct amk_err *e)
{
	for (int i = 0; i < a->argc; i++) {
		struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(BODY_MAX);

		if (amk_client_id("decision", a->argv[i], e) < 0)
			return -1;
		amk_jw_open(&body, NULL, '{');
		amk_jw_cstr(&body, "decisionId", a->argv[i]);
		amk_jw_close(&body, '}');
		if (post_test(&body, "kept", e) < 0)
			return -1;
	}
	return 0;
}

#define ABOUT                                                                                                 \
	{ 's', "session", AMK_OPT_STR, &opt.session, "NAME", "of this session" },                            \
	{ 0, "agent", AMK_OPT_STR, &opt.agent, "AGENT", "of this agent" },                                   \
	{ 0, "kind", AMK_OPT_STR, &opt.kind, "KIND", "permission (unless given) or question" },              \
	{ 0, "tool", AMK_OPT_STR, &opt.tool, "TOOL", "the agent's name of a tool" },                         \
	{ 0, "command", AMK_OPT_STR, &opt.command, "COMMAND", "one simple command, word by word" },          \
	{ 0, "path", AMK_OPT_STR, &opt.path, "PATH", "a path, as links lead" }

static const struct amk_opt add_options[] = {
	ABOUT,
	{ 0, "scope", AMK_OPT_STR, &opt.scope, "SCOPE", "for what it holds: daemon, agent or session" },
	{ 0, "message", AMK_OPT_STR, &opt.message, "TEXT", "what the agent is told when it is denied" },
	{ 0, "first", AMK_OPT_FLAG, &opt.first, NULL, "before the others of its scope" },
	{ 0, "before", AMK_OPT_STR, &opt.before, "ID", "before that rule" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt list_options[] = {
	{ 's', "session", AMK_OPT_STR, &opt.session, "NAME", "those that count for this session" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt test_options[] = {
	ABOUT,
	{ 0, "permission-mode", AMK_OPT_STR, &opt.mode, "MODE", "in this permission mode" },
	{ 'C', "directory", AMK_OPT_STR, &opt.directory, "DIR", "paths begin there" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt id_options[] = { AMK_CLIENT_OPTION, AMK_OPT_END };

static const struct amk_cmd cmd_add = {
	.name = "add",
	.summary = "Make a rule that answers allow, deny or ask",
	.operands = "ACTION",
	.min = 1,
	.max = 1,
	.writes = "rule",
	.opts = add_options,
	.run = add,
	.example = "amika decision rule add allow --tool Bash --command 'npm test **'",
};
static const struct amk_cmd cmd_list = {
	.name = "list",
	.summary = "List the rules in the order they are looked at",
	.writes = "rule",
	.opts = list_options,
	.run = list,
};
static const struct amk_cmd cmd_remove = {
	.name = "remove",
	.summary = "Remove rules",
	.operands = "ID…",
	.min = 1,
	.max = -1,
	.opts = id_options,
	.run = remove_all,
};
static const struct amk_cmd cmd_test = {
	.name = "test",
	.summary = "Show what the rules would answer to a request",
	.writes = "ruling",
	.opts = test_options,
	.run = test,
	.example = "amika decision rule test --tool Bash --command 'git push'",
};
static const struct amk_cmd cmd_explain = {
	.name = "explain",
	.summary = "Show which rules were looked at for a decision, and what they say now",
	.operands = "ID…",
	.min = 1,
	.max = -1,
	.writes = "ruling",
	.opts = id_options,
	.run = explain,
};
static const struct amk_cmd *const verbs[] = { &cmd_add, &cmd_list, &cmd_remove, &cmd_test, &cmd_explain, NULL };

const struct amk_cmd amk_rules_cmd = {
	.name = "rule",
	.summary = "Rules that answer by themselves",
	.verbs = verbs,
	.default_verb = "list",
	.example = "amika decision rule list",
};
