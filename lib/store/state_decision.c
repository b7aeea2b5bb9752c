/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: answered once, their numbers never used again. */
#include "core/time.h"
#include "store/inside.h"
#include "store/state.h"

/* Each with its table: the session's has columns of the same names, and may get more. */
#define COLUMNS                                                                                          \
	"SELECT decision.row, decision.session, session.id, decision.run, decision.native_id, "          \
	"decision.kind, decision.state, decision.request, decision.answer, decision.answered_by, "       \
	"decision.created, decision.closed, decision.reason, decision.rule, decision.deadline, "         \
	"decision.previous, decision.delivered"                                                          \
	" FROM decision JOIN session ON session.row = decision.session AND session.forgotten = 0"

static const struct amk_sql_stmt add = {
	"adding a decision",
	"INSERT INTO decision(session, run, native_id, kind, state, request, answer, answered_by, created, closed,"
	" content, deadline, previous) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt close_open = {
	"closing a decision",
	"UPDATE decision SET state = ?, reason = ?, answer = ?, answered_by = ?, rule = ?, closed = ?, delivery = ?"
	" WHERE row = ? AND state = 'open'",
};

static const struct amk_sql_stmt by_row = {
	"looking for a decision",
	COLUMNS " WHERE decision.row = ?",
};

static const struct amk_sql_stmt by_native_id = {
	"looking for a decision",
	COLUMNS " WHERE decision.run IS ? AND decision.native_id = ?",
};

static const struct amk_sql_stmt of_all = {
	"reading the decisions",
	COLUMNS " ORDER BY decision.row",
};

static const struct amk_sql_stmt of_all_open = {
	"reading the open decisions",
	COLUMNS " WHERE decision.state = 'open' ORDER BY decision.row",
};

static const struct amk_sql_stmt of_session = {
	"reading a session's decisions",
	COLUMNS " WHERE decision.session = ? ORDER BY decision.row",
};

static const struct amk_sql_stmt of_session_open = {
	"reading a session's open decisions",
	COLUMNS " WHERE decision.session = ? AND decision.state = 'open' ORDER BY decision.row",
};

/* In the order they were asked, of the last program that left any. */
static const struct amk_sql_stmt left = {
	"looking for a decision that was left",
	"SELECT row FROM decision WHERE session = ?1 AND content = ?2 AND state = 'void'"
	" AND reason IN ('program_gone', 'undelivered')"
	" AND row > (SELECT coalesce(max(previous), 0) FROM decision WHERE session = ?1 AND content = ?2)"
	" ORDER BY run DESC, row LIMIT 1",
};

static const struct amk_sql_stmt sent = {
	"writing where an answer ends",
	"UPDATE decision SET delivery = ? WHERE run = ? AND delivery = -1",
};

#define UNREAD "decision.delivered = 0 AND decision.state IN ('answered', 'expired')"

static const struct amk_sql_stmt mark_read = {
	"writing that an answer was read",
	"UPDATE decision SET delivered = ?, state = CASE state WHEN 'answered' THEN 'delivered' ELSE state END"
	" WHERE run = ? AND delivery <= ? AND " UNREAD,
};

static const struct amk_sql_stmt last_unread = {
	"looking for answers that were not read",
	"SELECT coalesce(max(delivery), 0) FROM decision WHERE run = ? AND " UNREAD,
};

static const struct amk_sql_stmt all_unread = {
	"reading the decisions whose answer was not read",
	COLUMNS " WHERE decision.run = ?1 AND (" UNREAD
	" OR (decision.delivered > 0 AND decision.delivery > ?2)) ORDER BY decision.row",
};

static const struct amk_sql_stmt undeliver = {
	"writing that an answer was not read",
	"UPDATE decision SET state = 'void', reason = ?, delivered = 0 WHERE row = ?",
};

static const struct amk_sql_stmt due = {
	"reading the decisions that are due",
	COLUMNS " WHERE decision.state = 'open' AND decision.deadline > 0 AND decision.deadline <= ?"
	" ORDER BY decision.deadline",
};

static const struct amk_sql_stmt next_deadline = {
	"looking for the next deadline",
	"SELECT min(deadline) FROM decision WHERE state = 'open' AND deadline > 0 AND deadline > ?",
};

static struct amk_state_decision decision(struct amk_sql_call *c)
{
	return (struct amk_state_decision){
		.row = amk_sql_col_int(c, 0),
		.session = amk_sql_col_int(c, 1),
		.session_id = amk_sql_col_str(c, 2),
		.run = amk_sql_col_int(c, 3),
		.native_id = amk_sql_col_str(c, 4),
		.kind = amk_sql_col_str(c, 5),
		.state = amk_sql_col_str(c, 6),
		.request = amk_sql_col_str(c, 7),
		.answer = amk_sql_col_str(c, 8),
		.by = amk_sql_col_str(c, 9),
		.created = amk_sql_col_int(c, 10),
		.closed = amk_sql_col_int(c, 11),
		.reason = amk_sql_col_str(c, 12),
		.rule = amk_sql_col_str(c, 13),
		.deadline = amk_sql_col_int(c, 14),
		.previous = amk_sql_col_int(c, 15),
		.delivered = amk_sql_col_int(c, 16),
	};
}

