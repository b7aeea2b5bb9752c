/* SPDX-License-Identifier: Apache-2.0 */
/* The rows beside the log: sessions, messages, runs, inputs, decisions. */
#include "store/state.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store_fixture.h"

static struct amk_buf seen = AMK_BUF_INIT(1 << 20);

static const char *or_nil(const char *s)
{
	return s ? s : "-";
}

static bool see_session(void *arg, const struct amk_state_session *r)
{
	int *left = arg;

	amk_buf_addf(&seen, "%lld %s %s %s %s %s %llu %lld %lld %d", (long long)r->row, r->id, r->agent, r->spec,
		     or_nil(r->native_id), r->state, (unsigned long long)r->sequence, (long long)r->created,
		     (long long)r->updated, r->ended);
	if (r->since)
		amk_buf_addf(&seen, " %s %lld %s", r->reason, (long long)r->since, or_nil(r->leaving));
	amk_buf_addc(&seen, '\n');
	return !left || --*left > 0;
}

static const char *sessions(int *limit)
{
	amk_buf_clear(&seen);
	return amk_state_sessions(store, see_session, limit, &err) < 0 ? err.msg : seen.s;
}

static const char *found(const char *id)
{
	amk_buf_clear(&seen);
	return amk_state_session_find(store, id, see_session, NULL, &err) < 0 ? err.msg : seen.s;
}

static const char *below(int64_t row, int *limit)
{
	amk_buf_clear(&seen);
	return amk_state_sessions_before(store, row, see_session, limit, &err) < 0 ? err.msg : seen.s;
}

#define TAU_ENDED "1 tau claude {} n-2 failed 1152921504606846976 100 9223372036854775807 1 exit 1 77 stopped\n"
#define TAU_2 "2 Tau mock {} n-1 working 5 101 102 0\n"

static void test_sessions(void)
{
	struct amk_state_session a = { .id = "tau", .agent = "claude", .spec = "{\"directory\":\"/\"}",
				       .state = "idle", .created = 100, .updated = 100 };
	struct amk_state_session b = { .id = "Tau", .agent = "mock", .spec = "{}", .native_id = "n-1",
				       .state = "working", .sequence = 5, .created = 101, .updated = 102 };
	int64_t n = 0;
	int one = 1;

	is_str(sessions(NULL), "", "no sessions yet");
	is_int(amk_state_session_add(store, &a, &err), 0, "add");
	is_int(amk_state_session_add(store, &b, &err), 0, "an id differing in case only");
	ok(a.row == 1 && b.row == 2, "rows are numbered");
	ok(amk_state_session_add(store, &b, &err) < 0 && err.code == AMK_EEXISTS, "an id that is taken");
	is_str(err.msg, "there is a session \"Tau\" already", "is said");
	is_str(sessions(NULL), "1 tau claude {\"directory\":\"/\"} - idle 0 100 100 0\n2 Tau mock {} n-1 working 5 101 102 0\n",
	       "all, oldest first");
	is_str(sessions(&one), "1 tau claude {\"directory\":\"/\"} - idle 0 100 100 0\n", "until the reader stops");
	a.native_id = "n-2";
	a.state = "not written";
	a.sequence = UINT64_C(1) << 60;
	a.updated = INT64_MAX;
	a.ended = true;
	a.created = 7;
	a.id = a.agent = a.spec = "not written";
	is_int(amk_state_session_set(store, &a, &err), 0, "set");
	a.state = "failed";
	a.reason = "exit 1";
	a.leaving = "stopped";
	a.since = 77;
	is_int(amk_state_session_status(store, &a, &err), 0, "its state, with what belongs to it");
	is_int(amk_state_session_spec(store, a.row, "{}", &err), 0, "what it is made from, anew");
	is_str(found("tau"), TAU_ENDED, "writes what may change, only that");
	is_str(sessions(NULL), TAU_2, "one that has ended is not among the living");
	a.row = 99;
	ok(amk_state_session_set(store, &a, &err) < 0 && err.code == AMK_EINTERNAL, "a row that is not there");
	ok(amk_state_session_status(store, &a, &err) < 0 && amk_state_session_spec(store, 99, "{}", &err) < 0,
	   "has no state to write either");
	is_int(amk_store_commit(store, &err), 0, "commit");
	fixture_reopen();
	is_str(found("tau"), TAU_ENDED, "kept");
	is_str(found("tauu"), "", "no such id");
	is_str(below(INT64_MAX, NULL), TAU_2 TAU_ENDED, "all, newest first");
	one = 1;
	is_str(below(INT64_MAX, &one), TAU_2, "until the reader stops");
	is_str(below(2, NULL), TAU_ENDED, "below a row");
	is_str(below(1, NULL), "", "below the first");
	ok(amk_state_session_count(store, &n, &err) == 0 && n == 2, "counted");
}

