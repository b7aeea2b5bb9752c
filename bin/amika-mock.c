/* SPDX-License-Identifier: Apache-2.0 */
/* The mock agent's program: scripts by name, one line every pace, in the dialect of lib/agent/mock.c. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "amika-mock.h"
#include "core/buf.h"
#include "core/cmd.h"
#include "core/json.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/time.h"

#define FLOOD_ITEM 65536 /* bytes of text in one of a flood's items, at least one delta */
#define BATCH 65536	 /* bytes written at once when there is no pace */
#define TRIGGER_MAX 1000 /* bytes of a message that is a trigger as a whole */

static int64_t pace = 20;
static const char *model = "none", *mode = "none", *resumed = "none";

static struct {
	int64_t n; /* the message's number */
	bool running, deaf; /* deaf: does not hear of a cancel */
	bool steerable; /* the script waits for a message that is put into it */
	struct steer *steers;
	struct step *first, **last;
	unsigned asked;		/* requests still to be answered */
	const char *const *then; /* lines for when they are, or NULL */
	struct amk_buf decided; /* what was answered, in words */
	struct amk_buf attached; /* ",PART,PART": what came with the message goes back with its text */
	int64_t flood_left, flood_bytes, flood_item;
	int64_t clock; /* ns between the deltas of a flood that says when each was made; 0: of another */
	int64_t read_at; /* when the last input was read, ns since the epoch */
	struct amk_buf flood_text; /* of the flood's running item */
	struct amk_buf out;
} mock = { .last = &mock.first,
	   .decided = AMK_BUF_INIT(1u << 20),
	   .attached = AMK_BUF_INIT(1u << 20),
	   .flood_text = AMK_BUF_INIT(AMK_LINE_MAX),
	   .out = AMK_BUF_INIT(2 * AMK_LINE_MAX) };

static void add_step(char *line, int exit_code)
{
	struct step *s = amk_calloc(1, sizeof *s);

	s->line = line;
	s->exit_code = exit_code;
	*mock.last = s;
	mock.last = &s->next;
}

/* A line as JSON with ' for " and $ for the prefix of this message's ids. */
static void add(const char *template)
{
	struct amk_buf b = AMK_BUF_INIT(AMK_LINE_MAX);

	for (const char *c = template; *c; c++) {
		if (*c == '$')
			amk_buf_addf(&b, "mock_%lld", (long long)mock.n);
		else
			amk_buf_addc(&b, *c == '\'' ? '"' : *c);
	}
	add_step(amk_buf_take(&b), 0);
}

/* `more` are further parts, each behind a comma. */
static void add_parts_line(const char *type, const char *suffix, const char *text, const char *more)
{
	struct amk_buf b = AMK_BUF_INIT(AMK_LINE_MAX);

	amk_buf_addf(&b, "{\"type\":\"%s\",\"item\":\"mock_%lld_%s\",\"kind\":\"message\",\"role\":\"assistant\","
			 "\"content\":[{\"type\":\"text\"",
		     type, (long long)mock.n, suffix);
	amk_jw_cstr(&b, "text", text);
	amk_buf_addf(&b, "}%s]}", more);
	add_step(amk_buf_take(&b), 0);
}

static void add_text_line(const char *type, const char *suffix, const char *text)
{
	add_parts_line(type, suffix, text, "");
}

static void add_text(const char *suffix, const char *text)
{
	add_text_line("started", suffix, text);
	add_text_line("completed", suffix, text);
}

static void add_delta(const char *suffix, const char *text)
{
	struct amk_buf b = AMK_BUF_INIT(AMK_LINE_MAX);

	amk_buf_addf(&b, "{\"type\":\"delta\",\"item\":\"mock_%lld_%s\"", (long long)mock.n, suffix);
	amk_jw_cstr(&b, "delta", text);
	amk_buf_addc(&b, '}');
	add_step(amk_buf_take(&b), 0);
}

static void drop_steps(void)
{
	while (mock.first) {
		struct step *s = mock.first;

		mock.first = s->next;
		free(s->line);
		free(s);
	}
	mock.last = &mock.first;
	mock.flood_left = 0;
	mock.clock = 0;
	amk_buf_clear(&mock.flood_text);
	mock.asked = 0;
}

