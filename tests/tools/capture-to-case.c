/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture-to-case CAPTURE: turns a recorded Claude Code conversation ({"t","dir","msg"|"raw"} lines) into
 * the inputs of a codec's steps ({"t","input"} lines). What the recording's host sent and our codec never
 * sends (initialize, set_model, answers to hooks) is left out. A message sent while a turn ran waits for
 * its result, as it would in the daemon.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "core/cmd.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/strv.h"

static unsigned messages;
static bool stdin_closed, started, running;
static struct amk_strv waiting; /* texts of messages */

static int put(int64_t t, const struct amk_input *in, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(2 * AMK_LINE_MAX);

	amk_jw_open(&b, NULL, '{');
	amk_jw_int(&b, "t", t);
	amk_jw_raw(&b, "input", "", 0);
	amk_input_write(&b, in);
	amk_jw_close(&b, '}');
	return amk_out_record(b.s, b.n, e);
}

/* The note at the top names the program's arguments. */
static int put_start(int64_t t, const struct amk_json *note, struct amk_err *e)
{
	struct amk_input in = { .kind = AMK_INPUT_START, .session_id = "case", .incarnation = 1 };
	const struct amk_json *arg = amk_json_first(amk_json_get(note, "argv"));

	for (; arg; arg = amk_json_next(arg))
		if (amk_json_str(arg) && strcmp(amk_json_str(arg), "--resume") == 0 && amk_json_next(arg))
			in.native_id = amk_json_str(amk_json_next(arg));
	started = true;
	return put(t, &in, e);
}

static int take_note(int64_t t, const struct amk_json *msg, struct amk_err *e)
{
	const char *text = amk_json_str(msg);

	if (text && strcmp(text, "stdin closed") == 0)
		stdin_closed = true;
	return started ? 0 : put_start(t, msg, e);
}

/* `attachments` may be NULL. */
static int put_message(int64_t t, const char *text, const char *attachments, struct amk_err *e)
{
	char *id AMK_AUTO(mem) = amk_strf("m_%u", ++messages);
	const struct amk_input in = { .kind = AMK_INPUT_MESSAGE, .id = id, .text = text, .attachments = attachments };

	running = true;
	return put(t, &in, e);
}

/* An image the host gave with the message: as if it had been read from a file. */
static void take_image(struct amk_buf *b, const struct amk_json *source)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "path", "image");
	amk_jw_null(b, "mime");
	amk_jw_null(b, "filename");
	amk_json_print(b, "media_type", amk_json_get(source, "media_type"));
	amk_json_print(b, "data", amk_json_get(source, "data"));
	amk_jw_close(b, '}');
}

static int take_message(int64_t t, const struct amk_json *content, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);
	struct amk_buf images AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);
	bool any = false;

	if (amk_json_str(content))
		amk_buf_adds(&text, amk_json_str(content));
	amk_jw_open(&images, NULL, '[');
	for (const struct amk_json *part = amk_json_is_array(content) ? amk_json_first(content) : NULL; part;
	     part = amk_json_next(part)) {
		if (amk_json_get_str(part, "text"))
			amk_buf_adds(&text, amk_json_get_str(part, "text"));
		if (!amk_json_is(part, "type", "image"))
			continue;
		take_image(&images, amk_json_get(part, "source"));
		any = true;
	}
	amk_jw_close(&images, ']');
	if (!running)
		return put_message(t, text.s, any ? images.s : NULL, e);
	amk_strv_add(&waiting, text.s);
	return 0;
}

/* The first of those that wait, now that the turn before it is over. */
static int put_waiting(int64_t t, struct amk_err *e)
{
	char *text AMK_AUTO(mem) = NULL;

	running = false;
	if (waiting.n == 0)
		return 0;
	text = waiting.v[0];
	waiting.n--;
	memmove(&waiting.v[0], &waiting.v[1], (waiting.n + 1) * sizeof *waiting.v);
	return put_message(t, text, NULL, e);
}

/* ---- answers ---- */

#define ASKED_MAX 64
static struct {
	char *id, *tool, *input;
} asked[ASKED_MAX];
static size_t nasked;

