/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: a mark first, so that nobody meets half a session; then the rows, a few at a time. */
#include "core/metric.h"
#include "store/inside.h"
#include "store/state.h"

/* No client can name a session that begins with a dot. */
static const struct amk_sql_stmt mark = {
	"forgetting a session",
	"UPDATE session SET forgotten = 1, ended = 1, id = '.' || row, native_id = NULL WHERE row = ? AND forgotten = 0",
};

static const struct amk_sql_stmt spec = {
	"forgetting a session",
	"DELETE FROM spec WHERE session = ?",
};

static const struct amk_sql_stmt marked = {
	"looking for sessions to be forgotten",
	"SELECT row FROM session WHERE forgotten = 1 ORDER BY row",
};

static const struct amk_sql_stmt runs = {
	"looking for the runs of a session",
	"SELECT row FROM run WHERE session = ? ORDER BY row",
};

static const struct amk_sql_stmt oldest = {
	"looking for a session's oldest events",
	"SELECT max(sequence), max(row) FROM"
	" (SELECT sequence, row FROM log WHERE session = ? AND sequence <= ? ORDER BY sequence LIMIT ?)",
};

static const struct amk_sql_stmt events = {
	"forgetting events",
	"DELETE FROM log WHERE session = ? AND sequence <= ?",
};

static const struct amk_sql_stmt first_kept = {
	"looking for a session's oldest event",
	"SELECT min(sequence) FROM log WHERE session = ?",
};

/* What hangs on a session besides its events, in an order that never leaves a row without what it names. */
static const struct amk_sql_stmt rest[] = {
	{ "forgetting deliveries", "DELETE FROM delivery WHERE row IN (SELECT row FROM delivery WHERE session = ? LIMIT ?)" },
	{ "forgetting shapes", "DELETE FROM shape WHERE row IN (SELECT row FROM shape WHERE session = ? LIMIT ?)" },
	{ "forgetting inputs", "DELETE FROM input WHERE row IN (SELECT input.row FROM run CROSS JOIN input"
			       " ON input.run = run.row WHERE run.session = ? LIMIT ?)" },
	{ "forgetting rules", "DELETE FROM rule WHERE row IN (SELECT row FROM rule WHERE session = ? LIMIT ?)" },
	{ "forgetting rulings", "DELETE FROM ruling WHERE decision IN (SELECT ruling.decision FROM decision CROSS JOIN"
				" ruling ON ruling.decision = decision.row WHERE decision.session = ? LIMIT ?)" },
	{ "forgetting decisions", "DELETE FROM decision WHERE row IN"
				  " (SELECT row FROM decision WHERE session = ? LIMIT ?)" },
	{ "forgetting runs", "DELETE FROM run WHERE row IN (SELECT row FROM run WHERE session = ? LIMIT ?)" },
	{ "forgetting messages", "DELETE FROM message WHERE row IN (SELECT row FROM message WHERE session = ? LIMIT ?)" },
};

static const struct amk_sql_stmt last = {
	"forgetting a session",
	"DELETE FROM session WHERE row = ? AND forgotten = 1",
};

int amk_state_forget_mark(struct amk_store *s, int64_t session, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &mark);
	amk_sql_int(&c, session);
	if (amk_sql_run_one(&c, e) < 0)
		return -1;
	amk_sql_begin(&c, &s->sql, &spec);
	amk_sql_int(&c, session);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	amk_log_take(s);
	return amk_log_forgotten(s, session, 0, e); /* its readers are to look */
}

static int read_rows(struct amk_sql_call *c, void (*each)(void *arg, int64_t row), void *arg, struct amk_err *e)
{
	while (amk_sql_row(c))
		each(arg, amk_sql_col_int(c, 0));
	return amk_sql_end(c, e);
}

int amk_state_forget_marked(struct amk_store *s, void (*each)(void *arg, int64_t session), void *arg,
			    struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &marked);
	return read_rows(&c, each, arg, e);
}

int amk_state_forget_runs(struct amk_store *s, int64_t session, void (*each)(void *arg, int64_t run), void *arg,
			  struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &runs);
	amk_sql_int(&c, session);
	return read_rows(&c, each, arg, e);
}

/* The last of the events to go, and the highest of their rows; 0: there are none. */
static int find_oldest(struct amk_store *s, int64_t session, uint64_t upto, unsigned rows, int64_t found[2],
		       struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &oldest);
	amk_sql_int(&c, session);
	amk_sql_int(&c, (int64_t)upto);
	amk_sql_int(&c, rows);
	if (amk_sql_row(&c)) {
		found[0] = amk_sql_col_int(&c, 0);
		found[1] = amk_sql_col_int(&c, 1);
	}
	return amk_sql_end(&c, e);
}

/* *n: how many went. */
static int delete_oldest(struct amk_store *s, int64_t session, uint64_t upto, unsigned rows, int *n, struct amk_err *e)
{
	struct amk_sql_call c;
	int64_t found[2] = { 0 };

	*n = 0;
	if (find_oldest(s, session, upto, rows, found, e) < 0)
		return -1;
	if (found[0] == 0)
		return 0;
	amk_sql_begin(&c, &s->sql, &events);
	amk_sql_int(&c, session);
	amk_sql_int(&c, found[0]);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	*n = amk_sql_changed(&s->sql);
	amk_metric_add(AMK_METRIC_EVENTS_FORGOTTEN, *n);
	return amk_log_forgotten(s, session, (uint64_t)found[1], e);
}

int amk_state_forget_events(struct amk_store *s, int64_t session, uint64_t upto, unsigned rows, uint64_t *first,
			    struct amk_err *e)
{
	struct amk_sql_call c;
	int n;

	if (rows && delete_oldest(s, session, upto, rows, &n, e) < 0)
		return -1;
	if (rows)
		amk_log_take(s);
	amk_sql_begin(&c, &s->sql, &first_kept);
	amk_sql_int(&c, session);
	if (amk_sql_row(&c))
		*first = (uint64_t)amk_sql_col_int(&c, 0);
	if (amk_sql_end(&c, e) < 0)
		return -1;
	return rows ? amk_shape_forget(s, session, *first, e) : 0;
}

int amk_state_forget_some(struct amk_store *s, int64_t session, unsigned rows, bool *left, struct amk_err *e)
{
	struct amk_sql_call c;
	int n;

	*left = true;
	if (delete_oldest(s, session, INT64_MAX, rows, &n, e) < 0)
		return -1;
	if (n)
		return 0;
	for (size_t i = 0; i < AMK_COUNT(rest); i++) {
		amk_sql_begin(&c, &s->sql, &rest[i]);
		amk_sql_int(&c, session);
		amk_sql_int(&c, rows);
		if (amk_sql_run(&c, e) < 0)
			return -1;
		if (amk_sql_changed(&s->sql))
			return 0;
	}
	*left = false;
	amk_sql_begin(&c, &s->sql, &last);
	amk_sql_int(&c, session);
	return amk_sql_run_one(&c, e);
}
