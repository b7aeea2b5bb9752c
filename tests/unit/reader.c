/* SPDX-License-Identifier: Apache-2.0 */
/* Readers: whatever is asked of them, in pieces of any size, gives every committed line once and in order. */
#include "daemon/reader.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/chunk.h"
#include "store_fixture.h"

#define LINES 3000
#define READERS 100 /* more than there are chunks */

static struct amk_daemon d = { .run_dir = -1 };
static struct amk_buf expected = AMK_BUF_INIT(1u << 30); /* what a reader of all from 0 has to get */
static uint64_t rows;

static uint32_t rnd(uint32_t n)
{
	static uint32_t x = 2463534242u; /* xorshift, Marsaglia 2003 */

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static void frame(struct amk_buf *b, uint64_t id, const char *line, size_t n)
{
	amk_buf_addf(b, "<%llu:", (unsigned long long)id);
	amk_buf_add(b, line, n);
	amk_buf_addc(b, '>');
}

/* Most lines are short, some are longer than a chunk. */
static void append(int64_t session, uint64_t sequence)
{
	size_t n = rnd(200) == 0 ? AMK_CHUNK_SIZE + rnd(AMK_CHUNK_SIZE) : 20 + rnd(300);
	char *text AMK_AUTO(mem) = amk_malloc(n + 1), *with AMK_AUTO(mem) = NULL;

	memset(text, 'a' + (int)rnd(26), n);
	text[0] = '{';
	text[n - 1] = '}';
	text[n] = '\0';
	fixture_append(session, sequence, text);
	text[n - 1] = '\0';
	with = amk_strf("%s,\"cursor\":%llu}", text, (unsigned long long)++rows);
	frame(&expected, rows, with, strlen(with));
}

struct eager {
	struct amk_reader *r;
	struct amk_buf got;
	unsigned woken;
};

static void wake(void *arg)
{
	struct eager *e = arg;

	e->woken++;
}

static void eager_open(struct eager *e, struct amk_reader_spec *spec)
{
	amk_buf_init(&e->got, 1u << 30);
	spec->frame = frame;
	e->r = amk_reader_open(&d, spec, wake, e, &err);
}

/* Up to n pulls of sizes nobody chose; whether all was read. */
static bool eager_pull(struct eager *e, unsigned n, size_t most)
{
	size_t got;

	while (n--) {
		size_t max = 1 + rnd((uint32_t)most);

		if (amk_reader_pull(e->r, amk_buf_room(&e->got, max), max, &got) != AMK_PULL_BYTES)
			return true;
		e->got.n += got;
		e->got.s[e->got.n] = '\0';
	}
	return false;
}

static void eager_close(struct eager *e)
{
	amk_reader_close(e->r);
	amk_buf_release(&e->got);
}

/* Readers at a hundred places, while lines come, turns are undone and chunks are given up. */
static void test_all_at_once(void)
{
	static struct eager all[READERS];
	int64_t session = fixture_session("many");
	uint64_t sequence = 0;
	int good = 0;

	amk_store_commit(store, &err);
	for (int i = 0; i < READERS; i++)
		eager_open(&all[i], &(struct amk_reader_spec){ 0 });
	while (rows < LINES) {
		for (uint32_t n = 1 + rnd(5); n; n--)
			append(session, ++sequence);
		if (rnd(10) == 0)
			eager_pull(&all[rnd(READERS)], 100, 500); /* must not see what is not committed */
		amk_store_commit(store, &err);
		if (rnd(20) == 0) {
			fixture_append(session, sequence + 1, "undone");
			amk_store_rollback(store);
		}
		for (int i = 0; i < 10; i++)
			eager_pull(&all[rnd(READERS)], rnd(30), 2000);
		if (rnd(50) == 0)
			amk_chunks_age(d.chunks);
	}
	for (int i = 0; i < READERS; i++) {
		while (!eager_pull(&all[i], 1000, 20000))
			;
		good += all[i].got.n == expected.n && memcmp(all[i].got.s, expected.s, expected.n) == 0 &&
			amk_reader_cursor(all[i].r) == rows && amk_reader_between(all[i].r) && all[i].woken > 0;
		eager_close(&all[i]);
	}
	is_int(good, READERS, "each gets every committed line once, in order, byte for byte");
}

/* What is committed while a reader stands at the end, or in the midst of the last frames, is not missed. */
static void test_following(void)
{
	struct eager e = { 0 };
	int64_t session = fixture_session("followed");
	uint64_t from = rows;
	size_t before = expected.n;

	amk_store_commit(store, &err);
	eager_open(&e, &(struct amk_reader_spec){ .after = from });
	for (uint64_t i = 1; i <= 200; i++) {
		append(session, i);
		amk_store_commit(store, &err);
		eager_pull(&e, i % 3 ? 100000 : 2, 2000);
	}
	eager_pull(&e, 100000, 2000);
	ok(e.got.n == expected.n - before && memcmp(e.got.s, expected.s + before, e.got.n) == 0, "following");
	is_int(e.woken, 200, "woken by each commit");
	eager_close(&e);
}

static void test_limit(void)
{
	struct eager e = { 0 };
	const char *third;

	eager_open(&e, &(struct amk_reader_spec){ .limit = 2 });
	ok(eager_pull(&e, 100000, 4096), "ends");
	third = strstr(expected.s, "<3:");
	ok(e.got.n == (size_t)(third - expected.s) && memcmp(e.got.s, expected.s, e.got.n) == 0, "behind two lines");
	ok(amk_reader_has_more(e.r), "and knows that there are more");
	is_int((long long)amk_reader_cursor(e.r), 2, "at the cursor of the second");
	eager_close(&e);
}

static void test_no_session(void)
{
	struct amk_reader_spec spec = { .session_id = "nobody", .frame = frame };

	d.sessions = amk_sessions_open(&(struct amk_sessions_conf){ .loop = loop, .store = store, .run_dir = -1 }, &err);
	ok(!amk_reader_open(&d, &spec, NULL, NULL, &err) && err.code == AMK_ENOSESSION, "no such session");
	amk_sessions_close(d.sessions);
	d.sessions = NULL;
}

/* Lines are kept from a number on: whoever asks for earlier ones is told, once, with both ends. */
static void test_gaps(void)
{
	struct eager e = { 0 }, late = { 0 }, plain = { 0 };
	int64_t session = fixture_session("short");
	uint64_t first = rows + 1;

	for (uint64_t i = 1; i <= 5; i++)
		fixture_append(session, i, "{}");
	amk_store_commit(store, &err);
	rows += 5;
	d.sessions = amk_sessions_open(&(struct amk_sessions_conf){ .loop = loop, .store = store, .run_dir = -1 }, &err);
	eager_open(&e, &(struct amk_reader_spec){ .session_id = "short", .hidden = true, .after = 1 });
	eager_open(&plain, &(struct amk_reader_spec){ .session_id = "short" });
	amk_log_forgotten(store, session, first + 2, &err);
	fixture_sql("DELETE FROM log WHERE line = '{}' AND sequence < 4");
	amk_store_commit(store, &err);
	eager_pull(&e, 1000, 7);
	is_str(e.got.s, "<0:{\"type\":\"gap\",\"session_id\":\"short\",\"after\":1,\"before\":4}><4:{}><5:{}>", "of a session");
	eager_pull(&plain, 1000, 7);
	is_str(plain.got.s, "<4:{}><5:{}>", "who does not see all numbers is not told");
	eager_open(&late, &(struct amk_reader_spec){ .hidden = true, .notices = true, .after = first - 1 });
	eager_pull(&late, 1000, 9);
	ok(strstr(late.got.s, "\"type\":\"gap\"") && !strstr(strstr(late.got.s, "\"gap\"") + 1, "\"gap\""),
	   "of all sessions, once");
	eager_close(&e);
	eager_close(&plain);
	eager_close(&late);
	amk_sessions_close(d.sessions);
	d.sessions = NULL;
}

int main(void)
{
	fixture_begin();
	d.store = store;
	d.chunks = amk_chunks_new(&d);
	test_all_at_once();
	test_following();
	test_limit();
	test_no_session();
	test_gaps();
	amk_chunks_free(d.chunks);
	amk_buf_release(&expected);
	fixture_end();
	return tap_done();
}
