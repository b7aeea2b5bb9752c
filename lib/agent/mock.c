/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mock agent: an ordinary program on stdio, for tests and first steps. Its lines are JSON objects.
 *
 * To it: {"type":"message","n":N,"text","attached"?} starts script N; {"type":"steer","n":N,"id","text","attached"?}
 * goes into the running one; {"type":"answer","id","reply","answers"?} answers what it asked; {"type":"cancel"} ends
 * the script early; {"type":"ping"} is answered by {"type":"pong"}.
 * From it: {"type":"started"|"completed","item",kind,role,content,status}, {"type":"delta","item","delta"},
 * {"type":"permission","id","action","metadata"}, {"type":"question","id","prompt","options"},
 * {"type":"error","message","code","details"}, {"type":"session_ended"}, {"type":"steered","id","n"} when it takes up what
 * came with "steer", and {"type":"end","outcome"} once per script. Everything else is shown as agent.unparsed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/attached.h"
#include "agent/steer.h"
#include "agent/track.h"
#include "core/jw.h"

#define PART_MAX (15u << 20)

struct mock {
	struct amk_track track;
	int64_t messages; /* counted over the whole session: they prefix the script's ids */
};

static const struct amk_agent_model models[] = { { "mock", "Mock" }, { NULL, NULL } };
static const struct amk_agent_mode modes[] = {
	{ "build", "Build", "Answers by script" },
	{ "plan", "Plan", "Answers by script all the same" },
	{ NULL, NULL, NULL },
};
static const struct amk_agent_permission permissions[] = {
	{ "default", "default", { NULL, NULL }, NULL },
	{ "plan", "plan", { NULL, NULL }, NULL },
	{ "bypass", "bypass", { NULL, NULL }, NULL },
	{ "acceptEdits", "default", { NULL, NULL }, NULL },
	{ NULL, NULL, { NULL, NULL }, NULL },
};
static const char *const env[] = { NULL };
static const char *const sets[] = { "model", NULL };

static const struct amk_capability capabilities[] = {
	{ "planMode", true },	     { "permissions", true },	   { "questions", true },
	{ "toolCalls", true },	     { "toolResults", true },	   { "textMessages", true },
	{ "images", true },	     { "fileAttachments", true },  { "sessionLifecycle", true },
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

static char *mock_native_id(const char *session_id)
{
	return amk_strf("mock-%s", session_id);
}

static void mock_argv(const struct amk_agent_start *st, struct amk_strv *argv)
{
	add_pair(argv, "--model", st->model);
	add_pair(argv, "--permission-mode", st->permission_mode);
	if (st->incarnation > 1)
		add_pair(argv, "--resume", st->native_id);
	for (char *const *a = st->args; a && *a; a++)
		amk_strv_add(argv, *a);
}

static void *mock_new(void)
{
	struct mock *m = amk_calloc(1, sizeof *m);

	amk_track_init(&m->track);
	return m;
}

static void mock_free(void *state)
{
	struct mock *m = state;

	amk_track_release(&m->track);
	free(m);
}

static void write_line(struct mock *m, struct amk_buf *line)
{
	amk_buf_addc(line, '\n');
	if (amk_buf_ok(line))
		m->track.sink->write(m->track.sink->arg, line->s, line->n);
}

static void send_message(struct mock *m, const struct amk_input *in, const struct amk_json *list)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(PART_MAX);

	amk_jw_open(&line, NULL, '{');
	amk_jw_cstr(&line, "type", in->kind == AMK_INPUT_STEER ? "steer" : "message");
	amk_jw_int(&line, "n", m->messages);
	if (in->kind == AMK_INPUT_STEER)
		amk_jw_cstr(&line, "id", in->id);
	amk_jw_cstr(&line, "text", in->text);
	if (list) {
		amk_jw_open(&line, "attached", '[');
		amk_attached_parts(&line, list);
		amk_jw_close(&line, ']');
	}
	amk_jw_close(&line, '}');
	write_line(m, &line);
}

static void take_message(struct mock *m, const struct amk_input *in)
{
	struct amk_json *list AMK_AUTO(json) = amk_attached_list(in);
	char native[48];

	if (!in->again) {
		snprintf(native, sizeof native, "mock_%lld_user", (long long)++m->messages);
		amk_turn_start(&m->track, in->id);
		amk_track_user(&m->track, native, in->text, list, false);
	}
	send_message(m, in, list);
}

static void take_steer(struct mock *m, const struct amk_input *in)
{
	struct amk_json *list AMK_AUTO(json) = amk_attached_list(in);

	m->messages++;
	amk_steer_add(&m->track, in);
	send_message(m, in, list);
}