static bool see_queued(void *arg, const struct amk_state_message *r)
{
	int *left = arg;

	amk_buf_addf(&seen, "%lld %lld %s %s %d %llu %lld%s\n", (long long)r->row, (long long)r->session, r->id, r->text,
		     r->state, (unsigned long long)r->after, (long long)r->created, r->attachments ? r->attachments : "");
	return !left || --*left > 0;
}

static void see_message(void *arg, const struct amk_state_message *r)
{
	see_queued(arg, r);
}

static const char *message(int64_t session, const char *id)
{
	amk_buf_clear(&seen);
	return amk_state_message_find(store, session, id, see_message, NULL, &err) < 0 ? err.msg : seen.s;
}

static const char *queue(int64_t session, unsigned limit)
{
	amk_buf_clear(&seen);
	return amk_state_messages_queued(store, session, limit, see_queued, NULL, &err) < 0 ? err.msg : seen.s;
}

static void test_messages(void)
{
	int64_t a = fixture_session("messages-a"), b = fixture_session("messages-b"), first;
	struct amk_state_message m = { .session = a, .id = "m1", .text = "fix\nthe \xc3\xa4 tests", .after = 4,
				       .created = 50 };
	char want[200];

	is_str(message(a, "m1"), "", "no message");
	ok(amk_state_message_add(store, &m, &err) == 0 && m.row > 0, "add");
	first = m.row;
	snprintf(want, sizeof want, "%lld %lld m1 fix\nthe \xc3\xa4 tests 0 4 50\n", (long long)m.row, (long long)a);
	is_str(message(a, "m1"), want, "found by id, whole");
	is_str(message(b, "m1"), "", "not in another session");
	ok(amk_state_message_add(store, &m, &err) < 0 && err.code == AMK_ECONFLICT, "the same id again");
	m.session = b;
	is_int(amk_state_message_add(store, &m, &err), 0, "in another session it is another message");
	m.session = a;
	m.id = "m2";
	m.text = "two";
	m.state = AMK_MESSAGE_STARTED;
	is_int(amk_state_message_add(store, &m, &err), 0, "one that starts at once");
	m.id = "m3";
	m.attachments = "[{}]";
	m.state = AMK_MESSAGE_QUEUED;
	is_int(amk_state_message_add(store, &m, &err), 0, "one that is queued");
	ok(strstr(queue(a, 10), " m1 ") && strstr(seen.s, " m3 ") > strstr(seen.s, " m1 ") && !strstr(seen.s, " m2 "),
	   "the queue in order");
	ok(strstr(queue(a, 1), " m1 ") && !strstr(seen.s, " m3 "), "its first");
	is_int(amk_state_message_set(store, first, AMK_MESSAGE_STARTED, &err), 0, "the first starts");
	ok(!strstr(queue(a, 10), " m1 ") && strstr(seen.s, " m3 "), "and is queued no more");
	is_int(amk_state_message_set(store, first, AMK_MESSAGE_CANCELLED, &err), 0, "and ends");
	ok(strstr(message(a, "m1"), " 2 4 50\n"), "which is its state");
	ok(amk_state_message_set(store, 999, AMK_MESSAGE_CANCELLED, &err) < 0, "a message that is not there");
	m.session = 999;
	ok(amk_state_message_add(store, &m, &err) < 0, "a session that is not there");
	is_int(amk_store_commit(store, &err), 0, "commit");
	fixture_reopen();
	ok(strstr(queue(a, 10), " m3 two 0 4 50[{}]\n"), "the queue is kept, and what is attached");
}

