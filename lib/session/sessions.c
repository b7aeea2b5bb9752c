/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of sessions, and what happens to all of them once per loop turn. */
#include <stdlib.h>
#include <string.h>

#include "agent/track.h"
#include "core/crash.h"
#include "session/forget.h"
#include "session/internal.h"
#include "session/turns.h"

#define AGAIN_MS 1000

static unsigned bucket_of(const char *id)
{
	unsigned h = 2166136261u; /* FNV-1a */

	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return h % AMK_SESSIONS_BUCKETS;
}

struct amk_session *amk_sessions_make(struct amk_sessions *all, const struct amk_state_session *r)
{
	struct amk_session *s = amk_calloc(1, sizeof *s);

	s->all = all;
	s->row = r->row;
	s->id = amk_strdup(r->id);
	s->native_id = r->native_id ? amk_strdup(r->native_id) : NULL;
	s->codec = amk_agent_find(r->agent);
	s->spec = amk_json_parse(r->spec, strlen(r->spec), NULL);
	s->sequence = r->sequence;
	s->created = r->created;
	s->updated = r->updated;
	s->ended = r->ended;
	s->frozen = all->conf.frozen;
	amk_status_load(s, r);
	amk_buf_init(&s->writes, 64u << 20);
	amk_buf_init(&s->ruled, 1u << 20);
	amk_live_release(s);
	return s;
}

struct amk_session *amk_sessions_add(struct amk_sessions *all, const struct amk_state_session *r)
{
	struct amk_session *s = amk_sessions_make(all, r);
	unsigned b = bucket_of(r->id);

	s->hash_next = all->bucket[b];
	all->bucket[b] = s;
	s->older = all->newest;
	if (all->newest)
		all->newest->newer = s;
	all->newest = s;
	return s;
}

static void hide(struct amk_session *s)
{
	struct amk_session **link = &s->all->bucket[bucket_of(s->id)];

	while (*link != s)
		link = &(*link)->hash_next;
	*link = s->hash_next;
}

static void take_out(struct amk_session *s)
{
	if (!s->dismissed)
		hide(s);
	if (s->newer)
		s->newer->older = s->older;
	else
		s->all->newest = s->older;
	if (s->older)
		s->older->newer = s->newer;
}

void amk_sessions_free(struct amk_session *s)
{
	amk_live_release(s);
	amk_status_release(s);
	amk_loop_timer_free(s->cancel);
	if (s->state)
		s->codec->free_state(s->state);
	amk_json_free(s->spec);
	amk_buf_release(&s->ruled);
	free(s->opened);
	free(s->id);
	free(s->native_id);
	free(s);
}

struct amk_session *amk_sessions_loaded(const struct amk_sessions *all, const char *id)
{
	for (struct amk_session *s = all->bucket[bucket_of(id)]; s; s = s->hash_next)
		if (strcmp(s->id, id) == 0)
			return s;
	return NULL;
}

/* Has it looked at once more when the turn is committed: one that has ended leaves then. */
static void make_acted(struct amk_session *s)
{
	if (s->acted)
		return;
	s->acted = true;
	s->acted_next = s->all->acted;
	s->all->acted = s;
}

void amk_sessions_dismiss(struct amk_session *s)
{
	hide(s);
	s->dismissed = true;
	s->broken = false;
	make_acted(s);
}

static bool load_ended(void *arg, const struct amk_state_session *r)
{
	make_acted(amk_sessions_add(arg, r));
	return false;
}

struct amk_session *amk_session_find(struct amk_sessions *all, const char *id, struct amk_err *e)
{
	struct amk_session *s = amk_sessions_loaded(all, id);

	if (s)
		return s;
	if (amk_state_session_find(all->conf.store, id, load_ended, all, e) < 0)
		return NULL;
	s = amk_sessions_loaded(all, id);
	if (s)
		return s;
	amk_err_set(e, AMK_ENOSESSION, "session not found: %s", id);
	amk_err_hint(e, "see: amika session list");
	return NULL;
}

void amk_sessions_trouble(struct amk_sessions *all, const struct amk_err *e)
{
	if (all->in_trouble)
		return;
	all->in_trouble = true;
	all->conf.trouble(all->conf.arg, e);
}

