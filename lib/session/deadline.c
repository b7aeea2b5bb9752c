/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody answers in time is answered as the daemon's owner has set it. Deadlines are moments kept with the
 * decisions: one timer waits for the earliest, and what passed while no daemon ran is due at its start.
 */
#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "core/time.h"
#include "session/internal.h"

#define ANSWERS_MAX (1u << 20)
#define MESSAGE_MAX 200
#define WAIT_MAX_MS (24 * 3600 * INT64_C(1000)) /* then it is looked again */

int64_t amk_deadline_of(const struct amk_sessions *all, const char *kind)
{
	const struct amk_session_deadlines *set = &all->conf.deadlines;
	int64_t ms = strcmp(kind, "question") == 0 ? set->question_ms : set->permission_ms;

	return ms ? amk_time_now() + ms * 1000000 : 0;
}

static void wait_for(struct amk_sessions *all, int64_t deadline)
{
	int64_t ms = (deadline - amk_time_now()) / 1000000 + 1;

	all->deadline_at = deadline;
	amk_loop_timer_arm(all->deadline, ms < 0 ? 0 : (uint64_t)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS));
}

void amk_deadline_add(struct amk_sessions *all, int64_t deadline)
{
	if (deadline && (all->deadline_at == 0 || deadline < all->deadline_at))
		wait_for(all, deadline);
}

/* The earliest after `now`: what is due now and cannot be answered goes with its program, or its session. */
static int wait_for_next(struct amk_sessions *all, int64_t now, struct amk_err *e)
{
	int64_t next;

	if (amk_state_decision_deadline(all->conf.store, now, &next, e) < 0)
		return -1;
	all->deadline_at = 0;
	amk_deadline_add(all, next);
	return 0;
}

/* The same text for each question that is asked. */
static void write_answers(struct amk_buf *b, const struct amk_json *request, const char *text)
{
	const struct amk_json *q = amk_json_first(amk_json_get(request, "questions"));

	amk_jw_open(b, NULL, '[');
	do {
		amk_jw_open(b, NULL, '[');
		amk_jw_cstr(b, NULL, text);
		amk_jw_close(b, ']');
		q = q ? amk_json_next(q) : NULL;
	} while (q);
	amk_jw_close(b, ']');
}

/* A plan is approved by somebody, or not at all. */
static const char *default_reply(const struct amk_session_deadlines *set, const struct amk_decision *d,
				 const struct amk_json *request)
{
	if (strcmp(d->kind, "question") != 0)
		return set->allow ? "once" : "reject";
	return set->answer[0] && !amk_json_get(request, "plan") ? "answer" : "reject";
}

static int expire(struct amk_session *s, const struct amk_decision *d, struct amk_err *e)
{
	struct amk_json *request AMK_AUTO(json) = amk_json_parse(d->request, strlen(d->request), NULL);
	const struct amk_session_deadlines *set = &s->all->conf.deadlines;
	struct amk_buf answers AMK_AUTO(buf) = AMK_BUF_INIT(ANSWERS_MAX);
	struct amk_buf message AMK_AUTO(buf) = AMK_BUF_INIT(MESSAGE_MAX);
	char when[AMK_TIME_TEXT];
	struct amk_decision_answer a = { .reply = default_reply(set, d, request), .by = "deadline", .expired = true };

	amk_buf_addf(&message, "Nobody answered before the deadline, %s.", amk_time_format(when, d->deadline));
	if (strcmp(a.reply, "reject") == 0)
		a.message = message.s;
	if (strcmp(a.reply, "answer") == 0) {
		write_answers(&answers, request, set->answer);
		a.answers = answers.s;
	}
	return amk_session_answer(s, d, &a, e);
}

struct due {
	struct due *next;
	int64_t row;
};

static bool note_due(void *arg, const struct amk_state_decision *r)
{
	struct due ***last = arg, *d = amk_calloc(1, sizeof *d);

	d->row = r->row;
	**last = d;
	*last = &d->next;
	return true;
}

static void expire_row(struct amk_sessions *all, int64_t row)
{
	struct amk_err e = { 0 };
	struct amk_decision d;
	struct amk_session *s;

	if (amk_decision_find(all->conf.store, row, &d, &e) < 0)
		return;
	s = amk_sessions_loaded(all, d.session_id);
	if (s && !s->ended && expire(s, &d, &e) == 0)
		AMK_SESSION_SAY(s, AMK_SAY_INFO, "d_%lld has expired", (long long)row);
	amk_decision_release(&d);
}

static void passed(void *arg)
{
	struct amk_sessions *all = arg;
	int64_t now = amk_time_now();
	struct due *first = NULL, **last = &first, *next;
	struct amk_err e = { 0 };

	if (amk_state_decisions_due(all->conf.store, now, note_due, &last, &e) < 0)
		amk_sessions_trouble(all, &e);
	for (; first; first = next) {
		next = first->next;
		expire_row(all, first->row);
		free(first);
	}
	if (wait_for_next(all, now, &e) < 0)
		amk_sessions_trouble(all, &e);
}

int amk_deadline_open(struct amk_sessions *all, struct amk_err *e)
{
	all->deadline = amk_loop_timer(all->conf.loop, passed, all);
	return all->conf.frozen ? 0 : wait_for_next(all, 0, e);
}

void amk_deadline_close(struct amk_sessions *all)
{
	amk_loop_timer_free(all->deadline);
}
