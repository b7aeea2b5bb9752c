/* SPDX-License-Identifier: Apache-2.0 */
/* The log: appending in order, reading by cursor, waking subscribers. */
#include "store/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "store/inside.h"
#include "store_fixture.h"

/* What was read: "1 2 3", and the last line with its fields. */
struct seen {
	struct amk_buf text;
	struct amk_log_line last;
	char *line;
	unsigned stop_after; /* 0: never */
	unsigned n;
};

static bool see(void *arg, const struct amk_log_line *line)
{
	struct seen *seen = arg;

	amk_buf_addf(&seen->text, "%s%llu", seen->text.n ? " " : "", (unsigned long long)line->sequence);
	seen->last = *line;
	free(seen->line);
	seen->line = amk_strndup(line->line, line->n);
	return ++seen->n != seen->stop_after;
}

static const char *read_some(struct seen *seen, int64_t session, uint64_t after, uint64_t limit, bool hidden)
{
	amk_buf_clear(&seen->text);
	seen->n = 0;
	if (amk_log_read(store, &(struct amk_log_range){ session, after, limit, hidden, true }, see, seen, &err) < 0)
		return err.msg;
	return seen->text.s;
}

static void seen_release(struct seen *seen)
{
	free(seen->line);
	amk_buf_release(&seen->text);
}

static void test_append_and_read(void)
{
	struct seen seen = { .text = AMK_BUF_INIT(1000) };
	int64_t a = fixture_session("a"), b = fixture_session("b");
	struct amk_log_line l = { .session = a, .sequence = 3, .hidden = true, .line = "{\"n\":3}", .n = 7,
				  .raw_at = 5, .run = 9, .raw_offset = UINT64_C(1) << 40, .raw_n = 77 };

	is_str(read_some(&seen, a, 0, 100, true), "", "a new session has no lines");
	ok(fixture_append(a, 1, "one") == 0 && fixture_append(b, 1, "uno") == 0 &&
	   fixture_append(a, 2, "two") == 0 && amk_log_append(store, &l, &err) == 0 &&
	   fixture_append(a, 4, "four") == 0, "lines of two sessions, interleaved");
	is_str(read_some(&seen, a, 0, 100, true), "", "what is not committed is not read");
	is_int(amk_store_commit(store, &err), 0, "commit");
	is_str(read_some(&seen, a, 0, 100, true), "1 2 3 4", "read after it");
	is_str(seen.line, "four", "the line as given");
	is_str(read_some(&seen, b, 0, 100, true), "1", "the other session has its own");
	is_str(read_some(&seen, a, 0, 100, false), "1 2 4", "hidden lines only for who asks");
	is_str(read_some(&seen, a, 0, 2, false), "1 2", "limit");
	is_str(read_some(&seen, a, 1, 2, false), "2 4", "limit counts what the reader may see");
	is_str(read_some(&seen, a, 2, UINT64_MAX, true), "3 4", "after a cursor, without limit");
	is_str(read_some(&seen, a, 0, 0, true), "", "limit 0");
	is_str(read_some(&seen, a, 4, 100, true), "", "after the last");
	is_str(read_some(&seen, a, UINT64_MAX, UINT64_MAX, true), "", "after a number larger than any");
	is_str(read_some(&seen, 999, 0, 100, true), "", "of no session");
	seen.stop_after = 2;
	is_str(read_some(&seen, a, 0, 100, true), "1 2", "stopped by the reader");
	read_some(&seen, a, 1, 100, true);
	ok(seen.last.session == a && seen.last.sequence == 3 && seen.last.hidden && seen.last.raw_at == 5 &&
	   seen.last.run == 9 && seen.last.raw_offset == UINT64_C(1) << 40 && seen.last.raw_n == 77 &&
	   seen.last.n == 7, "every field comes back");
	seen_release(&seen);
}

static void test_sequence_is_guarded(void)
{
	struct seen seen = { .text = AMK_BUF_INIT(1000) };
	int64_t a = fixture_session("guarded");

	ok(fixture_append(a, 2, "x") < 0, "the first is 1");
	is_int(err.code, AMK_EINTERNAL, "our own fault");
	is_str(err.msg, "appending to the log: 2 is not the session's next number", "in a sentence");
	ok(fixture_append(a, 1, "x") == 0, "1 is accepted");
	ok(fixture_append(a, 1, "x") < 0, "not twice");
	ok(fixture_append(a, 3, "x") < 0, "no hole");
	ok(fixture_append(a, 2, "x") == 0 && amk_store_commit(store, &err) == 0, "the turn is not spoilt by it");
	is_str(read_some(&seen, a, 0, 100, true), "1 2", "what was accepted is there");
	ok(fixture_append(999, 1, "x") < 0 && err.code == AMK_EINTERNAL, "a session that is not there");
	amk_store_rollback(store);
	ok(fixture_append(a, 3, "x") == 0, "append");
	amk_store_rollback(store);
	is_str(read_some(&seen, a, 0, 100, true), "1 2", "rolled back");
	ok(fixture_append(a, 3, "y") == 0 && amk_store_commit(store, &err) == 0, "the number is free again");
	seen_release(&seen);
}

