/* SPDX-License-Identifier: Apache-2.0 */
/* Making commits durable off the loop: one fdatasync of the WAL for all that wait. */
#ifndef AMK_STORE_SYNC_H
#define AMK_STORE_SYNC_H

#include <stdbool.h>

#include "loop/loop.h"

struct amk_sync;

/* `wal` is the name of the WAL file in the folder open as dirfd, which stays open. */
struct amk_sync *amk_sync_new(struct amk_loop *l, int dirfd, const char *wal);
/* Calls all who wait, after a last sync if it is needed. Only to be freed then. */
void amk_sync_end(struct amk_sync *y);
void amk_sync_free(struct amk_sync *y);

/* in_turn: waits for the end of the running transaction first. */
void amk_sync_add(struct amk_sync *y, bool in_turn, void (*done)(void *arg, bool ok), void *arg);
/* Whether a sync has failed: then all who wait are told so, until amk_sync_renew. */
bool amk_sync_failed(const struct amk_sync *y);
/* After the WAL was settled (settle.h): promises can be made again. False while a sync runs: later. */
bool amk_sync_renew(struct amk_sync *y);
/* The turn's transaction has ended; those of this turn are synced, or told that it failed. */
void amk_sync_turn_ended(struct amk_sync *y, bool committed);

#endif
