/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements, the turn's transaction, and SQLite's errors in amika's words. */
#include "store/sql.h"

#include <errno.h>
#include <string.h>

const char *amk_sql_remedy(int sys)
{
	switch (sys) {
	case EIO:
		return "the disk of the state folder reports errors: see the kernel's log (dmesg)";
	case EROFS:
		return "mount the file system of the state folder writable again";
	case EMFILE:
	case ENFILE:
		return "too many files are open: raise the limit (ulimit -n)";
	case ENOSPC:
	case EDQUOT:
		return "make room: there is no space left on the disk of the state folder";
	default:
		return "is there space left on the disk of the state folder, and is it well?";
	}
}

static const char *hint_of(int code, int sys)
{
	switch (code) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return amk_sql_remedy(sys);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another program holds amika.db";
	case SQLITE_NOMEM:
		return "memory is short on this machine";
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return "make the state folder and amika.db writable, or set AMIKA_STATE_DIRECTORY";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "stop amikad, then put a copy of amika.db back, or move it away to begin anew";
	default:
		return NULL;
	}
}

static enum amk_code code_of(int code, int extended)
{
	switch (code) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_READONLY:
	case SQLITE_NOMEM:
		return AMK_EUNAVAILABLE;
	case SQLITE_CONSTRAINT:
		return extended == SQLITE_CONSTRAINT_UNIQUE ? AMK_ECONFLICT : AMK_EINTERNAL;
	case SQLITE_TOOBIG:
		return AMK_ETOOBIG;
	default:
		return AMK_EFAILED;
	}
}

static void say_trouble(sqlite3 *db, const char *doing, struct amk_err *e)
{
	/* SQLite keeps no errno of a commit; what follows a failed call in it succeeds, and leaves errno alone. */
	int code = sqlite3_errcode(db) & 0xff, sys = sqlite3_system_errno(db) ? sqlite3_system_errno(db) : errno;
	bool from_system = code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN;
	const char *hint = hint_of(code, from_system ? sys : 0);

	if (from_system && sys)
		amk_err_set(e, code_of(code, 0), "%s: %s: %s", doing, sqlite3_errmsg(db), strerror(sys));
	else
		amk_err_set(e, code_of(code, sqlite3_extended_errcode(db)), "%s: %s", doing, sqlite3_errmsg(db));
	e->sys = from_system ? sys : 0;
	if (hint)
		amk_err_hint(e, "%s", hint);
}

int amk_sql_trouble(struct amk_sql *q, const char *doing, struct amk_err *e)
{
	int code = sqlite3_errcode(q->db) & 0xff;
	struct amk_err why = { 0 };

	say_trouble(q->db, doing, &why);
	if ((code == SQLITE_CORRUPT || code == SQLITE_NOTADB) && q->damaged.code == AMK_OK) {
		q->damaged = why;
		q->damaged.code = AMK_EUNAVAILABLE;
	}
	if (e)
		*e = why;
	return -1;
}

static int open_with(struct amk_sql *q, const char *path, int flags, struct amk_err *e)
{
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	/* Counting what SQLite allocates would cost a lock at every allocation. Refused once it is in use. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	*q = (struct amk_sql){ 0 };
	if (sqlite3_open_v2(path, &q->db, flags, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(q->db, AMK_SQL_BUSY_MS);
		return 0;
	}
	amk_sql_trouble(q, "opening the database", e);
	amk_sql_close(q);
	return -1;
}

int amk_sql_open(struct amk_sql *q, const char *path, struct amk_err *e)
{
	return open_with(q, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
}

int amk_sql_open_to_read(struct amk_sql *q, const char *path, struct amk_err *e)
{
	return open_with(q, path, SQLITE_OPEN_READONLY, e);
}

void amk_sql_close(struct amk_sql *q)
{
	for (size_t i = 0; i < q->cached; i++)
		sqlite3_finalize(q->cache[i].st);
	q->cached = 0;
	if (sqlite3_close(q->db) != SQLITE_OK)
		AMK_BUG("closing the database: %s", sqlite3_errmsg(q->db));
	q->db = NULL;
}

int amk_sql_exec(struct amk_sql *q, const char *doing, const char *sql, struct amk_err *e)
{
	errno = 0;
	return sqlite3_exec(q->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : amk_sql_trouble(q, doing, e);
}

void amk_sql_rollback(struct amk_sql *q)
{
	/* SQLite may have rolled back by itself, when the disk was full. */
	if (q->turn && !sqlite3_get_autocommit(q->db))
		sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
	q->turn = false;
	q->broken.code = AMK_OK;
}

int amk_sql_commit(struct amk_sql *q, struct amk_err *e)
{
	if (!q->turn)
		return 0;
	if (q->broken.code == AMK_OK && amk_sql_exec(q, "committing", "COMMIT", &q->broken) == 0) {
		q->turn = false;
		return 0;
	}
	if (e)
		*e = q->broken;
	amk_sql_rollback(q);
	return -1;
}

/* Opens the turn's transaction if it is not open yet; false when the turn is broken. */
static bool turn_begin(struct amk_sql *q)
{
	if (!q->turn) {
		q->turn = true;
		if (q->damaged.code != AMK_OK)
			q->broken = q->damaged;
		else
			amk_sql_exec(q, "beginning to write", "BEGIN IMMEDIATE", &q->broken);
	}
	return q->broken.code == AMK_OK;
}

