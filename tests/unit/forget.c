/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: nobody finds what is marked, nothing of it stays in a file, and what is kept stays whole. */
#include <sys/stat.h>

#include "core/lines.h"
#include "store/delivery.h"
#include "store_fixture.h"

#define SESSIONS 40
#define ROUNDS 120
#define SLICE 7

static int64_t rows[SESSIONS];

/* The mark of session n, of any length from some bytes to several pages, different for each i. */
static char *words(const char *mark, int n, int i)
{
	struct amk_buf b = AMK_BUF_INIT(1 << 20);
	int most = i % 37 == 5 ? 900 : i * n % 70;

	for (int k = 0; k <= most; k++)
		amk_buf_addf(&b, "%s-%02d-", mark, n);
	return b.s;
}

static void add_session(int n)
{
	char id[16];
	char *spec AMK_AUTO(mem) = words("environment", n, 60 + n * 13);
	struct amk_state_session r = { .id = id, .agent = "mock", .spec = spec, .state = "idle" };

	snprintf(id, sizeof id, "s%d", n);
	ok(amk_state_session_add(store, &r, &err) == 0, "session %d", n);
	rows[n] = r.row;
}

/* A row of every table, and a few that are written again and again. */
static int add_beside(int n, int i)
{
	char *text AMK_AUTO(mem) = words("text", n, i);
	char id[32];
	struct amk_state_message m = { .session = rows[n], .id = id, .text = text };
	struct amk_state_run run = { .session = rows[n], .incarnation = i, .checkpoint = text };
	struct amk_state_input in = { .input = text, .bytes = text, .bytes_n = strlen(text) };
	struct amk_state_decision d = { .session = rows[n], .native_id = id, .kind = "permission",
					.state = "open", .request = text };
	struct amk_delivery to = { .hook = "h", .session = rows[n], .event = "error", .line = text, .n = strlen(text) };
	struct amk_state_session s = { .row = rows[n], .native_id = id, .state = "idle", .sequence = (uint64_t)i };

	snprintf(id, sizeof id, "%d-%d", n, i);
	if (amk_state_message_add(store, &m, &err) < 0 || amk_state_run_add(store, &run, &err) < 0)
		return -1;
	in.run = d.run = run.row;
	if (amk_state_input_add(store, &in, &err) < 0 || amk_state_decision_add(store, &d, &err) < 0 ||
	    amk_delivery_add(store, &to, &err) < 0)
		return -1;
	run.checkpoint = text + 3;
	if (amk_state_run_checkpoint(store, &run, &err) < 0)
		return -1;
	return amk_state_session_set(store, &s, &err);
}

/* All sessions take turns, so that they share pages everywhere. */
static bool fill(void)
{
	for (int i = 1; i <= ROUNDS; i++) {
		for (int n = 0; n < SESSIONS; n++) {
			char *text AMK_AUTO(mem) = words("text", n, i);

			if (fixture_append(rows[n], (uint64_t)i, text) < 0 || (i % 12 == 0 && add_beside(n, i) < 0))
				return false;
		}
		if (amk_store_commit(store, &err) < 0)
			return false;
	}
	return true;
}

static bool never(void *arg, const struct amk_state_session *r)
{
	(void)r;
	*(bool *)arg = true;
	return true;
}

static bool never_decision(void *arg, const struct amk_state_decision *r)
{
	int64_t row = r->session;

	*(bool *)arg = *(bool *)arg || row == rows[0];
	return true;
}

static void test_marked(void)
{
	struct amk_state_session again = { .id = "s0", .agent = "mock", .spec = "{}", .state = "idle" };
	bool found = false;
	int64_t n = 0;

	is_int(fixture_lines(rows[0]), ROUNDS, "there are lines");
	ok(amk_state_forget_mark(store, rows[0], &err) == 0 && amk_store_commit(store, &err) == 0, "mark");
	ok(amk_state_session_find(store, "s0", never, &found, &err) == 0 && !found, "nobody finds it by its id");
	is_int(fixture_lines(rows[0]), 0, "nobody reads its lines");
	ok(amk_state_decisions(store, 0, false, never_decision, &found, &err) == 0 && !found, "nor its decisions");
	ok(amk_state_session_count(store, &n, &err) == 0 && n == SESSIONS - 1, "it is not counted");
	ok(amk_state_session_add(store, &again, &err) == 0, "its id is free");
	ok(amk_state_forget_mark(store, rows[0], &err) < 0 && err.code == AMK_EINTERNAL, "it is marked once");
	amk_store_rollback(store);
}

/* How many turns it takes, each of them committed. */
static int forget(int n)
{
	bool left = true;
	int turns = 0;

	while (left && turns < 100000) {
		if (amk_state_forget_some(store, rows[n], SLICE, &left, &err) < 0 || amk_store_commit(store, &err) < 0)
			return -1;
		turns++;
	}
	return turns;
}

