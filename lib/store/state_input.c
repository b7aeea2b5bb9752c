/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs: what was put into a codec besides the agent's lines, kept until a checkpoint includes it. */
#include "store/inside.h"
#include "store/state.h"

static const struct amk_sql_stmt add = {
	"adding an input",
	"INSERT INTO input(run, at, out_n, input, bytes) VALUES(?, ?, ?, ?, ?)",
};

static const struct amk_sql_stmt after = {
	"reading the inputs",
	"SELECT row, run, at, out_n, input, bytes FROM input WHERE run = ? AND row > ? ORDER BY row",
};

int amk_state_input_add(struct amk_store *s, struct amk_state_input *r, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_int(&c, r->run);
	amk_sql_int(&c, (int64_t)r->at);
	amk_sql_int(&c, (int64_t)r->out_n);
	amk_sql_str(&c, r->input);
	amk_sql_blob(&c, r->bytes, r->bytes_n);
	return amk_sql_run_insert(&c, &r->row, e);
}

int amk_state_inputs(struct amk_store *s, int64_t run, int64_t after_row,
		     bool (*each)(void *arg, const struct amk_state_input *r), void *arg, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &after);
	amk_sql_int(&c, run);
	amk_sql_int(&c, after_row);
	while (amk_sql_row(&c)) {
		struct amk_state_input r = {
			.row = amk_sql_col_int(&c, 0),
			.run = amk_sql_col_int(&c, 1),
			.at = (uint64_t)amk_sql_col_int(&c, 2),
			.out_n = (uint64_t)amk_sql_col_int(&c, 3),
			.input = amk_sql_col_str(&c, 4),
		};

		r.bytes = amk_sql_col_bytes(&c, 5, &r.bytes_n);
		if (!each(arg, &r))
			break;
	}
	return amk_sql_end(&c, e);
}
