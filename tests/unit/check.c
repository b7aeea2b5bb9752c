/* SPDX-License-Identifier: Apache-2.0 */
/* The stream checker finds each rule that is broken: a good stream, and it with one thing wrong. */
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "event/check.h"
#include "tap.h"

#define HEAD(n) \
	"{\"event_id\":\"evt_" #n "\",\"sequence\":" #n ",\"time\":\"2026-02-09T00:00:00.000000000Z\"," \
	"\"session_id\":\"s\",\"native_session_id\":null,\"synthetic\":false,\"source\":\"agent\",\"type\":"
#define TURN ",\"raw\":null,\"amika\":{\"turn\":1}}"
#define ITEM(id, kind, role, content, status) \
	"{\"item\":{\"item_id\":\"" id "\",\"native_item_id\":null,\"parent_id\":null,\"kind\":\"" kind \
	"\",\"role\":\"" role "\",\"content\":" content ",\"status\":\"" status "\"}}"
#define TEXT(t) "[{\"type\":\"text\",\"text\":\"" t "\"}]"
#define CALL "[{\"type\":\"tool_call\",\"name\":\"x\",\"arguments\":\"{}\",\"call_id\":\"c\"}]"
#define RESULT "[{\"type\":\"tool_result\",\"call_id\":\"c\",\"output\":\"o\"}]"
/* Only the text of a message comes in deltas. */
#define MIXED(text) \
	"[{\"type\":\"text\",\"text\":\"" text "\"},{\"type\":\"reasoning\",\"text\":\"why\",\"visibility\":\"private\"}]"
#define ASKED(status, state) \
	"{\"permission_id\":\"d_1\",\"action\":\"x\",\"status\":\"" status "\",\"metadata\":null},\"raw\":null," \
	"\"amika\":{\"turn\":1,\"decision\":{\"id\":\"d_1\",\"native_id\":\"n\",\"kind\":\"permission\",\"state\":\"" \
	state "\"}}}"

static const char *const good[] = {
	HEAD(1) "\"session.started\",\"data\":{\"metadata\":{}},\"raw\":null}",
	HEAD(2) "\"turn.started\",\"data\":{\"phase\":\"started\"}" TURN,
	HEAD(3) "\"item.started\",\"data\":" ITEM("itm_1", "message", "user", TEXT("hi"), "in_progress") TURN,
	HEAD(4) "\"item.completed\",\"data\":" ITEM("itm_1", "message", "user", TEXT("hi"), "completed") TURN,
	HEAD(5) "\"item.started\",\"data\":" ITEM("itm_2", "message", "assistant", TEXT(""), "in_progress") TURN,
	HEAD(6) "\"item.delta\",\"data\":{\"item_id\":\"itm_2\",\"native_item_id\":null,\"delta\":\"a\\nb\"}" TURN,
	HEAD(7) "\"item.delta\",\"data\":{\"item_id\":\"itm_2\",\"native_item_id\":null,\"delta\":\"c\"}" TURN,
	HEAD(8) "\"item.completed\",\"data\":" ITEM("itm_2", "message", "assistant", MIXED("a\\nbc"), "completed") TURN,
	HEAD(9) "\"item.started\",\"data\":" ITEM("itm_3", "tool_call", "assistant", CALL, "in_progress") TURN,
	HEAD(10) "\"item.completed\",\"data\":" ITEM("itm_3", "tool_call", "assistant", CALL, "completed") TURN,
	HEAD(11) "\"permission.requested\",\"data\":" ASKED("requested", "open"),
	HEAD(12) "\"permission.resolved\",\"data\":" ASKED("accept", "answered"),
	HEAD(13) "\"item.started\",\"data\":" ITEM("itm_4", "tool_result", "tool", RESULT, "in_progress") TURN,
	HEAD(14) "\"item.completed\",\"data\":" ITEM("itm_4", "tool_result", "tool", RESULT, "failed") TURN,
	HEAD(15) "\"turn.ended\",\"data\":{\"phase\":\"ended\"},\"raw\":null,"
		 "\"amika\":{\"turn\":1,\"outcome\":\"completed\"}}",
};

