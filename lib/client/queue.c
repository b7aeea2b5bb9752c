/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a session: its messages in order, taking them back, and cancelling the turn before them. */
#include "client/queue.h"

#include <stdio.h>

#include "client/client.h"
#include "client/show.h"
#include "core/jw.h"

static struct amk_strv opt_cancel;
static bool opt_cancel_all, opt_all;

static const struct amk_show_column columns[] = {
	{ "POSITION", "position" }, { "MESSAGE", "message_id" }, { "QUEUED", "queued_at" }, { "TEXT", "text" },
};
static const struct amk_show_column columns_taken[] = {
	{ "MESSAGE", "message_id" }, { "STATE", "state" },
};
static const struct amk_show_column columns_session[] = {
	{ "SESSION", "session_id" }, { "STATE", "state" }, { "QUEUED", "queued" },
};
static struct amk_show_table table = { .type = "message", .columns = columns, .n = AMK_COUNT(columns) };
static struct amk_show_table taken = { .type = "message", .columns = columns_taken, .n = AMK_COUNT(columns_taken) };

static struct amk_show_table sessions = { .type = "session", .columns = columns_session,
					  .n = AMK_COUNT(columns_session) };

static int take_back(struct amk_client *c, const char *session, const char *id, struct amk_err *e)
{
	struct amk_buf record AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_json *j AMK_AUTO(json) = NULL;
	char path[320];
	struct amk_call call = { .method = "DELETE", .path = path, .again = true };

	snprintf(path, sizeof path, "/v1/sessions/%s/queue/%s", session, id);
	if (amk_client_call(c, &call, NULL, e) < 0)
		return -1;
	amk_jw_open(&record, NULL, '{');
	amk_jw_cstr(&record, "sessionId", session);
	amk_jw_cstr(&record, "messageId", id);
	amk_jw_cstr(&record, "state", "cancelled");
	amk_jw_close(&record, '}');
	j = amk_json_parse(record.s, record.n, e);
	return j ? amk_show_add(&taken, j, e) : -1;
}

/* One that starts meanwhile is not in the queue any more: that is no failure where all are meant. */
static int take_page(struct amk_client *c, const char *session, const struct amk_json *list, struct amk_err *e)
{
	for (const struct amk_json *m = amk_json_first(list); m; m = amk_json_next(m)) {
		const char *id = amk_json_get_str(m, "messageId");

		if (id && take_back(c, session, id, e) < 0 && e->code != AMK_ECONFLICT)
			return -1;
	}
	return 0;
}

static int show_page(const struct amk_json *list, struct amk_err *e)
{
	for (const struct amk_json *m = amk_json_first(list); m; m = amk_json_next(m))
		if (amk_show_add(&table, m, e) < 0)
			return -1;
	return 0;
}

static int each_page(struct amk_client *c, const char *session, struct amk_err *e)
{
	int64_t after = 0;

	do {
		struct amk_json *reply AMK_AUTO(json) = NULL;
		const struct amk_json *list;

		if (amk_client_get(c, &reply, e, "/v1/sessions/%s/queue?after=%lld", session, (long long)after) < 0)
			return -1;
		list = amk_json_get(reply, "messages");
		if ((opt_cancel_all ? take_page(c, session, list, e) : show_page(list, e)) < 0)
			return -1;
		after = amk_json_get_int(reply, "after", 0);
	} while (after);
	return amk_show_end(opt_cancel_all ? &taken : &table, e);
}

static int take_named(struct amk_client *c, const char *session, struct amk_err *e)
{
	for (size_t i = 0; i < opt_cancel.n; i++)
		if (amk_client_id("message", opt_cancel.v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < opt_cancel.n; i++)
		if (take_back(c, session, opt_cancel.v[i], e) < 0)
			return -1;
	return amk_show_end(&taken, e);
}

static int queue(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	const char *session = a->argv[0];
	int r = -1;

	if (opt_cancel.n && opt_cancel_all)
		amk_err_set(e, AMK_EUSAGE, "--cancel ID and --cancel-all exclude each other");
	else if (amk_client_id("session", session, e) == 0 && amk_client_open(&c, e) == 0)
		r = opt_cancel.n ? take_named(c, session, e) : each_page(c, session, e);
	amk_strv_release(&opt_cancel);
	return r;
}

static int cancel_one(struct amk_client *c, const char *session, struct amk_err *e)
{
	struct amk_json *record AMK_AUTO(json) = NULL;
	char path[256];
	struct amk_call call = { .method = "POST", .path = path, .again = true };

	if (amk_client_id("session", session, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/v1/sessions/%s/cancel%s", session, opt_all ? "?all=true" : "");
	if (amk_client_call(c, &call, NULL, e) < 0 || amk_client_get(c, &record, e, "/v1/sessions/%s", session) < 0)
		return -1;
	return amk_show_add(&sessions, record, e);
}

static int cancel(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < a->argc; i++)
		if (cancel_one(c, a->argv[i], e) < 0)
			return -1;
	return amk_show_end(&sessions, e);
}

static const struct amk_opt cancel_options[] = {
	{ 0, "all", AMK_OPT_FLAG, &opt_all, NULL, "take the messages back, too, that wait" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt options[] = {
	{ 0, "cancel", AMK_OPT_LIST, &opt_cancel, "ID", "take this message back, may be given again" },
	{ 0, "cancel-all", AMK_OPT_FLAG, &opt_cancel_all, NULL, "take all of them back" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

const struct amk_cmd amk_queue_cmd = {
	.name = "queue",
	.summary = "Show the messages that wait in a session, or take some back",
	.operands = "NAME",
	.min = 1,
	.max = 1,
	.writes = "message",
	.opts = options,
	.run = queue,
};

const struct amk_cmd amk_queue_cmd_cancel = {
	.name = "cancel",
	.summary = "Interrupt the turn that runs in a session",
	.operands = "NAME…",
	.min = 1,
	.max = -1,
	.writes = "session",
	.opts = cancel_options,
	.run = cancel,
};