static bool line_steered(struct mock *m, const struct amk_json *j)
{
	char native[48];

	snprintf(native, sizeof native, "mock_%lld_user", (long long)amk_json_get_int(j, "n", 0));
	return amk_steer_taken(&m->track, amk_steer_find(&m->track, amk_json_get_str(j, "id")), native);
}

static void respond(struct mock *m, const char *id, const char *reply, const struct amk_json *answers)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(PART_MAX);

	amk_jw_open(&line, NULL, '{');
	amk_jw_cstr(&line, "type", "answer");
	amk_jw_cstr(&line, "id", id);
	amk_jw_cstr(&line, "reply", reply);
	if (answers)
		amk_json_print(&line, "answers", answers);
	amk_jw_close(&line, '}');
	write_line(m, &line);
}

static void take_answer(struct mock *m, const struct amk_input *in)
{
	struct amk_json *answers AMK_AUTO(json) = NULL;

	if (!amk_ask_find(&m->track, in->id))
		return;
	if (in->answers)
		answers = amk_json_parse(in->answers, strlen(in->answers), NULL);
	respond(m, in->id, in->reply, answers);
	amk_ask_answer(&m->track, in);
}

/* Its program takes whatever it is told: what is set is set when it is sent. */
static void take_set(struct mock *m, const struct amk_input *in)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(PART_MAX);

	amk_jw_open(&line, NULL, '{');
	amk_jw_cstr(&line, "type", "set");
	amk_jw_cstr(&line, in->id, in->text);
	amk_jw_close(&line, '}');
	write_line(m, &line);
	amk_track_changed(&m->track, in, "live", NULL);
}

/* The text parts of a content array, joined by newlines. False when there are none. */
static bool content_text(struct amk_buf *b, const struct amk_json *content)
{
	bool any = false;

	for (const struct amk_json *part = amk_json_first(content); part; part = amk_json_next(part)) {
		const char *text = amk_json_get_str(part, "text");

		if (!text || !amk_json_is(part, "type", "text"))
			continue;
		if (any)
			amk_buf_addc(b, '\n');
		amk_buf_adds(b, text);
		any = true;
	}
	return any;
}

static bool line_item(struct mock *m, const struct amk_json *j, bool completed)
{
	struct amk_buf content AMK_AUTO(buf) = AMK_BUF_INIT(2 * PART_MAX);
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(2 * PART_MAX);
	struct amk_item item = {
		.native = amk_json_get_str(j, "item"),
		.kind = amk_json_get_str(j, "kind"),
		.role = amk_json_get_str(j, "role"),
		.failed = amk_json_is(j, "status", "failed"),
	};
	const struct amk_json *parts = amk_json_get(j, "content");

	if (!item.native || !item.kind || !amk_json_is_array(parts) || amk_track_is_deep(parts))
		return false;
	amk_json_print(&content, NULL, parts);
	item.content = content.s;
	if (content_text(&text, parts) && strcmp(item.kind, "message") == 0)
		item.text = text.s;
	if (completed)
		amk_track_complete(&m->track, &item);
	else
		amk_track_start(&m->track, &item, false);
	return true;
}

static bool line_ask(struct mock *m, const struct amk_json *j, bool question)
{
	struct amk_buf details AMK_AUTO(buf) = AMK_BUF_INIT(PART_MAX);
	struct amk_buf about AMK_AUTO(buf) = AMK_BUF_INIT(PART_MAX);
	const struct amk_json *given = amk_json_get(j, question ? "options" : "metadata");
	struct amk_ask ask = {
		.native = amk_json_get_str(j, "id"),
		.kind = question ? "question" : "permission",
		.subject = amk_json_get_str(j, question ? "prompt" : "action"),
	};

	if (!ask.native || !ask.subject || amk_track_is_deep(given) ||
	    !(question ? amk_json_is_array(given) : amk_json_is_object(given)))
		return false;
	amk_json_print(&details, NULL, given);
	ask.details = details.s;
	amk_jw_cstr(&about, question ? "prompt" : "action", ask.subject);
	if (question)
		amk_json_print(&about, "options", given);
	if (amk_json_get_str(given, "command"))
		amk_jw_cstr(&about, "command", amk_json_get_str(given, "command"));
	if (amk_json_get_str(given, "path"))
		amk_jw_cstr(&about, "path", amk_json_get_str(given, "path"));
	ask.about = about.s;
	if (!amk_buf_ok(&details) || !amk_buf_ok(&about))
		return false;
	amk_ask_open(&m->track, &ask);
	return true;
}

static bool line_error(struct mock *m, const struct amk_json *j)
{
	struct amk_buf details AMK_AUTO(buf) = AMK_BUF_INIT(PART_MAX);
	const char *message = amk_json_get_str(j, "message");

	if (!message)
		return false;
	amk_track_print(&details, NULL, amk_json_get(j, "details"));
	amk_track_error(&m->track, amk_json_get_str(j, "code"), message, details.s);
	return true;
}