/* Line `at` (from 1) with `from` replaced by `to`, or left out when `from` is NULL. What it leads to. */
struct fault {
	size_t at;
	const char *from, *to;
	const char *want;
};

static const struct fault faults[] = {
	{ 1, "{", "[", "line 1: not usable JSON" },
	{ 1, "\"sequence\":1,", "", "line 1: event: \"sequence\" should stand where \"time\" does" },
	{ 1, ",\"raw\":null", ",\"raw\":null,\"extra\":1", "line 1: event: \"extra\" does not belong here" },
	{ 1, "\"synthetic\":false", "\"synthetic\":true", "line 1: the source is daemon exactly when" },
	{ 1, "session.started", "session.begun", "line 1: unknown type \"session.begun\"" },
	{ 1, "{\"metadata\":{}}", "{}", "line 1: session.started: \"metadata\" should stand where \"nothing\" does" },
	{ 1, "000Z", "000", "line 1: \"2026-02-09T00:00:00.000000000\" is not in UTC" },
	{ 2, NULL, NULL, "line 2: sequence 3 follows 1" },
	{ 3, "evt_3", "evt_4", "line 3: event_id is evt_4 and not evt_3" },
	{ 3, "\"session_id\":\"s\"", "\"session_id\":\"t\"", "line 3: \"t\" is another session" },
	{ 2, "\"turn\":1", "\"turn\":2", "line 2: turn 2 follows turn 0" },
	{ 3, "\"turn\":1", "\"turn\":7", "line 3: item.started of turn 7, which is not the running one" },
	{ 3, "in_progress", "completed", "line 3: a started item is in_progress" },
	{ 4, "\"completed\"}", "\"in_progress\"}", "line 4: a completed item is not in_progress" },
	{ 4, "\"item.completed\"", "\"item.started\"", "line 4: a started item is in_progress" },
	{ 5, "itm_2", "itm_1", "line 5: itm_1 is started again" },
	{ 5, "itm_2", "two", "line 5: \"two\" is no item id" },
	{ 5, "\"parent_id\":null", "\"parent_id\":\"itm_2\"", "line 5: itm_2 cannot belong to itm_2" },
	{ 5, "\"kind\":\"message\"", "\"kind\":\"note\"", "line 5: item: \"kind\" is not message|" },
	{ 5, "\"type\":\"text\"", "\"type\":\"poem\"", "line 5: content part of unknown type \"poem\"" },
	{ 6, "itm_2", "itm_9", "line 6: a delta of itm_9, which is not open" },
	{ 7, "\"delta\":\"c\"", "\"delta\":\"d\"", "line 8: the deltas of itm_2 (4 bytes) are not its text (4 bytes)" },
	{ 8, "a\\nbc", "a\\nb", "line 8: the deltas of itm_2 (4 bytes) are not its text (3 bytes)" },
	{ 8, "itm_2", "itm_5", "line 8: itm_5 is completed and is not open" },
	{ 10, "\"call_id\":\"c\"", "\"call_id\":\"d\"", "line 14: a result of c, which was never called" },
	{ 11, "\"requested\"", "\"accept\"", "line 11: permission.requested: \"status\" is not requested" },
	{ 11, "\"state\":\"open\"", "\"state\":\"void\"", "line 11: amika.decision.state does not fit" },
	{ 11, "\"id\":\"d_1\"", "\"id\":\"d_2\"", "line 11: amika.decision does not fit" },
	{ 12, "\"permission_id\":\"d_1\"", "\"permission_id\":\"d_2\"", "line 12: d_2 is resolved and is not open" },
	{ 12, "\"permission.resolved\"", "\"error\"", "line 12: error: \"message\" should stand where" },
	{ 15, "completed", "fine", "line 15: \"fine\" is no outcome" },
	{ 15, "turn.ended", "turn.started", "line 15: turn.started: \"phase\" is not started" },
	{ 15, NULL, NULL, "after line 14: a turn was started and not ended" },
};

