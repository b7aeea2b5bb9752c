/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions. */
#include "core/buf.h"
#include "store/inside.h"
#include "store/state.h"

static const struct amk_sql_stmt add = {
	"adding a session",
	"INSERT INTO session(id, agent, spec, native_id, state, sequence, created, updated, ended)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt set = {
	"writing a session",
	"UPDATE session SET native_id = ?, state = ?, sequence = ?, updated = ?, ended = ? WHERE row = ?",
};

static const struct amk_sql_stmt all = {
	"reading the sessions",
	"SELECT row, id, agent, spec, native_id, state, sequence, created, updated, ended FROM session ORDER BY row",
};

int amk_state_session_add(struct amk_store *s, struct amk_state_session *r, struct amk_err *e)
{
	struct amk_err why = { 0 };
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_str(&c, r->id);
	amk_sql_str(&c, r->agent);
	amk_sql_str(&c, r->spec);
	amk_sql_str(&c, r->native_id);
	amk_sql_str(&c, r->state);
	amk_sql_int(&c, (int64_t)r->sequence);
	amk_sql_int(&c, r->created);
	amk_sql_int(&c, r->updated);
	amk_sql_int(&c, r->ended);
	if (amk_sql_run_insert(&c, &r->row, &why) == 0)
		return 0;
	if (why.code == AMK_ECONFLICT)
		return amk_err_set(e, AMK_EEXISTS, "there is a session \"%s\" already", r->id);
	if (e)
		*e = why;
	return -1;
}

int amk_state_session_set(struct amk_store *s, const struct amk_state_session *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &set);
	amk_sql_str(&c, r->native_id);
	amk_sql_str(&c, r->state);
	amk_sql_int(&c, (int64_t)r->sequence);
	amk_sql_int(&c, r->updated);
	amk_sql_int(&c, r->ended);
	amk_sql_int(&c, r->row);
	return amk_sql_run_one(&c, e);
}

int amk_state_sessions(struct amk_store *s, bool (*each)(void *arg, const struct amk_state_session *r), void *arg,
		       struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &all);
	while (amk_sql_row(&c)) {
		struct amk_state_session r = {
			.row = amk_sql_col_int(&c, 0),
			.id = amk_sql_col_str(&c, 1),
			.agent = amk_sql_col_str(&c, 2),
			.spec = amk_sql_col_str(&c, 3),
			.native_id = amk_sql_col_str(&c, 4),
			.state = amk_sql_col_str(&c, 5),
			.sequence = (uint64_t)amk_sql_col_int(&c, 6),
			.created = amk_sql_col_int(&c, 7),
			.updated = amk_sql_col_int(&c, 8),
			.ended = amk_sql_col_int(&c, 9),
		};

		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(&c, e);
}
