/* SPDX-License-Identifier: Apache-2.0 */
/* Lines stored by what they do not have in common come back byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "store_fixture.h"
#include "store/inside.h"

#define LINES 600

/* What was appended to a session, by number. */
struct said {
	int64_t session;
	char *lines[LINES + 501];
	int right; /* lines read as they were said, without one that was not before them */
};

static struct said a, b;

static int append(struct said *said, uint64_t sequence, const char *kind, const char *body)
{
	char **line = &said->lines[sequence];
	int64_t time = INT64_C(1770595200000000000) + (int64_t)sequence * 1234567;
	struct amk_log_line l = { .session = said->session, .sequence = sequence, .time = time, .kind = kind };
	char head[AMK_EVENT_HEAD];

	amk_event_head(head, sequence, time);
	free(*line);
	l.line = *line = amk_strf("%s,\"type\":\"%s\",\"data\":{%s}}", head, kind, body);
	l.n = strlen(l.line);
	return amk_log_append(store, &l, &err);
}

static bool same_line(void *arg, const struct amk_log_line *line)
{
	struct said *said = arg;
	const char *want = said->lines[line->sequence];

	if (strlen(want) == line->n && memcmp(want, line->line, line->n) == 0 &&
	    line->sequence == (uint64_t)said->right + 1)
		said->right++;
	else
		printf("# %llu: %s\n", (unsigned long long)line->sequence, line->line);
	return true;
}

/* The last line of those that follow one another from there on and are as they were said. */
static int right_after(struct said *said, int after)
{
	const struct amk_log_range all = { .session = said->session, .after = (uint64_t)after, .limit = UINT64_MAX,
					   .hidden = true };

	said->right = after;
	return amk_log_read(store, &all, same_line, said, &err) < 0 ? -1 : said->right;
}

static int right(struct said *said)
{
	return right_after(said, 0);
}