static bool see_inside(void *arg, const struct amk_log_line *line)
{
	struct amk_buf *b = arg;
	int n = 0;

	amk_log_read(store, &(struct amk_log_range){ line->session, line->sequence, UINT64_MAX, true, false },
		     fixture_count_line, &n, &err);
	amk_buf_addf(b, "%s%llu:%d", b->n ? " " : "", (unsigned long long)line->sequence, n);
	return true;
}

static void test_nested_reading(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	int64_t a = fixture_session("nested");

	for (uint64_t i = 1; i <= 3; i++)
		fixture_append(a, i, "x");
	amk_store_commit(store, &err);
	is_int(amk_log_read(store, &(struct amk_log_range){ a, 0, 100, true, false }, see_inside, &b, &err), 0,
	       "reading while reading");
	is_str(b.s, "1:2 2:1 3:0", "neither disturbs the other");
}

static bool see_row(void *arg, const struct amk_log_line *line)
{
	amk_buf_addf(arg, "%s+%llu %s", ((struct amk_buf *)arg)->n ? " " : "",
		     (unsigned long long)(line->row - amk_log_forgotten_upto(store)), line->line);
	return true;
}

static const char *read_all(struct amk_buf *b, uint64_t after)
{
	amk_buf_clear(b);
	amk_log_read(store, &(struct amk_log_range){ 0, after, UINT64_MAX, true, false }, see_row, b, &err);
	return b->s;
}

static void test_all_sessions(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	int64_t x = fixture_session("x"), y = fixture_session("y");
	uint64_t from = amk_log_newest(store);

	amk_log_forgotten(store, y, from, &err); /* numbers below count from here */
	fixture_append(x, 1, "x1");
	fixture_append(y, 1, "y1");
	amk_store_commit(store, &err);
	fixture_append(x, 2, "undone");
	amk_store_rollback(store);
	fixture_append(y, 2, "y2");
	amk_store_commit(store, &err);
	is_str(read_all(&b, from), "+1 x1 +2 y1 +3 y2", "in the order of commits, without holes");
	is_str(read_all(&b, from + 2), "+3 y2", "from a cursor");
	is_int((long long)amk_log_newest(store), (long long)from + 3, "the newest");
}

/* The lines of the highest rows go: their rows must not come back, not even after reopening. */
static void test_forgetting(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	int64_t a = fixture_session("forgotten"), c = fixture_session("kept");
	uint64_t from = amk_log_newest(store);

	amk_log_forgotten(store, a, from, &err);
	fixture_append(a, 1, "a1");
	amk_store_commit(store, &err);
	ok(amk_log_forgotten(store, a, from + 1, &err) == 0, "forget");
	fixture_sql("DELETE FROM log WHERE line = 'a1'");
	is_int((long long)amk_log_forgotten_upto(store), (long long)from, "not before the commit");
	ok(amk_store_commit(store, &err) == 0, "commit");
	is_int((long long)amk_log_forgotten_upto(store), (long long)from + 1, "known");
	amk_store_close(store);
	fixture_open();
	is_int((long long)amk_log_forgotten_upto(store), (long long)from + 1, "known after reopening");
	fixture_append(c, 1, "c1");
	amk_store_commit(store, &err);
	is_str(read_all(&b, from), "+1 c1", "the next row comes after it");
}

static void test_large_lines(void)
{
	size_t n = 16 << 20;
	char *text = amk_malloc(n + 1);
	int64_t a = fixture_session("large");
	struct seen seen = { .text = AMK_BUF_INIT(1000) };

	memset(text, 'x', n);
	text[n] = '\0';
	text[n - 1] = '}';
	ok(fixture_append(a, 1, text) == 0 && amk_store_commit(store, &err) == 0, "a line of 16 MiB");
	read_some(&seen, a, 0, 1, true);
	ok(seen.last.n == n && memcmp(seen.line, text, n) == 0, "comes back whole");
	seen_release(&seen);
	free(text);
}

/* Subscribers that note their name, and do something once. */
struct sleeper {
	struct amk_log_sub sub;
	char name;
	struct sleeper *removes, *adds;
	bool appends, commits;
};

static char woken[64];

static void woke(void *arg)
{
	struct sleeper *s = arg;
	size_t n = strlen(woken);

	woken[n] = s->name;
	woken[n + 1] = '\0';
	if (s->removes)
		amk_log_unsubscribe(store, &s->removes->sub);
	s->removes = NULL;
	if (s->adds)
		amk_log_subscribe(store, &s->adds->sub);
	s->adds = NULL;
	if (s->appends && fixture_append(s->sub.session, (uint64_t)fixture_lines(s->sub.session) + 1, "more") < 0)
		woken[0] = '!';
	s->appends = false;
	if (s->commits && amk_store_commit(store, &err) < 0)
		woken[0] = '!';
	s->commits = false;
}

/* Appends one line to the session, commits, and says who woke in which order. */
static const char *wake_by(int64_t session)
{
	woken[0] = '\0';
	if (fixture_append(session, (uint64_t)fixture_lines(session) + 1, "x") < 0)
		return err.msg;
	if (woken[0])
		return "woken before the commit";
	amk_store_commit(store, &err);
	return woken;
}

