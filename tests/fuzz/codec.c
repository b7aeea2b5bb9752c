/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the life of an agent: nothing breaks, what is said obeys the stream's rules, and saving and
 * loading the state anywhere changes nothing. The first byte picks the codec; then each line is an input:
 * "M text" a message, "A once|always|reject|answer|input|stop ID", "C" a cancel, "X code" an exit, "S" a new start;
 * every other line is one the agent says.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "core/err.h"
#include "event/check.h"

#define OUT_MAX (64u << 20)
#define ASKED_MAX 512

struct life {
	const struct amk_codec *codec;
	void *state;
	bool running; /* the process */
	unsigned messages, incarnation;
	uint64_t sequence, decisions;
	struct {
		char *native;
		uint64_t number;
	} asked[ASKED_MAX];
	size_t nasked;
	struct amk_buf out;
	struct amk_check *check; /* or NULL */
};

static uint64_t decision_number(struct life *l, const struct amk_said *said)
{
	size_t i = 0;
	uint64_t number;

	while (i < l->nasked && strcmp(l->asked[i].native, said->decision_native) != 0)
		i++;
	if (said->decision_state == AMK_DECISION_OPEN) {
		if (i < l->nasked || i == ASKED_MAX)
			AMK_BUG("%s asked again, or too many open", said->decision_native);
		l->asked[l->nasked].native = amk_strdup(said->decision_native);
		l->asked[l->nasked++].number = ++l->decisions;
		return l->decisions;
	}
	if (i == l->nasked)
		AMK_BUG("%s closed and not open", said->decision_native);
	number = l->asked[i].number;
	free(l->asked[i].native);
	l->asked[i] = l->asked[--l->nasked];
	return number;
}

static void on_say(void *arg, const struct amk_said *said)
{
	struct life *l = arg;
	char id[32];
	struct amk_event_place place = { .sequence = ++l->sequence, .session_id = "fuzz", .decision_id = id };
	size_t at = l->out.n;
	struct amk_err e = { 0 };

	if (said->decision_state)
		snprintf(id, sizeof id, "d_%llu", (unsigned long long)decision_number(l, said));
	amk_event_write(&l->out, said, &place, NULL);
	if (!amk_buf_ok(&l->out))
		AMK_BUG("more output than a life can have");
	if (l->check && amk_check_line(l->check, l->out.s + at, l->out.n - at, &e) < 0)
		AMK_BUG("%s: %s", e.msg, l->out.s + at);
	amk_buf_addc(&l->out, '\n');
}

static void on_write(void *arg, const char *s, size_t n)
{
	struct life *l = arg;
	struct amk_json *j = amk_json_parse(s, n, NULL);

	if (!j || s[n - 1] != '\n' || memchr(s, '\n', n - 1))
		AMK_BUG("not a line of JSON to the agent: %.*s", (int)n, s);
	amk_json_free(j);
	amk_buf_add(&l->out, s, n);
}

static void on_native(void *arg, const char *native_id)
{
	struct life *l = arg;

	amk_buf_addf(&l->out, "native %s\n", native_id);
}

static void on_setting(void *arg, const char *what, const char *value)
{
	struct life *l = arg;

	amk_buf_addf(&l->out, "setting %s %s\n", what, value ? value : "at the next start");
}

static void step(struct life *l, const struct amk_input *in)
{
	const struct amk_sink sink = { l, on_say, on_write, on_native, on_setting };

	l->codec->step(l->state, in, &sink);
}

static void step_exit(struct life *l, int code)
{
	const struct amk_input in = { .kind = AMK_INPUT_EXIT, .exit_code = code, .wanted = code == 7 };

	if (!l->running)
		return;
	step(l, &in);
	if (l->codec->busy(l->state) || !l->codec->quiet(l->state))
		AMK_BUG("something is open after the process ended");
	l->running = false;
}

static void step_start(struct life *l)
{
	struct amk_input in = { .kind = AMK_INPUT_START, .session_id = "fuzz" };

	step_exit(l, 1);
	in.incarnation = (int)++l->incarnation;
	in.native_id = l->incarnation % 2 ? NULL : "native";
	l->running = true;
	step(l, &in);
}