static void take_request(const struct amk_json *msg)
{
	const struct amk_json *request = amk_json_get(msg, "request");
	const char *tool = amk_json_get_str(request, "tool_name"), *id = amk_json_get_str(msg, "request_id");
	struct amk_buf input = AMK_BUF_INIT(AMK_LINE_MAX);

	if (!id || nasked == ASKED_MAX)
		return;
	amk_json_print(&input, NULL, tool ? amk_json_get(request, "input") : amk_json_get(request, "property_order"));
	tool = tool ? tool : "";
	asked[nasked].id = amk_strdup(id);
	asked[nasked].tool = amk_strdup(tool);
	asked[nasked++].input = amk_buf_take(&input);
}

static void write_choices(struct amk_buf *b, const char *text, bool multi)
{
	amk_jw_open(b, NULL, '[');
	while (multi && strstr(text, ", ")) {
		amk_jw_str(b, NULL, text, (size_t)(strstr(text, ", ") - text));
		text = strstr(text, ", ") + 2;
	}
	amk_jw_cstr(b, NULL, text);
	amk_jw_close(b, ']');
}

/* What the host gave as {"question":"label, label"}, in the order of the questions. */
static void write_answers(struct amk_buf *b, const struct amk_json *input)
{
	const struct amk_json *answers = amk_json_get(input, "answers");
	const struct amk_json *q = amk_json_first(amk_json_get(input, "questions"));

	amk_jw_open(b, NULL, '[');
	for (; q; q = amk_json_next(q)) {
		const char *text = amk_json_get_str(answers, amk_json_get_str(q, "question"));

		write_choices(b, text ? text : "", amk_json_true(amk_json_get(q, "multiSelect")));
	}
	amk_jw_close(b, ']');
}

/* Values of a form, in the order of its properties, as text. */
static void write_values(struct amk_buf *b, const char *id, const struct amk_json *content)
{
	struct amk_json *order AMK_AUTO(json) = NULL;

	for (size_t i = 0; i < nasked; i++)
		if (strcmp(asked[i].id, id) == 0)
			order = amk_json_parse(asked[i].input, strlen(asked[i].input), NULL);
	amk_jw_open(b, NULL, '[');
	for (const struct amk_json *p = amk_json_first(order); p; p = amk_json_next(p)) {
		const struct amk_json *value = amk_json_get(content, amk_json_str(p));
		struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);

		amk_json_print(&text, NULL, value);
		amk_jw_open(b, NULL, '[');
		amk_jw_cstr(b, NULL, amk_json_str(value) ? amk_json_str(value) : text.s);
		amk_jw_close(b, ']');
	}
	amk_jw_close(b, ']');
}

/* A question is answered, a plan approved, a tool allowed: as it was asked for, or with another input. */
static void fill_allow(struct amk_input *in, const struct amk_json *answer, struct amk_buf *text)
{
	const struct amk_json *input = amk_json_get(answer, "updatedInput");
	size_t i = 0;

	while (i < nasked && strcmp(asked[i].id, in->id) != 0)
		i++;
	in->reply = amk_json_get(answer, "updatedPermissions") ? "always" : "once";
	if (i < nasked && strcmp(asked[i].tool, "AskUserQuestion") == 0) {
		in->reply = "answer";
		write_answers(text, input);
		in->answers = text->s;
	} else if (i < nasked && strcmp(asked[i].tool, "ExitPlanMode") == 0) {
		in->reply = "answer";
		in->answers = "[[\"approve\"]]";
	} else if (input) {
		amk_json_print(text, NULL, input);
		in->input = i < nasked && strcmp(asked[i].input, text->s) != 0 ? text->s : NULL;
	}
}

