/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a decision: its states, what it repeats, what was read of its answer, its deadline. */
#include "decision/decision.h"

#include <string.h>

#include "decision/content.h"
#include "store/state.h"
#include "store_fixture.h"

static struct amk_decision_place at;

static int64_t new_run(int64_t session)
{
	struct amk_state_run r = { .session = session };

	amk_state_run_add(store, &r, &err);
	return r.row;
}

static struct amk_said asking(const char *native, const char *about)
{
	return (struct amk_said){ .type = "permission.requested", .decision_state = AMK_DECISION_OPEN,
				  .decision_native = native, .decision_kind = "permission", .decision = about };
}

static int64_t open_one(const struct amk_decision_asker *who, const char *native, const char *about)
{
	const struct amk_said said = asking(native, about);

	is_int(amk_decision_open(store, who, &said, &at, &err), 0, "asked");
	return at.row;
}

static int close_as(const struct amk_decision_asker *who, const char *native, enum amk_decision_state state,
		    const char *reason)
{
	const struct amk_decision_answer a = { .reply = "once", .by = "ann", .rule = "r_1" };
	struct amk_said said = asking(native, NULL);

	said.decision_state = state;
	said.decision_reason = reason;
	return amk_decision_close(store, who, &said, state == AMK_DECISION_VOID ? NULL : &a, &at, &err);
}

/* "state reason answered? delivered?" */
static const char *way(int64_t row)
{
	static char text[200];
	struct amk_decision d;

	if (amk_decision_find(store, row, &d, &err) < 0)
		return err.msg;
	snprintf(text, sizeof text, "%s %s %s %s", d.state, d.reason ? d.reason : "-", d.answer ? "answer" : "-",
		 d.delivered ? "read" : "-");
	amk_decision_release(&d);
	return text;
}

static void test_delivery(void)
{
	struct amk_decision_asker who = { .session = fixture_session("delivery") };
	int64_t first, second;
	uint64_t left;

	who.run = new_run(who.session);
	first = open_one(&who, "1", "\"action\":\"ls\"");
	second = open_one(&who, "2", "\"action\":\"rm\"");
	is_str(way(first), "open - - -", "open");
	is_int(close_as(&who, "1", AMK_DECISION_ANSWERED, NULL), 0, "one is answered");
	is_int(at.row, first, "and named");
	ok(close_as(&who, "1", AMK_DECISION_ANSWERED, NULL) < 0 && err.code == AMK_EANSWERED, "once");
	amk_state_decision_sent(store, who.run, 100, &err);
	close_as(&who, "2", AMK_DECISION_EXPIRED, AMK_REASON_DEADLINE);
	amk_state_decision_sent(store, who.run, 200, &err);
	is_int(amk_state_decision_read(store, who.run, 99, &left, &err), 0, "99 bytes were read");
	is_str(way(first), "answered - answer -", "that is not all of it");
	is_int((int64_t)left, 200, "the last one ends at 200");
	amk_state_decision_read(store, who.run, 100, &left, &err);
	is_str(way(first), "delivered - answer read", "now it is");
	is_str(way(second), "expired deadline answer -", "the other is not");
	amk_state_decision_read(store, who.run, 5000, &left, &err);
	is_str(way(second), "expired deadline answer read", "what has expired stays so, and is read");
	is_int((int64_t)left, 0, "nothing is left");
	amk_store_commit(store, &err);
}

static bool count_row(void *arg, const struct amk_state_decision *r)
{
	int64_t *rows = arg;

	rows[++rows[0]] = r->row;
	return rows[0] < 8;
}

static void test_unread(void)
{
	struct amk_decision_asker who = { .session = fixture_session("unread") };
	int64_t rows[9] = { 0 }, read, kept;
	uint64_t left;

	who.run = new_run(who.session);
	read = open_one(&who, "1", "\"action\":\"ls\"");
	kept = open_one(&who, "2", "\"action\":\"rm\"");
	close_as(&who, "1", AMK_DECISION_ANSWERED, NULL);
	amk_state_decision_sent(store, who.run, 100, &err);
	close_as(&who, "2", AMK_DECISION_ANSWERED, NULL);
	amk_state_decision_sent(store, who.run, 200, &err);
	amk_state_decision_read(store, who.run, 150, &left, &err);
	amk_state_decisions_unread(store, who.run, UINT64_MAX, count_row, rows, &err);
	ok(rows[0] == 1 && rows[1] == kept, "where nobody knows what was read, what counts as read does");
	rows[0] = 0;
	amk_state_decisions_unread(store, who.run, 99, count_row, rows, &err);
	ok(rows[0] == 2 && rows[1] == read && rows[2] == kept, "what was left in the pipe was not read after all");
	is_int(amk_state_decision_undeliver(store, read, AMK_REASON_UNDELIVERED, &err), 0, "that is void");
	is_str(way(read), "void undelivered answer -", "with its answer");
	amk_store_commit(store, &err);
}

