/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: each is started once and ended once, and what is open ends before it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/track.h"
#include "core/jw.h"

#define LAST_LINE_MAX 300 /* bytes of what it wrote to stderr last, in its failure */

void amk_turn_start(struct amk_track *t, const char *message)
{
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(4 * AMK_TRACK_ID_MAX);

	amk_turn_end(t, "lost", NULL, NULL);
	t->running = true;
	t->turns++;
	if (message) {
		t->message = amk_strndup(message, strnlen(message, AMK_TRACK_ID_MAX));
		amk_jw_cstr(&more, "message", t->message);
	}
	amk_track_say(t, "turn.started", true, "\"phase\":\"started\"", more.s);
}

bool amk_turn_cancel(struct amk_track *t)
{
	t->cancelled = t->running;
	return t->running;
}

static void write_known(struct amk_buf *b, const char *key, int64_t v)
{
	if (v < 0)
		amk_jw_null(b, key);
	else
		amk_jw_int(b, key, v);
}

static void write_usage(struct amk_buf *b, const struct amk_usage *u)
{
	char cost[40] = "null";

	if (u->cost_usd >= 0 && isfinite(u->cost_usd))
		snprintf(cost, sizeof cost, "%.10g", u->cost_usd);
	amk_jw_open(b, "usage", '{');
	write_known(b, "input_tokens", u->input_tokens);
	write_known(b, "output_tokens", u->output_tokens);
	write_known(b, "cache_read_tokens", u->cache_read_tokens);
	write_known(b, "cache_write_tokens", u->cache_write_tokens);
	write_known(b, "reasoning_tokens", u->reasoning_tokens);
	amk_jw_raw(b, "cost_usd", cost, strlen(cost));
	write_known(b, "duration_ms", u->duration_ms);
	amk_jw_cstr(b, "model", u->model);
	amk_jw_close(b, '}');
}

/* With its process, a turn's requests end for that reason. */
static const char *void_reason(const char *outcome, const struct amk_buf *status)
{
	if (status)
		return AMK_REASON_PROGRAM_GONE;
	return strcmp(outcome, "cancelled") == 0 ? AMK_REASON_CANCELLED : AMK_REASON_TURN_ENDED;
}

/* `status`: members that say how the process ended, or NULL when it lives. */
static void end(struct amk_track *t, const char *outcome, const char *reason, const struct amk_usage *u,
		const struct amk_buf *status)
{
	static const struct amk_usage unknown = AMK_USAGE_UNKNOWN;
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(8 * AMK_TRACK_ID_MAX);

	if (!t->running)
		return;
	amk_track_fail_all(t);
	amk_ask_void_all(t, false, void_reason(outcome, status));
	if (t->message)
		amk_jw_cstr(&more, "message", t->message);
	amk_jw_cstr(&more, "outcome", outcome);
	if (reason)
		amk_jw_str(&more, "reason", reason, strnlen(reason, 200));
	if (status && status->n)
		amk_jw_members(&more, status->s, status->n);
	write_usage(&more, u ? u : &unknown);
	amk_track_say(t, "turn.ended", true, "\"phase\":\"ended\"", more.s);
	if (t->cancelled)
		t->last_cancelled = t->turns;
	t->running = t->resent = t->cancelled = false;
	free(t->message);
	t->message = NULL;
}

void amk_turn_end(struct amk_track *t, const char *outcome, const char *reason, const struct amk_usage *u)
{
	end(t, outcome, reason, u, NULL);
}

void amk_turn_last_line(struct amk_buf *b, const char *text, size_t max)
{
	size_t n = strlen(text), start;

	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	for (start = n; start && text[start - 1] != '\n';)
		start--;
	if (n > start)
		amk_buf_addf(b, ": %.*s", (int)(n - start > max ? max : n - start), text + start);
}

/* Its shim died, and it with its shim: what stood in its pipes went unread. */
static bool is_lost(const struct amk_input *in)
{
	return in->reason && strcmp(in->reason, "lost") == 0;
}

/* A second time, and it is the message that does it, or nothing can be started here. */
static bool is_for_next(const struct amk_track *t, const struct amk_input *in)
{
	return in->unread && !in->wanted && !t->cancelled && t->running && t->message && !t->resent;
}

static void exit_text(struct amk_buf *b, const struct amk_input *in, bool for_next)
{
	const char *reason = in->reason ? in->reason : "";

	if (strncmp(reason, "exec: ", 6) == 0)
		amk_buf_addf(b, "the agent's program could not be started: %.200s", reason + 6);
	else if (is_lost(in))
		amk_buf_adds(b, "the agent's program was lost with the shim that kept it; the last of its output may "
			     "be missing");
	else if (in->exit_signal)
		amk_buf_addf(b, "the agent's program was ended by signal %d", in->exit_signal);
	else if (in->exit_code >= 0)
		amk_buf_addf(b, "the agent's program exited with status %d", in->exit_code);
	else
		amk_buf_addf(b, "the agent's program is gone (%.200s)", *reason ? reason : "unknown reason");
	if (for_next)
		amk_buf_adds(b, "; the message had not reached it and goes to the next one");
	if (in->text)
		amk_turn_last_line(b, in->text, LAST_LINE_MAX);
}

static void say_exit(struct amk_track *t, const struct amk_input *in, bool for_next)
{
	struct amk_buf message AMK_AUTO(buf) = AMK_BUF_INIT(2048);
	struct amk_buf details AMK_AUTO(buf) = AMK_BUF_INIT(64u << 10);

	exit_text(&message, in, for_next);
	amk_jw_open(&details, NULL, '{');
	write_known(&details, "exit_code", in->exit_code);
	write_known(&details, "signal", in->exit_signal ? in->exit_signal : -1);
	amk_jw_str(&details, "reason", in->reason, in->reason ? strnlen(in->reason, 200) : 0);
	amk_jw_str(&details, "stderr", in->text, in->text ? strnlen(in->text, 4000) : 0);
	if (for_next)
		amk_jw_bool(&details, "sent_again", true);
	amk_jw_close(&details, '}');
	amk_track_error(t, "process_exit", message.s, details.s);
}

/* What ended with its process says how that did. */
static void end_with_process(struct amk_track *t, const struct amk_input *in)
{
	const char *outcome = in->wanted || t->cancelled ? "cancelled" : is_lost(in) && !in->unread ? "lost" : "failed";
	struct amk_buf status AMK_AUTO(buf) = AMK_BUF_INIT(100);

	if (in->exit_signal)
		amk_jw_int(&status, "signal", in->exit_signal);
	else if (in->exit_code >= 0)
		amk_jw_int(&status, "exit_code", in->exit_code);
	end(t, outcome, in->reason, NULL, &status);
}

void amk_turn_exit(struct amk_track *t, const struct amk_input *in)
{
	bool for_next = is_for_next(t, in);

	if (!in->wanted && !t->cancelled && (t->running || in->exit_code != 0))
		say_exit(t, in, for_next);
	if (for_next)
		t->resent = true;
	else
		end_with_process(t, in);
	amk_track_fail_all(t);
	amk_ask_void_all(t, true, AMK_REASON_PROGRAM_GONE);
}