static int put_answer(int64_t t, const struct amk_json *response, struct amk_err *e)
{
	const struct amk_json *answer = amk_json_get(response, "response");
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);
	struct amk_input in = { .kind = AMK_INPUT_ANSWER, .id = amk_json_get_str(response, "request_id"), .by = "tester" };

	if (amk_json_is(response, "subtype", "error")) {
		in.reply = "reject";
		in.text = amk_json_get_str(response, "error");
	} else if (amk_json_is(answer, "behavior", "deny")) {
		in.reply = "reject";
		in.text = amk_json_get_str(answer, "message");
		in.stop = amk_json_true(amk_json_get(answer, "interrupt"));
	} else if (amk_json_is(answer, "behavior", "allow")) {
		fill_allow(&in, answer, &text);
	} else if (amk_json_is(answer, "action", "accept")) {
		in.reply = "answer";
		write_values(&text, in.id, amk_json_get(answer, "content"));
		in.answers = text.s;
	} else if (amk_json_is(answer, "action", "decline")) {
		in.reply = "reject";
	} else {
		return 0;
	}
	return put(t, &in, e);
}

static int take_in(int64_t t, const struct amk_json *msg, struct amk_err *e)
{
	const struct amk_input cancel = { .kind = AMK_INPUT_CANCEL, .by = "tester" };

	if (amk_json_is(msg, "type", "user"))
		return take_message(t, amk_json_get(amk_json_get(msg, "message"), "content"), e);
	if (amk_json_is(msg, "type", "control_response"))
		return put_answer(t, amk_json_get(msg, "response"), e);
	if (amk_json_is(amk_json_get(msg, "request"), "subtype", "interrupt"))
		return put(t, &cancel, e);
	return 0;
}

static int take_out(int64_t t, const struct amk_json *msg, const char *raw, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);
	struct amk_input in = { .kind = AMK_INPUT_LINE };

	if (raw)
		amk_buf_adds(&line, raw);
	else
		amk_json_print(&line, NULL, msg);
	in.line = line.s;
	in.line_n = line.n;
	if (put(t, &in, e) < 0)
		return -1;
	if (amk_json_is(msg, "type", "control_request"))
		take_request(msg);
	return amk_json_is(msg, "type", "result") ? put_waiting(t, e) : 0;
}

/* Ending its input is our way to end it; a signal from elsewhere is not. */
static int take_exit(int64_t t, const struct amk_json *msg, struct amk_err *e)
{
	struct amk_input in = { .kind = AMK_INPUT_EXIT, .wanted = stdin_closed };

	in.exit_code = (int)amk_json_get_int(msg, "code", -1);
	in.exit_signal = in.exit_code < 0 ? 9 : 0;
	return put(t, &in, e);
}

static int take_line(const struct amk_json *j, struct amk_err *e)
{
	const struct amk_json *msg = amk_json_get(j, "msg");
	int64_t t = amk_json_get_int(j, "t", 0);

	if (amk_json_is(j, "dir", "note"))
		return take_note(t, msg, e);
	if (amk_json_is(j, "dir", "in"))
		return take_in(t, msg, e);
	if (amk_json_is(j, "dir", "out"))
		return take_out(t, msg, amk_json_get_str(j, "raw"), e);
	if (amk_json_is(j, "dir", "exit"))
		return take_exit(t, msg, e);
	return 0;
}

static int convert_run(const struct amk_args *a, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = open(a->argv[0], O_RDONLY | O_CLOEXEC);
	struct amk_lines lines;
	char *line;
	size_t n;
	int r;

	if (fd < 0)
		return amk_err_sys(e, "%s", a->argv[0]);
	amk_lines_init(&lines, fd);
	while ((r = amk_lines_next(&lines, &line, &n, e)) == 1) {
		struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, e);

		if (!j || take_line(j, e) < 0) {
			r = amk_err_wrap(e, "%s, line %zu", a->argv[0], lines.number);
			break;
		}
	}
	amk_lines_release(&lines);
	amk_strv_release(&waiting);
	while (nasked) {
		free(asked[--nasked].id);
		free(asked[nasked].tool);
		free(asked[nasked].input);
	}
	return r;
}

static const struct amk_cmd cmd = {
	.name = "capture-to-case",
	.summary = "Turn a recorded conversation into the inputs of a codec",
	.operands = "CAPTURE",
	.min = 1,
	.max = 1,
	.reads = "capture",
	.writes = "input",
	.run = convert_run,
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