static void test_previous(void)
{
	struct amk_decision_asker who = { .session = fixture_session("previous") }, other = who;
	int64_t ls, rm, again;

	who.run = new_run(who.session);
	ls = open_one(&who, "1", "\"action\":\"Bash\",\"input\":{\"command\":\"ls\",\"description\":\"look\"}");
	rm = open_one(&who, "2", "\"action\":\"Bash\",\"input\":{\"command\":\"rm\"}");
	is_int(at.previous, 0, "the first ones repeat nothing");
	close_as(&who, "1", AMK_DECISION_VOID, AMK_REASON_PROGRAM_GONE);
	close_as(&who, "2", AMK_DECISION_VOID, AMK_REASON_WITHDRAWN);
	who.run = new_run(who.session);
	again = open_one(&who, "1", "\"input\":{\"description\":\"see\",\"command\":\"ls\"},\"action\":\"Bash\"");
	is_int(at.previous, ls, "the same again, in other words, names the one it repeats");
	open_one(&who, "2", "\"action\":\"Bash\",\"input\":{\"command\":\"rm\"}");
	ok(at.previous == 0 && rm, "not one that the agent had withdrawn");
	open_one(&who, "3", "\"action\":\"Bash\",\"input\":{\"command\":\"ls\"}");
	is_int(at.previous, 0, "once");
	close_as(&who, "1", AMK_DECISION_VOID, AMK_REASON_PROGRAM_GONE);
	other.session = fixture_session("other");
	other.run = new_run(other.session);
	open_one(&other, "1", "\"action\":\"Bash\",\"input\":{\"command\":\"ls\"}");
	is_int(at.previous, 0, "not that of another session");
	who.run = new_run(who.session);
	open_one(&who, "1", "\"action\":\"Bash\",\"input\":{\"command\":\"ls\"}");
	is_int(at.previous, again, "and the next time the last");
	amk_store_commit(store, &err);
}

static void test_deadline(void)
{
	struct amk_decision_asker who = { .session = fixture_session("deadline") };
	int64_t rows[9] = { 0 }, next, early, late;

	who.run = new_run(who.session);
	who.deadline = 9000;
	late = open_one(&who, "1", "\"action\":\"ls\"");
	who.deadline = 5000;
	early = open_one(&who, "2", "\"action\":\"rm\"");
	amk_store_commit(store, &err);
	fixture_reopen();
	amk_state_decision_deadline(store, 0, &next, &err);
	is_int(next, 5000, "the earliest, after a restart too");
	amk_state_decision_deadline(store, 5000, &next, &err);
	is_int(next, 9000, "the next one");
	amk_state_decisions_due(store, 9000, count_row, rows, &err);
	ok(rows[0] == 2 && rows[1] == early && rows[2] == late, "what is due, the earliest first");
	close_as(&who, "2", AMK_DECISION_ANSWERED, NULL);
	amk_state_decision_deadline(store, 0, &next, &err);
	is_int(next, 9000, "what is answered has none");
	close_as(&who, "1", AMK_DECISION_VOID, AMK_REASON_CANCELLED);
	amk_state_decision_deadline(store, 0, &next, &err);
	is_int(next, 0, "and none is left");
	amk_store_commit(store, &err);
}

static const char *refusal(const char *state, const char *reason, const char *answer)
{
	const struct amk_decision d = { .row = 7, .state = (char *)(uintptr_t)state, .reason = (char *)(uintptr_t)reason,
					.answer = (char *)(uintptr_t)answer, .by = (char *)(uintptr_t)"ann",
					.closed = INT64_C(1770000000000000000) };

	return amk_decision_check_open(&d, &err) < 0 ? err.msg : "open";
}

static void test_sentences(void)
{
	is_str(refusal("open", NULL, NULL), "open", "open");
	is_str(refusal("answered", NULL, "{\"reply\":\"once\"}"),
	       "d_7 was answered by ann at 2026-02-02T02:40:00.000000000Z: once", "who, when, what");
	is_str(refusal("delivered", NULL, "{\"reply\":\"once\"}"),
	       "d_7 was answered by ann at 2026-02-02T02:40:00.000000000Z: once", "delivered or not");
	is_str(refusal("void", "withdrawn", NULL), "d_7 is void (withdrawn) since 2026-02-02T02:40:00.000000000Z", "void");
	is_str(refusal("expired", "deadline", "{\"reply\":\"reject\"}"),
	       "d_7 expired at 2026-02-02T02:40:00.000000000Z: reject", "expired");
}

static bool same_content(const char *a, const char *b)
{
	char one[AMK_CONTENT], other[AMK_CONTENT];

	return strcmp(amk_content_of(one, "permission", a), amk_content_of(other, "permission", b)) == 0;
}

static void test_content(void)
{
	char one[AMK_CONTENT], other[AMK_CONTENT];

	ok(same_content("{\"tool\":\"T\",\"input\":{\"a\":{\"x\":1,\"y\":2}}}", "{\"input\":{\"a\":{\"y\":2,\"x\":1}},\"tool\":\"T\"}"),
	   "the order of members does not count, at any depth");
	ok(same_content("{\"tool\":\"T\",\"call_id\":\"1\",\"suggestions\":[1]}", "{\"tool\":\"T\",\"call_id\":\"2\"}"),
	   "nor do the agent's ids and suggestions");
	ok(!same_content("{\"tool\":\"T\",\"input\":{\"a\":[1,2]}}", "{\"tool\":\"T\",\"input\":{\"a\":[2,1]}}"),
	   "the order in a list does");
	ok(!same_content("{\"tool\":\"T\",\"input\":{\"a\":{\"description\":\"1\"}}}",
			 "{\"tool\":\"T\",\"input\":{\"a\":{\"description\":\"2\"}}}"), "and a description deeper down");
	ok(!same_content("{\"prompt\":\"a\",\"options\":[]}", "{\"prompt\":\"b\",\"options\":[]}"), "and what a question is");
	ok(strcmp(amk_content_of(one, "permission", "{}"), amk_content_of(other, "question", "{}")) != 0, "and the kind");
}

int main(void)
{
	fixture_begin();
	test_delivery();
	test_unread();
	test_previous();
	test_deadline();
	test_sentences();
	test_content();
	fixture_end();
	return tap_done();
}
