/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state: one SQLite database (WAL). Writes of a loop turn share one transaction, opened by the
 * first of them and ended by amk_store_commit. What a client is told must not be lost waits for
 * amk_store_flush. SQLite stays behind this folder.
 *
 * All functions return 0, or -1 with e set; texts given are copied.
 */
#ifndef AMK_STORE_STORE_H
#define AMK_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "loop/loop.h"

struct amk_store;

/* Opens or creates STATE/amika.db in the folder open as dirfd; refuses a newer schema. */
struct amk_store *amk_store_open(struct amk_loop *l, int dirfd, const char *path, struct amk_err *e);
/* Whether amk_store_open would take what is there, or will make it. Nothing is written; another may have it open. */
int amk_store_check(int dirfd, const char *path, struct amk_err *e);
/* Commits, checkpoints, closes. Flushes still waiting are called. */
void amk_store_close(struct amk_store *s);

/*
 * Ends the turn's transaction, if there is one, and wakes the subscribers of what was appended. After a
 * write that failed for another reason than a conflict (a full disk) the turn cannot be committed: its
 * later writes fail too, and this rolls back and says why.
 */
int amk_store_commit(struct amk_store *s, struct amk_err *e);
/* Undoes the turn's transaction. Subscribers are not woken. */
void amk_store_rollback(struct amk_store *s);

/*
 * Calls done(arg, ok) on the loop once everything written before this call is on disk: after the
 * commit of the running transaction and an fdatasync of the WAL in the thread pool. One sync is in
 * flight at a time, the next covers all that came meanwhile. ok is false if commit or sync failed.
 */
void amk_store_flush(struct amk_store *s, void (*done)(void *arg, bool ok), void *arg);

/* False after a failed flush: nothing more is promised (flushes fail), nothing should be written. */
bool amk_store_is_sound(const struct amk_store *s);
/*
 * After trouble, with no turn begun: if a flush has failed, closes the database, opens it anew and writes again what
 * stands in its WAL; then tries whether it can be written. 0: it can. One found corrupt stays refused. Until it succeeds
 * readers may find the database closed; what was committed and never flushed may turn out to be lost.
 */
int amk_store_recover(struct amk_store *s, struct amk_err *e);
/* A checkpoint is on its way: deleting that can wait does so, and the WAL stays short. */
bool amk_store_checkpointing(const struct amk_store *s);
/*
 * Empties the WAL, then done(arg): what was deleted before stands in no file any more. Where another program
 * is reading the database the WAL is emptied when it has finished, and done is called now.
 */
void amk_store_scrub(struct amk_store *s, void (*done)(void *arg), void *arg);

/* Bytes of the files. */
struct amk_store_size {
	int64_t database, wal;
};
void amk_store_measure(const struct amk_store *s, struct amk_store_size *size);

#endif