static void repeat(const char *suffix, const char *text)
{
	add_parts_line("started", suffix, text, mock.attached.s);
	add_parts_line("completed", suffix, text, mock.attached.s);
}

static void run_echo(const char *arg)
{
	repeat("echo", arg);
}

static void run_markdown(const char *arg)
{
	static const char *const parts[] = { "# Title\n", "\n", "- one\n", "- two\n", "\n", "```c\n", "int x;\n", "```\n" };
	struct amk_buf all AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	(void)arg;
	add_text_line("started", "markdown", "");
	for (size_t i = 0; i < AMK_COUNT(parts); i++) {
		add_delta("markdown", parts[i]);
		amk_buf_adds(&all, parts[i]);
	}
	add_text_line("completed", "markdown", all.s);
}

static void run_flood(const char *arg)
{
	char *end;
	long long n = strtoll(arg, &end, 10), bytes = strtoll(end, NULL, 10);

	mock.flood_left = n > 0 ? n : 0;
	mock.flood_bytes = bytes < 1 ? 16 : bytes > 1 << 20 ? 1 << 20 : bytes;
	mock.flood_item = 0;
}

static void run_clock(const char *arg)
{
	char *end;
	long long n = strtoll(arg, &end, 10), us = strtoll(end, NULL, 10);

	mock.flood_left = n > 0 ? n : 0;
	mock.flood_item = 0;
	mock.clock = us < 1 ? 1000 : us > 3600000000 ? 3600000000000 : us * 1000;
}

static void run_when(const char *arg)
{
	char text[32];

	(void)arg;
	snprintf(text, sizeof text, "%lld", (long long)mock.read_at);
	add_text("when", text);
}

static void run_exit(const char *arg)
{
	add_text_line("started", "exit", "");
	add_delta("exit", "about to exit");
	add_step(NULL, (int)(strtol(arg, NULL, 10) & 0xff));
}

static void add_end(const char *outcome)
{
	add(strcmp(outcome, "cancelled") == 0 ? "{'type':'end','outcome':'cancelled'}"
					      : "{'type':'end','outcome':'completed'}");
}

static void run_leave(const char *arg)
{
	char text[32];

	snprintf(text, sizeof text, "%d", (int)leave_process(strcmp(arg, "helper") != 0));
	add_text("left", text);
	if (strcmp(arg, "and end") == 0)
		add_end("completed");
}

static void run_stderr(const char *arg)
{
	amk_write_all(STDERR_FILENO, arg, strlen(arg));
	amk_write_all(STDERR_FILENO, "\n", 1);
	add_text("stderr", "said on stderr");
}

static void run_help(const char *arg)
{
	(void)arg;
	add_text("help", "echo TEXT, help, tool, status, image, unknown, markdown, permission, question, error, "
			 "unparsed, end, demo, flood N [BYTES]; for tests of what goes wrong: exit N, garbage, hang, deaf, "
			 "leave, stderr TEXT; steer, which waits for a message put into its turn. Anything else is repeated.");
}

static void run_self(const char *arg)
{
	char *text AMK_AUTO(mem) = amk_strf("model %s, permission mode %s, resumes %s", model, mode, resumed);

	(void)arg;
	add_text("self", text);
}

static void run_reply(const char *arg)
{
	repeat("reply", arg);
}

struct script {
	const char *words;
	const char *const *lines;
	void (*run)(const char *arg);
	unsigned asks; /* of its lines; it goes on when all are answered */
	bool stays; /* does not end by itself */
	bool steerable; /* ends with the message that is put into it */
	bool deaf; /* goes on when it is cancelled */
	bool demo;  /* is shown by the demo, before the end */
	const char *arg; /* of a trigger: stands for the rest of the message */
	const char *const *then; /* of a trigger: lines after the answers */
};

