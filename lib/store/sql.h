/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements with one error path, and the turn's transaction around those that write. */
#ifndef AMK_STORE_SQL_H
#define AMK_STORE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define AMK_SQL_BUSY_MS 250 /* another program, a person's sqlite3 perhaps, may hold the database for a moment */

/* A statement and what it does, in the words of an error: "appending to the log". */
struct amk_sql_stmt {
	const char *doing, *sql;
};

/*
 * A connection; without one (db NULL) every statement fails as `broken` says. Statements are prepared
 * once, found again by their address, and kept.
 */
struct amk_sql {
	sqlite3 *db;
	bool turn;	       /* something was written since the last commit or rollback, or tried to be */
	struct amk_err broken; /* why this turn cannot be committed; code AMK_OK: it can */
	struct amk_err damaged; /* the database was found corrupt: nothing is written to it any more */
	struct {
		const struct amk_sql_stmt *stmt;
		sqlite3_stmt *st;
	} cache[128];
	size_t cached;
};

int amk_sql_open(struct amk_sql *q, const char *path, struct amk_err *e);
int amk_sql_open_to_read(struct amk_sql *q, const char *path, struct amk_err *e); /* must be there */
void amk_sql_close(struct amk_sql *q);
/* Runs statements without results. */
int amk_sql_exec(struct amk_sql *q, const char *doing, const char *sql, struct amk_err *e);
/* What to do about an errno of the disk's. */
const char *amk_sql_remedy(int sys);
/* Says what SQLite said, with the code and the remedy that fit. */
int amk_sql_trouble(struct amk_sql *q, const char *doing, struct amk_err *e);

/* Both end the turn. A broken turn is rolled back, and commit says what broke it. */
int amk_sql_commit(struct amk_sql *q, struct amk_err *e);
void amk_sql_rollback(struct amk_sql *q);

/*
 * One run of a statement: begin, bind in order, step, end. Errors are kept until the end. A statement
 * that writes opens the turn's transaction; if it fails for another reason than a constraint, the
 * turn is broken. May be nested, also in itself. Texts are borrowed until the end.
 */
struct amk_sql_call {
	struct amk_sql *q;
	const struct amk_sql_stmt *stmt;
	sqlite3_stmt *st;
	bool own, done;
	int rc, bound;
};
void amk_sql_begin(struct amk_sql_call *c, struct amk_sql *q, const struct amk_sql_stmt *stmt);
void amk_sql_int(struct amk_sql_call *c, int64_t v);
void amk_sql_ref(struct amk_sql_call *c, int64_t row); /* 0 is written as NULL */
void amk_sql_str(struct amk_sql_call *c, const char *s); /* NULL is NULL */
void amk_sql_strn(struct amk_sql_call *c, const char *s, size_t n);
void amk_sql_blob(struct amk_sql_call *c, const char *s, size_t n);
bool amk_sql_row(struct amk_sql_call *c); /* true: there is a row */
int amk_sql_end(struct amk_sql_call *c, struct amk_err *e);
/* For a statement without rows: steps and ends. amk_sql_changed then tells how many rows it wrote. */
int amk_sql_run(struct amk_sql_call *c, struct amk_err *e);
/* The same, where exactly one row must have been there to be written. */
int amk_sql_run_one(struct amk_sql_call *c, struct amk_err *e);
/* The same, for an INSERT: its row number. */
int amk_sql_run_insert(struct amk_sql_call *c, int64_t *row, struct amk_err *e);
int amk_sql_changed(const struct amk_sql *q);

/* Columns of the present row, from 0; texts live until the next step. */
int64_t amk_sql_col_int(struct amk_sql_call *c, int i); /* NULL is 0 */
const char *amk_sql_col_str(struct amk_sql_call *c, int i); /* NULL is NULL */
const char *amk_sql_col_bytes(struct amk_sql_call *c, int i, size_t *n); /* never NULL */

#endif
