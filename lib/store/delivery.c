/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of deliveries. The line is copied: it has to arrive whatever becomes of the session's old events. */
#include "store/delivery.h"

#include "core/buf.h"
#include "store/inside.h"

#define OF_KEPT " FROM delivery JOIN session ON session.row = delivery.session AND session.forgotten = 0"
#define COLUMNS                                                                                              \
	"SELECT delivery.row, hook, delivery.session, session.id, delivery.sequence, event, delivery.state, " \
	"attempts, delivery.created, due, until, error"

static const struct amk_sql_stmt add = {
	"adding a delivery",
	"INSERT INTO delivery(hook, session, sequence, event, state, attempts, created, due, until, line)"
	" VALUES(?, ?, ?, ?, 0, 0, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt due = {
	"reading the deliveries",
	COLUMNS OF_KEPT " WHERE delivery.state = 0 AND hook = ? AND (due <= ? OR due > ?)"
	" ORDER BY due, delivery.row LIMIT ?",
};

static const struct amk_sql_stmt next = {
	"reading the deliveries",
	"SELECT due" OF_KEPT " WHERE delivery.state = 0 AND hook = ? AND due > ? ORDER BY due LIMIT 1",
};

static const struct amk_sql_stmt hooks = {
	"reading the deliveries",
	"SELECT DISTINCT hook FROM delivery WHERE state = 0",
};

static const struct amk_sql_stmt by_row = {
	"looking for a delivery",
	COLUMNS ", line" OF_KEPT " WHERE delivery.row = ?",
};

static const struct amk_sql_stmt begin = {
	"writing a delivery",
	"UPDATE delivery SET attempts = attempts + 1 WHERE row = ?",
};

static const struct amk_sql_stmt done = {
	"deleting a delivery",
	"DELETE FROM delivery WHERE row = ?",
};

static const struct amk_sql_stmt again = {
	"writing a delivery",
	"UPDATE delivery SET due = ?, error = ? WHERE row = ?",
};

static const struct amk_sql_stmt fail = {
	"writing a delivery",
	"UPDATE delivery SET state = 1, error = ? WHERE row = ?",
};

static const struct amk_sql_stmt fail_hook = {
	"writing deliveries",
	"UPDATE delivery SET state = 1, error = ? WHERE hook = ? AND state = 0",
};

static const struct amk_sql_stmt prune = {
	"deleting old deliveries",
	"DELETE FROM delivery WHERE state = 1 AND row <="
	" (SELECT row FROM delivery WHERE state = 1 ORDER BY row DESC LIMIT 1 OFFSET ?)",
};

static const struct amk_sql_stmt retry = {
	"writing a delivery",
	"UPDATE delivery SET state = 0, attempts = 0, due = ?2, until = ?3 WHERE state = 1 AND (row = ?1 OR ?1 = 0)",
};

static const struct amk_sql_stmt drop = {
	"deleting a delivery",
	"DELETE FROM delivery WHERE state = 1 AND (row = ?1 OR ?1 = 0)",
};

static const struct amk_sql_stmt list = {
	"reading the deliveries",
	COLUMNS OF_KEPT " WHERE delivery.row > ? ORDER BY delivery.row LIMIT ?",
};

static const struct amk_sql_stmt count = {
	"counting the deliveries",
	"SELECT count(*) FILTER (WHERE delivery.state = 0), count(*) FILTER (WHERE delivery.state = 0 AND error NOT NULL),"
	" count(*) FILTER (WHERE delivery.state = 1)" OF_KEPT " WHERE hook = ?",
};

static struct amk_delivery delivery(struct amk_sql_call *c)
{
	return (struct amk_delivery){
		.row = amk_sql_col_int(c, 0),
		.hook = amk_sql_col_str(c, 1),
		.session = amk_sql_col_int(c, 2),
		.session_id = amk_sql_col_str(c, 3),
		.sequence = (uint64_t)amk_sql_col_int(c, 4),
		.event = amk_sql_col_str(c, 5),
		.failed = amk_sql_col_int(c, 6) == 1,
		.attempts = (int)amk_sql_col_int(c, 7),
		.created = amk_sql_col_int(c, 8),
		.due = amk_sql_col_int(c, 9),
		.until = amk_sql_col_int(c, 10),
		.error = amk_sql_col_str(c, 11),
	};
}

int amk_delivery_add(struct amk_store *s, struct amk_delivery *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_str(&c, r->hook);
	amk_sql_int(&c, r->session);
	amk_sql_int(&c, (int64_t)r->sequence);
	amk_sql_str(&c, r->event);
	amk_sql_int(&c, r->created);
	amk_sql_int(&c, r->due);
	amk_sql_int(&c, r->until);
	amk_sql_strn(&c, r->line, r->n);
	return amk_sql_run_insert(&c, &r->row, e);
}

