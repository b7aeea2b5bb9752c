/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases do not show of the codecs: arguments, limits, inputs as JSON, states that are refused. */
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/track.h"
#include "core/jw.h"
#include "tap.h"

/* Everything said and written, as text. */
struct heard {
	struct amk_buf said, written;
	unsigned types[2]; /* items completed, items failed */
};

static void on_say(void *arg, const struct amk_said *said)
{
	struct heard *h = arg;

	if (strcmp(said->type, "item.completed") == 0)
		h->types[strstr(said->data, "\"status\":\"failed\"") != NULL]++;
	amk_buf_addf(&h->said, "%s %s\n", said->type, said->data);
}

static void on_write(void *arg, const char *s, size_t n)
{
	struct heard *h = arg;

	amk_buf_add(&h->written, s, n);
}

static void on_native(void *arg, const char *native_id)
{
	struct heard *h = arg;

	amk_buf_addf(&h->said, "native %s\n", native_id);
}

static void on_setting(void *arg, const char *what, const char *value)
{
	struct heard *h = arg;

	amk_buf_addf(&h->said, "setting %s %s\n", what, value ? value : "at the next start");
}

static struct heard heard = { .said = AMK_BUF_INIT(256u << 20), .written = AMK_BUF_INIT(64u << 20) };
static const struct amk_sink sink = { &heard, on_say, on_write, on_native, on_setting };

static void forget(void)
{
	amk_buf_release(&heard.said);
	amk_buf_release(&heard.written);
	heard.types[0] = heard.types[1] = 0;
}

static void step(const struct amk_codec *c, void *state, struct amk_input in)
{
	if (in.line)
		in.line_n = strlen(in.line);
	c->step(state, &in, &sink);
}

static const char *arguments(const struct amk_codec *c, const struct amk_agent_start *st)
{
	static char *joined;
	struct amk_strv argv AMK_AUTO(strv) = { 0 };
	struct amk_buf b = AMK_BUF_INIT(4096);

	c->argv(st, &argv);
	for (size_t i = 0; i < argv.n; i++)
		amk_buf_addf(&b, "%s%s", i ? " " : "", argv.v[i]);
	free(joined);
	joined = amk_buf_take(&b);
	return joined;
}

#define CLAUDE_ARGUMENTS \
	"-p --input-format stream-json --output-format stream-json --verbose --permission-prompt-tool stdio " \
	"--include-partial-messages"

static void test_table(void)
{
	const struct amk_codec *claude = amk_agent_find("claude"), *mock = amk_agent_find("mock");
	char *id AMK_AUTO(mem) = mock->native_id("tau");

	ok(claude && mock, "claude and mock are there");
	ok(!amk_agent_find("nobody"), "nobody is not");
	is_str(id, "mock-tau", "the mock's session id is known at once");
	ok(!claude->native_id, "Claude's is not");
	is_str(claude->env[0], "ANTHROPIC_*", "Claude names its variables");
	is_str(claude->modes[0].id, "build", "the first mode is the default");
	is_str(claude->permissions[0].name, "default", "and the first permission mode");
	ok(amk_agent_can(mock, "steer") && amk_agent_can(claude, "steer"), "both take a message into a running turn");
	ok(!amk_agent_can(mock, "sharedProcess") && !amk_agent_can(mock, "flying"), "and cannot do what they do not say");
	ok(mock->is_helper && !mock->install, "the mock comes with us");
}

static void test_arguments(void)
{
	const struct amk_codec *claude = amk_agent_find("claude");
	char *own[] = { (char *)"--allowedTools", (char *)"Bash", NULL };

	is_str(arguments(claude, &(struct amk_agent_start){ .permission_mode = "default" }), CLAUDE_ARGUMENTS,
	       "plain");
	is_str(arguments(claude, &(struct amk_agent_start){ .permission_mode = "plan", .model = "opus",
							    .variant = "high" }),
	       CLAUDE_ARGUMENTS " --model opus --effort high --permission-mode plan", "model, variant and mode");
	is_str(arguments(claude, &(struct amk_agent_start){ .native_id = "x", .args = own }),
	       CLAUDE_ARGUMENTS " --resume x --allowedTools Bash", "resumed, the user's own last");
	is_str(arguments(amk_agent_find("mock"), &(struct amk_agent_start){ .args = own, .model = "any" }),
	       "--model any --allowedTools Bash", "the mock is told its model, and what is the user's own");
	is_str(arguments(amk_agent_find("mock"), &(struct amk_agent_start){ .native_id = "x", .incarnation = 2 }),
	       "--resume x", "and from its second program on what it resumes");
}

