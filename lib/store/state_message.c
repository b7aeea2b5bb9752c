/* SPDX-License-Identifier: Apache-2.0 */
/* Messages. */
#include "store/inside.h"
#include "store/state.h"

#define COLUMNS "SELECT row, session, id, state, \"after\", created, text, attachments FROM message"

static const struct amk_sql_stmt add = {
	"adding a message",
	"INSERT INTO message(session, id, state, \"after\", created, text, attachments) "
	"VALUES(?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt set = {
	"writing a message",
	"UPDATE message SET state = ? WHERE row = ?",
};

static const struct amk_sql_stmt by_id = {
	"looking for a message",
	COLUMNS " WHERE session = ? AND id = ?",
};

static const struct amk_sql_stmt queued = {
	"reading the queue",
	COLUMNS " WHERE session = ? AND state = 0 ORDER BY row LIMIT ?",
};

_Static_assert(AMK_MESSAGE_QUEUED == 0, "the database has it as 0");

static struct amk_state_message message(struct amk_sql_call *c)
{
	return (struct amk_state_message){
		.row = amk_sql_col_int(c, 0),
		.session = amk_sql_col_int(c, 1),
		.id = amk_sql_col_str(c, 2),
		.state = (enum amk_message_state)amk_sql_col_int(c, 3),
		.after = (uint64_t)amk_sql_col_int(c, 4),
		.created = amk_sql_col_int(c, 5),
		.text = amk_sql_col_str(c, 6),
		.attachments = amk_sql_col_str(c, 7),
	};
}

int amk_state_message_add(struct amk_store *s, struct amk_state_message *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_int(&c, r->session);
	amk_sql_str(&c, r->id);
	amk_sql_int(&c, r->state);
	amk_sql_int(&c, (int64_t)r->after);
	amk_sql_int(&c, r->created);
	amk_sql_str(&c, r->text);
	amk_sql_str(&c, r->attachments);
	return amk_sql_run_insert(&c, &r->row, e);
}

int amk_state_message_set(struct amk_store *s, int64_t row, enum amk_message_state state, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &set);
	amk_sql_int(&c, state);
	amk_sql_int(&c, row);
	return amk_sql_run_one(&c, e);
}

int amk_state_message_find(struct amk_store *s, int64_t session, const char *id,
			   void (*each)(void *arg, const struct amk_state_message *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &by_id);
	amk_sql_int(&c, session);
	amk_sql_str(&c, id);
	if (amk_sql_row(&c)) {
		struct amk_state_message r = message(&c);

		each(arg, &r);
	}
	return amk_sql_end(&c, e);
}

int amk_state_messages_queued(struct amk_store *s, int64_t session, unsigned limit,
			      bool (*each)(void *arg, const struct amk_state_message *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &queued);
	amk_sql_int(&c, session);
	amk_sql_int(&c, limit);
	while (amk_sql_row(&c)) {
		struct amk_state_message r = message(&c);

		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(&c, e);
}
