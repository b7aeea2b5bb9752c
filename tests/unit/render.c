/* SPDX-License-Identifier: Apache-2.0 */
/* Events as text: what a person sees of a turn, and what can do a terminal no harm. */
#include "event/render.h"

#include "core/lines.h"
#include "tap.h"

static struct amk_render view;
static struct amk_buf out = AMK_BUF_INIT(1u << 20);

static void reset(void)
{
	amk_render_init(&view);
	amk_buf_clear(&out);
}

static void event(const char *line)
{
	struct amk_err e = { 0 };
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, strlen(line), &e);

	if (!j)
		printf("# %s: %s\n", e.msg, line);
	amk_render_event(&view, j, &out);
}

/* What the events since the last call showed. */
static void shows(const char *want, const char *name)
{
	is_str(out.s, want, name);
	amk_buf_clear(&out);
}

#define ITEM(type, id, kind, role, content, status)                                                             \
	"{\"type\":\"" type "\",\"data\":{\"item\":{\"item_id\":\"" id "\",\"kind\":\"" kind "\",\"role\":\"" role \
	"\",\"content\":[" content "],\"status\":\"" status "\"}}}"
#define TEXT(s) "{\"type\":\"text\",\"text\":\"" s "\"}"
#define DELTA(id, s) "{\"type\":\"item.delta\",\"data\":{\"item_id\":\"" id "\",\"delta\":\"" s "\"}}"
#define ENDED(outcome) "{\"type\":\"turn.ended\",\"amika\":{\"turn\":1,\"outcome\":\"" outcome "\"}}"

