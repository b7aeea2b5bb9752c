/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of hooks: what is taken, what is refused and how; what they are told of; pauses between attempts. */
#include "outlet/hook.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/path.h"
#include "daemon/settings.h"
#include "outlet/attempt.h"
#include "outlet/deliver.h"
#include "scratch.h"
#include "tap.h"

static struct amk_hooks hooks;
static struct amk_err err;

/* "" when the list is taken, else the sentence. */
static const char *read_list(const char *text)
{
	struct amk_json *list = amk_json_parse(text, strlen(text), &err);
	int r;

	amk_hooks_release(&hooks);
	r = amk_hooks_read(&hooks, list, &err);
	amk_json_free(list);
	return r < 0 ? err.msg : "";
}

#define ONE(rest) "[{\"name\":\"n\",\"on\":[\"error\"],\"command\":[\"/bin/true\"]" rest "}]"

static void test_taken(void)
{
	const char *name = "";

	is_str(read_list("[]"), "", "no hooks");
	is_str(read_list(ONE("")), "", "one");
	is_int(hooks.n, 1, "it is there");
	is_int(hooks.v[0].deadline_ms, AMK_HOOK_DEADLINE_MS, "with the usual deadline");
	is_str(read_list("[{\"name\":\"a\",\"on\":[\"decision.open\",\"turn.ended\"],\"command\":[\"/bin/x\",\"\",\"y z\"],"
			 "\"deadline_ms\":5},{\"name\":\"b\",\"on\":[\"error\",\"error\"],\"command\":[\"/b\"]}]"), "", "two");
	is_int(hooks.v[0].command.n, 3, "arguments as they are");
	is_str(hooks.v[0].command.v[2], "y z", "… blanks, too");
	is_int(hooks.v[0].deadline_ms, 5, "its own deadline");
	ok(hooks.v[0].on & amk_hook_bit("permission.requested", &name), "told of a permission");
	is_str(name, "decision.open", "… by this name");
	ok(hooks.v[0].on & amk_hook_bit("question.requested", &name), "and of a question");
	ok(!(hooks.v[0].on & amk_hook_bit("permission.resolved", &name)), "not of its answer");
	is_str(name, "decision.closed", "… which is called so");
	is_int(amk_hook_bit("item.delta", &name), 0, "nobody is told of a delta");
	is_int(amk_hook_bit(NULL, &name), 0, "nor of what has no type");
	ok(amk_hooks_find(&hooks, "b") == &hooks.v[1] && !amk_hooks_find(&hooks, "c"), "found by name");
}

static void test_refused(void)
{
	static const struct {
		const char *list, *sentence;
	} bad[] = {
		{ "{}", "hooks must be a list" },
		{ "[1]", "hook 1 needs a name of letters, digits, - and _, at most 40" },
		{ "[{\"name\":\"a b\"}]", "hook 1 needs a name of letters, digits, - and _, at most 40" },
		{ "[{\"name\":\"../x\"}]", "hook 1 needs a name of letters, digits, - and _, at most 40" },
		{ "[{\"name\":\"n\"}]", "hook n: on is missing" },
		{ "[{\"name\":\"n\",\"on\":[]}]", "hook n: on must be a list of what to be told of" },
		{ "[{\"name\":\"n\",\"on\":{\"a\":\"error\"}}]", "hook n: on must be a list of what to be told of" },
		{ "[{\"name\":\"n\",\"on\":[\"item.delta\"]}]", "hook n: on: there is no \"item.delta\"" },
		{ "[{\"name\":\"n\",\"on\":[7]}]", "hook n: on: there is no \"(not a string)\"" },
		{ "[{\"name\":\"n\",\"on\":[\"error\"]}]", "hook n: command is missing" },
		{ "[{\"name\":\"n\",\"command\":\"/bin/true\"}]", "hook n: command must be a list: the program and its arguments" },
		{ "[{\"name\":\"n\",\"command\":[]}]", "hook n: command must be a list: the program and its arguments" },
		{ "[{\"name\":\"n\",\"command\":[\"/b\",1]}]", "hook n: command must be a list of strings" },
		{ "[{\"name\":\"n\",\"command\":[\"true\"]}]", "hook n: the program \"true\" is not an absolute path" },
		{ "[{\"name\":\"n\",\"command\":[\"\"]}]", "hook n: the program \"\" is not an absolute path" },
		{ ONE(",\"deadline_ms\":0"), "hook n: deadline_ms must be a whole number from 1 to 3600000" },
		{ ONE(",\"deadline_ms\":\"1\""), "hook n: deadline_ms must be a whole number from 1 to 3600000" },
		{ ONE(",\"shell\":true"), "hook n: unknown member \"shell\"" },
		{ "[{\"name\":\"n\",\"on\":[\"error\"],\"command\":[\"/b\"]},{\"name\":\"n\"}]", "two hooks are called n" },
	};

	for (size_t i = 0; i < AMK_COUNT(bad); i++)
		is_str(read_list(bad[i].list), bad[i].sentence, bad[i].list);
}

