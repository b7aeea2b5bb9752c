/* SPDX-License-Identifier: Apache-2.0 */
/* Rules answer what an agent asks, as a person would: through the codec, on record. */
#include "session/ruled.h"

#include <string.h>

#include "core/jw.h"
#include "decision/always.h"
#include "decision/ruling.h"

void amk_ruled_opened(struct amk_session *s, int64_t decision)
{
	s->opened = amk_realloc(s->opened, (s->nopened + 1) * sizeof *s->opened);
	s->opened[s->nopened++] = decision;
}

static void subject_of(struct amk_subject *to, const struct amk_session *s, const struct amk_decision *d,
		       const struct amk_json *request)
{
	const struct amk_subject_from from = {
		.agent = s->codec->name,
		.kind = d->kind,
		.mode = amk_session_permission_mode(s),
		.directory = amk_session_directory(s),
		.request = request,
	};

	amk_subject_init(to, &from);
}

/* The answer as the codec gets it: "always" only says that it comes from a rule; the agent is told no more than this once. */
static void answer(struct amk_session *s, const struct amk_decision *d, const struct amk_ruling *g)
{
	bool allows = strcmp(g->action, "allow") == 0;
	const struct amk_decision_answer a = {
		.reply = allows ? "always" : "reject",
		.message = g->message.n ? g->message.s : NULL,
		.by = g->by,
		.rule = g->id,
	};
	const struct amk_input in = {
		.kind = AMK_INPUT_ANSWER, .id = d->native_id, .reply = a.reply, .text = a.message, .by = a.by,
	};

	amk_ruling_write(&s->ruled, "rule", g);
	s->answering = &a;
	amk_said_step(s, &in);
	s->answering = NULL;
	amk_buf_clear(&s->ruled);
}

static int rule_on(struct amk_session *s, const struct amk_decision *d, struct amk_err *e)
{
	struct amk_json *request AMK_AUTO(json) = amk_json_parse(d->request, strlen(d->request), NULL);
	struct amk_store *store = s->all->conf.store;
	struct amk_subject subject;
	struct amk_ruling g;
	int r;

	subject_of(&subject, s, d, request);
	r = amk_ruling_make(&g, store, s->row, &subject, e);
	if (r == 0)
		r = amk_state_rule_trace(store, d->row, amk_buf_ok(&g.trace) ? g.trace.s : "[]", e);
	if (r == 0 && strcmp(g.action, "ask") != 0)
		answer(s, d, &g);
	amk_ruling_release(&g);
	amk_subject_release(&subject);
	return r;
}

static void look_at(struct amk_session *s, int64_t row)
{
	struct amk_decision d;
	struct amk_err e = { 0 };
	int r = amk_decision_find(s->all->conf.store, row, &d, &e);

	if (r == 0 && strcmp(d.state, "open") == 0)
		r = rule_on(s, &d, &e);
	if (r < 0)
		amk_sessions_trouble(s->all, &e);
	amk_decision_release(&d);
}

void amk_ruled_work(struct amk_session *s)
{
	/* The program may have gone: what it asked is void at its end, and until then nobody can be answered. */
	for (size_t i = 0; i < s->nopened && s->live.row && !s->live.over; i++)
		look_at(s, s->opened[i]);
	s->nopened = 0;
}

int amk_ruled_always(struct amk_session *s, const struct amk_decision *d, const struct amk_decision_answer *a,
		     struct amk_buf *made, int64_t *added, struct amk_err *e)
{
	struct amk_json *request AMK_AUTO(json) = NULL;
	struct amk_subject subject;
	struct amk_always always;
	int r;

	if (strcmp(a->reply, "always") != 0)
		return a->wanted ? amk_err_set(e, AMK_EINVALID, "only the reply \"always\" makes a rule") : 0;
	request = amk_json_parse(d->request, strlen(d->request), NULL);
	subject_of(&subject, s, d, request);
	r = amk_always_make(&always, &subject, a->wanted, e);
	if (r > 0) {
		always.rule.by = a->by;
		always.rule.session = always.rule.session ? s->row : 0;
		r = amk_rule_add_once(s->all->conf.store, &always.rule, e);
	}
	if (r >= 0 && always.rule.row)
		amk_rule_write_line(made, NULL, &always.rule);
	*added = r > 0 ? always.rule.row : 0;
	amk_always_release(&always);
	amk_subject_release(&subject);
	return r < 0 ? -1 : 0;
}