void amk_sessions_make_ready(struct amk_session *s)
{
	if (s->ready)
		return;
	s->ready = true;
	s->ready_next = s->all->ready;
	s->all->ready = s;
}

struct found_run {
	struct amk_session *s;
	struct amk_err *e;
	int failed;
};

static void take_up_run(void *arg, const struct amk_state_run *r)
{
	struct found_run *f = arg;
	struct amk_session *s = f->s;

	s->incarnations = r->incarnation;
	if (r->ended) {
		f->failed = amk_replay_state(s, r->checkpoint, f->e);
		return;
	}
	AMK_CRASH("takeup.before");
	amk_live_take_up(s, r);
	f->failed = amk_replay(s, r, f->e);
	if (f->failed == 0 && s->codec->track(s->state)->cancelled)
		amk_cancel_wait(s);
	AMK_CRASH("takeup.after");
}

static bool count_one(void *arg, const struct amk_state_message *r)
{
	(void)r;
	++*(unsigned *)arg;
	return true;
}

static bool count_open(void *arg, const struct amk_state_decision *r)
{
	(void)r;
	++*(unsigned *)arg;
	return true;
}

static int session_count(struct amk_session *s, struct amk_err *e)
{
	struct amk_store *store = s->all->conf.store;

	if (amk_state_messages_queued(store, s->row, AMK_SESSION_QUEUE_MAX, count_one, &s->queued, e) < 0)
		return -1;
	return amk_state_decisions(store, s->row, true, count_open, &s->open_decisions, e);
}

static int session_take_up(struct amk_session *s, struct amk_err *e)
{
	struct amk_store *store = s->all->conf.store;
	struct found_run f = { s, e, 0 };

	if (s->frozen)
		return session_count(s, e);
	if (!s->codec || !s->spec)
		return amk_err_set(e, AMK_EINTERNAL, "session %s: agent or spec unknown to this version", s->id);
	if (amk_state_run_last(store, s->row, take_up_run, &f, e) < 0 || f.failed < 0)
		return -1;
	if ((!s->state && amk_replay_state(s, NULL, e) < 0) || session_count(s, e) < 0)
		return -1;
	amk_sleep_take_up(s);
	amk_sessions_make_ready(s);
	return 0;
}

/* What was not loaded has ended. */
static int count_ended(struct amk_sessions *all, struct amk_err *e)
{
	if (amk_state_session_count(all->conf.store, &all->ended, e) < 0)
		return -1;
	for (const struct amk_session *s = all->newest; s; s = s->older)
		all->ended--;
	return 0;
}

static bool load_one(void *arg, const struct amk_state_session *r)
{
	amk_sessions_add(arg, r);
	return true;
}

/* Through work and commit: only what is on record may be started or written. */
static void again(void *arg)
{
	struct amk_sessions *all = arg;

	for (struct amk_session *s = all->newest; s; s = s->older)
		if (s->live.delayed)
			amk_sessions_make_ready(s);
}

void amk_sessions_again(struct amk_session *s, const struct amk_err *e)
{
	if (!s->live.delayed)
		AMK_SESSION_SAY(s, AMK_SAY_ERROR, "%s; it is tried again", e->msg);
	s->live.delayed = true;
	amk_loop_timer_arm(s->all->again, AGAIN_MS);
}

struct amk_sessions *amk_sessions_open(const struct amk_sessions_conf *conf, struct amk_err *e)
{
	struct amk_sessions *all = amk_calloc(1, sizeof *all);

	all->conf = *conf;
	all->again = amk_loop_timer(conf->loop, again, all);
	amk_sleep_open(all);
	if (amk_deadline_open(all, e) < 0 || amk_state_sessions(conf->store, load_one, all, e) < 0 || count_ended(all, e) < 0 ||
	    (!conf->frozen && amk_forget_open(all, e) < 0)) {
		amk_sessions_close(all);
		return NULL;
	}
	for (struct amk_session *s = all->newest; s; s = s->older) {
		struct amk_err why = { 0 };

		if (s->ended || session_take_up(s, &why) == 0)
			continue;
		/* One session that cannot be read must not keep the others from working. */
		AMK_SESSION_SAY(s, AMK_SAY_ERROR, "not taken up: %s", why.msg);
		amk_live_release(s);
		s->ended = s->broken = true;
		amk_status_broken(s, &why);
	}
	return all;
}

