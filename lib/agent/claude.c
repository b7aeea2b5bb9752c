/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claude Code: one warm process per session, stream-json both ways, permissions asked on stdio.
 * This file: how it is started, which line goes where, what is saved. Native item ids: a content block
 * is MESSAGE/INDEX, a tool call its own id, its result ID/result, the user's messages user_N.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/attached.h"
#include "agent/claude.h"
#include "agent/steer.h"
#include "core/jw.h"

extern const struct amk_codec amk_agent_claude;

static const char *const env[] = { "ANTHROPIC_*", "CLAUDE_CODE_*", "DISABLE_*", "IS_SANDBOX", NULL };
static const char *const credentials[] = { "ANTHROPIC_API_KEY", "CLAUDE_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN",
					   "ANTHROPIC_AUTH_TOKEN", "~/.claude/.credentials.json", NULL };

/* The program takes any name a server knows; these are its own short ones. */
static const struct amk_agent_model models[] = {
	{ "default", "Default" }, { "opus", "Opus" }, { "fable", "Fable" }, { "sonnet", "Sonnet" }, { NULL, NULL },
};
static const char *const sets[] = { "model", "permission_mode", NULL };
static const char *const efforts[] = { "low", "medium", "high", "xhigh", "max", NULL };

/* They are names: what the program may do is its permission mode. */
static const struct amk_agent_mode modes[] = {
	{ "build", "Build", "Works on the task" },
	{ "plan", "Plan", "A label: permission mode plan makes it plan before it changes anything" },
	{ NULL, NULL, NULL },
};
static const struct amk_agent_permission permissions[] = {
	{ "default", "default", { NULL, NULL }, NULL },
	{ "plan", "plan", { "--permission-mode", "plan" }, NULL },
	{ "acceptEdits", "acceptEdits", { "--permission-mode", "acceptEdits" }, NULL },
	{ "bypass", "bypass", { "--dangerously-skip-permissions", NULL }, "IS_SANDBOX" },
	{ NULL, NULL, { NULL, NULL }, NULL },
};

static const struct amk_capability capabilities[] = {
	{ "planMode", true },	     { "permissions", true },	   { "questions", true },
	{ "toolCalls", true },	     { "toolResults", true },	   { "textMessages", true },
	{ "images", true },	     { "fileAttachments", true }, { "sessionLifecycle", true },
	{ "errorEvents", true },     { "reasoning", true },	   { "status", true },
	{ "commandExecution", true }, { "fileChanges", true },	   { "mcpTools", true },
	{ "streamingDeltas", true }, { "itemStarted", true },	   { "sharedProcess", false },
	{ "steer", true },
	{ NULL, false },
};

static void add_pair(struct amk_strv *argv, const char *option, const char *value)
{
	if (!value)
		return;
	amk_strv_add(argv, option);
	amk_strv_add(argv, value);
}

static void claude_argv(const struct amk_agent_start *st, struct amk_strv *argv)
{
	static const char *const fixed[] = { "-p", "--input-format", "stream-json", "--output-format",
					     "stream-json", "--verbose", "--permission-prompt-tool", "stdio",
					     "--include-partial-messages" };
	const struct amk_agent_permission *p =
		st->permission_mode ? amk_agent_permission(&amk_agent_claude, st->permission_mode) : NULL;

	for (size_t i = 0; i < AMK_COUNT(fixed); i++)
		amk_strv_add(argv, fixed[i]);
	add_pair(argv, "--model", st->model);
	add_pair(argv, "--effort", st->variant);
	for (size_t i = 0; p && i < AMK_COUNT(p->argv) && p->argv[i]; i++)
		amk_strv_add(argv, p->argv[i]);
	add_pair(argv, "--resume", st->native_id);
	for (char *const *a = st->args; a && *a; a++)
		amk_strv_add(argv, *a);
}

static void *claude_new(void)
{
	struct amk_claude *c = amk_calloc(1, sizeof *c);

	amk_track_init(&c->track);
	return c;
}

static void claude_free(void *state)
{
	struct amk_claude *c = state;

	amk_claude_item_reset(c);
	amk_claude_set_reset(c);
	amk_track_release(&c->track);
	free(c->native);
	free(c->model);
	free(c->mode);
	free(c);
}

/* ---- lines ---- */

/*
 * JavaScript writes halves of cut characters as lone surrogates, and NUL as an escape; the gate refuses
 * both. A line must not be lost over a character: they become U+FFFD.
 */
static void mend(struct amk_buf *b, const char *s, size_t n)
{
	static const char mark[] = "\\ufffd";
	const char *end = s + n;

	while (s < end) {
		char hex[5] = "";
		unsigned long v, low = 0;

		if (*s != '\\' || end - s < 6 || s[1] != 'u') {
			size_t len = *s == '\\' && end - s > 1 ? 2 : 1;

			amk_buf_add(b, s, len);
			s += len;
			continue;
		}
		memcpy(hex, s + 2, 4);
		v = strspn(hex, "0123456789abcdefABCDEF") == 4 ? strtoul(hex, NULL, 16) : 1;
		if (v >= 0xd800 && v < 0xdc00 && end - s >= 12 && s[6] == '\\' && s[7] == 'u') {
			memcpy(hex, s + 8, 4);
			low = strtoul(hex, NULL, 16);
		}
		if (low >= 0xdc00 && low < 0xe000) {
			amk_buf_add(b, s, 12);
			s += 12;
			continue;
		}
		if (v == 0 || (v >= 0xd800 && v < 0xe000))
			amk_buf_add(b, mark, 6);
		else
			amk_buf_add(b, s, 6);
		s += 6;
	}
}

