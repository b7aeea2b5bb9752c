/* SPDX-License-Identifier: Apache-2.0 */
/* The tables. A step that has been released is never changed: what is new comes as a further step. */
#include "store/schema.h"

#include <stdio.h>
#include <string.h>

#define APPLICATION_ID 0x616d6b61 /* "amka", for file(1) */

/*
 * Rows whose numbers outlive them (folder names, decision ids, positions of inputs) are AUTOINCREMENT:
 * their numbers are never used again. The log's row is the order of all commits. In the log the line
 * comes last, so that what stands before it is read without it.
 */
static const char *const steps[] = {
	"CREATE TABLE session("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, agent TEXT NOT NULL,"
	"  spec TEXT NOT NULL, native_id TEXT, state TEXT NOT NULL, sequence INTEGER NOT NULL,"
	"  created INTEGER NOT NULL, updated INTEGER NOT NULL, ended INTEGER NOT NULL);"
	"CREATE TABLE log("
	"  row INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
	"  hidden INTEGER NOT NULL, raw_at INTEGER NOT NULL, run INTEGER, raw_offset INTEGER NOT NULL,"
	"  raw_n INTEGER NOT NULL, line TEXT NOT NULL, UNIQUE(session, sequence));"
	"CREATE TABLE message("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  id TEXT NOT NULL, state INTEGER NOT NULL, \"after\" INTEGER NOT NULL, created INTEGER NOT NULL,"
	"  text TEXT NOT NULL, UNIQUE(session, id));"
	"CREATE INDEX message_queued ON message(session, row) WHERE state = 0;"
	"CREATE TABLE run("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  incarnation INTEGER NOT NULL, in_n INTEGER NOT NULL, out_n INTEGER NOT NULL,"
	"  checkpoint_input INTEGER NOT NULL, checkpoint_out INTEGER NOT NULL, ended INTEGER NOT NULL,"
	"  checkpoint TEXT);"
	"CREATE INDEX run_session ON run(session, row);"
	"CREATE TABLE input("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES run,"
	"  at INTEGER NOT NULL, out_n INTEGER NOT NULL, input TEXT NOT NULL, bytes BLOB NOT NULL);"
	"CREATE INDEX input_run ON input(run, row);"
	"CREATE TABLE decision("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  run INTEGER REFERENCES run, native_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,"
	"  created INTEGER NOT NULL, closed INTEGER NOT NULL, answered_by TEXT, answer TEXT,"
	"  request TEXT NOT NULL, UNIQUE(run, native_id));"
	"CREATE INDEX decision_session ON decision(session, row);"
	"CREATE INDEX decision_open ON decision(row) WHERE state = 'open';",
	/* The log's rows are a cursor: where the last of them was deleted, this remembers it. */
	"CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO counter VALUES('log_forgotten', 0);",
	/* What a message brings besides its text, as the agent is given it. */
	"ALTER TABLE message ADD COLUMN attachments TEXT;",
	/*
	 * What a session was made from holds secrets and does not change: it is written once, apart from the row
	 * that every turn writes, and so that its deletion leaves nothing, see AMK_SCHEMA_SPEC. Sessions that have
	 * ended are not loaded; forgotten ones are being deleted.
	 */
	"CREATE TABLE spec(session INTEGER PRIMARY KEY REFERENCES session, spec TEXT NOT NULL);"
	"INSERT INTO spec SELECT row, " AMK_SCHEMA_SPEC("spec") " FROM session;"
	"ALTER TABLE session DROP COLUMN spec;"
	"ALTER TABLE session ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX session_living ON session(row) WHERE ended = 0;"
	"CREATE INDEX session_forgotten ON session(row) WHERE forgotten = 1;",
	/*
	 * A line with a shape is its head (number and time), the shape's first `prefix` bytes, what is in the row, and the
	 * shape's last `suffix` bytes; without one it stands in the row as it is. The unit test says the same in SQL. (No
	 * view does: met first among the tables, it would make SQLite's integrity check look at half of what it should.)
	 */
	"CREATE TABLE shape("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  kind TEXT NOT NULL, sequence INTEGER NOT NULL, text BLOB NOT NULL);"
	"CREATE INDEX shape_kind ON shape(session, kind);"
	"ALTER TABLE log RENAME TO log_before;"
	"CREATE TABLE log("
	"  row INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
	"  hidden INTEGER NOT NULL, raw_at INTEGER NOT NULL, run INTEGER, raw_offset INTEGER NOT NULL,"
	"  raw_n INTEGER NOT NULL, shape INTEGER, time INTEGER NOT NULL DEFAULT 0,"
	"  prefix INTEGER NOT NULL DEFAULT 0, suffix INTEGER NOT NULL DEFAULT 0, line TEXT NOT NULL,"
	"  UNIQUE(session, sequence));"
	"INSERT INTO log(row, session, sequence, hidden, raw_at, run, raw_offset, raw_n, line)"
	"  SELECT row, session, sequence, hidden, raw_at, run, raw_offset, raw_n, line FROM log_before ORDER BY row;"
	"DROP TABLE log_before;",
	/* What hooks are still to be told: state 0 waiting, 1 given up. The line last, so that it is read only when sent. */
	"CREATE TABLE delivery("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL, session INTEGER NOT NULL REFERENCES session,"
	"  sequence INTEGER NOT NULL, event TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	"  created INTEGER NOT NULL, due INTEGER NOT NULL, until INTEGER NOT NULL, error TEXT, line TEXT NOT NULL);"
	"CREATE INDEX delivery_due ON delivery(hook, due, row) WHERE state = 0;"
	"CREATE INDEX delivery_failed ON delivery(row) WHERE state = 1;"
	"CREATE INDEX delivery_session ON delivery(session);",
	/*
	 * A decision's way: why it was closed, by which rule, until when, which it repeats (by what is asked, as a hash),
	 * where in the program's stdin its answer ends (0: nobody's; -1: the step is not over), when that was read.
	 */
	"ALTER TABLE decision ADD COLUMN reason TEXT;"
	"ALTER TABLE decision ADD COLUMN rule TEXT;"
	"ALTER TABLE decision ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE decision ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE decision ADD COLUMN content TEXT;"
	"ALTER TABLE decision ADD COLUMN delivery INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE decision ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX decision_content ON decision(session, content);"
	"CREATE INDEX decision_deadline ON decision(deadline) WHERE state = 'open' AND deadline > 0;",
	/*
	 * A session's state with its reason and the time of its change; why its program is about to be ended. What stood
	 * there of living ones is put right when they are taken up.
	 */
	"ALTER TABLE session ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE session ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE session ADD COLUMN leaving TEXT;"
	"UPDATE session SET since = updated, leaving = iif(state = 'ending', 'ending', NULL),"
	"  reason = iif(ended, 'terminated', ''), state = iif(state = 'ending', 'working', state);",
	/* Rules, in their order by scope and position; and what was looked at for a decision. */
	"CREATE TABLE rule("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, session INTEGER REFERENCES session,"
	"  position INTEGER NOT NULL, agent TEXT, kind TEXT NOT NULL, tool TEXT, command TEXT, path TEXT, input TEXT,"
	"  action TEXT NOT NULL, message TEXT, made_by TEXT, created INTEGER NOT NULL);"
	"CREATE INDEX rule_session ON rule(session, position);"
	"CREATE TABLE ruling(decision INTEGER PRIMARY KEY REFERENCES decision, trace TEXT NOT NULL);",