static void test_many(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	for (int i = 0; i <= AMK_HOOKS_MAX; i++)
		amk_buf_addf(&b, "%s{\"name\":\"n%d\",\"on\":[\"error\"],\"command\":[\"/b\"]}", i ? "," : "[", i);
	amk_buf_addc(&b, ']');
	is_str(read_list(b.s), "there are more than 16 hooks", "more than there may be");
	is_int(hooks.n, AMK_HOOKS_MAX, "as many as there may be");
}

/* A person's umask makes files of group-writable mode: a file of numbers may be such, one of commands not. */
static void test_hands(void)
{
	static const char with[] = "{\"keepalive_ms\":20,\"hooks\":" ONE("") "}", without[] = "{\"keepalive_ms\":20}";
	struct amk_settings st;
	int dir = scratch_make();

	ok(amk_path_write(dir, "settings.json", with, sizeof with - 1, &err) == 0, "a file of settings with a hook");
	ok(amk_settings_load(&st, dir, &err) == 0 && st.hooks.n == 1 && st.keepalive_ms == 20, "is read");
	amk_settings_release(&st);
	for (int bit = 0020; bit > 0; bit = bit == 0020 ? 0002 : 0) {
		fchmodat(dir, "settings.json", (mode_t)(0600 | bit), 0);
		ok(amk_settings_load(&st, dir, &err) < 0, "others can write it: refused (%03o)", 0600 | bit);
		is_str(err.msg, "settings.json: it holds hooks, and others can write it", "… with this sentence");
		is_str(err.hint, "chmod go-w STATE/settings.json", "… and this remedy");
		amk_settings_release(&st);
	}
	ok(amk_path_write(dir, "settings.json", without, sizeof without - 1, &err) == 0 &&
		   fchmodat(dir, "settings.json", 0660, 0) == 0, "the same without hooks");
	ok(amk_settings_load(&st, dir, &err) == 0, "is read");
	amk_settings_release(&st);
	close(dir);
}

static void test_pauses(void)
{
	static const int64_t ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000 };

	for (size_t i = 0; i < AMK_COUNT(ms); i++)
		is_int(amk_deliver_pause(1000, (int)i + 1), ms[i], "a pause, doubled up to five minutes");
	is_int(amk_deliver_pause(1000, 2147483647), 300000, "after any number");
	is_int(amk_deliver_pause(86400000, 1), 300000, "whatever the first");
}

static void test_names(void)
{
	char id[AMK_ATTEMPT_ID];

	is_str(amk_attempt_id(id, 7), "h_7", "a delivery's id");
	is_int(amk_attempt_row("h_7"), 7, "and back");
	ok(!amk_attempt_row("h_07") && !amk_attempt_row("h_7x") && !amk_attempt_row("d_7") && !amk_attempt_row("h_") &&
		   !amk_attempt_row("h_-1") && !amk_attempt_row("h_99999999999999999999"), "nothing else is one");
}

int main(void)
{
	test_taken();
	test_refused();
	test_many();
	test_hands();
	test_pauses();
	test_names();
	amk_hooks_release(&hooks);
	return tap_done();
}
