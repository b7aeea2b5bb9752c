/* SPDX-License-Identifier: Apache-2.0 */
/* The checks as a table: a name, a remedy, and a statement that gives a line for each thing that is wrong. */
#include "store/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "store/schema.h"
#include "store/sql.h"

#define SHOWN 3		/* of what is wrong */
#define STEPS 200000	/* of SQLite's machine between two signs of life */
#define LOCKED_MS 5000

struct amk_verify {
	struct amk_sql sql;
	struct amk_verify_to to;
	const char *name; /* of the check at work */
};

struct check {
	const char *name, *needed_for, *remedy;
	struct amk_sql_stmt stmt;
};

#define COPY "stop amikad and put a copy of amika.db back"

/* A session whose id begins with a dot is being forgotten: it is there in parts. */
static const struct check checks[] = {
	{ "integrity", "everything",
	  COPY ", or save what can be read: sqlite3 amika.db .recover",
	  { "checking the database", "SELECT * FROM pragma_integrity_check(20) WHERE integrity_check != 'ok'" } },
	{ "foreign keys", "rows that belong together",
	  COPY,
	  { "checking the foreign keys",
	    "SELECT 'a row of ' || \"table\" || ' (' || rowid || ') names no ' || parent FROM pragma_foreign_key_check" } },
	{ "sequences", "readers that miss nothing",
	  COPY "; until then readers of these sessions may miss events",
	  { "checking the sequences",
	    "WITH line AS (SELECT session, sequence, row, lag(sequence) OVER w AS before, lag(row) OVER w AS above"
	    "  FROM log WINDOW w AS (PARTITION BY session ORDER BY sequence)),"
	    " kept AS (SELECT coalesce((SELECT value FROM counter WHERE name = 'log_forgotten'), 0) = 0 AS all_of_it)"
	    " SELECT 'session ' || id || ': ' || CASE"
	    "  WHEN before IS NULL THEN 'its first event is ' || line.sequence"
	    "  WHEN line.sequence != before + 1 THEN line.sequence || ' follows ' || before"
	    "  ELSE line.sequence || ' was written before ' || before END"
	    " FROM line JOIN session ON session.row = line.session, kept"
	    " WHERE id NOT LIKE '.%' AND ((before IS NULL AND line.sequence != 1 AND all_of_it)"
	    "  OR line.sequence != before + 1 OR line.row <= above)"
	    " UNION ALL"
	    " SELECT 'session ' || id || ': ends with ' || coalesce(last, 0) || ', its row says ' || sequence FROM"
	    "  (SELECT id, sequence, (SELECT max(sequence) FROM log WHERE log.session = session.row) AS last"
	    "   FROM session WHERE id NOT LIKE '.%'), kept"
	    " WHERE sequence != coalesce(last, 0) AND (last IS NOT NULL OR all_of_it)" } },
	{ "shapes", "events that can be read whole",
	  COPY,
	  { "checking the shapes",
	    "SELECT 'session ' || session.id || ': event ' || log.sequence || CASE WHEN shape.row IS NULL"
	    "  THEN ' has lost its shape' ELSE ' does not fit its shape' END"
	    " FROM log JOIN session ON session.row = log.session LEFT JOIN shape ON shape.row = log.shape"
	    " WHERE log.shape IS NOT NULL AND session.id NOT LIKE '.%'"
	    "  AND (shape.session IS NOT log.session OR prefix + suffix > length(shape.text))" } },
	{ "orphans", "sessions that are whole",
	  COPY,
	  { "looking for orphans",
	    "SELECT what || ' ' || row || ' belongs to no ' || parent FROM ("
	    " SELECT 'message' AS what, row, 'session' AS parent FROM message WHERE session NOT IN (SELECT row FROM session)"
	    " UNION ALL SELECT 'run', row, 'session' FROM run WHERE session NOT IN (SELECT row FROM session)"
	    " UNION ALL SELECT 'event', row, 'session' FROM log WHERE session NOT IN (SELECT row FROM session)"
	    " UNION ALL SELECT 'shape', row, 'session' FROM shape WHERE session NOT IN (SELECT row FROM session)"
	    " UNION ALL SELECT 'decision', row, 'session' FROM decision WHERE session NOT IN (SELECT row FROM session)"
	    " UNION ALL SELECT 'delivery', row, 'session' FROM delivery WHERE session NOT IN (SELECT row FROM session)"
	    " UNION ALL SELECT 'decision', row, 'run' FROM decision WHERE run NOT IN (SELECT row FROM run)"
	    " UNION ALL SELECT 'input', row, 'run' FROM input WHERE run NOT IN (SELECT row FROM run))" } },
	{ "decisions", "answers that reach somebody",
	  "nobody waits for them: end the session (amika session end)",
	  { "checking the decisions",
	    "SELECT 'd_' || decision.row || ' is open, and what asked has ended' FROM decision"
	    " LEFT JOIN run ON run.row = decision.run LEFT JOIN session ON session.row = decision.session"
	    " WHERE decision.state = 'open' AND (run.ended OR session.ended)" } },
	{ "messages", "messages that are sent",
	  "they will not be sent: send them to another session",
	  { "checking the messages",
	    "SELECT 'message ' || message.id || ' waits in session ' || session.id || ', which has ended' FROM message"
	    " JOIN session ON session.row = message.session WHERE message.state = 0 AND session.ended"
	    " AND session.id NOT LIKE '.%'" } },
	{ "runs", "programs that are kept by one session",
	  "amikad restart; if it stays, end the session (amika session end)",
	  { "checking the runs",
	    "SELECT 'run ' || row || ' has not ended, and a later one of its session was begun' FROM run"
	    " WHERE NOT ended AND row != (SELECT max(row) FROM run AS other WHERE other.session = run.session)"
	    " UNION ALL"
	    " SELECT 'run ' || run.row || ' has not ended, its session ' || session.id || ' has' FROM run"
	    " JOIN session ON session.row = run.session WHERE NOT run.ended AND session.ended"
	    " AND session.id NOT LIKE '.%'" } },
	{ "checkpoints", "programs that outlive the daemon",
	  "end these sessions' programs: amikad stop",
	  { "checking the checkpoints",
	    "SELECT 'run ' || row || ': its checkpoint is at ' || checkpoint_out || ' of its output, the log at ' || out_n"
	    " FROM run WHERE NOT ended AND checkpoint_out > out_n"
	    " UNION ALL"
	    " SELECT 'run ' || run.row || ': input ' || input.row || ' is kept behind its checkpoint' FROM input"
	    " JOIN run ON run.row = input.run WHERE input.row <= checkpoint_input"
	    " UNION ALL"
	    " SELECT 'run ' || run.row || ': input ' || input.row || ' was made at ' || input.out_n ||"
	    "  ' of its output, the log is at ' || run.out_n FROM input"
	    " JOIN run ON run.row = input.run WHERE input.out_n > run.out_n" } },
};

