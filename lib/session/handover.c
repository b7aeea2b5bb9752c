/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is delivered when the shim has put it into the program's stdin. What the program leaves unread there at its
 * end was not delivered after all. Stored with whatever is committed next: after a restart the shim is asked again.
 */
#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "session/internal.h"

#define CHANGED_MAX (64u << 20)

void amk_handover_sent(struct amk_session *s)
{
	struct amk_err e = { 0 };

	s->live.unread = s->live.in_n;
	if (amk_state_decision_sent(s->all->conf.store, s->live.row, s->live.in_n, &e) < 0)
		amk_sessions_trouble(s->all, &e);
}

void amk_handover_look(struct amk_session *s)
{
	struct amk_live *live = &s->live;
	struct amk_err e = { 0 };

	if (!live->told || live->unread == 0 || live->done == live->looked)
		return;
	live->looked = live->done;
	if (amk_state_decision_read(s->all->conf.store, live->row, live->done, &live->unread, &e) < 0)
		amk_sessions_trouble(s->all, &e);
}

static void write_changed(struct amk_buf *data, struct amk_buf *amika, const struct amk_state_decision *r)
{
	const struct amk_decision_place at = { r->row, r->deadline, r->previous };
	char id[AMK_DECISION_ID];

	amk_decision_id(id, r->row);
	amk_jw_cstr(data, "decision_id", id);
	amk_jw_cstr(data, "state", "void");
	amk_jw_cstr(data, "reason", AMK_REASON_UNDELIVERED);
	amk_jw_cstr(amika, "by", r->by);
	amk_jw_open(amika, "decision", '{');
	amk_jw_cstr(amika, "id", id);
	amk_jw_cstr(amika, "native_id", r->native_id);
	amk_jw_cstr(amika, "kind", r->kind);
	amk_jw_cstr(amika, "state", "void");
	amk_jw_cstr(amika, "reason", AMK_REASON_UNDELIVERED);
	amk_decision_members(amika, &at);
	if (r->answer)
		amk_jw_raw(amika, "answer", r->answer, strlen(r->answer));
	amk_jw_close(amika, '}');
}

struct unread {
	struct unread *next;
	int64_t row;
	struct amk_buf data, amika;
};

/* Kept until the rows were read: a reader must not write them. */
static bool note_unread(void *arg, const struct amk_state_decision *r)
{
	struct unread ***last = arg, *u = amk_calloc(1, sizeof *u);

	u->row = r->row;
	amk_buf_init(&u->data, 4096);
	amk_buf_init(&u->amika, CHANGED_MAX);
	write_changed(&u->data, &u->amika, r);
	**last = u;
	*last = &u->next;
	return true;
}

static void make_void(struct amk_session *s, struct unread *u)
{
	const struct amk_said said = { .type = "decision.changed", .synthetic = true, .data = u->data.s,
				       .amika = u->amika.s };
	struct amk_err e = { 0 };

	if (amk_state_decision_undeliver(s->all->conf.store, u->row, AMK_REASON_UNDELIVERED, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	else
		amk_said_own(s, &said);
	amk_buf_release(&u->data);
	amk_buf_release(&u->amika);
	free(u);
}

void amk_handover_end(struct amk_session *s)
{
	struct amk_live *live = &s->live;
	/* Where nobody knows any more what was read, what counts as read does so. */
	uint64_t upto = live->told && live->begun != UINT64_MAX ? live->done : UINT64_MAX;
	struct unread *first = NULL, **last = &first, *next;
	struct amk_err e = { 0 };

	amk_handover_look(s);
	if (amk_state_decisions_unread(s->all->conf.store, live->row, upto, note_unread, &last, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	for (; first; first = next) {
		next = first->next;
		make_void(s, first);
	}
}