/* Every cell of the API's matrix of modes: what is shown, and what the program is told. */
static void test_modes(void)
{
	static const struct {
		const char *agent, *asked, *shown, *argv, *root_env;
	} rows[] = {
		{ "claude", "default", "default", CLAUDE_ARGUMENTS, NULL },
		{ "claude", "plan", "plan", CLAUDE_ARGUMENTS " --permission-mode plan", NULL },
		{ "claude", "acceptEdits", "acceptEdits", CLAUDE_ARGUMENTS " --permission-mode acceptEdits", NULL },
		{ "claude", "bypass", "bypass", CLAUDE_ARGUMENTS " --dangerously-skip-permissions", "IS_SANDBOX" },
		{ "claude", "auto", NULL, NULL, NULL },
		{ "mock", "default", "default", "--permission-mode default", NULL },
		{ "mock", "plan", "plan", "--permission-mode plan", NULL },
		{ "mock", "bypass", "bypass", "--permission-mode bypass", NULL },
		{ "mock", "acceptEdits", "default", "--permission-mode default", NULL },
		{ "mock", "auto", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		const struct amk_codec *c = amk_agent_find(rows[i].agent);
		const struct amk_agent_permission *p = amk_agent_permission(c, rows[i].asked);

		ok(p ? rows[i].shown && strcmp(p->shown, rows[i].shown) == 0 : !rows[i].shown, "%s %s is shown as %s",
		   rows[i].agent, rows[i].asked, rows[i].shown ? rows[i].shown : "nothing");
		if (!p)
			continue;
		is_str(arguments(c, &(struct amk_agent_start){ .permission_mode = p->shown }), rows[i].argv,
		       "and its program told so");
		ok(p->root_env ? rows[i].root_env && strcmp(p->root_env, rows[i].root_env) == 0 : !rows[i].root_env,
		   "%s root", p->root_env ? "not for" : "also for");
	}
	for (const struct amk_codec *const *c = amk_agents; *c; c++)
		ok(amk_agent_mode(*c, "build") && amk_agent_mode(*c, "plan") && !amk_agent_mode(*c, "custom"),
		   "%s has the agent modes build and plan", (*c)->name);
}

static void check_input(const struct amk_input *in, const char *text, const char *name)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_buf again AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_json *j AMK_AUTO(json) = NULL;
	struct amk_input back;
	struct amk_err e = { 0 };

	amk_input_write(&b, in);
	is_str(b.s, text, name);
	j = amk_json_parse(b.s, b.n, &e);
	if (ok(j && amk_input_read(&back, j, &e) == 0, "%s: read back", name)) {
		amk_input_write(&again, &back);
		is_str(again.s, text, name);
	}
}

static void test_inputs(void)
{
	struct amk_input bad;
	struct amk_err e = { 0 };
	struct amk_json *j AMK_AUTO(json) = amk_json_parse("{\"kind\":\"dance\"}", 16, &e);

	check_input(&(struct amk_input){ .kind = AMK_INPUT_START, .session_id = "s", .incarnation = 2 },
		    "{\"kind\":\"start\",\"session_id\":\"s\",\"incarnation\":2}", "a start");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_LINE, .line = "{}", .line_n = 2 },
		    "{\"kind\":\"line\",\"line\":\"{}\"}", "a line");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_LINE }, "{\"kind\":\"line\",\"line\":null}",
		    "a line over the limit");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_ANSWER, .id = "x", .reply = "answer",
					 .answers = "[[\"a\"]]", .by = "me" },
		    "{\"kind\":\"answer\",\"id\":\"x\",\"reply\":\"answer\",\"answers\":\"[[\\\"a\\\"]]\",\"by\":\"me\"}",
		    "an answer");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_ANSWER, .id = "x", .reply = "once", .input = "{\"a\":1}" },
		    "{\"kind\":\"answer\",\"id\":\"x\",\"reply\":\"once\",\"input\":\"{\\\"a\\\":1}\"}",
		    "an answer with another input");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_ANSWER, .id = "x", .reply = "reject", .stop = true },
		    "{\"kind\":\"answer\",\"id\":\"x\",\"reply\":\"reject\",\"stop\":true}", "a denial that ends the turn");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_MESSAGE, .id = "m", .text = "t", .attachments = "[{}]" },
		    "{\"kind\":\"message\",\"id\":\"m\",\"text\":\"t\",\"attachments\":\"[{}]\"}", "a message");
	check_input(&(struct amk_input){ .kind = AMK_INPUT_EXIT, .exit_code = -1, .exit_signal = 9, .wanted = true },
		    "{\"kind\":\"exit\",\"exit_code\":-1,\"exit_signal\":9,\"wanted\":true}", "an exit");
	is_int(amk_input_read(&bad, j, &e), -1, "an unknown kind is refused");
	is_str(e.msg, "input of unknown kind \"dance\"", "and named");
}

