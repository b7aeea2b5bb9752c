/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: who waits during a sync is covered by the next one. */
#include "store/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/crash.h"
#include "core/metric.h"
#include "core/say.h"
#include "core/time.h"
#include "store/job.h"

struct waiter {
	void (*done)(void *arg, bool ok);
	void *arg;
	bool undone; /* its transaction was */
	struct waiter *next;
};

struct waiters {
	struct waiter *first, **end;
};

struct amk_sync {
	struct amk_job *job;
	struct waiters turn, due, flying; /* of the running turn; for the next sync; for this one */
	bool dirty;  /* committed since the last sync began */
	bool failed; /* until amk_sync_renew */
	int64_t began; /* the job, monotonic ns */
	/* While the job runs these are its own. */
	int dir, wal;
	const char *name;
	bool needed;
	int error;
};

static void waiters_init(struct waiters *w)
{
	w->first = NULL;
	w->end = &w->first;
}

static void waiters_move(struct waiters *to, struct waiters *from)
{
	if (!from->first)
		return;
	*to->end = from->first;
	to->end = from->end;
	waiters_init(from);
}

static bool wal_is_open(const struct amk_sync *y)
{
	struct stat held, named;

	return y->wal >= 0 && fstat(y->wal, &held) == 0 && fstatat(y->dir, y->name, &named, 0) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static void sync_work(void *arg)
{
	struct amk_sync *y = arg;

	y->error = 0;
	if (!y->needed)
		return;
	if (!wal_is_open(y)) {
		if (y->wal >= 0)
			close(y->wal);
		y->wal = openat(y->dir, y->name, O_RDWR | O_CLOEXEC);
	}
	if (y->wal < 0)
		y->error = errno == ENOENT ? 0 : errno; /* no WAL: all of it is in the database */
	else if (fdatasync(y->wal) < 0)
		y->error = errno;
}

static void sync_start(struct amk_sync *y)
{
	if (!y->due.first || amk_job_running(y->job))
		return;
	waiters_move(&y->flying, &y->due);
	y->needed = y->dirty && !y->failed;
	y->dirty = false;
	AMK_CRASH("flush.before");
	y->began = amk_time_monotonic();
	amk_job_start(y->job);
}

/*
 * After a failed fdatasync nobody knows which pages reached the disk, and the next one would say that
 * all is well: nothing can be promised until the WAL was written anew.
 */
static void sync_finish(struct amk_sync *y)
{
	struct waiters called;

	if (y->error && !y->failed) {
		amk_say(AMK_SAY_ERROR, "store", "flushing %s: %s; nothing more is acknowledged until it was written "
			"anew", y->name, strerror(y->error));
		y->failed = true;
		amk_metric_add(AMK_METRIC_FLUSH_FAILURES, 1);
	}
	waiters_init(&called);
	waiters_move(&called, &y->flying);
	for (struct waiter *w = called.first, *next; w; w = next) {
		next = w->next;
		w->done(w->arg, !w->undone && !y->failed);
		free(w);
	}
}

static void sync_done(void *arg)
{
	struct amk_sync *y = arg;

	AMK_CRASH("flush.after");
	if (y->needed && !y->error)
		amk_metric_took(AMK_METRIC_FLUSH, amk_time_monotonic() - y->began);
	sync_finish(y);
	sync_start(y);
}

struct amk_sync *amk_sync_new(struct amk_loop *l, int dirfd, const char *wal)
{
	struct amk_sync *y = amk_calloc(1, sizeof *y);

	y->dir = dirfd;
	y->wal = -1;
	y->name = wal;
	y->dirty = true; /* what an earlier process committed and never synced */
	waiters_init(&y->turn);
	waiters_init(&y->due);
	waiters_init(&y->flying);
	y->job = amk_job_new(l, sync_work, sync_done, y);
	return y;
}

void amk_sync_end(struct amk_sync *y)
{
	amk_job_free(y->job);
	sync_finish(y);
	while (y->due.first) {
		waiters_move(&y->flying, &y->due);
		y->needed = y->dirty && !y->failed;
		y->dirty = false;
		sync_work(y);
		sync_finish(y);
	}
}

void amk_sync_free(struct amk_sync *y)
{
	amk_auto_fd(&y->wal);
	free(y);
}

void amk_sync_add(struct amk_sync *y, bool in_turn, void (*done)(void *arg, bool ok), void *arg)
{
	struct waiters *to = in_turn ? &y->turn : &y->due;
	struct waiter *w = amk_calloc(1, sizeof *w);

	w->done = done;
	w->arg = arg;
	*to->end = w;
	to->end = &w->next;
	sync_start(y);
}

void amk_sync_turn_ended(struct amk_sync *y, bool committed)
{
	for (struct waiter *w = y->turn.first; w; w = w->next)
		w->undone = !committed;
	waiters_move(&y->due, &y->turn);
	y->dirty = y->dirty || committed;
	sync_start(y);
}

bool amk_sync_failed(const struct amk_sync *y)
{
	return y->failed;
}

bool amk_sync_renew(struct amk_sync *y)
{
	if (amk_job_running(y->job))
		return false;
	amk_auto_fd(&y->wal);
	y->wal = -1;
	y->failed = false;
	y->dirty = true;
	return true;
}