static sqlite3_stmt *cache_find(struct amk_sql *q, const struct amk_sql_stmt *stmt)
{
	for (size_t i = 0; i < q->cached; i++)
		if (q->cache[i].stmt == stmt)
			return q->cache[i].st;
	return NULL;
}

void amk_sql_begin(struct amk_sql_call *c, struct amk_sql *q, const struct amk_sql_stmt *stmt)
{
	*c = (struct amk_sql_call){ .q = q, .stmt = stmt, .st = cache_find(q, stmt) };
	if (!q->db) {
		c->rc = SQLITE_ABORT;
		return;
	}
	if (!c->st || sqlite3_stmt_busy(c->st)) {
		c->own = c->st || q->cached == AMK_COUNT(q->cache);
		c->rc = sqlite3_prepare_v3(q->db, stmt->sql, -1, SQLITE_PREPARE_PERSISTENT, &c->st, NULL);
		if (c->rc == SQLITE_OK && !c->own) {
			q->cache[q->cached].stmt = stmt;
			q->cache[q->cached++].st = c->st;
		}
	}
	if (c->rc == SQLITE_OK && !sqlite3_stmt_readonly(c->st) && !turn_begin(q))
		c->rc = SQLITE_ABORT;
}

/* The place for the next value; nothing is bound after an error. */
static int next_place(struct amk_sql_call *c)
{
	return c->rc == SQLITE_OK ? ++c->bound : 0;
}

void amk_sql_int(struct amk_sql_call *c, int64_t v)
{
	int i = next_place(c);

	if (i)
		c->rc = sqlite3_bind_int64(c->st, i, v);
}

void amk_sql_ref(struct amk_sql_call *c, int64_t row)
{
	if (row)
		amk_sql_int(c, row);
	else
		next_place(c); /* what is not bound is NULL */
}

void amk_sql_str(struct amk_sql_call *c, const char *s)
{
	amk_sql_strn(c, s, s ? strlen(s) : 0);
}

void amk_sql_strn(struct amk_sql_call *c, const char *s, size_t n)
{
	int i = next_place(c);

	if (i)
		c->rc = sqlite3_bind_text64(c->st, i, s, n, SQLITE_STATIC, SQLITE_UTF8);
}

void amk_sql_blob(struct amk_sql_call *c, const char *s, size_t n)
{
	int i = next_place(c);

	if (i)
		c->rc = sqlite3_bind_blob64(c->st, i, n ? s : "", n, SQLITE_STATIC);
}

bool amk_sql_row(struct amk_sql_call *c)
{
	if (c->rc != SQLITE_OK || c->done)
		return false;
	errno = 0;
	c->rc = sqlite3_step(c->st);
	if (c->rc == SQLITE_ROW) {
		c->rc = SQLITE_OK;
		return true;
	}
	c->done = true;
	if (c->rc == SQLITE_DONE)
		c->rc = SQLITE_OK;
	return false;
}

/* Takes the error before anything else can change what SQLite says of it. */
static int failed(struct amk_sql_call *c, struct amk_err *e)
{
	struct amk_err why = { 0 };

	if (c->rc == SQLITE_ABORT && c->q->broken.code != AMK_OK) {
		if (e)
			*e = c->q->broken;
		return -1;
	}
	amk_sql_trouble(c->q, c->stmt->doing, &why);
	/* What could not even be prepared might have been a write. */
	if (c->q->turn && (!c->st || !sqlite3_stmt_readonly(c->st)) && (c->rc & 0xff) != SQLITE_CONSTRAINT)
		c->q->broken = why;
	if (e)
		*e = why;
	return -1;
}

int amk_sql_end(struct amk_sql_call *c, struct amk_err *e)
{
	int r = c->rc == SQLITE_OK ? 0 : failed(c, e);

	if (c->own) {
		sqlite3_finalize(c->st);
	} else if (c->st) {
		sqlite3_reset(c->st);
		sqlite3_clear_bindings(c->st);
	}
	c->st = NULL;
	return r;
}

int amk_sql_run(struct amk_sql_call *c, struct amk_err *e)
{
	amk_sql_row(c);
	return amk_sql_end(c, e);
}

int amk_sql_changed(const struct amk_sql *q)
{
	return sqlite3_changes(q->db);
}

int amk_sql_run_one(struct amk_sql_call *c, struct amk_err *e)
{
	if (amk_sql_run(c, e) < 0)
		return -1;
	if (amk_sql_changed(c->q) != 1)
		return amk_err_set(e, AMK_EINTERNAL, "%s: there is no such row", c->stmt->doing);
	return 0;
}

int amk_sql_run_insert(struct amk_sql_call *c, int64_t *row, struct amk_err *e)
{
	if (amk_sql_run(c, e) < 0)
		return -1;
	*row = sqlite3_last_insert_rowid(c->q->db);
	return 0;
}

int64_t amk_sql_col_int(struct amk_sql_call *c, int i)
{
	return sqlite3_column_int64(c->st, i);
}

const char *amk_sql_col_str(struct amk_sql_call *c, int i)
{
	return (const char *)sqlite3_column_text(c->st, i);
}

const char *amk_sql_col_bytes(struct amk_sql_call *c, int i, size_t *n)
{
	const char *s = sqlite3_column_blob(c->st, i);

	*n = (size_t)sqlite3_column_bytes(c->st, i);
	return s ? s : "";
}
