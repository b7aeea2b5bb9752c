/* SPDX-License-Identifier: Apache-2.0 */
/* Claude Code's turns: how they begin, what is told on the way, how they end and what they cost. */
#include <stdlib.h>
#include <string.h>

#include "agent/claude.h"
#include "core/jw.h"

void amk_claude_turn_send(struct amk_claude *c, struct amk_buf *line)
{
	amk_buf_addc(line, '\n');
	if (amk_buf_ok(line))
		c->track.sink->write(c->track.sink->arg, line->s, line->n);
	else
		amk_track_unparsed(&c->track, AMK_CLAUDE_LOCATION, "an answer is too large to be sent");
}

/* ---- system lines ---- */

static bool keep(char **to, const char *s)
{
	if (!s || (*to && strcmp(*to, s) == 0))
		return false;
	free(*to);
	*to = amk_strdup(s);
	return true;
}

/* Comes once per turn. While idle it announces a turn nobody here asked for. */
static bool system_init(struct amk_claude *c, const struct amk_json *j)
{
	const char *native = amk_json_get_str(j, "session_id");

	if (keep(&c->native, native))
		c->track.sink->native(c->track.sink->arg, native);
	keep(&c->model, amk_json_get_str(j, "model"));
	keep(&c->mode, amk_json_get_str(j, "permissionMode"));
	if (!c->track.running)
		amk_turn_start(&c->track, NULL);
	return true;
}

static bool system_status(struct amk_claude *c, const struct amk_json *j)
{
	const char *mode = amk_json_get_str(j, "permissionMode");

	if (keep(&c->mode, mode)) {
		amk_claude_set_mode(c, mode);
		amk_claude_item_status(c, "permission.mode", mode);
	}
	if (amk_json_is(j, "status", "compacting"))
		amk_claude_item_status(c, "compacting", NULL);
	if (amk_json_is(j, "compact_result", "failed"))
		amk_claude_item_status(c, "compacting.failed", amk_json_get_str(j, "compact_error"));
	return true;
}

static bool system_compacted(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *m = amk_json_get(j, "compact_metadata");
	const char *trigger = amk_json_get_str(m, "trigger");
	struct amk_buf detail AMK_AUTO(buf) = AMK_BUF_INIT(512);

	amk_buf_addf(&detail, "%.100s: %lld to %lld tokens", trigger ? trigger : "unknown",
		     (long long)amk_json_get_int(m, "pre_tokens", 0),
		     (long long)amk_json_get_int(m, "post_tokens", 0));
	amk_claude_item_status(c, "compacted", detail.s);
	return true;
}

static bool system_retry(struct amk_claude *c, const struct amk_json *j)
{
	const char *error = amk_json_get_str(j, "error");
	int64_t status = amk_json_get_int(j, "error_status", 0);
	struct amk_buf detail AMK_AUTO(buf) = AMK_BUF_INIT(512);

	amk_buf_addf(&detail, "%.200s", error ? error : "unknown");
	if (status)
		amk_buf_addf(&detail, " (%lld)", (long long)status);
	amk_buf_addf(&detail, ", attempt %lld of %lld in %lld ms",
		     (long long)amk_json_get_int(j, "attempt", 0),
		     (long long)amk_json_get_int(j, "max_retries", 0),
		     (long long)amk_json_get_int(j, "retry_delay_ms", 0));
	amk_claude_item_status(c, "api.retry", detail.s);
	return true;
}

static bool system_denied(struct amk_claude *c, const struct amk_json *j)
{
	const char *tool = amk_json_get_str(j, "tool_name"), *why = amk_json_get_str(j, "message");
	char *detail AMK_AUTO(mem) = amk_strf("%s: %s", tool ? tool : "tool", why ? why : "not allowed");

	amk_claude_item_status(c, "permission.denied", detail);
	return true;
}

/* Known, and told by nothing of ours. */
static bool ignore(struct amk_claude *c, const struct amk_json *j)
{
	(void)c;
	(void)j;
	return true;
}

static const struct {
	const char *subtype;
	bool (*take)(struct amk_claude *c, const struct amk_json *j);
} systems[] = {
	{ "init", system_init },
	{ "status", system_status },
	{ "compact_boundary", system_compacted },
	{ "api_retry", system_retry },
	{ "permission_denied", system_denied },
	{ "task_started", amk_claude_task_started },
	{ "task_updated", amk_claude_task_updated },
	{ "task_notification", amk_claude_task_ended },
	{ "background_tasks_changed", amk_claude_task_list },
	{ "thinking_tokens", ignore },	      /* an estimate; the deltas show the progress */
	{ "task_progress", ignore },	      /* the sub-agent's own items show it */
	{ "session_state_changed", ignore },  /* turn.started and turn.ended say it */
};

bool amk_claude_turn_system(struct amk_claude *c, const struct amk_json *j)
{
	for (size_t i = 0; i < AMK_COUNT(systems); i++)
		if (amk_json_is(j, "subtype", systems[i].subtype))
			return systems[i].take(c, j);
	return amk_claude_note_system(c, j);
}

/* ---- results ---- */

static void add(int64_t *sum, const struct amk_json *object, const char *key)
{
	int64_t v = amk_json_get_int(object, key, 0);

	if (v > 0 && *sum < INT64_MAX / 2 && v < INT64_MAX / 2)
		*sum += v;
}

static double number(const struct amk_json *object, const char *key)
{
	double v;

	return amk_json_num(amk_json_get(object, key), &v) && v >= 0 ? v : 0;
}