static void test_large_message(void)
{
	size_t n = 10 << 20;
	char *text = amk_malloc(n + 1);
	struct amk_state_message m = { .session = fixture_session("large"), .id = "m1", .text = text };

	memset(text, 'y', n);
	text[n] = '\0';
	is_int(amk_state_message_add(store, &m, &err), 0, "a message of 10 MiB");
	seen.max = 11 << 20;
	amk_store_commit(store, &err);
	message(m.session, "m1");
	ok(seen.n > n && strstr(seen.s, text), "comes back whole");
	amk_buf_release(&seen);
	free(text);
}

static void see_run(void *arg, const struct amk_state_run *r)
{
	(void)arg;
	amk_buf_addf(&seen, "%lld %lld %d %llu %llu %s %lld %llu %d", (long long)r->row, (long long)r->session,
		     r->incarnation, (unsigned long long)r->in_n, (unsigned long long)r->out_n, or_nil(r->checkpoint),
		     (long long)r->checkpoint_input, (unsigned long long)r->checkpoint_out, r->ended);
}

static const char *last_run(int64_t session)
{
	amk_buf_clear(&seen);
	return amk_state_run_last(store, session, see_run, NULL, &err) < 0 ? err.msg : seen.s;
}

static bool see_input(void *arg, const struct amk_state_input *r)
{
	int *left = arg;

	amk_buf_addf(&seen, "%lld %lld %s [", (long long)r->row, (long long)r->run, r->input);
	amk_buf_add(&seen, r->bytes, r->bytes_n);
	amk_buf_addf(&seen, "] %llu %llu\n", (unsigned long long)r->at, (unsigned long long)r->out_n);
	return !left || --*left > 0;
}

static const char *inputs(int64_t run, int64_t after)
{
	amk_buf_clear(&seen);
	return amk_state_inputs(store, run, after, see_input, NULL, &err) < 0 ? err.msg : seen.s;
}

static void test_runs(void)
{
	int64_t a = fixture_session("runs"), b = fixture_session("no-runs");
	struct amk_state_run r = { .session = a, .incarnation = 1 };

	is_str(last_run(a), "", "no run");
	is_int(amk_state_run_add(store, &r, &err), 0, "add");
	ok(strstr(last_run(a), " 1 0 0 - 0 0 0"), "as added");
	r.in_n = UINT64_C(5000000000);
	r.out_n = UINT64_C(6000000000);
	r.ended = true;
	r.checkpoint = "not written by set";
	is_int(amk_state_run_set(store, &r, &err), 0, "set");
	ok(strstr(last_run(a), " 1 5000000000 6000000000 - 0 0 1"), "positions and end are written");
	r = (struct amk_state_run){ .session = a, .incarnation = 2, .checkpoint = "{}" };
	is_int(amk_state_run_add(store, &r, &err), 0, "the next incarnation");
	ok(strstr(last_run(a), " 2 0 0 {} 0 0 0"), "is the last");
	is_str(last_run(b), "", "of its session only");
	r.row = 999;
	ok(amk_state_run_set(store, &r, &err) < 0 && amk_state_run_checkpoint(store, &r, &err) < 0,
	   "a run that is not there");
	amk_store_commit(store, &err);
}