static const struct amk_sql_stmt runs = {
	"reading the runs",
	"SELECT run.row, session.id, in_n, out_n, run.ended,"
	" (SELECT min(at) FROM input WHERE input.run = run.row AND length(bytes) > 0),"
	" (SELECT max(at + length(bytes)) FROM input WHERE input.run = run.row AND length(bytes) > 0)"
	" FROM run LEFT JOIN session ON session.row = run.session ORDER BY run.row",
};

static int still_working(void *arg)
{
	struct amk_verify *v = arg;

	v->to.working(v->to.arg, v->name);
	return 0;
}

static void check_one(struct amk_verify *v, const struct check *k)
{
	struct amk_buf detail AMK_AUTO(buf) = AMK_BUF_INIT(16384);
	struct amk_finding f = { .name = k->name, .needed_for = k->needed_for, .remedy = k->remedy };
	struct amk_err e = { 0 };
	struct amk_sql_call c;
	unsigned n = 0;

	v->name = k->name;
	amk_sql_begin(&c, &v->sql, &k->stmt);
	for (; amk_sql_row(&c); n++)
		if (n < SHOWN)
			amk_buf_addf(&detail, "%s%.200s", n ? "; " : "", amk_sql_col_str(&c, 0));
	if (n > SHOWN)
		amk_buf_addf(&detail, "; and %u more", n - SHOWN);
	if (amk_sql_end(&c, &e) < 0) {
		amk_buf_addf(&detail, "%s%s", n ? "; " : "", e.msg);
		f.remedy = e.hint[0] ? e.hint : k->remedy;
		n++;
	}
	f.good = n == 0;
	f.detail = n ? detail.s : NULL;
	v->to.found(v->to.arg, &f);
}

/* Writing is possible for SQLite's sake only (the WAL's index): nothing of ours writes. */
static int database_open(struct amk_sql *q, const char *file, struct amk_err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

	if (sqlite3_open_v2(file, &q->db, flags, NULL) != SQLITE_OK)
		return amk_sql_trouble(q, "opening the database", e);
	sqlite3_busy_timeout(q->db, LOCKED_MS);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (amk_sql_exec(q, "opening the database", "PRAGMA query_only = ON; BEGIN", e) < 0)
		return -1;
	return amk_schema_check(q, e);
}

struct amk_verify *amk_verify_begin(const char *file, const struct amk_verify_to *to)
{
	struct amk_finding f = { .name = "database", .needed_for = "everything", .good = true };
	struct amk_verify *v = amk_calloc(1, sizeof *v);
	struct amk_err e = { 0 };

	v->to = *to;
	if (access(file, F_OK) < 0 && errno == ENOENT) {
		f.detail = "there is none yet";
	} else if (database_open(&v->sql, file, &e) < 0) {
		f.good = false;
		f.detail = e.msg;
		f.remedy = e.hint[0] ? e.hint : COPY;
	} else {
		f.detail = file;
		if (to->working)
			sqlite3_progress_handler(v->sql.db, STEPS, still_working, v);
		to->found(to->arg, &f);
		return v;
	}
	to->found(to->arg, &f);
	amk_sql_close(&v->sql);
	free(v);
	return NULL;
}

void amk_verify_tables(struct amk_verify *v)
{
	for (size_t i = 0; i < AMK_COUNT(checks); i++)
		check_one(v, &checks[i]);
}

int amk_verify_runs(struct amk_verify *v, void (*each)(void *arg, const struct amk_verify_run *r), void *arg,
		    struct amk_err *e)
{
	struct amk_sql_call c;

	v->name = "spools";
	amk_sql_begin(&c, &v->sql, &runs);
	while (amk_sql_row(&c)) {
		struct amk_verify_run r = {
			.row = amk_sql_col_int(&c, 0),
			.session_id = amk_sql_col_str(&c, 1),
			.in_n = (uint64_t)amk_sql_col_int(&c, 2),
			.out_n = (uint64_t)amk_sql_col_int(&c, 3),
			.ended = amk_sql_col_int(&c, 4),
			.recorded_from = (uint64_t)amk_sql_col_int(&c, 5),
			.recorded_to = (uint64_t)amk_sql_col_int(&c, 6),
		};

		each(arg, &r);
	}
	return amk_sql_end(&c, e);
}

void amk_verify_end(struct amk_verify *v)
{
	if (!v)
		return;
	amk_sql_close(&v->sql);
	free(v);
}