/* False for what is not in the dialect. */
static bool take_known(struct mock *m, const struct amk_json *j)
{
	const char *type = amk_json_get_str(j, "type");
	const char *delta = amk_json_get_str(j, "delta"), *outcome = amk_json_get_str(j, "outcome");

	if (!type)
		return false;
	if (strcmp(type, "pong") == 0)
		return true;
	if (strcmp(type, "started") == 0 || strcmp(type, "completed") == 0)
		return line_item(m, j, strcmp(type, "completed") == 0);
	if (strcmp(type, "permission") == 0 || strcmp(type, "question") == 0)
		return line_ask(m, j, strcmp(type, "question") == 0);
	if (strcmp(type, "error") == 0)
		return line_error(m, j);
	if (strcmp(type, "steered") == 0)
		return line_steered(m, j);
	if (strcmp(type, "delta") == 0 && delta)
		amk_track_delta(&m->track, amk_json_get_str(j, "item"), delta);
	else if (strcmp(type, "session_ended") == 0)
		amk_track_say(&m->track, "session.ended", true,
			      "\"reason\":\"completed\",\"terminated_by\":\"agent\"", NULL);
	else if (strcmp(type, "end") == 0 && outcome)
		amk_turn_end(&m->track, strcmp(outcome, "cancelled") == 0 ? "cancelled" : "completed", NULL, NULL);
	else
		return false;
	return true;
}

static void take_line(struct mock *m, const struct amk_input *in)
{
	struct amk_json *j AMK_AUTO(json) = NULL;

	if (in->line)
		j = amk_json_parse(in->line, in->line_n, NULL);
	if (!j || !take_known(m, j))
		amk_track_unparsed(&m->track, "mock.stream", "unsupported payload");
}

static void mock_step(void *state, const struct amk_input *in, const struct amk_sink *sink)
{
	static const char cancel[] = "{\"type\":\"cancel\"}\n", ping[] = "{\"type\":\"ping\"}\n";
	struct mock *m = state;

	m->track.sink = sink;
	switch (in->kind) {
	case AMK_INPUT_START:
		if (in->warm)
			sink->write(sink->arg, ping, sizeof ping - 1);
		break;
	case AMK_INPUT_LINE:
		take_line(m, in);
		break;
	case AMK_INPUT_MESSAGE:
		take_message(m, in);
		break;
	case AMK_INPUT_ANSWER:
		take_answer(m, in);
		break;
	case AMK_INPUT_CANCEL:
		if (amk_turn_cancel(&m->track))
			sink->write(sink->arg, cancel, sizeof cancel - 1);
		break;
	case AMK_INPUT_STEER:
		take_steer(m, in);
		break;
	case AMK_INPUT_SET:
		take_set(m, in);
		break;
	case AMK_INPUT_EXIT:
		amk_turn_exit(&m->track, in);
		break;
	}
}

static void mock_save(const void *state, struct amk_buf *b)
{
	const struct mock *m = state;

	amk_jw_open(b, NULL, '{');
	amk_jw_int(b, "messages", m->messages);
	amk_track_state_save(&m->track, b, "track");
	amk_jw_close(b, '}');
}

static int mock_load(void *state, const struct amk_json *saved, struct amk_err *e)
{
	struct mock *m = state;

	if (!amk_json_int(amk_json_get(saved, "messages"), &m->messages))
		return amk_err_set(e, AMK_EINVALID, "\"messages\" is missing");
	return amk_track_state_load(&m->track, amk_json_get(saved, "track"), e);
}

static struct amk_track *mock_track(void *state)
{
	return &((struct mock *)state)->track;
}

static bool mock_quiet(const void *state)
{
	return amk_track_quiet(&((const struct mock *)state)->track);
}

static bool mock_busy(const void *state)
{
	return amk_track_busy(&((const struct mock *)state)->track);
}

extern const struct amk_codec amk_agent_mock;
const struct amk_codec amk_agent_mock = {
	.name = "mock",
	.title = "Mock agent",
	.program = "amika-mock",
	.is_helper = true,
	.env = env,
	.models = models,
	.default_model = "mock",
	.modes = modes,
	.permissions = permissions,
	.capabilities = capabilities,
	.native_id = mock_native_id,
	.argv = mock_argv,
	.new_state = mock_new,
	.free_state = mock_free,
	.step = mock_step,
	.save = mock_save,
	.load = mock_load,
	.track = mock_track,
	.quiet = mock_quiet,
	.busy = mock_busy,
	.sets = sets,
};