static int64_t count(const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(store->sql.db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void append_many(struct said *said, uint64_t from, uint64_t to)
{
	char body[256];
	int r = 0;

	for (uint64_t i = from; i <= to; i++) {
		snprintf(body, sizeof body, "\"item_id\":\"itm_%d\",\"native_item_id\":\"native_%d\",\"delta\":\"%llu\"",
			 (int)(i / 200), (int)(i / 200), (unsigned long long)i * 7919);
		r |= append(said, i, "item.delta", body);
	}
	is_int(r | amk_store_commit(store, &err), 0, "many lines that look alike");
}

static void test_alike(void)
{
	int64_t bytes = 0, shapes;

	append_many(&a, 1, 300);
	is_int(right(&a), 300, "come back as they were");
	for (int i = 1; i <= 300; i++)
		bytes += (int64_t)strlen(a.lines[i]);
	ok(count("SELECT sum(length(line)) FROM log") * 5 < bytes, "stored in a fifth");
	shapes = count("SELECT count(*) FROM shape");
	ok(shapes >= 1 && shapes <= 4, "with few shapes");
	fixture_reopen();
	append_many(&a, 301, 380);
	is_int(count("SELECT count(*) FROM shape"), (int)shapes, "after a restart the same shapes go on");
	is_int(right(&a), 380, "and all comes back");
}

/* The same numbers in every run. */
static unsigned some(unsigned below)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(state >> 33) % below;
}

/* Texts that share a random beginning and end, of any length, with bytes above 127. */
static void random_body(char *to, size_t max)
{
	static const char *const parts[] = { "\"a\":1,", "\"text\":\"\xc3\xa4\xc3\xb6\"", ",\"b\":[1,2,3]", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
					     "\"text\":\"\xc3\xa4\xc3\xbc\"", "\"long\":\"0123456789012345678901234567890123456789\"" };
	size_t n = 0;

	to[0] = '\0';
	for (int i = (int)some(40); i > 0; i--)
		n += (size_t)snprintf(to + n, max - n, "%s", parts[some(some(8) ? 3 : AMK_COUNT(parts))]);
}

static void test_any(void)
{
	static const char *const kinds[] = { "item.delta", "item.started", "turn.ended", "error" };
	char body[4096];
	int r = 0;

	for (uint64_t i = 1; i <= LINES; i++) {
		random_body(body, sizeof body);
		r |= append(&b, i, kinds[some(4)], body);
		if (i % 50 == 0)
			r |= amk_store_commit(store, &err);
	}
	is_int(r, 0, "lines of any look");
	is_int(right(&b), LINES, "come back as they were");
	is_int(count("SELECT count(*) FROM log WHERE prefix + suffix > 0") > 0, 1, "some by shapes");
}

static void test_undone(void)
{
	append_many(&a, 381, 400);
	for (int round = 0; round < 2; round++) {
		char body[300], *text = amk_strf("\"new\":\"%0200d\"", round);

		for (uint64_t i = 401; i <= 420; i++) {
			snprintf(body, sizeof body, "%s,\"i\":%d", text, (int)i);
			append(&a, i, "item.delta", body);
		}
		if (round == 0)
			amk_store_rollback(store);
		free(text);
	}
	amk_store_commit(store, &err);
	is_int(right(&a), 420, "a shape of a turn that was undone is used by nobody");
}

/* For people with sqlite3: how a stored line becomes whole. */
#define WHOLE_LINES \
	"SELECT log.row, log.session, log.sequence, CASE WHEN shape IS NULL THEN line ELSE" \
	" '{\"event_id\":\"evt_' || log.sequence || '\",\"sequence\":' || log.sequence || ',\"time\":\"'" \
	" || strftime('%Y-%m-%dT%H:%M:%S.', time / 1000000000, 'unixepoch') || printf('%09dZ\"', time % 1000000000)" \
	" || CAST(substr(text, 1, prefix) || CAST(line AS BLOB) || substr(text, length(text) - suffix + 1) AS TEXT)" \
	" END AS line FROM log LEFT JOIN shape ON shape.row = log.shape"

static void test_sql(void)
{
	sqlite3_stmt *st = NULL;
	int wrong = 0, n = 0;

	sqlite3_prepare_v2(store->sql.db, WHOLE_LINES, -1, &st, NULL);
	for (; sqlite3_step(st) == SQLITE_ROW; n++) {
		const struct said *said = sqlite3_column_int64(st, 1) == a.session ? &a : &b;
		const char *line = said->lines[sqlite3_column_int64(st, 2)];

		if (strcmp((const char *)sqlite3_column_text(st, 3), line) != 0 && wrong++ == 0)
			printf("# %s\n# %s\n", sqlite3_column_text(st, 3), line);
	}
	sqlite3_finalize(st);
	is_int(wrong, 0, "SQL puts whole lines together");
	is_int(n, 420 + LINES, "all of them");
}

/* What later versions added, taken away again. */
static void undo_later(void)
{
	fixture_sql("DROP TABLE delivery; DROP TABLE rule; DROP TABLE ruling;"
		    "DROP INDEX decision_content; DROP INDEX decision_deadline;"
		    "ALTER TABLE decision DROP COLUMN reason; ALTER TABLE decision DROP COLUMN rule;"
		    "ALTER TABLE decision DROP COLUMN deadline; ALTER TABLE decision DROP COLUMN previous;"
		    "ALTER TABLE decision DROP COLUMN content; ALTER TABLE decision DROP COLUMN delivery;"
		    "ALTER TABLE decision DROP COLUMN delivered");
}

/* A database from before there were shapes: its lines are whole, and stay so. */
static void test_older(void)
{
	undo_later();
	fixture_sql("CREATE TABLE whole(row INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session,"
		    " sequence INTEGER NOT NULL, hidden INTEGER NOT NULL, raw_at INTEGER NOT NULL, run INTEGER,"
		    " raw_offset INTEGER NOT NULL, raw_n INTEGER NOT NULL, line TEXT NOT NULL, UNIQUE(session, sequence));"
		    "INSERT INTO whole SELECT log.row, log.session, log.sequence, hidden, raw_at, run, raw_offset, raw_n,"
		    " event.line FROM log JOIN (" WHOLE_LINES ") AS event ON event.row = log.row;"
		    "DROP TABLE log; DROP TABLE shape; ALTER TABLE whole RENAME TO log;"
		    "ALTER TABLE session DROP COLUMN reason; ALTER TABLE session DROP COLUMN since;"
		    "ALTER TABLE session DROP COLUMN leaving;"
		    "PRAGMA user_version = 4");
	fixture_reopen();
	is_int(right(&a), 420, "an older database is read");
	is_int(count("SELECT count(shape) FROM log"), 0, "its lines as they were stored");
	append_many(&a, 421, 450);
	is_int(right(&a), 450, "and written to");
	is_int(right(&b), LINES, "with every session");
}

/* What no line needs any more goes with the lines that did. */
static void test_forgetting(void)
{
	int64_t shapes;
	uint64_t first = 0;

	append_many(&b, LINES + 1, LINES + 200);
	append_many(&b, LINES + 201, LINES + 400);
	append_many(&b, LINES + 401, LINES + 450);
	shapes = count("SELECT count(*) FROM shape");
	ok(amk_state_forget_events(store, b.session, LINES + 390, 100000, &first, &err) == 0 &&
	   amk_store_commit(store, &err) == 0 && first == LINES + 391, "a session forgets its oldest lines");
	ok(count("SELECT count(*) FROM shape") < shapes, "and shapes");
	is_int(right_after(&b, LINES + 390), LINES + 450, "not those it needs");
	append_many(&b, LINES + 451, LINES + 500);
	is_int(right_after(&b, LINES + 390), LINES + 500, "and goes on");
}

/* More kinds and sessions at a time than are kept in memory. */
static void test_crowd(void)
{
	enum { CROWD = 60, KINDS = 20, ROUNDS = 12 };
	static struct said crowd[CROWD];
	char name[32], kind[32], body[128];
	int bad = 0;

	for (int i = 0; i < CROWD; i++) {
		snprintf(name, sizeof name, "crowd%d", i);
		crowd[i].session = fixture_session(name);
	}
	for (int n = 0; n < ROUNDS * KINDS * CROWD; n++) {
		struct said *said = &crowd[n % CROWD];

		snprintf(kind, sizeof kind, "kind.%d", n / CROWD % KINDS);
		snprintf(body, sizeof body, "\"of\":\"%s, said by %d\",\"n\":%d", kind, n % CROWD, n);
		bad += append(said, (uint64_t)(n / CROWD) + 1, kind, body) < 0;
	}
	bad += amk_store_commit(store, &err) < 0;
	for (int i = 0; i < CROWD; i++) {
		bad += right(&crowd[i]) != ROUNDS * KINDS;
		for (int n = 1; n <= ROUNDS * KINDS; n++)
			free(crowd[i].lines[n]);
	}
	is_int(bad, 0, "sixty sessions with twenty kinds of lines each come back");
}

static void test_damaged(void)
{
	fixture_sql("UPDATE log SET prefix = 100000 WHERE sequence = 445 AND shape IS NOT NULL");
	is_int(right(&a), -1, "a row that does not fit its shape is not read");
	ok(strstr(err.msg, "does not fit its shape"), "in a sentence");
	fixture_sql("DELETE FROM shape");
	fixture_reopen();
	is_int(right(&b), -1, "nor one without its shape");
	ok(strstr(err.msg, "is missing"), "in a sentence");
}

int main(void)
{
	fixture_begin();
	a.session = fixture_session("a");
	b.session = fixture_session("b");
	test_alike();
	test_any();
	test_undone();
	test_sql();
	test_older();
	test_forgetting();
	test_crowd();
	test_damaged();
	fixture_end();
	for (int i = 1; i <= LINES + 500; i++) {
		free(a.lines[i]);
		free(b.lines[i]);
	}
	return tap_done();
}