static void test_busy(void)
{
	const struct amk_codec *c = amk_agent_find("mock");
	void *state = c->new_state();

	step(c, state, (struct amk_input){ .kind = AMK_INPUT_START, .incarnation = 1 });
	ok(!c->busy(state) && c->quiet(state), "idle after the start");
	step(c, state, (struct amk_input){ .kind = AMK_INPUT_CANCEL });
	is_str(heard.written.s, "", "a cancel while idle is not passed on");
	step(c, state, (struct amk_input){ .kind = AMK_INPUT_MESSAGE, .id = "m", .text = "a\nb" });
	ok(c->busy(state) && !c->quiet(state), "busy with a message");
	is_str(heard.written.s, "{\"type\":\"message\",\"n\":1,\"text\":\"a\\nb\"}\n", "which is one line");
	forget();
	step(c, state, (struct amk_input){ .kind = AMK_INPUT_ANSWER, .id = "nothing", .reply = "once" });
	is_str(heard.written.s, "", "an answer to nothing is not passed on");
	step(c, state, (struct amk_input){ .kind = AMK_INPUT_EXIT, .exit_code = 0 });
	ok(!c->busy(state) && c->quiet(state), "quiet after the end");
	c->free_state(state);
	forget();
}

static void test_many_open(void)
{
	struct amk_track t;
	char native[32];

	amk_track_init(&t);
	t.sink = &sink;
	amk_turn_start(&t, "m");
	for (int i = 0; i < 1000; i++) {
		snprintf(native, sizeof native, "n%d", i);
		amk_track_start(&t, &(struct amk_item){ .native = native, .kind = "message", .role = "assistant",
							.text = "" }, false);
	}
	ok(t.nopen <= 256, "open items are bounded: %zu", t.nopen);
	amk_turn_end(&t, "completed", NULL, NULL);
	is_int(heard.types[1], 1000, "each of them is closed");
	amk_track_release(&t);
	forget();
}

static void test_many_calls(void)
{
	struct amk_track t;
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	char native[32];

	amk_track_init(&t);
	t.sink = &sink;
	for (int i = 0; i < 5000; i++) {
		snprintf(native, sizeof native, "call%d", i);
		amk_track_complete(&t, &(struct amk_item){ .native = native, .parent = "task", .kind = "tool_call",
							   .role = "assistant", .content = "[]" });
	}
	ok(amk_track_has(&t, "call4999") && !amk_track_has(&t, "call0"), "old calls are forgotten");
	ok(!amk_track_has(&t, "task"), "what was only named was not started");
	amk_track_complete(&t, &(struct amk_item){ .native = "task", .kind = "tool_call", .content = "[]" });
	ok(strstr(heard.said.s, "\"item_id\":\"itm_1\",\"native_item_id\":\"task\""),
	   "a parent keeps the number it was named with, however much came between");
	amk_track_state_save(&t, &b, NULL);
	ok(b.n < 16384, "the saved state stays small: %zu bytes", b.n);
	amk_track_release(&t);
	forget();
}

/* The same, saved and loaded. */
static void reload(struct amk_track *t)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	struct amk_json *j AMK_AUTO(json) = NULL;
	struct amk_err e = { 0 };

	amk_track_state_save(t, &b, NULL);
	amk_track_release(t);
	t->sink = &sink;
	j = amk_json_parse(b.s, b.n, &e);
	ok(j && amk_track_state_load(t, j, &e) == 0, "saved and loaded");
}