static void test_inputs(void)
{
	struct amk_state_run r = { .session = fixture_session("inputs") }, other = r;
	struct amk_state_input in = { .input = "{\"type\":\"start\"}" }, last;
	char want[200];

	amk_state_run_add(store, &r, &err);
	amk_state_run_add(store, &other, &err);
	in.run = other.row;
	is_int(amk_state_input_add(store, &in, &err), 0, "an input of another run, without bytes");
	in.run = r.row;
	is_int(amk_state_input_add(store, &in, &err), 0, "the first");
	r.checkpoint_input = in.row;
	in.input = "{\"type\":\"message\"}";
	in.bytes = "a\0b\xff\n";
	in.bytes_n = 5;
	in.at = 11;
	in.out_n = 12;
	is_int(amk_state_input_add(store, &in, &err), 0, "one with bytes");
	last = in;
	last.bytes = NULL;
	last.bytes_n = 0;
	is_int(amk_state_input_add(store, &last, &err), 0, "one more");
	inputs(r.row, in.row - 1);
	snprintf(want, sizeof want, "%lld %lld {\"type\":\"message\"} [", (long long)in.row, (long long)r.row);
	ok(strncmp(seen.s, want, strlen(want)) == 0 &&
	   memcmp(seen.s + strlen(want), "a\0b\xff\n] 11 12\n", 13) == 0, "after a row, bytes whole");
	ok(strstr(inputs(other.row, 0), "{\"type\":\"start\"} [] 0 0\n"), "those of a run only");

	r.checkpoint = "{\"turn\":1}";
	r.checkpoint_out = 99;
	r.in_n = 1234;
	is_int(amk_state_run_checkpoint(store, &r, &err), 0, "a checkpoint");
	ok(strncmp(inputs(r.row, 0), want, strlen(want)) == 0, "forgets what it includes");
	ok(inputs(other.row, 0)[0], "of this run only");
	r.checkpoint_input = last.row;
	is_int(amk_state_run_checkpoint(store, &r, &err), 0, "a checkpoint of everything");
	is_str(inputs(r.row, 0), "", "leaves no inputs");
	amk_store_commit(store, &err);
	fixture_reopen();
	is_int(amk_state_input_add(store, &in, &err), 0, "an input after it");
	ok(in.row > last.row, "has a number of its own, never used before");
	in.run = 999;
	ok(amk_state_input_add(store, &in, &err) < 0, "a run that is not there");
	amk_store_commit(store, &err);
}

static void test_checkpoint_is_read(void)
{
	struct amk_state_run r = { .session = fixture_session("checkpoint"), .incarnation = 3 };

	amk_state_run_add(store, &r, &err);
	r.checkpoint = "{\"turn\":1}";
	r.checkpoint_input = 5;
	r.checkpoint_out = 99;
	r.in_n = r.out_n = 1234;
	r.ended = true;
	is_int(amk_state_run_checkpoint(store, &r, &err), 0, "a checkpoint");
	ok(strstr(last_run(r.session), " 3 0 0 {\"turn\":1} 5 99 0"), "writes its three columns, only these");
	amk_store_commit(store, &err);
}

static bool see_one_of(void *arg, const struct amk_state_decision *r)
{
	int *left = arg;

	amk_buf_addf(&seen, "d_%lld %s %s %s %s %s %s %s %lld %lld\n", (long long)r->row, r->session_id, r->native_id,
		     r->kind, r->state, r->request, or_nil(r->answer), or_nil(r->by), (long long)r->created,
		     (long long)r->closed);
	return !left || --*left > 0;
}

static void see_decision(void *arg, const struct amk_state_decision *r)
{
	see_one_of(arg, r);
}

static const char *decision(int64_t row, int64_t run, const char *native_id)
{
	amk_buf_clear(&seen);
	return amk_state_decision_find(store, row, run, native_id, see_decision, NULL, &err) < 0 ? err.msg : seen.s;
}

static const char *decisions(int64_t session, bool open_only)
{
	amk_buf_clear(&seen);
	return amk_state_decisions(store, session, open_only, see_one_of, NULL, &err) < 0 ? err.msg : seen.s;
}