static void sleepers(struct sleeper *s, const char *names, int64_t session)
{
	for (; *names; names++, s++) {
		*s = (struct sleeper){ .sub = { .session = session, .wake = woke, .arg = s }, .name = *names };
		amk_log_subscribe(store, &s->sub);
	}
}

static void test_waking(void)
{
	int64_t a = fixture_session("wake-a"), b = fixture_session("wake-b"), c = fixture_session("wake-c");
	struct sleeper s[4], t[1];

	sleepers(s, "1234", a);
	sleepers(t, "b", b);
	is_str(wake_by(a), "1234", "in the order they came, only those of the session");
	is_str(wake_by(b), "b", "the other session");
	is_str(wake_by(c), "", "a session without subscribers");
	woken[0] = '\0';
	fixture_append(b, 3 - 1, "x");
	fixture_append(a, (uint64_t)fixture_lines(a) + 1, "x");
	fixture_append(b, 3, "x");
	amk_store_commit(store, &err);
	is_str(woken, "1234b", "two sessions in one turn: each subscriber once");
	woken[0] = '\0';
	fixture_append(a, (uint64_t)fixture_lines(a) + 1, "x");
	amk_store_rollback(store);
	fixture_session("wake-d");
	amk_store_commit(store, &err);
	is_str(woken, "", "nobody is woken by what was undone");

	s[1].removes = &s[1];
	is_str(wake_by(a), "1234", "one leaves while it is woken");
	is_str(wake_by(a), "134", "and is gone");
	s[0].removes = &s[2];
	is_str(wake_by(a), "14", "one takes away the next");
	s[3].removes = &s[0];
	is_str(wake_by(a), "14", "one takes away an earlier one");
	is_str(wake_by(a), "4", "and it is gone");
	s[3].removes = &s[3];
	is_str(wake_by(a), "4", "the last leaves");
	is_str(wake_by(a), "", "nobody is left");
	sleepers(s, "56", a);
	is_str(wake_by(a), "56", "new ones");
	is_str(wake_by(b), "b", "the other session still");
	amk_log_unsubscribe(store, &t[0].sub);
	amk_log_unsubscribe(store, &s[1].sub);
	amk_log_unsubscribe(store, &s[0].sub);
	is_str(wake_by(a), "", "all gone");
}

static void test_busy_waking(void)
{
	int64_t a = fixture_session("busy-a");
	struct sleeper s[2], late[2];

	sleepers(s, "12", a);
	sleepers(late, "34", a);
	amk_log_unsubscribe(store, &late[0].sub);
	amk_log_unsubscribe(store, &late[1].sub);
	s[0].adds = &late[0];
	s[1].adds = &late[1];
	is_str(wake_by(a), "12", "who comes during a wake is not woken by it");
	is_str(wake_by(a), "1234", "but from then on");
	s[0].adds = NULL;
	amk_log_unsubscribe(store, &late[1].sub);
	s[0].adds = &late[1];
	s[1].removes = &late[1];
	is_str(wake_by(a), "123", "come and gone during one wake");
	is_str(wake_by(a), "123", "and not there");
	s[0].appends = true;
	is_str(wake_by(a), "123", "a line appended while waking wakes nobody yet");
	woken[0] = '\0';
	is_int(amk_store_commit(store, &err), 0, "its commit");
	is_str(woken, "123", "does");
	s[0].appends = s[1].commits = true;
	is_str(wake_by(a), "123123", "committed while waking: round again");
	amk_log_unsubscribe(store, &s[0].sub);
	amk_log_unsubscribe(store, &s[1].sub);
	amk_log_unsubscribe(store, &late[0].sub);
}

static void test_many(void)
{
	static const char line[] = "{\"event_id\":\"evt_1\",\"sequence\":1,\"time\":\"2026-02-09T00:00:00.000000000Z\","
				   "\"session_id\":\"many\",\"type\":\"item.delta\",\"data\":{\"delta\":\"some text\"}}";
	int64_t a = fixture_session("many"), started = amk_time_monotonic(), ms;
	bool good = true;

	for (uint64_t i = 1; i <= 100000 && good; i++) {
		good = fixture_append(a, i, line) == 0;
		if (i % 100 == 0)
			good = good && amk_store_commit(store, &err) == 0;
	}
	ms = (amk_time_monotonic() - started) / 1000000;
	ok(good, "100,000 lines in turns of 100: %lld ms", (long long)ms);
	ok(ms < 15000, "without the disk's pace");
	is_int(fixture_lines(a), 100000, "all of them are read");
	fixture_reopen();
	is_int(fixture_lines(a), 100000, "and after opening it again");
}

int main(void)
{
	fixture_begin();
	test_append_and_read();
	test_sequence_is_guarded();
	test_nested_reading();
	test_large_lines();
	test_all_sessions();
	test_forgetting();
	test_waking();
	test_busy_waking();
	test_many();
	fixture_end();
	return tap_done();
}
