/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions. Those being forgotten are nobody's to see any more. */
#include <string.h>

#include "store/inside.h"
#include "store/schema.h"
#include "store/state.h"

#define COLUMNS                                                                                           \
	"SELECT session.row, id, agent, spec, native_id, state, sequence, created, updated, ended,"         \
	" reason, since, leaving"                                                                          \
	" FROM session CROSS JOIN spec ON spec.session = session.row"

static const struct amk_sql_stmt add = {
	"adding a session",
	"INSERT INTO session(id, agent, native_id, state, sequence, created, updated, ended, reason, since)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt add_spec = {
	"adding a session",
	"INSERT INTO spec(session, spec) VALUES(?1, " AMK_SCHEMA_SPEC("?2") ")",
};

/* Without `ended`, whose index it would write, too, in every turn. */
static const struct amk_sql_stmt set = {
	"writing a session",
	"UPDATE session SET native_id = ?, sequence = ?, updated = ? WHERE row = ?",
};

static const struct amk_sql_stmt set_status = {
	"writing a session's state",
	"UPDATE session SET state = ?, reason = ?, since = ?, leaving = ? WHERE row = ?",
};

static const struct amk_sql_stmt set_ended = {
	"ending a session",
	"UPDATE session SET ended = 1 WHERE row = ?",
};

static const struct amk_sql_stmt set_spec = {
	"writing what a session is made from",
	"UPDATE spec SET spec = " AMK_SCHEMA_SPEC("?2") " WHERE session = ?1",
};

static const struct amk_sql_stmt living = {
	"reading the sessions",
	COLUMNS " WHERE ended = 0 ORDER BY session.row",
};

static const struct amk_sql_stmt by_id = {
	"looking for a session",
	COLUMNS " WHERE id = ? AND forgotten = 0",
};

static const struct amk_sql_stmt below = {
	"reading the sessions",
	COLUMNS " WHERE session.row < ? AND forgotten = 0 ORDER BY session.row DESC",
};

static const struct amk_sql_stmt count = {
	"counting the sessions",
	"SELECT (SELECT count(*) FROM session) - (SELECT count(*) FROM session WHERE forgotten = 1)",
};

static int insert(struct amk_store *s, struct amk_state_session *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_str(&c, r->id);
	amk_sql_str(&c, r->agent);
	amk_sql_str(&c, r->native_id);
	amk_sql_str(&c, r->state);
	amk_sql_int(&c, (int64_t)r->sequence);
	amk_sql_int(&c, r->created);
	amk_sql_int(&c, r->updated);
	amk_sql_int(&c, r->ended);
	amk_sql_str(&c, r->reason ? r->reason : "");
	amk_sql_int(&c, r->since);
	if (amk_sql_run_insert(&c, &r->row, e) < 0)
		return -1;
	amk_sql_begin(&c, &s->sql, &add_spec);
	amk_sql_int(&c, r->row);
	amk_sql_str(&c, r->spec);
	return amk_sql_run(&c, e);
}

int amk_state_session_add(struct amk_store *s, struct amk_state_session *r, struct amk_err *e)
{
	struct amk_err why = { 0 };

	if (insert(s, r, &why) == 0)
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
	amk_sql_int(&c, (int64_t)r->sequence);
	amk_sql_int(&c, r->updated);
	amk_sql_int(&c, r->row);
	if (amk_sql_run_one(&c, e) < 0)
		return -1;
	if (!r->ended)
		return 0;
	amk_sql_begin(&c, &s->sql, &set_ended);
	amk_sql_int(&c, r->row);
	return amk_sql_run_one(&c, e);
}

int amk_state_session_status(struct amk_store *s, const struct amk_state_session *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &set_status);
	amk_sql_str(&c, r->state);
	amk_sql_str(&c, r->reason ? r->reason : "");
	amk_sql_int(&c, r->since);
	amk_sql_str(&c, r->leaving);
	amk_sql_int(&c, r->row);
	return amk_sql_run_one(&c, e);
}

int amk_state_session_spec(struct amk_store *s, int64_t row, const char *spec, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &set_spec);
	amk_sql_int(&c, row);
	amk_sql_str(&c, spec);
	return amk_sql_run_one(&c, e);
}

/* Ends the call. */
static int read_rows(struct amk_sql_call *c, bool (*each)(void *arg, const struct amk_state_session *r), void *arg,
		     struct amk_err *e)
{
	while (amk_sql_row(c)) {
		struct amk_state_session r = {
			.row = amk_sql_col_int(c, 0),
			.id = amk_sql_col_str(c, 1),
			.agent = amk_sql_col_str(c, 2),
			.spec = amk_sql_col_str(c, 3),
			.native_id = amk_sql_col_str(c, 4),
			.state = amk_sql_col_str(c, 5),
			.sequence = (uint64_t)amk_sql_col_int(c, 6),
			.created = amk_sql_col_int(c, 7),
			.updated = amk_sql_col_int(c, 8),
			.ended = amk_sql_col_int(c, 9),
			.reason = amk_sql_col_str(c, 10),
			.since = amk_sql_col_int(c, 11),
			.leaving = amk_sql_col_str(c, 12),
		};

		r.spec += strspn(r.spec, " "); /* see AMK_SCHEMA_SPEC */
		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(c, e);
}

int amk_state_sessions(struct amk_store *s, bool (*each)(void *arg, const struct amk_state_session *r), void *arg,
		       struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &living);
	return read_rows(&c, each, arg, e);
}

int amk_state_session_find(struct amk_store *s, const char *id,
			   bool (*each)(void *arg, const struct amk_state_session *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &by_id);
	amk_sql_str(&c, id);
	return read_rows(&c, each, arg, e);
}

int amk_state_sessions_before(struct amk_store *s, int64_t before,
			      bool (*each)(void *arg, const struct amk_state_session *r), void *arg,
			      struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &below);
	amk_sql_int(&c, before);
	return read_rows(&c, each, arg, e);
}

int amk_state_session_count(struct amk_store *s, int64_t *n, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &count);
	if (amk_sql_row(&c))
		*n = amk_sql_col_int(&c, 0);
	return amk_sql_end(&c, e);
}