#ifdef AMIKA_SCHEMA_NEXT /* tests/tools/amikad-next: a version that is still to come */
	"CREATE TABLE next(row INTEGER PRIMARY KEY);",
#endif
};

static int number(struct amk_sql *q, const char *sql, int64_t *v, struct amk_err *e)
{
	sqlite3_stmt *st = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(q->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		*v = sqlite3_column_int64(st, 0);
	else
		r = amk_sql_trouble(q, "reading the database", e);
	sqlite3_finalize(st);
	return r;
}

static int wal_begin(struct amk_sql *q, struct amk_err *e)
{
	sqlite3_stmt *st = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(q->db, "PRAGMA journal_mode = WAL", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		r = amk_sql_trouble(q, "preparing the database", e);
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "wal") != 0)
		r = amk_err_set(e, AMK_EFAILED, "this file system cannot hold the database (no shared memory)");
	sqlite3_finalize(st);
	return r;
}

/* The version found, 0 for an empty file; -1 when it is not ours to write. */
static int64_t version_check(struct amk_sql *q, struct amk_err *e)
{
	int64_t application, version, tables;

	if (number(q, "PRAGMA application_id", &application, e) < 0 ||
	    number(q, "PRAGMA user_version", &version, e) < 0 ||
	    number(q, "SELECT count(*) FROM sqlite_master", &tables, e) < 0)
		return -1;
	if (application == 0 && version == 0 && tables == 0)
		return 0;
	if (application != APPLICATION_ID || version < 1) {
		amk_err_set(e, AMK_EFAILED, "the database was not made by amika");
		return amk_err_hint(e, "move it away, or set AMIKA_STATE_DIRECTORY");
	}
	if (version > (int64_t)AMK_COUNT(steps)) {
		amk_err_set(e, AMK_EFAILED, "the database was written by a newer amika (version %d, this one knows %d)",
			    (int)version, (int)AMK_COUNT(steps));
		return amk_err_hint(e, "install that amika again, or set AMIKA_STATE_DIRECTORY");
	}
	return version;
}

