/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: the live programs of sessions, one after the other, and their checkpoints. */
#include "store/inside.h"
#include "store/state.h"

static const struct amk_sql_stmt add = {
	"adding a run",
	"INSERT INTO run(session, incarnation, in_n, out_n, checkpoint_input, checkpoint_out, ended, checkpoint)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt set = {
	"writing a run",
	"UPDATE run SET in_n = ?, out_n = ?, ended = ? WHERE row = ?",
};

static const struct amk_sql_stmt checkpoint = {
	"writing a checkpoint",
	"UPDATE run SET checkpoint = ?, checkpoint_input = ?, checkpoint_out = ? WHERE row = ?",
};

static const struct amk_sql_stmt inputs_forget = {
	"forgetting old inputs",
	"DELETE FROM input WHERE run = ? AND row <= ?",
};

static const struct amk_sql_stmt last = {
	"looking for a run",
	"SELECT row, session, incarnation, in_n, out_n, checkpoint_input, checkpoint_out, ended, checkpoint"
	" FROM run WHERE session = ? ORDER BY row DESC LIMIT 1",
};

int amk_state_run_add(struct amk_store *s, struct amk_state_run *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_int(&c, r->session);
	amk_sql_int(&c, r->incarnation);
	amk_sql_int(&c, (int64_t)r->in_n);
	amk_sql_int(&c, (int64_t)r->out_n);
	amk_sql_int(&c, r->checkpoint_input);
	amk_sql_int(&c, (int64_t)r->checkpoint_out);
	amk_sql_int(&c, r->ended);
	amk_sql_str(&c, r->checkpoint);
	return amk_sql_run_insert(&c, &r->row, e);
}

int amk_state_run_set(struct amk_store *s, const struct amk_state_run *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &set);
	amk_sql_int(&c, (int64_t)r->in_n);
	amk_sql_int(&c, (int64_t)r->out_n);
	amk_sql_int(&c, r->ended);
	amk_sql_int(&c, r->row);
	return amk_sql_run_one(&c, e);
}

int amk_state_run_checkpoint(struct amk_store *s, const struct amk_state_run *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &checkpoint);
	amk_sql_str(&c, r->checkpoint);
	amk_sql_int(&c, r->checkpoint_input);
	amk_sql_int(&c, (int64_t)r->checkpoint_out);
	amk_sql_int(&c, r->row);
	if (amk_sql_run_one(&c, e) < 0)
		return -1;
	amk_sql_begin(&c, &s->sql, &inputs_forget);
	amk_sql_int(&c, r->row);
	amk_sql_int(&c, r->checkpoint_input);
	return amk_sql_run(&c, e);
}

int amk_state_run_last(struct amk_store *s, int64_t session,
		       void (*each)(void *arg, const struct amk_state_run *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &last);
	amk_sql_int(&c, session);
	if (amk_sql_row(&c)) {
		struct amk_state_run r = {
			.row = amk_sql_col_int(&c, 0),
			.session = amk_sql_col_int(&c, 1),
			.incarnation = (int)amk_sql_col_int(&c, 2),
			.in_n = (uint64_t)amk_sql_col_int(&c, 3),
			.out_n = (uint64_t)amk_sql_col_int(&c, 4),
			.checkpoint_input = amk_sql_col_int(&c, 5),
			.checkpoint_out = (uint64_t)amk_sql_col_int(&c, 6),
			.ended = amk_sql_col_int(&c, 7),
			.checkpoint = amk_sql_col_str(&c, 8),
		};

		each(arg, &r);
	}
	return amk_sql_end(&c, e);
}