static int read_rows(struct amk_sql_call *c, bool (*each)(void *arg, const struct amk_delivery *r), void *arg,
		     struct amk_err *e)
{
	while (amk_sql_row(c)) {
		struct amk_delivery r = delivery(c);

		if (c->stmt == &by_row)
			r.line = amk_sql_col_bytes(c, 12, &r.n);
		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(c, e);
}

int amk_delivery_due(struct amk_store *s, const struct amk_delivery_when *when,
		     bool (*each)(void *arg, const struct amk_delivery *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &due);
	amk_sql_str(&c, when->hook);
	amk_sql_int(&c, when->now);
	amk_sql_int(&c, when->most);
	amk_sql_int(&c, AMK_DELIVERY_LOOK);
	return read_rows(&c, each, arg, e);
}

int amk_delivery_hooks(struct amk_store *s, void (*each)(void *arg, const char *hook), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &hooks);
	while (amk_sql_row(&c))
		each(arg, amk_sql_col_str(&c, 0));
	return amk_sql_end(&c, e);
}

int amk_delivery_next(struct amk_store *s, const char *hook, int64_t now, int64_t *at, struct amk_err *e)
{
	struct amk_sql_call c;

	*at = 0;
	amk_sql_begin(&c, &s->sql, &next);
	amk_sql_str(&c, hook);
	amk_sql_int(&c, now);
	if (amk_sql_row(&c))
		*at = amk_sql_col_int(&c, 0);
	return amk_sql_end(&c, e);
}

int amk_delivery_find(struct amk_store *s, int64_t row, bool (*each)(void *arg, const struct amk_delivery *r), void *arg,
		      struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &by_row);
	amk_sql_int(&c, row);
	return read_rows(&c, each, arg, e);
}

static int run_on_row(struct amk_store *s, const struct amk_sql_stmt *stmt, int64_t row, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, stmt);
	amk_sql_int(&c, row);
	return amk_sql_run(&c, e);
}

int amk_delivery_begin(struct amk_store *s, int64_t row, struct amk_err *e)
{
	return run_on_row(s, &begin, row, e);
}

int amk_delivery_done(struct amk_store *s, int64_t row, struct amk_err *e)
{
	return run_on_row(s, &done, row, e);
}

int amk_delivery_again(struct amk_store *s, int64_t row, int64_t at, const char *error, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &again);
	amk_sql_int(&c, at);
	amk_sql_str(&c, error);
	amk_sql_int(&c, row);
	return amk_sql_run(&c, e);
}

int amk_delivery_fail(struct amk_store *s, int64_t row, const char *error, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &fail);
	amk_sql_str(&c, error);
	amk_sql_int(&c, row);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	return run_on_row(s, &prune, AMK_DELIVERY_FAILED_MAX, e);
}

int amk_delivery_fail_hook(struct amk_store *s, const char *hook, const char *error, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &fail_hook);
	amk_sql_str(&c, error);
	amk_sql_str(&c, hook);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	return run_on_row(s, &prune, AMK_DELIVERY_FAILED_MAX, e);
}

int amk_delivery_retry(struct amk_store *s, int64_t row, int64_t now, int64_t until, int *n, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &retry);
	amk_sql_int(&c, row);
	amk_sql_int(&c, now);
	amk_sql_int(&c, until);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	*n = amk_sql_changed(&s->sql);
	return 0;
}

int amk_delivery_drop(struct amk_store *s, int64_t row, int *n, struct amk_err *e)
{
	if (run_on_row(s, &drop, row, e) < 0)
		return -1;
	*n = amk_sql_changed(&s->sql);
	return 0;
}

int amk_delivery_list(struct amk_store *s, int64_t after, unsigned limit,
		      bool (*each)(void *arg, const struct amk_delivery *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &list);
	amk_sql_int(&c, after);
	amk_sql_int(&c, limit);
	return read_rows(&c, each, arg, e);
}

int amk_delivery_count(struct amk_store *s, const char *hook, struct amk_delivery_count *n, struct amk_err *e)
{
	struct amk_sql_call c;

	*n = (struct amk_delivery_count){ 0 };
	amk_sql_begin(&c, &s->sql, &count);
	amk_sql_str(&c, hook);
	if (amk_sql_row(&c))
		*n = (struct amk_delivery_count){ amk_sql_col_int(&c, 0), amk_sql_col_int(&c, 1), amk_sql_col_int(&c, 2) };
	return amk_sql_end(&c, e);
}
