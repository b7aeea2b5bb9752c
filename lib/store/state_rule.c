/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: in an order of their own, their numbers never used again. */
#include "store/state_rule.h"

#include "store/inside.h"

#define COLUMNS                                                                                             \
	"SELECT rule.row, scope, session, session.id, rule.agent, kind, tool, command, path, input, action, " \
	"message, made_by, rule.created FROM rule LEFT JOIN session ON session.row = rule.session"
#define ORDER " ORDER BY scope = 'session', scope = 'agent', session, position"

static const struct amk_sql_stmt add = {
	"adding a rule",
	"INSERT INTO rule(scope, session, position, agent, kind, tool, command, path, input, action, message,"
	" made_by, created) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt ends = {
	"looking for a rule's place",
	"SELECT min(position), max(position), count(*) FROM rule WHERE scope = ? AND session IS ?",
};

static const struct amk_sql_stmt place = {
	"looking for a rule's place",
	"SELECT scope = ? AND session IS ?, position FROM rule WHERE row = ?",
};

static const struct amk_sql_stmt make_room = {
	"making room for a rule",
	"UPDATE rule SET position = position + 1 WHERE scope = ? AND session IS ? AND position >= ?",
};

static const struct amk_sql_stmt remove_one = {
	"removing a rule",
	"DELETE FROM rule WHERE row = ?",
};

static const struct amk_sql_stmt of_all = {
	"reading the rules",
	COLUMNS " WHERE session.row IS NULL OR session.ended = 0" ORDER,
};

static const struct amk_sql_stmt of_session = {
	"reading a session's rules",
	COLUMNS " WHERE scope = 'daemon' OR (scope = 'agent' AND rule.agent = ?) OR session = ?" ORDER,
};

static const struct amk_sql_stmt trace_add = {
	"keeping which rules were looked at",
	"INSERT OR REPLACE INTO ruling(decision, trace) VALUES(?, ?)",
};

static const struct amk_sql_stmt trace_find = {
	"looking for which rules were looked at",
	"SELECT trace FROM ruling WHERE decision = ?",
};

static int find_ends(struct amk_store *s, const char *scope, int64_t session, int64_t found[3], struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &ends);
	amk_sql_str(&c, scope);
	amk_sql_ref(&c, session);
	if (amk_sql_row(&c))
		for (int i = 0; i < 3; i++)
			found[i] = amk_sql_col_int(&c, i);
	return amk_sql_end(&c, e);
}

/* *position: where `before` is, which is moved on with all behind it. */
static int take_place(struct amk_store *s, const struct amk_state_rule *r, int64_t before, int64_t *position,
		      struct amk_err *e)
{
	struct amk_sql_call c;
	bool found, same = false;

	amk_sql_begin(&c, &s->sql, &place);
	amk_sql_str(&c, r->scope);
	amk_sql_ref(&c, r->session);
	amk_sql_int(&c, before);
	found = amk_sql_row(&c);
	if (found) {
		same = amk_sql_col_int(&c, 0);
		*position = amk_sql_col_int(&c, 1);
	}
	if (amk_sql_end(&c, e) < 0)
		return -1;
	if (!found)
		return amk_err_set(e, AMK_ENOTFOUND, "no rule r_%lld", (long long)before);
	if (!same)
		return amk_err_set(e, AMK_EINVALID, "rule r_%lld is of another scope", (long long)before);
	amk_sql_begin(&c, &s->sql, &make_room);
	amk_sql_str(&c, r->scope);
	amk_sql_ref(&c, r->session);
	amk_sql_int(&c, *position);
	return amk_sql_run(&c, e);
}

static int find_place(struct amk_store *s, const struct amk_state_rule *r, int64_t before, int64_t *position,
		      struct amk_err *e)
{
	int64_t found[3] = { 0 };

	if (before > 0)
		return take_place(s, r, before, position, e);
	if (find_ends(s, r->scope, r->session, found, e) < 0)
		return -1;
	*position = before < 0 ? found[0] - 1 : found[1] + 1;
	return 0;
}

int amk_state_rule_add(struct amk_store *s, struct amk_state_rule *r, int64_t before, struct amk_err *e)
{
	const char *const texts[] = { r->agent, r->kind, r->tool, r->command, r->path,
				      r->input, r->action, r->message, r->by };
	struct amk_sql_call c;
	int64_t position = 0;

	if (find_place(s, r, before, &position, e) < 0)
		return -1;
	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_str(&c, r->scope);
	amk_sql_ref(&c, r->session);
	amk_sql_int(&c, position);
	for (size_t i = 0; i < AMK_COUNT(texts); i++)
		amk_sql_str(&c, texts[i]);
	amk_sql_int(&c, r->created);
	return amk_sql_run_insert(&c, &r->row, e);
}

int amk_state_rule_remove(struct amk_store *s, int64_t row, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &remove_one);
	amk_sql_int(&c, row);
	if (amk_sql_run(&c, e) < 0)
		return -1;
	return amk_sql_changed(&s->sql) == 1 ? 0 : amk_err_set(e, AMK_ENOTFOUND, "no rule r_%lld", (long long)row);
}

int amk_state_rule_count(struct amk_store *s, const char *scope, int64_t session, int64_t *n, struct amk_err *e)
{
	int64_t found[3] = { 0 };

	if (find_ends(s, scope, session, found, e) < 0)
		return -1;
	*n = found[2];
	return 0;
}

static struct amk_state_rule rule(struct amk_sql_call *c)
{
	return (struct amk_state_rule){
		.row = amk_sql_col_int(c, 0),
		.scope = amk_sql_col_str(c, 1),
		.session = amk_sql_col_int(c, 2),
		.session_id = amk_sql_col_str(c, 3),
		.agent = amk_sql_col_str(c, 4),
		.kind = amk_sql_col_str(c, 5),
		.tool = amk_sql_col_str(c, 6),
		.command = amk_sql_col_str(c, 7),
		.path = amk_sql_col_str(c, 8),
		.input = amk_sql_col_str(c, 9),
		.action = amk_sql_col_str(c, 10),
		.message = amk_sql_col_str(c, 11),
		.by = amk_sql_col_str(c, 12),
		.created = amk_sql_col_int(c, 13),
	};
}

int amk_state_rules(struct amk_store *s, int64_t session, const char *agent,
		    bool (*each)(void *arg, const struct amk_state_rule *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, session ? &of_session : &of_all);
	if (session) {
		amk_sql_str(&c, agent);
		amk_sql_int(&c, session);
	}
	while (amk_sql_row(&c)) {
		struct amk_state_rule r = rule(&c);

		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(&c, e);
}

int amk_state_rule_trace(struct amk_store *s, int64_t decision, const char *trace, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &trace_add);
	amk_sql_int(&c, decision);
	amk_sql_str(&c, trace);
	return amk_sql_run(&c, e);
}

int amk_state_rule_traced(struct amk_store *s, int64_t decision, struct amk_buf *b, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &trace_find);
	amk_sql_int(&c, decision);
	if (amk_sql_row(&c))
		amk_buf_adds(b, amk_sql_col_str(&c, 0));
	return amk_sql_end(&c, e);
}
