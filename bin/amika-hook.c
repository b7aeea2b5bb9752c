/* SPDX-License-Identifier: Apache-2.0 */
/* amika-hook: the hooks there are, and what they have not been told yet. */
#include <stdio.h>

#include "client/client.h"
#include "client/offer.h"
#include "client/show.h"

#define PATH_MAX_BYTES 512

static bool opt_failed, opt_all;
static const char *opt_hook;

static const struct amk_show_column hook_columns[] = {
	{ "HOOK", "name" },	    { "ON", "on" },	    { "COMMAND", "command" }, { "WAITING", "waiting" },
	{ "RETRYING", "retrying" }, { "FAILED", "failed" }, { "PROBLEM", "problem" },
};
static const struct amk_show_column delivery_columns[] = {
	{ "DELIVERY", "delivery_id" }, { "HOOK", "hook" },	   { "EVENT", "event" },   { "SESSION", "session_id" },
	{ "STATE", "state" },	       { "ATTEMPTS", "attempts" }, { "NEXT", "due_at" }, { "ERROR", "error" },
};

static int list(const struct amk_args *a, struct amk_err *e)
{
	struct amk_show_table table = { .type = "hook", .columns = hook_columns, .n = AMK_COUNT(hook_columns) };
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_json *reply AMK_AUTO(json) = NULL;

	(void)a;
	if (amk_client_open(&c, e) < 0 || amk_client_get(c, &reply, e, "/v1/hooks") < 0)
		return -1;
	for (const struct amk_json *h = amk_json_first(amk_json_get(reply, "hooks")); h; h = amk_json_next(h))
		if (amk_show_add(&table, h, e) < 0)
			return -1;
	return amk_show_end(&table, e);
}

static bool is_wanted(const struct amk_json *d)
{
	return (!opt_failed || amk_json_is(d, "state", "failed")) && (!opt_hook || amk_json_is(d, "hook", opt_hook));
}

/* One page; *after is then its last delivery. 1: there is more behind it. */
static int add_page(struct amk_client *c, struct amk_show_table *table, char after[PATH_MAX_BYTES], struct amk_err *e)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;
	const struct amk_json *d;

	if (amk_client_get(c, &reply, e, "/v1/hooks/deliveries%s%s", after[0] ? "?after=" : "", after) < 0)
		return -1;
	for (d = amk_json_first(amk_json_get(reply, "deliveries")); d; d = amk_json_next(d)) {
		const char *id = amk_json_get_str(d, "deliveryId");

		snprintf(after, PATH_MAX_BYTES, "%s", id ? id : "");
		if (is_wanted(d) && amk_show_add(table, d, e) < 0)
			return -1;
	}
	return amk_json_true(amk_json_get(reply, "more"));
}

static int deliveries(const struct amk_args *a, struct amk_err *e)
{
	struct amk_show_table table = { .type = "delivery", .columns = delivery_columns, .n = AMK_COUNT(delivery_columns) };
	struct amk_client *c AMK_AUTO(client) = NULL;
	char after[PATH_MAX_BYTES] = "";
	int r;

	(void)a;
	if (amk_client_open(&c, e) < 0)
		return -1;
	do
		r = add_page(c, &table, after, e);
	while (r > 0);
	return r < 0 ? -1 : amk_show_end(&table, e);
}

/* The same for each delivery named, or once for all that have failed. */
static int change(const struct amk_args *a, const char *method, const char *rest, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if ((a->argc > 0) == opt_all) {
		amk_err_set(e, AMK_EUSAGE, "which deliveries?");
		return amk_err_hint(e, "name them, or say --all for those that have failed");
	}
	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < (opt_all ? 1 : a->argc); i++) {
		char *path AMK_AUTO(mem) = NULL;
		struct amk_call call = { .method = method };

		if (!opt_all && amk_client_id("delivery", a->argv[i], e) < 0)
			return -1;
		path = amk_strf("/v1/hooks/deliveries%s%s%s", opt_all ? "" : "/", opt_all ? "" : a->argv[i], rest);
		call.path = path;
		if (amk_client_call(c, &call, NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int retry(const struct amk_args *a, struct amk_err *e)
{
	return change(a, "POST", "/retry", e);
}

static int drop(const struct amk_args *a, struct amk_err *e)
{
	return change(a, "DELETE", "", e);
}

static const struct amk_opt list_options[] = { AMK_CLIENT_OPTION, AMK_OPT_END };
static const struct amk_opt deliveries_options[] = {
	{ 0, "failed", AMK_OPT_FLAG, &opt_failed, NULL, "only those given up" },
	{ 0, "hook", AMK_OPT_STR, &opt_hook, "NAME", "only of this hook" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt change_options[] = {
	{ 0, "all", AMK_OPT_FLAG, &opt_all, NULL, "all that have failed" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

static const struct amk_cmd cmd_list = {
	.name = "list",
	.summary = "List the hooks, and what each has not been told yet",
	.writes = "hook",
	.opts = list_options,
	.run = list,
};
static const struct amk_cmd cmd_deliveries = {
	.name = "deliveries",
	.summary = "List what waits or has failed, the oldest first",
	.writes = "delivery",
	.opts = deliveries_options,
	.run = deliveries,
};
static const struct amk_cmd cmd_retry = {
	.name = "retry",
	.summary = "Begin anew with deliveries that have failed",
	.operands = "[ID…]",
	.max = -1,
	.opts = change_options,
	.run = retry,
};
static const struct amk_cmd cmd_drop = {
	.name = "drop",
	.summary = "Forget deliveries that have failed",
	.operands = "[ID…]",
	.max = -1,
	.opts = change_options,
	.run = drop,
};
static const struct amk_cmd *const verbs[] = { &cmd_list, &cmd_deliveries, &cmd_retry, &cmd_drop, NULL };

static const struct amk_cmd cmd = {
	.name = "amika-hook",
	.summary = "See the hooks, and what they have not been told",
	.verbs = verbs,
	.default_verb = "list",
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika hook deliveries --failed",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