static struct amk_json *parse(const char *s, size_t n, struct amk_err *e)
{
	struct amk_buf mended AMK_AUTO(buf) = AMK_BUF_INIT(n);
	struct amk_json *j = amk_json_parse(s, n, e);

	if (j || !memmem(s, n, "\\u", 2))
		return j;
	mend(&mended, s, n);
	return amk_json_parse(mended.s, mended.n, e);
}

/* /clear: the next lines have another session id, which the next turn's first line names. */
static bool conversation_reset(struct amk_claude *c, const struct amk_json *j)
{
	amk_claude_item_status(c, "conversation.reset", amk_json_get_str(j, "trigger"));
	return true;
}

static bool ignore(struct amk_claude *c, const struct amk_json *j)
{
	(void)c;
	(void)j;
	return true;
}

static const struct {
	const char *type;
	bool (*take)(struct amk_claude *c, const struct amk_json *j);
} types[] = {
	{ "stream_event", amk_claude_item_stream },
	{ "assistant", amk_claude_item_assistant },
	{ "user", amk_claude_item_user },
	{ "system", amk_claude_turn_system },
	{ "result", amk_claude_turn_result },
	{ "control_request", amk_claude_ask_request },
	{ "control_cancel_request", amk_claude_ask_withdraw },
	{ "control_response", amk_claude_set_response },
	{ "conversation_reset", conversation_reset },
	{ "command_lifecycle", amk_claude_message_lifecycle },
	{ "keep_alive", ignore },	  /* says nothing */
	{ "rate_limit_event", ignore },	  /* the account's state, not the conversation's */
	{ "tool_progress", ignore },	  /* seconds a tool has been running: the events' times tell it */
};

static void take_line(struct amk_claude *c, const struct amk_input *in)
{
	struct amk_err e = { 0 };
	struct amk_json *j AMK_AUTO(json) = NULL;
	const char *type, *subtype;

	if (in->line)
		j = parse(in->line, in->line_n, &e);
	else
		amk_err_set(&e, AMK_ETOOBIG, "the line is over the limit");
	type = amk_json_get_str(j, "type");
	for (size_t i = 0; type && i < AMK_COUNT(types); i++)
		if (strcmp(type, types[i].type) == 0 && types[i].take(c, j))
			return;
	subtype = amk_json_get_str(amk_json_get(j, "request"), "subtype");
	if (!subtype)
		subtype = amk_json_get_str(j, "subtype");
	if (j)
		amk_err_set(&e, AMK_EINVALID, "unsupported payload: %.60s%s%.60s", type ? type : "no type",
			    subtype ? " " : "", subtype ? subtype : "");
	amk_track_unparsed(&c->track, AMK_CLAUDE_LOCATION, e.msg);
}

/* ---- what we say ---- */

static void take_message(struct amk_claude *c, const struct amk_input *in)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(2 * AMK_CLAUDE_PART);
	struct amk_json *list AMK_AUTO(json) = amk_attached_list(in);
	char *native AMK_AUTO(mem) = NULL;

	c->cancelling = false;
	c->error_said = false;
	if (!in->again) {
		native = amk_strf("user_%lld", (long long)++c->users);
		amk_turn_start(&c->track, in->id);
		amk_track_user(&c->track, native, in->text, list, true);
	}
	amk_claude_message_write(&line, in, list);
	amk_claude_turn_send(c, &line);
}

static void take_steer(struct amk_claude *c, const struct amk_input *in)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(2 * AMK_CLAUDE_PART);
	struct amk_json *list AMK_AUTO(json) = amk_attached_list(in);

	amk_steer_add(&c->track, in);
	amk_claude_message_write(&line, in, list);
	amk_claude_turn_send(c, &line);
}

void amk_claude_interrupt(struct amk_claude *c)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(256);

	if (!amk_turn_cancel(&c->track))
		return;
	c->cancelling = true;
	amk_buf_addf(&line, "{\"type\":\"control_request\",\"request_id\":\"amika_%lld\",\"request\":"
			    "{\"subtype\":\"interrupt\"}}",
		     (long long)++c->requests);
	amk_claude_turn_send(c, &line);
}

/* What belonged to the process that is gone, or to one that was never seen to go. */
static void take_start(struct amk_claude *c, const struct amk_input *in)
{
	amk_claude_item_reset(c);
	c->requests = 0;
	c->background = 0;
	c->cancelling = false;
	if (!in->native_id)
		c->cost = 0;
	amk_claude_set_start(c, in->warm);
}

