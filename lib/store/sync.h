/* SPDX-License-Identifier: Apache-2.0 */
/* Making commits durable off the loop: one fdatasync of the WAL for all that wait. */
#ifndef AMK_STORE_SYNC_H
#define AMK_STORE_SYNC_H

#include <stdbool.h>

#include "loop/loop.h"

struct amk_sync;

/* `wal` is the name of the WAL file in the folder open as dirfd, which stays open. */
struct amk_sync *amk_sync_new(struct amk_loop *l, int dirfd, const char *wal);
/* Calls all who wait, after a last sync if it is needed, and frees. */
void amk_sync_free(struct amk_sync *y);

/* in_turn: waits for the end of the running transaction first. */
void amk_sync_add(struct amk_sync *y, bool in_turn, void (*done)(void *arg, bool ok), void *arg);
/* The turn's transaction has ended; those of this turn are synced, or told that it failed. */
void amk_sync_turn_ended(struct amk_sync *y, bool committed);

#endif
