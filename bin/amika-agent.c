/* SPDX-License-Identifier: Apache-2.0 */
/* amika-agent: the agents there are, where they were found, what they can be told. */
#include <stdlib.h>

#include "client/client.h"
#include "client/offer.h"
#include "client/show.h"

#define QUERY_MAX 7000

static const struct amk_show_column columns[] = {
	{ "AGENT", "agent" }, { "INSTALLED", "installed" }, { "PATH", "path" }, { "INSTALL WITH", "install" },
};
static struct amk_show_table table = { .type = "agent", .columns = columns, .n = AMK_COUNT(columns) };

/* They are looked for on the caller's PATH, as a session of the caller's would; at a URL on the daemon's. */
static int fetch(struct amk_client *c, struct amk_json **reply, struct amk_err *e)
{
	struct amk_buf path AMK_AUTO(buf) = AMK_BUF_INIT(QUERY_MAX);
	const char *own = getenv("PATH");

	if (amk_client_url())
		return amk_client_get(c, reply, e, "/v1/agents");
	amk_client_escape(&path, own ? own : "/usr/local/bin:/usr/bin:/bin");
	if (!amk_buf_ok(&path))
		return amk_err_set(e, AMK_EINVALID, "PATH is too long to be sent");
	return amk_client_get(c, reply, e, "/v1/agents?path=%s", path.s);
}

static int list(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_json *reply AMK_AUTO(json) = NULL;
	const struct amk_json *row;

	(void)a;
	if (amk_client_open(&c, e) < 0 || fetch(c, &reply, e) < 0)
		return -1;
	for (row = amk_json_first(amk_json_get(reply, "agents")); row; row = amk_json_next(row))
		if (amk_show_add(&table, row, e) < 0)
			return -1;
	return amk_show_end(&table, e);
}

/* What the agent has of `what`, a line for each. */
static int list_of(const char *what, const char *agent, struct amk_show_table *to, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_json *reply AMK_AUTO(json) = NULL;
	const struct amk_json *row;

	if (amk_client_id("agent", agent, e) < 0 || amk_client_open(&c, e) < 0 ||
	    amk_client_get(c, &reply, e, "/v1/agents/%s/%s", agent, what) < 0)
		return -1;
	for (row = amk_json_first(amk_json_get(reply, what)); row; row = amk_json_next(row))
		if (amk_show_add(to, row, e) < 0)
			return -1;
	return amk_show_end(to, e);
}

static int modes(const struct amk_args *a, struct amk_err *e)
{
	static const struct amk_show_column mode[] = {
		{ "MODE", "id" }, { "NAME", "name" }, { "DESCRIPTION", "description" },
	};
	struct amk_show_table to = { .type = "mode", .columns = mode, .n = AMK_COUNT(mode) };

	return list_of("modes", a->argv[0], &to, e);
}

static int models(const struct amk_args *a, struct amk_err *e)
{
	static const struct amk_show_column model[] = {
		{ "MODEL", "id" }, { "NAME", "name" }, { "VARIANTS", "variants" },
	};
	struct amk_show_table to = { .type = "model", .columns = model, .n = AMK_COUNT(model) };

	return list_of("models", a->argv[0], &to, e);
}

static const struct amk_opt options[] = { AMK_CLIENT_OPTION, AMK_OPT_END };

static const struct amk_cmd cmd_list = {
	.name = "list",
	.summary = "List agents, and where they are installed",
	.writes = "agent",
	.opts = options,
	.run = list,
};
static const struct amk_cmd cmd_modes = {
	.name = "modes",
	.summary = "List the modes of an agent",
	.operands = "AGENT",
	.min = 1,
	.max = 1,
	.writes = "mode",
	.opts = options,
	.run = modes,
};
static const struct amk_cmd cmd_models = {
	.name = "models",
	.summary = "List models of an agent, and their variants",
	.operands = "AGENT",
	.min = 1,
	.max = 1,
	.writes = "model",
	.opts = options,
	.run = models,
};
static const struct amk_cmd *const verbs[] = { &cmd_list, &cmd_modes, &cmd_models, NULL };

static const struct amk_cmd cmd = {
	.name = "amika-agent",
	.summary = "Show which agents can be used",
	.verbs = verbs,
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika agent list",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
