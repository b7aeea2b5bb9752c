/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forgetting a session: its end, then a mark that is flushed, then its folders (in the thread pool), then its
 * rows, a few per loop turn. A daemon that dies on the way goes on from the mark. Old events of sessions that
 * keep only so many go the same way.
 */
#include "session/forget.h"

#include <stdlib.h>
#include <string.h>

#include "core/crash.h"
#include "core/metric.h"
#include "core/time.h"

/* Rows deleted at once: as many as take about so long. */
#define SLICE_NS 500000
#define SLICE_LEAST 8
#define SLICE_MOST 4096

enum stage { ENDING, MARKING, FOLDERS, ROWS, LEAVING };

struct amk_forget {
	struct amk_forget *next;
	struct amk_sessions *all; /* NULL: closed meanwhile, and whoever has this frees it */
	int64_t session;
	char *id;
	enum stage stage;
	bool away; /* a flush, a job or a checkpoint has it and gives it back */
	struct amk_waiter *waiters;
	int64_t *runs;
	size_t runs_n;
	int run_dir;
};

static void forget_free(struct amk_forget *f)
{
	free(f->runs);
	free(f->id);
	free(f);
}

static void tell_waiters(struct amk_forget *f, bool ok)
{
	struct amk_waiter *w;

	while ((w = f->waiters)) {
		f->waiters = w->next;
		w->done(w->arg, ok);
		free(w);
	}
}

/* Done, or given up: then the next daemon goes on. */
static void forget_over(struct amk_forget *f, bool ok)
{
	struct amk_forget **link = &f->all->forgets;

	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	tell_waiters(f, ok);
	forget_free(f);
}

const struct amk_forget *amk_forget_next(const struct amk_forget *f)
{
	return f->next;
}

/* Gives it back from wherever it was; false: it is nobody's any more. */
static bool come_back(struct amk_forget *f)
{
	f->away = false;
	if (f->all)
		return true;
	forget_free(f);
	return false;
}

/* Rows */

static void emptied(void *arg)
{
	struct amk_forget *f = arg;

	if (!come_back(f))
		return;
	amk_metric_add(AMK_METRIC_SESSIONS_FORGOTTEN, 1);
	amk_say_of(AMK_SAY_INFO, "session", AMK_SAY_WITH(AMK_SAY_INT("row", f->session)), "a session is forgotten");
	forget_over(f, true);
}

static void last_flushed(void *arg, bool ok)
{
	struct amk_forget *f = arg;

	if (!come_back(f))
		return;
	AMK_CRASH("forget.last");
	if (!ok) {
		forget_over(f, false);
		return;
	}
	f->away = true;
	amk_store_scrub(f->all->conf.store, emptied, f);
}

static unsigned slice_rows(const struct amk_sessions *all)
{
	return all->slice ? all->slice : SLICE_LEAST;
}

static void slice_learn(struct amk_sessions *all, int64_t began)
{
	int64_t took = amk_time_monotonic() - began;

	all->slice = slice_rows(all);
	if (took < SLICE_NS / 2 && all->slice < SLICE_MOST)
		all->slice *= 2;
	else if (took > SLICE_NS && all->slice > SLICE_LEAST)
		all->slice /= 2;
}

static void delete_some(struct amk_forget *f)
{
	struct amk_sessions *all = f->all;
	int64_t began = amk_time_monotonic();
	struct amk_err e = { 0 };
	bool left;

	if (amk_state_forget_some(all->conf.store, f->session, slice_rows(all), &left, &e) < 0) {
		amk_sessions_trouble(all, &e);
		return;
	}
	slice_learn(all, began);
	AMK_CRASH("forget.some");
	if (left)
		return;
	f->stage = LEAVING;
	f->away = true;
	amk_store_flush(all->conf.store, last_flushed, f);
}

/* Folders */

static void folders_work(void *arg)
{
	struct amk_forget *f = arg;

	for (size_t i = 0; i < f->runs_n; i++) {
		struct amk_err e = { 0 };

		if (amk_run_remove(f->run_dir, f->runs[i], &e) < 0 && e.code != AMK_ENOTFOUND)
			amk_say_of(AMK_SAY_ERROR, "session", AMK_SAY_WITH(AMK_SAY_INT("run", f->runs[i])), "%s", e.msg);
	}
}

static void folders_done(void *arg)
{
	struct amk_forget *f = arg;

	if (!come_back(f))
		return;
	AMK_CRASH("forget.folders");
	f->stage = ROWS; /* the loop's turn comes next */
}

static void add_run(void *arg, int64_t run)
{
	struct amk_forget *f = arg;

	f->runs = amk_realloc(f->runs, (f->runs_n + 1) * sizeof *f->runs);
	f->runs[f->runs_n++] = run;
}

static void remove_folders(struct amk_forget *f)
{
	struct amk_err e = { 0 };

	f->stage = FOLDERS;
	f->run_dir = f->all->conf.run_dir;
	if (amk_state_forget_runs(f->all->conf.store, f->session, add_run, f, &e) < 0) {
		amk_sessions_trouble(f->all, &e);
		return;
	}
	f->away = true;
	amk_loop_work(f->all->conf.loop, folders_work, folders_done, f);
}