int amk_state_decision_add(struct amk_store *s, struct amk_state_decision *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_int(&c, r->session);
	amk_sql_ref(&c, r->run);
	amk_sql_str(&c, r->native_id);
	amk_sql_str(&c, r->kind);
	amk_sql_str(&c, r->state);
	amk_sql_str(&c, r->request);
	amk_sql_str(&c, r->answer);
	amk_sql_str(&c, r->by);
	amk_sql_int(&c, r->created);
	amk_sql_int(&c, r->closed);
	amk_sql_str(&c, r->content);
	amk_sql_int(&c, r->deadline);
	amk_sql_int(&c, r->previous);
	return amk_sql_run_insert(&c, &r->row, e);
}

int amk_state_decision_close(struct amk_store *s, const struct amk_state_decision *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &close_open);
	amk_sql_str(&c, r->state);
	amk_sql_str(&c, r->reason);
	amk_sql_str(&c, r->answer);
	amk_sql_str(&c, r->by);
	amk_sql_str(&c, r->rule);
	amk_sql_int(&c, r->closed);
	amk_sql_int(&c, r->answer ? -1 : 0);
	amk_sql_int(&c, r->row);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	if (amk_sql_changed(&s->sql) != 1)
		return amk_err_set(e, AMK_EANSWERED, "decision d_%lld is not open any more", (long long)r->row);
	return 0;
}

int amk_state_decision_find(struct amk_store *s, int64_t row, int64_t run, const char *native_id,
			    void (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, row ? &by_row : &by_native_id);
	amk_sql_ref(&c, row ? row : run);
	if (!row)
		amk_sql_str(&c, native_id);
	if (amk_sql_row(&c)) {
		struct amk_state_decision r = decision(&c);

		each(arg, &r);
	}
	return amk_sql_end(&c, e);
}

/* Runs to the end what reads rows, giving out each. */
static int give_out(struct amk_sql_call *c, bool (*each)(void *arg, const struct amk_state_decision *r), void *arg,
		    struct amk_err *e)
{
	while (amk_sql_row(c)) {
		struct amk_state_decision r = decision(c);

		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(c, e);
}

/* … what reads one number, which is 0 when there is no row. */
static int take_number(struct amk_sql_call *c, int64_t *v, struct amk_err *e)
{
	*v = amk_sql_row(c) ? amk_sql_col_int(c, 0) : 0;
	return amk_sql_end(c, e);
}

int amk_state_decision_left(struct amk_store *s, int64_t session, const char *content, int64_t *row, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &left);
	amk_sql_int(&c, session);
	amk_sql_str(&c, content);
	return take_number(&c, row, e);
}

int amk_state_decision_sent(struct amk_store *s, int64_t run, uint64_t upto, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &sent);
	amk_sql_int(&c, (int64_t)upto);
	amk_sql_int(&c, run);
	return amk_sql_run(&c, e);
}

int amk_state_decision_read(struct amk_store *s, int64_t run, uint64_t upto, uint64_t *more, struct amk_err *e)
{
	struct amk_sql_call c;
	int64_t v;

	amk_sql_begin(&c, &s->sql, &mark_read);
	amk_sql_int(&c, amk_time_now());
	amk_sql_int(&c, run);
	amk_sql_int(&c, (int64_t)upto);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	amk_sql_begin(&c, &s->sql, &last_unread);
	amk_sql_int(&c, run);
	if (take_number(&c, &v, e) < 0)
		return -1;
	*more = (uint64_t)v;
	return 0;
}

int amk_state_decisions_unread(struct amk_store *s, int64_t run, uint64_t upto,
			       bool (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &all_unread);
	amk_sql_int(&c, run);
	amk_sql_int(&c, upto > INT64_MAX ? INT64_MAX : (int64_t)upto);
	return give_out(&c, each, arg, e);
}

int amk_state_decision_undeliver(struct amk_store *s, int64_t row, const char *reason, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &undeliver);
	amk_sql_str(&c, reason);
	amk_sql_int(&c, row);
	return amk_sql_run_one(&c, e);
}

int amk_state_decisions_due(struct amk_store *s, int64_t now,
			    bool (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &due);
	amk_sql_int(&c, now);
	return give_out(&c, each, arg, e);
}

int amk_state_decision_deadline(struct amk_store *s, int64_t now, int64_t *deadline, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &next_deadline);
	amk_sql_int(&c, now);
	return take_number(&c, deadline, e);
}

static const struct amk_sql_stmt *list_of(int64_t session, bool open_only)
{
	if (session)
		return open_only ? &of_session_open : &of_session;
	return open_only ? &of_all_open : &of_all;
}

int amk_state_decisions(struct amk_store *s, int64_t session, bool open_only,
			bool (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, list_of(session, open_only));
	if (session)
		amk_sql_int(&c, session);
	return give_out(&c, each, arg, e);
}