/* The first word of a message says which. */
static const struct script scripts[] = {
	{ .words = "echo say", .run = run_echo, .demo = true },
	{ .words = "help", .run = run_help, .demo = true },
	{ .words = "tool tools tooling", .lines = tool, .demo = true },
	{ .words = "status", .lines = status, .demo = true },
	{ .words = "image", .lines = image, .demo = true },
	{ .words = "unknown", .lines = unknown, .demo = true },
	{ .words = "markdown", .run = run_markdown, .demo = true },
	{ .words = "permission permissions", .lines = permissions, .asks = 2, .demo = true },
	{ .words = "question questions", .lines = questions, .asks = 2, .demo = true },
	{ .words = "error", .lines = error, .demo = true },
	{ .words = "unparsed", .lines = unparsed, .demo = true },
	{ .words = "end ended session.end", .lines = ended },
	{ .words = "flood", .run = run_flood, .stays = true },
	{ .words = "clock", .run = run_clock, .stays = true },
	{ .words = "when", .run = run_when },
	{ .words = "exit", .run = run_exit, .stays = true },
	{ .words = "garbage", .lines = garbage },
	{ .words = "hang", .lines = hang, .stays = true },
	{ .words = "deaf", .lines = hang, .stays = true, .deaf = true },
	{ .words = "leave", .run = run_leave, .stays = true },
	{ .words = "stderr", .run = run_stderr },
	{ .words = "steer", .lines = steer, .stays = true, .steerable = true },
	{ .words = "self", .run = run_self },
};

/* The whole message says which: prompts that the tests of the original's clients send to any agent. */
static const struct script triggers[] = {
	{ .words = "Reply with exactly the single word OK.", .run = run_reply, .arg = "OK" },
	{ .words = "Reply with exactly the*word FIRST.", .run = run_reply, .arg = "FIRST" },
	{ .words = "Reply with exactly the*word SECOND.", .run = run_reply, .arg = "SECOND" },
	{ .words = "List files in the current directory using available tools.", .lines = list_files, .asks = 1 },
	{ .words = "Use the bash tool to run `ls`*", .lines = list_files, .asks = 1, .then = tool },
	{ .words = "*AskUserQuestion tool*", .lines = proceed, .asks = 1 },
	{ .words = "Answer briefly and include your reasoning.", .lines = rich },
	{ .words = "Provide a short status update.", .lines = status },
};

static void script_add(const struct script *s, const char *arg)
{
	for (const char *const *l = s->lines; l && *l; l++)
		add(*l);
	if (s->run)
		s->run(arg);
	mock.asked += s->asks;
}

/* Each script behind a message that announces it. */
static void run_demo(const char *arg)
{
	char suffix[40], text[80];

	(void)arg;
	for (unsigned i = 0; i < AMK_COUNT(scripts); i++) {
		if (!scripts[i].demo)
			continue;
		snprintf(suffix, sizeof suffix, "marker_%u", i + 1);
		snprintf(text, sizeof text, "Next: %.*s", (int)strcspn(scripts[i].words, " "), scripts[i].words);
		add_text(suffix, text);
		script_add(&scripts[i], "an echo");
	}
	mock.then = ended;
}

static const struct script demo = { .words = "demo", .run = run_demo };

static bool has_word(const char *words, const char *s, size_t n)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len == n && strncasecmp(words, s, n) == 0)
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

static const struct script *script_find(const char *text, size_t word_n)
{
	for (size_t i = 0; i < AMK_COUNT(triggers) && strlen(text) < TRIGGER_MAX; i++)
		if (fnmatch(triggers[i].words, text, FNM_CASEFOLD) == 0)
			return &triggers[i];
	for (size_t i = 0; i < AMK_COUNT(scripts); i++)
		if (has_word(scripts[i].words, text, word_n))
			return &scripts[i];
	return has_word(demo.words, text, word_n) ? &demo : NULL;
}

static void script_start(char *text)
{
	size_t n = strlen(text), word_n;
	const struct script *s;

	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	text += strspn(text, " \t\r\n");
	word_n = strcspn(text, " \t\r\n");
	s = script_find(text, word_n);
	mock.running = true;
	mock.deaf = s && s->deaf;
	mock.steerable = s && s->steerable;
	mock.clock = 0;
	mock.then = s ? s->then : NULL;
	if (s)
		script_add(s, s->arg ? s->arg : text + word_n + strspn(text + word_n, " \t\r\n"));
	else if (*text)
		run_reply(text);
	if (!mock.asked && (!s || !s->stays))
		add_end("completed");
}