static char *replaced(const char *line, const char *from, const char *to)
{
	const char *at = strstr(line, from);

	return at ? amk_strf("%.*s%s%s", (int)(at - line), line, to, at + strlen(from)) : NULL;
}

static int check_with(const struct fault *f, struct amk_err *e)
{
	struct amk_check *c = amk_check_new(false);
	int r = 0;

	for (size_t i = 0; i < AMK_COUNT(good) && r == 0; i++) {
		char *line AMK_AUTO(mem) = NULL;

		if (i + 1 == f->at && !f->from)
			continue;
		line = i + 1 == f->at ? replaced(good[i], f->from, f->to) : amk_strdup(good[i]);
		if (!line) {
			amk_err_set(e, AMK_EINTERNAL, "nothing to replace in line %zu", f->at);
			r = -1;
			break;
		}
		r = amk_check_line(c, line, strlen(line), e);
	}
	if (r == 0)
		r = amk_check_finish(c, false, e);
	amk_check_free(c);
	return r;
}

static void test_faults(void)
{
	for (size_t i = 0; i < AMK_COUNT(faults); i++) {
		struct amk_err e = { 0 };
		int r = check_with(&faults[i], &e);

		ok(r < 0 && strncmp(e.msg, faults[i].want, strlen(faults[i].want)) == 0, "%s", faults[i].want);
		if (strncmp(e.msg, faults[i].want, strlen(faults[i].want)) != 0)
			printf("# got %s\n", e.msg);
	}
}

static struct amk_err feed(bool universal, bool open, const char *const *lines, size_t n)
{
	struct amk_check *c = amk_check_new(universal);
	struct amk_err e = { 0 };
	size_t i = 0;

	while (i < n && amk_check_line(c, lines[i], strlen(lines[i]), &e) == 0)
		i++;
	if (i == n)
		amk_check_finish(c, open, &e);
	amk_check_free(c);
	return e;
}

static void test_good(void)
{
	static const char *const holes[] = { HEAD(3) "\"turn.started\",\"data\":{\"phase\":\"started\"},\"raw\":null}",
					     HEAD(9) "\"turn.ended\",\"data\":{\"phase\":\"ended\"},\"raw\":null}" };
	static const char *const passed[] = { "{\"type\":\"session\",\"session_id\":\"s\"}",
					      "{\"type\":\"receipt\",\"after\":3}" };

	is_str(feed(false, false, good, AMK_COUNT(good)).msg, "", "a good stream");
	is_str(feed(true, false, good, AMK_COUNT(good)).msg, "", "as a universal one too");
	is_str(feed(true, false, holes, 2).msg, "", "holes and no amika are fine in a universal one");
	is_str(feed(false, false, holes, 2).msg, "line 1: sequence 3 follows 0", "and in no other");
	is_str(feed(false, true, good, 7).msg, "", "it may stop in the middle if so said");
	is_str(feed(false, false, passed, 2).msg, "", "lines that are no events are passed over");
	is_str(feed(false, false, &good[1], 1).msg, "line 1: sequence 2 follows 0", "the first is 1");
}

#define GAP(after, before) "{\"type\":\"gap\",\"session_id\":\"s\",\"after\":" #after ",\"before\":" #before "}"

