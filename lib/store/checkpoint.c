/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's own checkpoints would stop the loop for up to a quarter of a second. So they run passively,
 * in the thread pool, on a connection made for the purpose. Under writing that never pauses the WAL
 * does not begin again; then, at a bound, the writer makes a checkpoint itself: nearly all is done by then.
 */
#include "store/checkpoint.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/crash.h"
#include "core/metric.h"
#include "core/say.h"
#include "core/time.h"
#include "store/job.h"
#include "store/sql.h"

/* Who waits for an empty WAL. */
struct waiter {
	struct waiter *next;
	void (*done)(void *arg);
	void *arg;
};

struct amk_checkpoint {
	struct amk_job *job;
	sqlite3 *db;
	char *path;
	int pages; /* in the WAL */
	int from;  /* how many there were when one was last tried */
	int64_t began; /* the one in the pool, monotonic ns */
	int rc;	   /* of the one in the pool, while the job runs its own */
	bool failed;
	struct waiter *due, *passing; /* passing: those whose deletions the running job, or the last one, has seen */
	bool emptying;		      /* it could not be emptied yet */
};

static int wal_grew(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct amk_checkpoint *k = arg;

	(void)db;
	(void)name;
	k->pages = pages;
	if (pages < k->from)
		k->from = 0; /* it began again */
	return SQLITE_OK;
}

/* In the pool. Touches only the path and rc. */
static void passive_work(void *arg)
{
	struct amk_checkpoint *k = arg;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(k->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	/* A connection that has read nothing does not know of the WAL, and would do nothing. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (rc != SQLITE_OK && rc != SQLITE_BUSY)
		amk_say(AMK_SAY_ERROR, "store", "checkpoint: %s", sqlite3_errmsg(db));
	k->rc = rc == SQLITE_OK ? rc : sqlite3_extended_errcode(db);
	sqlite3_close(db);
}

static bool is_failed_flush(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

/* Without waiting for readers: those of other programs must not stop the loop. */
static void truncate_wal(struct amk_checkpoint *k)
{
	int64_t began = amk_time_monotonic();
	int rc;

	AMK_CRASH("wal.before");
	sqlite3_busy_timeout(k->db, 0);
	rc = sqlite3_wal_checkpoint_v2(k->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(k->db, AMK_SQL_BUSY_MS);
	k->failed = k->failed || is_failed_flush(rc);
	AMK_CRASH("wal.after");
	if (rc == SQLITE_OK) {
		amk_metric_took(AMK_METRIC_CHECKPOINT, amk_time_monotonic() - began);
		k->pages = k->from = 0;
		k->emptying = false;
		return;
	}
	if ((rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
		amk_say(AMK_SAY_ERROR, "store", "checkpoint: %s", sqlite3_errmsg(k->db));
}

static void call_all(struct waiter **list)
{
	struct waiter *w;

	while ((w = *list)) {
		*list = w->next;
		w->done(w->arg);
		free(w);
	}
}

/* What is left to do on the loop is little, most of the WAL is in the database already. */
static void empty_now(struct amk_checkpoint *k)
{
	struct waiter *served = k->passing;

	k->passing = NULL;
	k->emptying = true;
	truncate_wal(k);
	call_all(&served);
}

static void passive_start(struct amk_checkpoint *k)
{
	k->from = k->pages;
	k->passing = k->due;
	k->due = NULL;
	k->began = amk_time_monotonic();
	amk_job_start(k->job);
}

static void passive_done(void *arg)
{
	struct amk_checkpoint *k = arg;

	amk_metric_took(AMK_METRIC_CHECKPOINT, amk_time_monotonic() - k->began);
	k->failed = k->failed || is_failed_flush(k->rc);
	amk_checkpoint_between(k);
}

struct amk_checkpoint *amk_checkpoint_new(struct amk_loop *l, sqlite3 *db, const char *path)
{
	struct amk_checkpoint *k = amk_calloc(1, sizeof *k);

	k->db = db;
	k->path = amk_strdup(path);
	k->job = amk_job_new(l, passive_work, passive_done, k);
	sqlite3_wal_hook(db, wal_grew, k);
	return k;
}

void amk_checkpoint_free(struct amk_checkpoint *k, bool empty)
{
	if (!k)
		return;
	amk_job_free(k->job);
	if (empty && !k->failed)
		truncate_wal(k);
	call_all(&k->passing);
	call_all(&k->due);
	sqlite3_wal_hook(k->db, NULL, NULL);
	free(k->path);
	free(k);
}

void amk_checkpoint_between(struct amk_checkpoint *k)
{
	int step = AMK_CHECKPOINT_STEP / AMK_CHECKPOINT_PAGE, bound = AMK_CHECKPOINT_BOUND / AMK_CHECKPOINT_PAGE;

	if (k->failed || amk_job_running(k->job) || !sqlite3_get_autocommit(k->db))
		return;
	if (k->passing || k->emptying)
		empty_now(k);
	if (!k->due && k->pages - k->from < step)
		return;
	if (k->due || k->pages < bound) {
		passive_start(k);
		return;
	}
	k->from = k->pages;
	truncate_wal(k);
}

bool amk_checkpoint_running(const struct amk_checkpoint *k)
{
	return amk_job_running(k->job);
}

void amk_checkpoint_empty(struct amk_checkpoint *k, void (*done)(void *arg), void *arg)
{
	struct waiter *w = amk_malloc(sizeof *w);

	*w = (struct waiter){ k->due, done, arg };
	k->due = w;
	amk_checkpoint_between(k);
}

bool amk_checkpoint_failed(const struct amk_checkpoint *k)
{
	return k->failed;
}