static void claude_step(void *state, const struct amk_input *in, const struct amk_sink *sink)
{
	struct amk_claude *c = state;

	c->track.sink = sink;
	switch (in->kind) {
	case AMK_INPUT_START:
		take_start(c, in);
		break;
	case AMK_INPUT_LINE:
		take_line(c, in);
		break;
	case AMK_INPUT_MESSAGE:
		take_message(c, in);
		break;
	case AMK_INPUT_ANSWER:
		amk_claude_ask_answer(c, in);
		break;
	case AMK_INPUT_CANCEL:
		amk_claude_interrupt(c);
		break;
	case AMK_INPUT_STEER:
		take_steer(c, in);
		break;
	case AMK_INPUT_SET:
		amk_claude_set_take(c, in);
		break;
	case AMK_INPUT_EXIT:
		amk_claude_set_exit(c);
		amk_turn_exit(&c->track, in);
		amk_claude_item_reset(c);
		c->background = 0;
		break;
	}
}

/* ---- saving ---- */

static void claude_save(const void *state, struct amk_buf *b)
{
	const struct amk_claude *c = state;
	char cost[40];

	snprintf(cost, sizeof cost, "%.17g", c->cost);
	amk_jw_open(b, NULL, '{');
	amk_jw_int(b, "users", c->users);
	amk_jw_int(b, "requests", c->requests);
	amk_jw_int(b, "background", c->background);
	amk_jw_bool(b, "cancelling", c->cancelling);
	amk_jw_bool(b, "error_said", c->error_said);
	amk_jw_raw(b, "cost", cost, strlen(cost));
	amk_jw_cstr(b, "native", c->native);
	amk_jw_cstr(b, "model", c->model);
	amk_jw_cstr(b, "mode", c->mode);
	amk_claude_item_save(c, b);
	amk_claude_set_save(c, b);
	amk_track_state_save(&c->track, b, "track");
	amk_jw_close(b, '}');
}

struct saved_claude {
	int64_t users, requests, background;
	bool cancelling, error_said;
	const char *native, *model, *mode;
	const struct amk_json *streams, *track;
};

static char *own(const char *s)
{
	return s ? amk_strdup(s) : NULL;
}

static int claude_load(void *state, const struct amk_json *saved, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(saved_claude, users, "users", INT, true),
		AMK_JSON_FIELD(saved_claude, requests, "requests", INT, true),
		AMK_JSON_FIELD(saved_claude, background, "background", INT, false), /* not in older states */
		AMK_JSON_FIELD(saved_claude, cancelling, "cancelling", BOOL, true),
		AMK_JSON_FIELD(saved_claude, error_said, "error_said", BOOL, true),
		AMK_JSON_FIELD(saved_claude, native, "native", STR, false),
		AMK_JSON_FIELD(saved_claude, model, "model", STR, false),
		AMK_JSON_FIELD(saved_claude, mode, "mode", STR, false),
		AMK_JSON_FIELD(saved_claude, streams, "streams", ARRAY, true),
		AMK_JSON_FIELD(saved_claude, track, "track", OBJECT, true),
	};
	struct saved_claude s = { 0 };
	struct amk_claude *c = state;

	if (amk_json_read(saved, fields, AMK_COUNT(fields), &s, e) < 0)
		return -1;
	if (!amk_json_num(amk_json_get(saved, "cost"), &c->cost))
		return amk_err_set(e, AMK_EINVALID, "\"cost\" must be a number");
	c->users = s.users;
	c->requests = s.requests;
	c->background = s.background;
	c->cancelling = s.cancelling;
	c->error_said = s.error_said;
	c->native = own(s.native);
	c->model = own(s.model);
	c->mode = own(s.mode);
	if (amk_claude_item_load(c, s.streams, e) < 0 || amk_claude_set_load(c, saved, e) < 0)
		return -1;
	return amk_track_state_load(&c->track, s.track, e);
}

static struct amk_track *claude_track(void *state)
{
	return &((struct amk_claude *)state)->track;
}

static bool claude_quiet(const void *state)
{
	return amk_track_quiet(&((const struct amk_claude *)state)->track);
}

static bool claude_busy(const void *state)
{
	return amk_track_busy(&((const struct amk_claude *)state)->track);
}

static unsigned claude_background(const void *state)
{
	return (unsigned)((const struct amk_claude *)state)->background;
}

const struct amk_codec amk_agent_claude = {
	.name = "claude",
	.title = "Claude Code",
	.program = "claude",
	.install = "npm install -g @anthropic-ai/claude-code",
	.env = env,
	.credentials = credentials,
	.models = models,
	.variants = efforts,
	.modes = modes,
	.permissions = permissions,
	.capabilities = capabilities,
	.takes_input = true,
	.takes_stop = true,
	.argv = claude_argv,
	.new_state = claude_new,
	.free_state = claude_free,
	.step = claude_step,
	.save = claude_save,
	.load = claude_load,
	.track = claude_track,
	.quiet = claude_quiet,
	.busy = claude_busy,
	.sets = sets,
	.background = claude_background,
};