void amk_sessions_close(struct amk_sessions *all)
{
	struct amk_session *s = all->newest, *older;
	struct amk_waiter *w;

	amk_forget_close(all);
	while ((w = all->waiters)) {
		all->waiters = w->next;
		w->done(w->arg, false);
		free(w);
	}
	while (s) {
		older = s->older;
		amk_sessions_free(s);
		s = older;
	}
	amk_loop_timer_free(all->again);
	amk_deadline_close(all);
	amk_loop_timer_free(all->sleeper);
	free(all);
}

static unsigned live_count(const struct amk_sessions *all)
{
	unsigned n = 0;

	for (struct amk_session *s = all->newest; s; s = s->older)
		n += s->live.run != NULL;
	return n;
}

void amk_sessions_stop(struct amk_sessions *all, void (*done)(void *arg), void *arg)
{
	all->stopping = true;
	all->stopped = done;
	all->stopped_arg = arg;
	for (struct amk_session *s = all->newest; s; s = s->older) {
		amk_sleep_leave(s, "daemon stopped");
		amk_live_terminate(s);
		amk_sessions_make_ready(s);
	}
}

static void store_session(struct amk_session *s)
{
	struct amk_state_session r = {
		.row = s->row,
		.native_id = s->native_id,
		.sequence = s->sequence,
		.updated = s->updated,
		.ended = s->ended,
	};
	struct amk_err e = { 0 };

	s->changed = false;
	if (amk_state_session_set(s->all->conf.store, &r, &e) < 0)
		amk_sessions_trouble(s->all, &e);
}

static void work_one(struct amk_session *s)
{
	if (!s->ended) {
		if (amk_live_work(s))
			amk_sessions_make_ready(s);
		amk_session_pump(s);
		amk_forget_look(s);
	}
	/* Last: the pump, too, may have recorded input. */
	amk_status_look(s);
	if (s->changed) {
		amk_live_store(s);
		store_session(s);
	}
	make_acted(s);
}

bool amk_sessions_work(struct amk_sessions *all)
{
	struct amk_session *s = all->ready, *next;

	all->ready = NULL;
	for (; s && !all->in_trouble; s = next) {
		next = s->ready_next;
		s->ready = false;
		work_one(s);
	}
	if (!all->in_trouble)
		amk_forget_work(all);
	return all->ready != NULL;
}

/* One that has ended stands in the store as it is, and is read from there when someone asks. */
static bool may_leave(const struct amk_session *s)
{
	return s->ended && !s->broken && !s->ready && !s->changed && !s->trimming && s->live.row == 0;
}

bool amk_sessions_committed(struct amk_sessions *all)
{
	struct amk_session *s = all->acted, *next;

	all->acted = NULL;
	for (; s; s = next) {
		next = s->acted_next;
		s->acted = false;
		amk_live_committed(s);
		amk_sleep_committed(s);
		if (!may_leave(s))
			continue;
		take_out(s);
		amk_sessions_free(s);
	}
	if (all->stopping && all->stopped && live_count(all) == 0) {
		void (*stopped)(void *) = all->stopped;

		all->stopped = NULL;
		stopped(all->stopped_arg);
	}
	return all->ready != NULL;
}

bool amk_sessions_has_shim(const struct amk_sessions *all, pid_t pid)
{
	for (const struct amk_session *s = all->newest; s; s = s->older)
		if (s->live.run && amk_run_pid(s->live.run) == pid)
			return true;
	return false;
}

void amk_session_forget_waiter(struct amk_sessions *all, void *arg)
{
	struct amk_waiter **link = &all->waiters, *w;

	while ((w = *link)) {
		if (w->arg != arg) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		free(w);
	}
}

void amk_sessions_call_waiters(struct amk_session *s)
{
	struct amk_waiter **link = &s->all->waiters, *w;

	while ((w = *link)) {
		if (w->s != s || (w->for_sleep ? s->live.row != 0 : !s->ended)) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		w->done(w->arg, true);
		free(w);
	}
}