static void take_answer(const struct amk_json *j)
{
	const struct amk_json *answers = amk_json_get(j, "answers");
	const char *id = amk_json_get_str(j, "id"), *reply = amk_json_get_str(j, "reply");

	if (!mock.asked || !id || !reply)
		return;
	amk_buf_addf(&mock.decided, "%s%s: %s", mock.decided.n ? "\n" : "", id, reply);
	for (const struct amk_json *list = amk_json_first(answers); list; list = amk_json_next(list))
		for (const struct amk_json *s = amk_json_first(list); s; s = amk_json_next(s))
			if (amk_json_str(s))
				amk_buf_addf(&mock.decided, " %s", amk_json_str(s));
	if (--mock.asked)
		return;
	add_text("decided", mock.decided.s);
	for (const char *const *l = mock.then; l && *l; l++)
		add(*l);
	add_end("completed");
}

static void take_attached(const struct amk_json *j)
{
	amk_buf_clear(&mock.attached);
	for (const struct amk_json *part = amk_json_first(amk_json_get(j, "attached")); part;
	     part = amk_json_next(part)) {
		amk_buf_addc(&mock.attached, ',');
		amk_json_print(&mock.attached, NULL, part);
	}
}

static void take_message(const struct amk_json *j)
{
	char *text AMK_AUTO(mem) = amk_strdup(amk_json_get_str(j, "text"));

	mock.n = amk_json_get_int(j, "n", mock.n + 1);
	amk_buf_clear(&mock.decided);
	take_attached(j);
	script_start(text);
}

/* Takes up the first message that was put into a turn, if its time has come. */
static void take_steered(void)
{
	struct steer *s = mock.steers;
	struct amk_buf b = AMK_BUF_INIT(AMK_LINE_MAX);

	if (!s || (mock.running && !mock.steerable))
		return;
	mock.steers = s->next;
	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "type", "steered");
	amk_json_print(&b, "id", amk_json_get(s->line, "id"));
	amk_json_print(&b, "n", amk_json_get(s->line, "n"));
	amk_jw_close(&b, '}');
	add_step(amk_buf_take(&b), 0);
	if (mock.running) {
		mock.n = amk_json_get_int(s->line, "n", mock.n);
		mock.steerable = false;
		take_attached(s->line);
		repeat("heard", amk_json_get_str(s->line, "text"));
		add_end("completed");
	} else {
		take_message(s->line);
	}
	amk_json_free(s->line);
	free(s);
}

static void keep_steer(const struct amk_json *j)
{
	struct steer *s = amk_calloc(1, sizeof *s), **last = &mock.steers;
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);

	amk_json_print(&b, NULL, j);
	s->line = amk_json_parse(b.s, b.n, NULL);
	while (*last)
		last = &(*last)->next;
	*last = s;
	take_steered();
}

static void take_line(const char *line, size_t n)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, NULL);

	if (amk_json_is(j, "type", "message") && amk_json_get_str(j, "text") && !mock.running) {
		take_message(j);
	} else if (amk_json_is(j, "type", "steer") && amk_json_get_str(j, "text")) {
		keep_steer(j);
	} else if (amk_json_is(j, "type", "answer")) {
		take_answer(j);
	} else if (amk_json_is(j, "type", "ping")) {
		add("{'type':'pong'}");
	} else if (amk_json_get_str(j, "model")) {
		model = amk_strdup(amk_json_get_str(j, "model"));
	} else if (amk_json_is(j, "type", "cancel") && mock.running && !mock.deaf) {
		drop_steps();
		mock.steerable = false;
		add_end("cancelled");
	}
}

static void flush(void)
{
	if (amk_write_all(STDOUT_FILENO, mock.out.s, mock.out.n) < 0)
		exit(1);
	amk_buf_clear(&mock.out);
}