static void step_message(struct life *l, const char *text)
{
	char id[32];
	const struct amk_input in = { .kind = AMK_INPUT_MESSAGE, .id = id, .text = text };

	if (l->codec->busy(l->state))
		return;
	snprintf(id, sizeof id, "m_%u", ++l->messages);
	step(l, &in);
}

static void step_answer(struct life *l, const char *line)
{
	static const char *const words[] = { "once", "always", "reject", "answer", "input", "stop" };
	static const char *const replies[] = { "once", "always", "reject", "answer", "once", "reject" };
	struct amk_input in = { .kind = AMK_INPUT_ANSWER, .by = "fuzz" };

	for (size_t i = 0; i < AMK_COUNT(words); i++) {
		size_t n = strlen(words[i]);

		if (strncmp(line, words[i], n) != 0 || line[n] != ' ')
			continue;
		in.reply = replies[i];
		in.id = line + n + 1;
		in.answers = i == 3 ? "[[\"approve\"],[\"a\",\"1\"],[]]" : NULL;
		in.input = i == 4 ? "{\"command\":\"true\"}" : NULL;
		in.stop = i == 5;
		step(l, &in);
		return;
	}
}

static void step_line(struct life *l, const char *s, size_t n)
{
	static const struct amk_input cancel = { .kind = AMK_INPUT_CANCEL, .by = "fuzz" };
	const struct amk_input line = { .kind = AMK_INPUT_LINE, .line = s, .line_n = n };
	char *text AMK_AUTO(mem) = n > 1 ? amk_strndup(s + 2, n - 2) : amk_strdup("");

	if (n && *s == 'S')
		step_start(l);
	else if (!l->running)
		return;
	else if (n > 2 && *s == 'M')
		step_message(l, text);
	else if (n > 2 && *s == 'A')
		step_answer(l, text);
	else if (n && *s == 'C')
		step(l, &cancel);
	else if (n && *s == 'X')
		step_exit(l, (int)strtol(text, NULL, 10) & 0xff);
	else
		step(l, &line);
}

static void reload(struct life *l)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(OUT_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	struct amk_err e = { 0 };

	l->codec->save(l->state, &b);
	j = amk_json_parse(b.s, b.n, &e);
	l->codec->free_state(l->state);
	l->state = l->codec->new_state();
	if (!j || l->codec->load(l->state, j, &e) < 0)
		AMK_BUG("%s: %s", e.msg, b.s);
}

/* One life; with `reloads` the state goes through its saved form after every line. */
static void live(struct life *l, const char *s, size_t n, bool reloads)
{
	const char *end = s + n;

	l->state = l->codec->new_state();
	step_start(l);
	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((nl ? nl : end) - s);
		char *line AMK_AUTO(mem) = amk_malloc(len + 1);

		memcpy(line, s, len);
		line[len] = '\0';
		step_line(l, line, len);
		if (reloads)
			reload(l);
		s += len + (nl ? 1 : 0);
	}
	step_exit(l, 0);
	l->codec->free_state(l->state);
	while (l->nasked)
		free(l->asked[--l->nasked].native);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct amk_codec *codec = amk_agent_find(size && *data == 'm' ? "mock" : "claude");
	struct life one = { .codec = codec, .out = AMK_BUF_INIT(OUT_MAX) }, two = one;
	struct amk_err e = { 0 };

	if (size == 0)
		return 0;
	if (strcmp(codec->name, "claude") == 0) /* what the mock's program says is passed on as it is */
		one.check = amk_check_new(false);
	live(&one, (const char *)data + 1, size - 1, false);
	live(&two, (const char *)data + 1, size - 1, true);
	if (one.out.n != two.out.n || memcmp(one.out.s, two.out.s, one.out.n) != 0)
		AMK_BUG("saved and loaded it says something else");
	if (one.check && amk_check_finish(one.check, false, &e) < 0)
		AMK_BUG("%s", e.msg);
	if (one.check)
		amk_check_free(one.check);
	amk_buf_release(&one.out);
	amk_buf_release(&two.out);
	return 0;
}
