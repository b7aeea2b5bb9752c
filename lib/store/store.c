/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the database, and the ends of a turn. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/crash.h"
#include "core/metric.h"
#include "core/say.h"
#include "store/inside.h"
#include "store/schema.h"
#include "store/settle.h"

#define NAME "amika.db"
#define PATH_LIMIT 480 /* SQLite takes 512 bytes, with the names it makes */

/*
 * The file is made here because SQLite would make it readable by others; its companions get its mode.
 * It is never opened besides when it exists: closing it would drop the locks of another connection.
 */
static int file_make(int dirfd, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = openat(dirfd, NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat st;

	if (fd >= 0)
		return fsync(dirfd) < 0 ? amk_err_sys(e, "creating the database") : 0;
	if (errno != EEXIST) {
		amk_err_sys(e, "creating the database");
		return amk_err_hint(e, "make the state folder writable, or set AMIKA_STATE_DIRECTORY");
	}
	if (fstatat(dirfd, NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return amk_err_sys(e, "opening the database");
	if (!S_ISREG(st.st_mode))
		return amk_err_set(e, AMK_EFAILED, "the database is not a regular file");
	if ((st.st_mode & 0077) && fchmodat(dirfd, NAME, 0600, 0) < 0)
		return amk_err_sys(e, "making the database private");
	return 0;
}

/* From here on it may be read and written. The WAL is settled before anything is built on it. */
static int database_prepare(struct amk_store *s, struct amk_err *e)
{
	if (amk_schema_prepare(&s->sql, e) < 0 || amk_settle(&s->sql, s->dir, NAME "-wal", e) < 0)
		return -1;
	return amk_log_opened(s, e);
}

/* What is not known to be on disk, or is corrupt, is not copied from the WAL into the database on the way out. */
static void database_close(struct amk_store *s)
{
	bool good = amk_store_is_sound(s) && s->sql.damaged.code == AMK_OK;

	amk_checkpoint_free(s->checkpoint, good);
	s->checkpoint = NULL;
	sqlite3_db_config(s->sql.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !good, NULL);
	amk_sql_close(&s->sql);
}

static int database_open(struct amk_store *s, struct amk_err *e)
{
	if (strlen(s->file) > PATH_LIMIT) {
		amk_err_set(e, AMK_EINVALID, "the path of the state folder is longer than SQLite takes: %.60s…",
			    s->file);
		return amk_err_hint(e, "set AMIKA_STATE_DIRECTORY to one of at most %d bytes", PATH_LIMIT - 9);
	}
	if (file_make(s->dir, e) < 0 || amk_sql_open(&s->sql, s->file, e) < 0)
		return amk_err_wrap(e, "%s", s->file);
	if (database_prepare(s, e) == 0)
		return 0;
	amk_sql_close(&s->sql);
	return amk_err_wrap(e, "%s", s->file);
}

static void store_free(struct amk_store *s)
{
	amk_log_release(s);
	amk_auto_fd(&s->dir);
	free(s->file);
	free(s);
}

struct amk_store *amk_store_open(struct amk_loop *l, int dirfd, const char *path, struct amk_err *e)
{
	struct amk_store *s = amk_calloc(1, sizeof *s);

	s->loop = l;
	s->file = amk_strf("%s/" NAME, path);
	s->dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	amk_log_init(s);
	if (s->dir < 0)
		amk_err_sys(e, "opening the state folder");
	if (s->dir < 0 || database_open(s, e) < 0) {
		store_free(s);
		return NULL;
	}
	s->sync = amk_sync_new(l, s->dir, NAME "-wal");
	s->checkpoint = amk_checkpoint_new(l, s->sql.db, s->file);
	return s;
}

int amk_store_check(int dirfd, const char *path, struct amk_err *e)
{
	char *file AMK_AUTO(mem) = amk_strf("%s/" NAME, path);
	struct amk_sql q;
	int r;

	if (faccessat(dirfd, NAME, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	if (amk_sql_open_to_read(&q, file, e) < 0)
		return amk_err_wrap(e, "%s", file);
	r = amk_schema_known(&q, e);
	amk_sql_close(&q);
	return r;
}

void amk_store_close(struct amk_store *s)
{
	struct amk_err e = { 0 };

	if (!s)
		return;
	if (amk_store_commit(s, &e) < 0)
		amk_say(AMK_SAY_ERROR, "store", "closing: %s", e.msg);
	amk_sync_end(s->sync);
	if (s->sql.db)
		database_close(s);
	amk_sync_free(s->sync);
	store_free(s);
}

bool amk_store_is_sound(const struct amk_store *s)
{
	return s->sql.db && !amk_checkpoint_failed(s->checkpoint) && !amk_sync_failed(s->sync);
}

/* Closes and opens: what the next connection finds in the WAL has been checked, checksum by checksum. */
static int database_renew(struct amk_store *s, struct amk_err *e)
{
	if (s->sql.db)
		database_close(s);
	if (database_open(s, &s->sql.broken) < 0) {
		*e = s->sql.broken;
		return -1;
	}
	s->checkpoint = amk_checkpoint_new(s->loop, s->sql.db, s->file);
	return 0;
}

int amk_store_recover(struct amk_store *s, struct amk_err *e)
{
	if (s->sql.damaged.code != AMK_OK) {
		*e = s->sql.damaged;
		return -1;
	}
	if (!amk_store_is_sound(s)) {
		/* Before it is closed: while the disk is as it was, what there is can be read. */
		if (s->sql.db && amk_settle(&s->sql, s->dir, NAME "-wal", e) < 0)
			return -1;
		if (database_renew(s, e) < 0)
			return -1;
		if (!amk_sync_renew(s->sync))
			return amk_err_set(e, AMK_EUNAVAILABLE, "a flush is under way");
	}
	return amk_schema_probe(&s->sql, e);
}

int amk_store_commit(struct amk_store *s, struct amk_err *e)
{
	if (!s->sql.turn)
		return 0;
	AMK_CRASH("commit.before");
	if (amk_sql_commit(&s->sql, e) < 0) {
		amk_metric_add(AMK_METRIC_ROLLBACKS, 1);
		amk_log_forget(s);
		amk_sync_turn_ended(s->sync, false);
		return -1;
	}
	AMK_CRASH("commit.after");
	amk_metric_add(AMK_METRIC_COMMITS, 1);
	amk_sync_turn_ended(s->sync, true);
	amk_log_wake(s);
	amk_checkpoint_between(s->checkpoint);
	return 0;
}

void amk_store_rollback(struct amk_store *s)
{
	if (!s->sql.turn)
		return;
	amk_sql_rollback(&s->sql);
	amk_metric_add(AMK_METRIC_ROLLBACKS, 1);
	amk_log_forget(s);
	amk_sync_turn_ended(s->sync, false);
}

void amk_store_flush(struct amk_store *s, void (*done)(void *arg, bool ok), void *arg)
{
	amk_sync_add(s->sync, s->sql.turn, done, arg);
}

bool amk_store_checkpointing(const struct amk_store *s)
{
	return amk_checkpoint_running(s->checkpoint);
}

void amk_store_scrub(struct amk_store *s, void (*done)(void *arg), void *arg)
{
	amk_checkpoint_empty(s->checkpoint, done, arg);
}

static int64_t size_of(const struct amk_store *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir, name, &st, 0) < 0 ? 0 : st.st_size;
}

void amk_store_measure(const struct amk_store *s, struct amk_store_size *size)
{
	*size = (struct amk_store_size){ size_of(s, NAME), size_of(s, NAME "-wal") };
}