/* The next delta of a flood, with its item's start and end around it where they belong. */
static void flood_step(void)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(2u << 20);
	char suffix[40];

	snprintf(suffix, sizeof suffix, "flood_%lld", (long long)mock.flood_item);
	if (mock.flood_text.n == 0)
		add_text_line("started", suffix, "");
	while (!mock.clock && text.n < (size_t)mock.flood_bytes)
		amk_buf_addf(&text, "%lld ", (long long)mock.flood_left);
	if (mock.clock)
		amk_buf_addf(&text, "%lld ", (long long)amk_time_now());
	else
		text.s[text.n = (size_t)mock.flood_bytes] = '\0';
	add_delta(suffix, text.s);
	amk_buf_add(&mock.flood_text, text.s, text.n);
	mock.flood_left--;
	if (mock.flood_left == 0 || mock.flood_text.n + text.n > FLOOD_ITEM) {
		add_text_line("completed", suffix, mock.flood_text.s);
		amk_buf_clear(&mock.flood_text);
		mock.flood_item++;
	}
	if (mock.flood_left == 0)
		add_end("completed");
}

static void emit(void)
{
	struct step *s;

	if (!mock.first)
		flood_step();
	s = mock.first;
	if (!s->line) {
		flush();
		exit(s->exit_code);
	}
	amk_buf_adds(&mock.out, s->line);
	amk_buf_addc(&mock.out, '\n');
	mock.first = s->next;
	if (!mock.first)
		mock.last = &mock.first;
	if (strncmp(s->line, "{\"type\":\"end\"", 13) == 0) {
		mock.running = false;
		take_steered();
	}
	free(s->line);
	free(s);
}

static bool pending(void)
{
	return mock.first || mock.flood_left > 0;
}

/* Reads what there is and takes its whole lines. False at the end of input. */
static bool take_input(struct amk_buf *in)
{
	char *to = amk_buf_room(in, BATCH), *nl;
	ssize_t n = to ? read(STDIN_FILENO, to, BATCH) : 0;

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	mock.read_at = amk_time_now();
	in->n += (size_t)n;
	in->s[in->n] = '\0';
	while ((nl = memchr(in->s, '\n', in->n))) {
		size_t len = (size_t)(nl - in->s);

		take_line(in->s, len);
		amk_buf_drop(in, len + 1);
	}
	return true;
}

/* Waits for input, or until the next line is due. True: there is input. */
static bool wait_input(int64_t due)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t wait = due - amk_time_monotonic(), left = wait > 0 ? wait : 0;
	struct timespec most = { left / 1000000000, left % 1000000000 };

	return ppoll(&pfd, 1, pending() ? &most : NULL, NULL) > 0;
}

/* What is due now: one line, all there is without a pace, what stands around a delta of a clock. */
static void emit_due(void)
{
	do
		emit();
	while (pending() && mock.out.n < BATCH && (mock.clock ? mock.first != NULL : pace == 0));
	flush();
}

static int mock_run(const struct amk_args *a, struct amk_err *e)
{
	struct amk_buf in AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);
	int64_t due = 0;

	(void)a;
	if (pace < 0 || pace > 3600000)
		return amk_err_set(e, AMK_EUSAGE, "--pace takes milliseconds from 0 to 3600000");
	for (;;) {
		if (wait_input(due) && !take_input(&in))
			return 0;
		if (!pending() || amk_time_monotonic() < due)
			continue;
		emit_due();
		due = amk_time_monotonic() + (mock.clock ? mock.clock : pace * 1000000);
	}
}

static const struct amk_opt options[] = {
	{ 0, "model", AMK_OPT_STR, &model, "MODEL", "what it says it is" },
	{ 0, "permission-mode", AMK_OPT_STR, &mode, "MODE", "what it says it runs in" },
	{ 0, "resume", AMK_OPT_STR, &resumed, "ID", "the conversation it goes on with" },
	{ 0, "pace", AMK_OPT_INT, &pace, "MS", "milliseconds between lines (default 20)" },
	AMK_OPT_END,
};
static const struct amk_cmd cmd = {
	.name = "amika-mock",
	.summary = "An agent for tests: answers messages by script, without a model",
	.operands = "",
	.reads = "mock input",
	.writes = "mock output",
	.opts = options,
	.run = mock_run,
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