static void test_long_text(void)
{
	struct amk_track t;
	char *text AMK_AUTO(mem) = amk_calloc(1, (6u << 20) + 1), *part AMK_AUTO(mem) = amk_calloc(1, (1u << 20) + 1);
	struct amk_item item = { .native = "n", .kind = "message", .role = "assistant", .text = "" };
	size_t joined = 0;

	memset(text, 'a', 6u << 20);
	memset(part, 'a', 1u << 20);
	amk_track_init(&t);
	t.sink = &sink;
	amk_track_start(&t, &item, false);
	for (int i = 0; i < 6; i++)
		amk_track_delta(&t, "n", i == 3 ? part + 1 : part);
	is_int(t.open[0].text.n, AMK_TRACK_TEXT_MAX - 1, "what is kept of a text is bounded");
	reload(&t);
	amk_track_delta(&t, "n", "a");
	is_int(t.open[0].text.n, AMK_TRACK_TEXT_MAX - 1, "and nothing is kept after what was not");
	item.text = text;
	amk_track_complete(&t, &item);
	for (const char *p = heard.said.s; (p = strstr(p, "\"delta\":\"")); p += 9)
		joined += strspn(p + 9, "a");
	is_int(joined, 6u << 20, "its end brings the deltas that were kept back");
	amk_track_release(&t);
	forget();
}

static void test_too_large(void)
{
	struct amk_track t;
	char *content AMK_AUTO(mem) = amk_calloc(1, (16u << 20) + 1);
	struct amk_item item = { .native = "n", .kind = "tool_result", .role = "tool", .content = content };

	memset(content, ' ', 16u << 20);
	amk_track_init(&t);
	t.sink = &sink;
	amk_track_complete(&t, &item);
	ok(heard.said.n < 4096, "an item too large for a record goes without its content");
	ok(strstr(heard.said.s, "agent.unparsed") && heard.types[1] == 1, "and says so");
	amk_track_release(&t);
	forget();
}

#define WRONG_OPEN \
	"{\"messages\":1,\"track\":{\"items\":1,\"turns\":1,\"running\":true,\"message\":null," \
	"\"open\":[{\"native\":1}],\"known\":[],\"asked\":[]}}"

static void test_refused(void)
{
	static const char *const states[] = {
		"{}",
		"[]",
		"{\"messages\":1}",
		"{\"messages\":1,\"track\":{\"items\":1}}",
		WRONG_OPEN,
	};
	const struct amk_codec *c = amk_agent_find("mock");

	for (size_t i = 0; i < AMK_COUNT(states); i++) {
		struct amk_err e = { 0 };
		struct amk_json *j AMK_AUTO(json) = amk_json_parse(states[i], strlen(states[i]), &e);
		void *state = c->new_state();

		ok(c->load(state, j, &e) < 0 && e.msg[0], "refused: %s (%s)", states[i], e.msg);
		c->free_state(state);
	}
}

/* The list of background tasks replaces the one before; it goes with the process, and is saved. */
static void test_background(void)
{
	const struct amk_codec *c = amk_agent_find("claude");
	struct amk_buf saved AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct amk_json *j AMK_AUTO(json) = NULL;
	void *state = c->new_state(), *other = c->new_state();
	struct amk_err e = { 0 };

	step(c, state, (struct amk_input){ .kind = AMK_INPUT_START, .session_id = "s", .incarnation = 1 });
	is_int(c->background(state), 0, "no task in the background");
	step(c, state, (struct amk_input){ .kind = AMK_INPUT_LINE, .line =
		"{\"type\":\"system\",\"subtype\":\"background_tasks_changed\",\"tasks\":[{\"task_id\":\"a\"},"
		"{\"task_id\":\"b\"},{\"task_id\":\"w\",\"ambient\":true},{\"task_id\":\"o\",\"off_host\":true}]}" });
	is_int(c->background(state), 2, "two work, one watches, one is elsewhere");
	c->save(state, &saved);
	j = amk_json_parse(saved.s, saved.n, &e);
	ok(c->load(other, j, &e) == 0 && c->background(other) == 2, "they are saved");
	step(c, state, (struct amk_input){ .kind = AMK_INPUT_EXIT, .exit_code = 0, .wanted = true });
	is_int(c->background(state), 0, "they end with their process");
	c->free_state(state);
	c->free_state(other);
	forget();
}

int main(void)
{
	test_table();
	test_arguments();
	test_modes();
	test_inputs();
	test_busy();
	test_many_open();
	test_many_calls();
	test_long_text();
	test_too_large();
	test_refused();
	test_background();
	arguments(amk_agent_find("mock"), &(struct amk_agent_start){ 0 });
	return tap_done();
}
