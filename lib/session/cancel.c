/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a running turn before its time: the agent's own doing, or else that of its program's end; and of what
 * its tools left running.
 */
#include "agent/track.h"
#include "session/internal.h"
#include "session/turns.h"

static bool is_waited_for(const struct amk_session *s)
{
	const struct amk_track *t = s->codec->track(s->state);

	/* Without a turn it is a message the agent was given and never took up. */
	return s->live.row && !s->live.over && (t->cancelled || (!t->running && s->codec->busy(s->state)));
}

static void is_due(void *arg)
{
	struct amk_session *s = arg;

	if (!is_waited_for(s))
		return;
	AMK_SESSION_SAY(s, AMK_SAY_INFO, "its agent does not end the cancelled turn; its program is ended");
	amk_live_terminate(s);
}

void amk_cancel_wait(struct amk_session *s)
{
	if (!s->cancel)
		s->cancel = amk_loop_timer(s->all->conf.loop, is_due, s);
	amk_loop_timer_arm(s->cancel, (uint64_t)s->all->conf.cancel_ms);
}

void amk_session_cancel(struct amk_session *s, const char *by)
{
	struct amk_input in = { .kind = AMK_INPUT_CANCEL, .by = by };
	bool again;

	if (s->frozen || s->live.row == 0 || s->live.over || !s->codec->busy(s->state))
		return;
	again = s->codec->track(s->state)->cancelled;
	amk_said_step(s, &in);
	/* Who asks again and again must not put the end off. */
	if (!again)
		amk_cancel_wait(s);
}

/* Both are safe to repeat: a daemon that takes a program up does not know what the one before it has told. */
void amk_cancel_tell(struct amk_session *s)
{
	const struct amk_track *t = s->codec->track(s->state);
	struct amk_live *live = &s->live;

	if (t->last_cancelled > live->swept) {
		live->swept = t->last_cancelled;
		amk_run_sweep(live->run, (uint64_t)live->swept);
	}
	if (t->running && t->turns > live->turn) {
		live->turn = t->turns;
		amk_run_turn(live->run, (uint64_t)live->turn);
	}
}
