/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleep: the program of a session that has nothing to do is ended, and the next message starts another that goes on
 * where it was. That it is to be ended is on record before it is told, so that a daemon that comes in between goes on
 * with it, and gives no message to a program that is about to leave.
 */
#include "session/sleep.h"

#include <stdio.h>

#include "core/crash.h"
#include "core/time.h"
#include "session/internal.h"

#define MS INT64_C(1000000) /* ns */

/* Nothing goes on that the end of its program would cut off. */
static bool is_quiet(const struct amk_session *s)
{
	return !s->codec->busy(s->state) && !s->open_decisions && s->live.pending.bytes.n == 0 &&
	       !(s->codec->background && s->codec->background(s->state));
}

static bool has_program(const struct amk_session *s)
{
	return s->live.row && !s->live.over;
}

void amk_sleep_leave(struct amk_session *s, const char *why)
{
	if (s->stopping || s->live.row == 0)
		return;
	s->stopping = amk_strdup(why);
	s->status.stored = false;
	amk_sessions_make_ready(s);
}

void amk_sleep_committed(struct amk_session *s)
{
	if (!s->live.run || s->live.over || s->live.dismissed)
		return;
	if (!s->ending && !s->all->stopping && !(s->stopping && is_quiet(s)))
		return;
	AMK_CRASH("sleep.before");
	amk_live_terminate(s);
	AMK_CRASH("sleep.after");
}

/* What was to end has ended meanwhile. */
void amk_sleep_take_up(struct amk_session *s)
{
	if (s->live.row || !s->stopping)
		return;
	amk_auto_mem(&s->stopping);
	s->stopping = NULL;
	s->status.stored = false;
}

/* ---- after a time ---- */

static int64_t sleep_ms(const struct amk_session *s)
{
	return amk_json_get_int(s->spec, "sleepMs", s->all->conf.sleep_ms);
}

/* When its program has had nothing to do for long enough; INT64_MAX: it has, or nobody wants that. */
static int64_t due(const struct amk_session *s)
{
	if (s->ended || s->ending || s->stopping || s->frozen || !has_program(s) || !is_quiet(s) || sleep_ms(s) <= 0)
		return INT64_MAX;
	return s->status.since + sleep_ms(s) * MS;
}

static void arm(struct amk_sessions *all, int64_t at)
{
	int64_t left = at - amk_time_now();

	if (at >= all->sleep_at)
		return;
	all->sleep_at = at;
	amk_loop_timer_arm(all->sleeper, left > 0 ? (uint64_t)(left / MS + 1) : 0);
}

void amk_sleep_look(struct amk_session *s)
{
	arm(s->all, due(s));
}

static void idle_for(char to[60], int64_t ms)
{
	if (ms % 60000 == 0)
		snprintf(to, 60, "idle for %lld min", (long long)(ms / 60000));
	else
		snprintf(to, 60, "idle for %lld s", (long long)((ms + 999) / 1000));
}

static void fall_asleep(void *arg)
{
	struct amk_sessions *all = arg;
	int64_t now = amk_time_now(), next = INT64_MAX;
	char why[60];

	for (struct amk_session *s = all->newest; s; s = s->older) {
		int64_t at = due(s);

		if (at <= now) {
			idle_for(why, sleep_ms(s));
			amk_sleep_leave(s, why);
		} else if (at < next) {
			next = at;
		}
	}
	all->sleep_at = INT64_MAX;
	arm(all, next);
}

void amk_sleep_open(struct amk_sessions *all)
{
	all->sleep_at = INT64_MAX;
	all->sleeper = amk_loop_timer(all->conf.loop, fall_asleep, all);
}

/* ---- on demand ---- */

int amk_session_may_sleep(const struct amk_session *s, struct amk_err *e)
{
	if (amk_session_check_open(s, e) < 0)
		return -1;
	if (!has_program(s) || is_quiet(s))
		return 0;
	if (s->open_decisions) {
		amk_err_set(e, AMK_ECONFLICT, "session %s waits for a decision", s->id);
		return amk_err_hint(e, "see: amika decision list");
	}
	if (!s->codec->busy(s->state))
		return amk_err_set(e, AMK_ECONFLICT, "session %s has something going on in the background", s->id);
	amk_err_set(e, AMK_ECONFLICT, "a turn of session %s runs", s->id);
	return amk_err_hint(e, "wait for its end, or cancel it");
}

void amk_session_sleep(struct amk_session *s, void (*done)(void *arg, bool ok), void *arg)
{
	struct amk_waiter *w;

	s->warm = false;
	if (s->live.row == 0) {
		done(arg, true);
		return;
	}
	w = amk_calloc(1, sizeof *w);
	*w = (struct amk_waiter){ .next = s->all->waiters, .for_sleep = true, .s = s, .done = done, .arg = arg };
	s->all->waiters = w;
	amk_sleep_leave(s, "stopped");
}

int amk_session_warm(struct amk_session *s, struct amk_err *e)
{
	if (amk_session_check_open(s, e) < 0)
		return -1;
	s->warm = s->live.row == 0 || s->stopping || s->live.over;
	if (s->warm)
		amk_sessions_make_ready(s);
	return 0;
}