static void test_gap(void)
{
	/* Into the middle of a turn, of an item, of a call and of a decision. */
	const char *in_item[] = { good[0], GAP(1, 7), good[6], good[7], good[8], good[9] };
	const char *in_call[] = { good[0], good[1], GAP(2, 12), good[11], good[12], good[13], good[14] };
	const char *at_end[] = { GAP(0, 15), good[14] };
	const char *twice[] = { GAP(0, 8), good[7], GAP(8, 10), good[9] };
	const char *over_end[] = { good[0], good[1], good[2], GAP(3, 16) };
	const char *all[] = { good[0], "{\"type\":\"gap\",\"after\":0,\"before\":90}", good[1] };

	is_str(feed(false, true, in_item, AMK_COUNT(in_item)).msg, "", "a gap over the start of an item");
	is_str(feed(false, false, in_call, AMK_COUNT(in_call)).msg, "", "over a call and what was asked");
	is_str(feed(false, false, at_end, AMK_COUNT(at_end)).msg, "", "over all but the end");
	is_str(feed(false, true, twice, AMK_COUNT(twice)).msg, "", "two of them");
	is_str(feed(false, false, over_end, AMK_COUNT(over_end)).msg, "", "what is open ends in it");
	is_str(feed(false, true, all, AMK_COUNT(all)).msg, "", "one of all sessions has other numbers");
	in_item[2] = good[7];
	is_str(feed(false, true, in_item, AMK_COUNT(in_item)).msg, "line 3: sequence 8 follows 6", "behind it the numbers are dense");
	in_item[1] = GAP(1, 2);
	is_str(feed(false, true, in_item, 2).msg, "line 2: a gap from 1 to 2 follows 1", "one that leaves out nothing is none");
	in_item[1] = GAP(0, 7);
	is_str(feed(false, true, in_item, 2).msg, "line 2: a gap from 0 to 7 follows 1", "it leaves out nothing that was there");
	in_call[3] = good[12];
	is_str(feed(false, true, in_call, 4).msg, "line 4: sequence 13 follows 11", "and nothing more than it says");
}

static void test_cursor(void)
{
	char *one AMK_AUTO(mem) = amk_strf("%.*s,\"cursor\":7}", (int)strlen(good[0]) - 1, good[0]);
	char *two AMK_AUTO(mem) = amk_strf("%.*s,\"cursor\":9}", (int)strlen(good[1]) - 1, good[1]);
	char *less AMK_AUTO(mem) = amk_strf("%.*s,\"cursor\":7}", (int)strlen(good[1]) - 1, good[1]);
	const char *lines[] = { one, two };

	is_str(feed(false, true, lines, 2).msg, "", "lines of the stream of all sessions");
	lines[1] = less;
	is_str(feed(false, true, lines, 2).msg, "line 2: cursor 7 follows 7", "their cursors rise");
}

static void test_background(void)
{
	static const char *const asked =
		"\"permission.requested\",\"data\":{\"permission_id\":\"d_1\",\"action\":\"x\",\"status\":\"requested\","
		"\"metadata\":null},\"raw\":null,\"amika\":{\"turn\":1,\"decision\":{\"id\":\"d_1\",\"native_id\":\"n\","
		"\"kind\":\"permission\",\"state\":\"open\"%s}}}";
	char *format AMK_AUTO(mem) = amk_strf("%s%s", HEAD(3), asked);
	const char *at = strstr(format, "%s");
	char *plain AMK_AUTO(mem) = amk_strf("%.*s%s", (int)(at - format), format, at + 2);
	char *apart AMK_AUTO(mem) = amk_strf("%.*s,\"background\":true%s", (int)(at - format), format, at + 2);
	const char *lines[] = { good[0], good[1], plain,
				HEAD(4) "\"turn.ended\",\"data\":{\"phase\":\"ended\"},\"raw\":null,"
					"\"amika\":{\"turn\":1,\"outcome\":\"failed\"}}",
				HEAD(5) "\"permission.resolved\",\"data\":" ASKED("reject", "void") };

	is_str(feed(false, false, lines, 4).msg, "line 4: d_1 is open at the end of its turn", "a decision ends with its turn");
	lines[2] = apart;
	is_str(feed(false, true, lines, 4).msg, "", "one of a background task need not");
	is_str(feed(false, false, lines, 4).msg, "d_1 is open at the end of the stream", "but it ends with the stream");
	is_str(feed(false, false, lines, 5).msg, "", "after its turn is in time");
}

int main(void)
{
	test_good();
	test_faults();
	test_gap();
	test_cursor();
	test_background();
	return tap_done();
}