/* Exact, and with what sub-agents used; only newer programs tell it. */
static void usage_by_model(struct amk_usage *u, const struct amk_json *models)
{
	u->input_tokens = u->output_tokens = u->cache_read_tokens = u->cache_write_tokens = 0;
	u->reasoning_tokens = 0;
	u->cost_usd = 0;
	for (const struct amk_json *m = amk_json_first(models); m; m = amk_json_next(m)) {
		add(&u->input_tokens, m, "inputTokens");
		add(&u->output_tokens, m, "outputTokens");
		add(&u->cache_read_tokens, m, "cacheReadInputTokens");
		add(&u->cache_write_tokens, m, "cacheCreationInputTokens");
		add(&u->reasoning_tokens, m, "thinkingTokens");
		u->cost_usd += number(m, "costUSD");
	}
}

/* The total counts the conversation, over resumes too; one that starts anew is below what we had. */
static void usage_by_total(struct amk_usage *u, const struct amk_json *j, double before)
{
	const struct amk_json *usage = amk_json_get(j, "usage");
	double total;

	u->input_tokens = amk_json_get_int(usage, "input_tokens", -1);
	u->output_tokens = amk_json_get_int(usage, "output_tokens", -1);
	u->cache_read_tokens = amk_json_get_int(usage, "cache_read_input_tokens", -1);
	u->cache_write_tokens = amk_json_get_int(usage, "cache_creation_input_tokens", -1);
	u->reasoning_tokens = amk_json_get_int(amk_json_get(usage, "output_tokens_details"), "thinking_tokens", -1);
	if (amk_json_num(amk_json_get(j, "total_cost_usd"), &total))
		u->cost_usd = total < before ? total : total - before;
}

static struct amk_usage usage_of(struct amk_claude *c, const struct amk_json *j)
{
	struct amk_usage u = AMK_USAGE_UNKNOWN;
	const struct amk_json *models = amk_json_get(j, "model_usage_since_last_result");

	if (amk_json_is_object(models))
		usage_by_model(&u, models);
	else
		usage_by_total(&u, j, c->cost);
	if (amk_json_get(j, "total_cost_usd"))
		c->cost = number(j, "total_cost_usd");
	u.duration_ms = amk_json_get_int(j, "duration_ms", -1);
	u.model = c->model;
	return u;
}

static bool was_aborted(const struct amk_claude *c, const struct amk_json *j)
{
	const char *why = amk_json_get_str(j, "terminal_reason");

	if (why)
		return strncmp(why, "aborted_", 8) == 0;
	return c->cancelling && amk_json_is(j, "subtype", "error_during_execution");
}

/* The text of what went wrong: the result's own, or its list of errors. */
static void failure_text(struct amk_buf *b, const struct amk_json *j)
{
	const char *result = amk_json_get_str(j, "result"), *subtype = amk_json_get_str(j, "subtype");

	if (result)
		amk_buf_adds(b, result);
	for (const struct amk_json *s = amk_json_first(amk_json_get(j, "errors")); s && !result; s = amk_json_next(s))
		if (amk_json_str(s))
			amk_buf_addf(b, "%s%s", b->n ? "; " : "", amk_json_str(s));
	if (b->n == 0)
		amk_buf_addf(b, "the turn failed: %.200s", subtype ? subtype : "for an unknown reason");
}

static void say_failure(struct amk_claude *c, const struct amk_json *j)
{
	static const char *const keys[] = { "subtype", "terminal_reason", "stop_reason" };
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);
	struct amk_buf details AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);
	bool api = amk_json_is(j, "terminal_reason", "api_error");

	failure_text(&text, j);
	amk_jw_open(&details, NULL, '{');
	for (size_t i = 0; i < AMK_COUNT(keys); i++)
		amk_jw_cstr(&details, keys[i], amk_json_get_str(j, keys[i]));
	amk_jw_close(&details, '}');
	amk_track_error(&c->track, api ? "api_error" : "agent_error", text.s, details.s);
}

/*
 * A result that a finished background task brought on ends the turn it started itself. When a message
 * crossed it, that message's turn is the running one and its own result is still to come.
 */
static bool is_foreign(const struct amk_claude *c, const struct amk_json *j)
{
	return c->track.message && amk_json_is(amk_json_get(j, "origin"), "kind", "task-notification");
}

/* A turn of which only the result is seen: what it says stands there alone, unless a task brought it on. */
static void begin_late(struct amk_claude *c, const struct amk_json *j)
{
	const char *text = amk_json_get_str(j, "result");
	const struct amk_item item = { .kind = "message", .role = "assistant", .text = text };

	amk_turn_start(&c->track, NULL);
	if (text && text[0] && !amk_json_is_object(amk_json_get(j, "origin")))
		amk_track_complete(&c->track, &item);
}

bool amk_claude_turn_result(struct amk_claude *c, const struct amk_json *j)
{
	bool failed = amk_json_true(amk_json_get(j, "is_error")), aborted = was_aborted(c, j);
	struct amk_usage u;

	if (is_foreign(c, j))
		return true;
	if (!c->track.running && (!failed || amk_json_is_object(amk_json_get(j, "origin"))))
		begin_late(c, j);
	if (failed && !aborted && !c->error_said)
		say_failure(c, j);
	u = usage_of(c, j);
	amk_turn_end(&c->track, aborted ? "cancelled" : failed ? "failed" : "completed", NULL, &u);
	amk_claude_item_reset(c);
	c->cancelling = false;
	c->error_said = false;
	return true;
}