static void test_text(void)
{
	static const char evil[] = "a\033[31m\a\r\b\x7f"
				   "b\tc\nd\xc2\x9b"
				   "e\xe2\x80\xae"
				   "f\xc3";
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	amk_render_text(&b, evil, sizeof evil - 1);
	is_str(b.s, "a\\x1b[31m\\x07\\x0d\\x08\\x7fb\tc\nd\\u009be\\u202ef\\xc3", "control characters are escaped");
	amk_buf_clear(&b);
	amk_render_text(&b, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8d\x80\n", 12);
	is_str(b.s, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8d\x80\n", "text stays as it is");
	amk_buf_clear(&b);
	amk_render_word(&b, "one\ntwo\tthree four", 9);
	is_str(b.s, "one two t...", "a word is one line, and cut");
	amk_buf_clear(&b);
	amk_render_word(&b, "\xc3\xbc\xc3\xbc\xc3\xbc\n", 3);
	is_str(b.s, "\xc3\xbc\xc3\xbc\xc3\xbc", "characters are counted, not bytes");
}

static void test_stream(void)
{
	reset();
	event(ITEM("item.started", "itm_1", "message", "assistant", TEXT(""), "in_progress"));
	event(DELTA("itm_1", "Hel"));
	shows("Hel", "a delta appears as it comes");
	event(DELTA("itm_1", "lo"));
	event(ITEM("item.completed", "itm_1", "message", "assistant", TEXT("Hello"), "completed"));
	shows("lo\n", "the completed item ends the line and repeats nothing");
	event(ITEM("item.completed", "itm_2", "message", "assistant", TEXT("whole"), "completed"));
	shows("whole\n", "text that came without deltas is shown whole");
	event(ITEM("item.started", "itm_3", "message", "assistant", TEXT(""), "in_progress"));
	event(ITEM("item.started", "itm_4", "message", "assistant", TEXT(""), "in_progress"));
	event(DELTA("itm_3", "one"));
	event(DELTA("itm_4", "two"));
	shows("one\ntwo", "text of two items is kept apart");
	event("{\"type\":\"error\",\"data\":{\"message\":\"bad\\u001b\",\"code\":\"x\"}}");
	shows("\n! error: bad\\x1b (x)\n", "other things start a line of their own");
}

static void test_reasoning(void)
{
	reset();
	event(ITEM("item.started", "itm_1", "message", "assistant",
		   "{\"type\":\"reasoning\",\"text\":\"\",\"visibility\":\"private\"}", "in_progress"));
	event(DELTA("itm_1", "hmm"));
	event(ITEM("item.completed", "itm_1", "message", "assistant",
		   "{\"type\":\"reasoning\",\"text\":\"hmm\",\"visibility\":\"private\"}", "completed"));
	shows("", "private reasoning is not shown");
}

static void test_user(void)
{
	reset();
	event(ITEM("item.completed", "itm_1", "message", "user", TEXT("fix\\nit"), "completed"));
	shows("> fix\n> it\n", "the message is quoted");
	event(ITEM("item.completed", "itm_1", "message", "user", TEXT("see") ","
		   "{\"type\":\"file_ref\",\"path\":\"a\\nb\",\"action\":\"read\",\"diff\":null},"
		   "{\"type\":\"image\",\"path\":\"c.png\",\"mime\":null}", "completed"));
	shows("> see\n> file a b\n> image c.png\n", "with what is attached");
	view.own = true;
	event(ITEM("item.completed", "itm_1", "message", "user", TEXT("fix it"), "completed"));
	shows("", "but not to who wrote it");
}

static void test_tools(void)
{
	reset();
	event(ITEM("item.completed", "itm_1", "tool_call", "assistant",
		   "{\"type\":\"tool_call\",\"name\":\"Bash\",\"arguments\":\"{\\\"timeout\\\":5,\\\"command\\\":\\\"ls "
		   "-la\\\\nrm x\\\"}\",\"call_id\":\"c\"}",
		   "completed"));
	shows("* Bash: ls -la rm x\n", "a call is a line: name and main argument");
	event(ITEM("item.completed", "itm_1", "tool_call", "assistant",
		   "{\"type\":\"tool_call\",\"name\":\"Odd\",\"arguments\":\"{\",\"call_id\":\"c\"}", "completed"));
	shows("* Odd\n", "arguments that are not JSON do no harm");
	event(ITEM("item.completed", "itm_2", "tool_result", "tool",
		   "{\"type\":\"tool_result\",\"call_id\":\"c\",\"output\":\"1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n10\\n\"}",
		   "completed"));
	shows("  1\n  2\n  3\n  4\n  5\n  6\n  7\n  8\n  ... 2 more lines\n", "a result is indented and bounded");
	event(ITEM("item.completed", "itm_3", "tool_result", "tool",
		   "{\"type\":\"file_ref\",\"path\":\"a.c\",\"action\":\"patch\",\"diff\":\"-x\\n+y\\n\"}", "failed"));
	shows("  (failed)\n  patch a.c\n  | -x\n  | +y\n", "a change of a file, with its difference");
	event(ITEM("item.completed", "itm_4", "status", "assistant",
		   "{\"type\":\"status\",\"label\":\"Indexing\",\"detail\":\"Done\"}", "completed"));
	shows("- Indexing: Done\n", "a status");
}

#define ASKED                                                                                                       \
	"{\"type\":\"permission.requested\",\"data\":{\"permission_id\":\"d_7\",\"action\":\"Bash\",\"metadata\":{" \
	"\"toolName\":\"Bash\",\"input\":{\"command\":\"rm \\u001b[2K\"}}},\"amika\":{\"decision\":{\"id\":\"d_7\"}}}"
#define SETTLED                                                                                          \
	"{\"type\":\"permission.resolved\",\"data\":{\"permission_id\":\"d_7\",\"action\":\"Bash\"," \
	"\"status\":\"accept_for_session\"},\"amika\":{\"by\":\"joe\",\"decision\":{\"id\":\"d_7\"}}}"

static void test_decisions(void)
{
	reset();
	event(ASKED);
	shows("? permission d_7: Bash: rm \\x1b[2K\n", "a permission, with what is really asked, escaped");
	event(SETTLED);
	shows("? d_7 allowed always by joe\n", "who answered, and what");
	event("{\"type\":\"permission.resolved\",\"data\":{\"permission_id\":\"d_7\",\"status\":\"accept_for_session\"},"
	      "\"amika\":{\"by\":\"joe\",\"rule_made\":{\"id\":\"r_1\",\"tool\":\"Bash\",\"command\":\"rm \\u001b[2K\"},"
	      "\"decision\":{\"id\":\"d_7\"}}}");
	shows("? d_7 allowed always by joe, and from now on r_1: Bash, command rm \\x1b[2K\n", "the rule it made, escaped");
	event("{\"type\":\"question.requested\",\"data\":{\"prompt\":\"Which?\",\"options\":[\"A\"]},"
	      "\"amika\":{\"decision\":{\"id\":\"d_8\"}}}");
	event("{\"type\":\"question.resolved\",\"data\":{\"prompt\":\"Which?\",\"response\":\"A\",\"status\":\"answered\"},"
	      "\"amika\":{\"decision\":{\"id\":\"d_8\"}}}");
	shows("? question d_8: Which?\n? d_8 answered: A\n", "a question and its answer");
	view.asks = true;
	event(ASKED);
	event(SETTLED);
	shows("", "nothing when somebody else shows them");
}

static void test_ends(void)
{
	reset();
	event(ENDED("completed"));
	shows("", "a turn that completed needs no word");
	event("{\"type\":\"turn.ended\",\"amika\":{\"outcome\":\"failed\",\"reason\":\"no credit\"}}");
	shows("! turn failed (no credit)\n", "one that failed does");
	event(ENDED("cancelled"));
	shows("! turn cancelled\n", "and one that was cancelled");
	event("{\"type\":\"session.ended\",\"data\":{\"reason\":\"terminated\",\"terminated_by\":\"daemon\"}}");
	shows("- session ended: terminated\n", "the end of a session");
	event("{\"type\":\"agent.unparsed\",\"data\":{\"error\":\"what?\",\"location\":\"here\"}}");
	shows("! not understood: what? (here)\n", "what the agent said in vain");
	event("{\"type\":\"gap\",\"session_id\":\"s\",\"after\":4,\"before\":42}");
	shows("! events 5 to 41 are no longer kept\n", "what is gone");
	event("{\"type\":\"gap\",\"after\":4,\"before\":42}");
	shows("! between cursors 4 and 42 some events are no longer kept\n", "and what is gone of all sessions");
	event("{\"type\":\"something.new\",\"data\":{}}");
	event("{}");
	event("[]");
	shows("", "unknown events show nothing");
}

static void test_many_items(void)
{
	char line[512];

	reset();
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof line, ITEM("item.started", "itm_%d", "message", "assistant", TEXT(""), "in_progress"), i);
		event(line);
	}
	event(DELTA("itm_39", "lost?"));
	shows("", "of more items than are remembered, deltas wait");
	event(ITEM("item.completed", "itm_39", "message", "assistant", TEXT("lost?"), "completed"));
	shows("lost?\n", "and come with the end");
}

static void test_final(void)
{
	static const char line[] = ITEM("item.completed", "itm_1", "message", "assistant", TEXT("one") "," TEXT("two"),
					"completed");
	static const char user[] = ITEM("item.completed", "itm_1", "message", "user", TEXT("mine"), "completed");
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, sizeof line - 1, NULL);
	struct amk_json *k AMK_AUTO(json) = amk_json_parse(user, sizeof user - 1, NULL);
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	ok(amk_render_final(j, &text), "an assistant's message is an answer");
	is_str(text.s, "one\ntwo", "with all its text");
	ok(!amk_render_final(k, &text), "a user's is not");
	is_str(text.s, "one\ntwo", "and changes nothing");
}

int main(void)
{
	test_text();
	test_stream();
	test_reasoning();
	test_user();
	test_tools();
	test_decisions();
	test_ends();
	test_many_items();
	test_final();
	amk_buf_release(&out);
	return tap_done();
}
