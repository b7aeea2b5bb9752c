/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: answered once, their numbers never used again. */
#include "store/inside.h"
#include "store/state.h"

#define COLUMNS                                                                                      \
	"SELECT decision.row, session, session.id, run, decision.native_id, kind, decision.state, "  \
	"request, answer, answered_by, decision.created, closed"                                     \
	" FROM decision JOIN session ON session.row = decision.session AND session.forgotten = 0"

static const struct amk_sql_stmt add = {
	"adding a decision",
	"INSERT INTO decision(session, run, native_id, kind, state, request, answer, answered_by, created, closed)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt close_open = {
	"closing a decision",
	"UPDATE decision SET state = ?, answer = ?, answered_by = ?, closed = ? WHERE row = ? AND state = 'open'",
};

static const struct amk_sql_stmt by_row = {
	"looking for a decision",
	COLUMNS " WHERE decision.row = ?",
};

static const struct amk_sql_stmt by_native_id = {
	"looking for a decision",
	COLUMNS " WHERE run IS ? AND decision.native_id = ?",
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
	COLUMNS " WHERE session = ? ORDER BY decision.row",
};

static const struct amk_sql_stmt of_session_open = {
	"reading a session's open decisions",
	COLUMNS " WHERE session = ? AND decision.state = 'open' ORDER BY decision.row",
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
	return amk_sql_run_insert(&c, &r->row, e);
}

int amk_state_decision_close(struct amk_store *s, const struct amk_state_decision *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &close_open);
	amk_sql_str(&c, r->state);
	amk_sql_str(&c, r->answer);
	amk_sql_str(&c, r->by);
	amk_sql_int(&c, r->closed);
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
	while (amk_sql_row(&c)) {
		struct amk_state_decision r = decision(&c);

		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(&c, e);
}
