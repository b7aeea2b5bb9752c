/* SPDX-License-Identifier: Apache-2.0 */
/* Moving the WAL into the database: in the thread pool, and bounded. */
#ifndef AMK_STORE_CHECKPOINT_H
#define AMK_STORE_CHECKPOINT_H

#include <sqlite3.h>
#include <stdbool.h>

#include "loop/loop.h"

#define AMK_CHECKPOINT_PAGE 4096
#define AMK_CHECKPOINT_STEP (4 << 20)	/* growth of the WAL that is worth a checkpoint */
#define AMK_CHECKPOINT_BOUND (64 << 20) /* where writing waits for one */

struct amk_checkpoint;

/* Watches the WAL of db, whose file is `path`. */
struct amk_checkpoint *amk_checkpoint_new(struct amk_loop *l, sqlite3 *db, const char *path);
/* Waits for a running one; then empties the WAL, if that is wanted. db is still open. NULL is fine. */
void amk_checkpoint_free(struct amk_checkpoint *k, bool empty);
/* Between turns: starts what is due. */
void amk_checkpoint_between(struct amk_checkpoint *k);
/* Whether a flush has failed in one: what the disk holds of the WAL or the database is not known. */
bool amk_checkpoint_failed(const struct amk_checkpoint *k);
bool amk_checkpoint_running(const struct amk_checkpoint *k);
/* Empties the WAL, most of it off the loop; then, or when another reader is in the way, done(arg). */
void amk_checkpoint_empty(struct amk_checkpoint *k, void (*done)(void *arg), void *arg);

#endif