int amk_schema_known(struct amk_sql *q, struct amk_err *e)
{
	return version_check(q, e) < 0 ? -1 : 0;
}

static int step_apply(struct amk_sql *q, int64_t version, struct amk_err *e)
{
	char mark[128];

	snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID,
		 (int)version + 1);
	if (amk_sql_exec(q, "making the tables", "BEGIN EXCLUSIVE", e) == 0 &&
	    amk_sql_exec(q, "making the tables", steps[version], e) == 0 &&
	    amk_sql_exec(q, "making the tables", mark, e) == 0)
		return 0;
	sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

int amk_schema_prepare(struct amk_sql *q, struct amk_err *e)
{
	static const char before[] = "PRAGMA page_size = 4096";
	static const char after[] = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;"
				    "PRAGMA journal_size_limit = 4194304; PRAGMA foreign_keys = ON;"
				    "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
				    "PRAGMA secure_delete = ON"; /* what is forgotten is overwritten */
	int64_t version = version_check(q, e);

	if (version < 0)
		return -1;
	if (amk_sql_exec(q, "preparing the database", before, e) < 0 || wal_begin(q, e) < 0 ||
	    amk_sql_exec(q, "preparing the database", after, e) < 0)
		return -1;
	for (; version < (int64_t)AMK_COUNT(steps); version++)
		if (step_apply(q, version, e) < 0)
			return -1;
	return 0;
}

int amk_schema_check(struct amk_sql *q, struct amk_err *e)
{
	int64_t version = version_check(q, e);

	if (version < 0)
		return -1;
	if (version == (int64_t)AMK_COUNT(steps))
		return 0;
	amk_err_set(e, AMK_EFAILED, "the database is of version %d, this amika has %d", (int)version,
		    (int)AMK_COUNT(steps));
	return amk_err_hint(e, "start amikad: it makes the one of the other");
}

int amk_schema_probe(struct amk_sql *q, struct amk_err *e)
{
	char sql[96];

	snprintf(sql, sizeof sql, "BEGIN IMMEDIATE; PRAGMA user_version = %d; COMMIT", (int)AMK_COUNT(steps));
	if (amk_sql_exec(q, "trying to write", sql, e) == 0)
		return 0;
	/* SQLite may have rolled back by itself. */
	if (!sqlite3_get_autocommit(q->db))
		sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}