static void test_decisions(void)
{
	struct amk_state_run ra = { .session = fixture_session("da") }, rb = { .session = fixture_session("db") };
	struct amk_state_decision d = { .session = ra.session, .native_id = "p1", .kind = "permission",
					.state = "open", .request = "{\"action\":\"ls\"}", .created = 40 };
	struct amk_state_decision q = d, free_one = d;

	amk_state_run_add(store, &ra, &err);
	amk_state_run_add(store, &rb, &err);
	is_str(decisions(0, false), "", "no decisions");
	d.run = ra.row;
	ok(amk_state_decision_add(store, &d, &err) == 0 && d.row == 1, "add");
	ok(amk_state_decision_add(store, &d, &err) < 0 && err.code == AMK_ECONFLICT, "a native id twice in a run");
	q.session = rb.session;
	q.run = rb.row;
	q.kind = "question";
	ok(amk_state_decision_add(store, &q, &err) == 0 && q.row > d.row, "the same in another run");
	is_str(decision(d.row, 0, NULL), "d_1 da p1 permission open {\"action\":\"ls\"} - - 40 0\n", "found by row");
	ok(strstr(decision(0, rb.row, "p1"), " db p1 question "), "found by native id");
	is_str(decision(0, ra.row, "p2"), "", "no such native id");
	is_str(decision(999, 0, NULL), "", "no such row");
	ok(strstr(decisions(0, true), " da ") < strstr(seen.s, " db "), "all open ones, oldest first");

	d.state = "answered";
	d.answer = "{\"reply\":\"once\"}";
	d.by = "ann";
	d.closed = 60;
	is_int(amk_state_decision_close(store, &d, &err), 0, "answered");
	is_str(decision(d.row, 0, NULL),
	       "d_1 da p1 permission answered {\"action\":\"ls\"} {\"reply\":\"once\"} ann 40 60\n", "as it was");
	d.by = "bob";
	ok(amk_state_decision_close(store, &d, &err) < 0 && err.code == AMK_EANSWERED, "once only");
	ok(strstr(decision(d.row, 0, NULL), " ann "), "the first answer stands");
	is_str(decisions(ra.session, true), "", "none open in its session");
	ok(strstr(decisions(ra.session, false), "d_1 "), "but it is listed");
	ok(!strstr(decisions(0, true), " da ") && strstr(seen.s, " db "), "the other is open");
	ok(strstr(decisions(rb.session, true), " db "), "in its session");
	is_int(amk_state_decision_add(store, &free_one, &err), 0, "one without a run");
	ok(strstr(decision(0, 0, "p1"), " da p1 permission open"), "found without a run");
	amk_store_commit(store, &err);
}

static void delete_decisions_by_hand(void)
{
	char path[300];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/amika.db", scratch);
	ok(sqlite3_open(path, &db) == SQLITE_OK &&
	   sqlite3_exec(db, "DELETE FROM decision", NULL, NULL, NULL) == SQLITE_OK, "decisions deleted by hand");
	sqlite3_close(db);
}

static void test_numbers_are_not_reused(void)
{
	struct amk_state_decision d = { .session = fixture_session("reuse"), .native_id = "x", .kind = "permission",
					.state = "open", .request = "{}" };
	int64_t before;

	amk_state_decision_add(store, &d, &err);
	before = d.row;
	amk_store_commit(store, &err);
	delete_decisions_by_hand();
	is_str(decisions(0, false), "", "none is left");
	fixture_reopen();
	amk_state_decision_add(store, &d, &err);
	is_int(d.row, before + 1, "their numbers are not given again");
	amk_store_commit(store, &err);
}

int main(void)
{
	fixture_begin();
	test_sessions();
	test_messages();
	test_large_message();
	test_runs();
	test_inputs();
	test_checkpoint_is_read();
	test_decisions();
	test_numbers_are_not_reused();
	amk_buf_release(&seen);
	fixture_end();
	return tap_done();
}