static void see_marked(void *arg, int64_t session)
{
	*(int64_t *)arg += session;
}

static void emptied(void *arg)
{
	(void)arg;
	amk_loop_stop(loop);
}

/* How often a file holds the mark of a session. */
static int marks(const char *name, const char *what, int n)
{
	struct amk_buf all AMK_AUTO(buf) = AMK_BUF_INIT(1u << 30);
	int fd AMK_AUTO(fd) = openat(state_fd, name, O_RDONLY);
	char mark[24];
	int found = 0;

	if (fd < 0 || amk_lines_all(fd, &all, &err) < 0)
		return -1;
	snprintf(mark, sizeof mark, "%s-%02d-", what, n);
	for (const char *at = all.s; (at = memmem(at, all.n - (size_t)(at - all.s), mark, strlen(mark))); at++)
		found++;
	return found;
}

/* Of the texts SQLite itself may have left a copy within a page; of the environment it must not. */
static void test_files(void)
{
	int secrets = 0, texts = 0, kept = 0, whole = 0;

	for (int n = 0; n < SESSIONS; n++) {
		if (n % 2 == 0) {
			secrets += marks("amika.db", "environment", n) + marks("amika.db-wal", "environment", n);
			texts += marks("amika.db", "text", n) + marks("amika.db-wal", "text", n);
			continue;
		}
		kept += marks("amika.db", "environment", n) > 0 && marks("amika.db", "text", n) > ROUNDS;
		whole += fixture_lines(rows[n]) == ROUNDS;
	}
	is_int(secrets, 0, "no file holds a word of a forgotten environment");
	ok(texts < ROUNDS, "nor of what was said, as far as SQLite goes: %d words", texts);
	is_int(kept, SESSIONS / 2, "it would have been found: the others are there");
	is_int(whole, SESSIONS / 2, "and whole");
}

static void test_forgotten(void)
{
	int64_t sum = 0, want = rows[0];
	int turns = 0;

	for (int n = 2; n < SESSIONS; n += 2) {
		amk_state_forget_mark(store, rows[n], &err);
		want += rows[n];
	}
	ok(amk_store_commit(store, &err) == 0, "every second one");
	fixture_reopen();
	ok(amk_state_forget_marked(store, see_marked, &sum, &err) == 0 && sum == want,
	   "the marks outlive the process");
	for (int n = 0; n < SESSIONS; n += 2)
		turns += forget(n);
	ok(turns >= SESSIONS / 2 * ROUNDS / SLICE, "in small pieces: %d turns", turns);
	sum = 0;
	ok(amk_state_forget_marked(store, see_marked, &sum, &err) == 0 && sum == 0, "nothing is left to do");
	amk_store_scrub(store, emptied, NULL);
	fixture_run();
	test_files();
}

static void test_rows_do_not_come_back(void)
{
	uint64_t newest = amk_log_newest(store);
	int64_t a = fixture_session("again");

	ok(fixture_append(a, 1, "x") == 0 && amk_store_commit(store, &err) == 0 && amk_log_newest(store) == newest + 1,
	   "the next row is a new one");
}

static void test_old_events(void)
{
	int64_t a = rows[1];
	struct amk_state_session s = { .row = a, .state = "idle", .sequence = ROUNDS };
	uint64_t first = 0;
	int turns = 0;

	ok(amk_state_forget_events(store, a, 0, 0, &first, &err) == 0 && first == 1, "the first event is kept");
	while (first < 101 && turns++ < 1000)
		ok(amk_state_forget_events(store, a, 100, SLICE, &first, &err) == 0, "some go");
	is_int(turns, 100 / SLICE + 1, "a few at a time");
	is_int((long long)first, 101, "the oldest kept");
	is_int(amk_store_commit(store, &err), 0, "commit");
	is_int(fixture_lines(a), ROUNDS - 100, "so many are left");
	ok(amk_state_session_set(store, &s, &err) == 0 &&
	   amk_state_forget_events(store, a, INT64_MAX, 1000, &first, &err) == 0 && first == 0 &&
	   amk_store_commit(store, &err) == 0, "all go");
	fixture_reopen();
	ok(fixture_append(a, 1, "x") < 0, "the numbers do not begin again");
	ok(fixture_append(a, ROUNDS + 1, "x") == 0 && amk_store_commit(store, &err) == 0, "but go on");
}

int main(void)
{
	fixture_begin();
	for (int n = 0; n < SESSIONS; n++)
		add_session(n);
	ok(fill(), "%d sessions, side by side", SESSIONS);
	test_marked();
	test_forgotten();
	test_rows_do_not_come_back();
	test_old_events();
	fixture_end();
	return tap_done();
}