/* The mark */

static void mark_flushed(void *arg, bool ok)
{
	struct amk_forget *f = arg;

	if (!come_back(f))
		return;
	AMK_CRASH("forget.marked");
	if (ok)
		remove_folders(f);
	else
		forget_over(f, false);
}

static void mark(struct amk_forget *f)
{
	struct amk_sessions *all = f->all;
	struct amk_err e = { 0 };
	struct amk_session *s = amk_session_find(all, f->id, &e);

	if (s ? s->row != f->session : e.code == AMK_ENOSESSION) { /* someone else was faster */
		forget_over(f, true);
		return;
	}
	if (!s || amk_state_forget_mark(all->conf.store, s->row, &e) < 0) {
		amk_sessions_trouble(all, &e);
		return;
	}
	all->ended -= s->broken ? 0 : 1;
	amk_sessions_dismiss(s);
	f->stage = MARKING;
	f->away = true;
	amk_store_flush(all->conf.store, mark_flushed, f);
}

/* The end */

static void end_flushed(void *arg, bool ok)
{
	struct amk_forget *f = arg;

	if (!come_back(f))
		return;
	if (ok)
		mark(f);
	else
		forget_over(f, false);
}

/* Its readers see session.ended before the session is gone. */
static void ended(void *arg, bool ok)
{
	struct amk_forget *f = arg;

	if (!ok) {
		forget_over(f, false);
		return;
	}
	f->away = true;
	amk_store_flush(f->all->conf.store, end_flushed, f);
}

static struct amk_forget *forget_new(struct amk_sessions *all, int64_t session, enum stage stage)
{
	struct amk_forget *f = amk_calloc(1, sizeof *f);

	f->all = all;
	f->session = session;
	f->stage = stage;
	f->next = all->forgets;
	all->forgets = f;
	return f;
}

void amk_session_forget(struct amk_session *s, void (*done)(void *arg, bool ok), void *arg)
{
	struct amk_waiter *w = amk_calloc(1, sizeof *w);
	struct amk_forget *f = s->all->forgets;

	while (f && f->session != s->row)
		f = f->next;
	*w = (struct amk_waiter){ .next = f ? f->waiters : NULL, .s = s, .done = done, .arg = arg };
	if (f) {
		f->waiters = w;
		return;
	}
	f = forget_new(s->all, s->row, ENDING);
	f->id = amk_strdup(s->id);
	f->waiters = w;
	amk_session_terminate(s, ended, f);
}

static void go_on(void *arg, int64_t session)
{
	forget_new(arg, session, MARKING);
}

int amk_forget_open(struct amk_sessions *all, struct amk_err *e)
{
	if (amk_state_forget_marked(all->conf.store, go_on, all, e) < 0)
		return -1;
	for (struct amk_forget *f = all->forgets; f; f = f->next)
		remove_folders(f);
	return 0;
}

void amk_forget_close(struct amk_sessions *all)
{
	struct amk_forget *f;

	while ((f = all->forgets)) {
		all->forgets = f->next;
		amk_session_forget_waiter(all, f);
		tell_waiters(f, false);
		f->all = NULL;
		if (!f->away)
			forget_free(f);
	}
}

/* Old events */

static bool is_quiet(const struct amk_session *s)
{
	return s->ended || (s->live.pending.bytes.n == 0 && s->codec->quiet(s->state));
}

void amk_forget_look(struct amk_session *s)
{
	struct amk_sessions *all = s->all;
	uint64_t keep = all->conf.keep_events;
	struct amk_err e = { 0 };

	if (keep == 0 || s->broken || s->trimming || s->sequence <= 2 * keep || !is_quiet(s))
		return;
	if (s->first == 0 && amk_state_forget_events(all->conf.store, s->row, 0, 0, &s->first, &e) < 0) {
		amk_sessions_trouble(all, &e);
		return;
	}
	if (s->sequence - s->first < 2 * keep)
		return;
	s->keep_from = s->sequence - keep + 1;
	s->trimming = true;
	s->trim_next = all->trims;
	all->trims = s;
}

static void trim_some(struct amk_sessions *all)
{
	struct amk_session *s = all->trims;
	int64_t began = amk_time_monotonic();
	struct amk_err e = { 0 };

	if (amk_state_forget_events(all->conf.store, s->row, s->keep_from - 1, slice_rows(all), &s->first, &e) < 0) {
		amk_sessions_trouble(all, &e);
		return;
	}
	slice_learn(all, began);
	AMK_CRASH("keep.some");
	if (s->first < s->keep_from)
		return;
	all->trims = s->trim_next;
	s->trimming = false;
	amk_sessions_make_ready(s); /* may have waited only for this to leave */
}

/* Between two pieces the loop looks at everything else. The end of a checkpoint is a turn of the loop, too. */
void amk_forget_work(struct amk_sessions *all)
{
	struct amk_forget *f = all->forgets;

	while (f && f->stage != ROWS)
		f = f->next;
	if ((!f && !all->trims) || amk_store_checkpointing(all->conf.store))
		return;
	if (all->trims)
		trim_some(all);
	else
		delete_some(f);
	amk_loop_again(all->conf.loop);
}
