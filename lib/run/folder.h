/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a run on disk, from the daemon's side; its files are told in run/shim.h. */
#ifndef AMK_RUN_FOLDER_H
#define AMK_RUN_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "run/run.h"
#include "run/shim.h"
#include "run/tree.h"

/* Makes dir/ID with empty spools and zero positions; returns it open. */
int amk_folder_make(int dir, int64_t id, struct amk_err *e);
int amk_folder_open(int dir, int64_t id, struct amk_err *e);
/* Removes dir/ID and what is in it. */
int amk_folder_remove(int dir, int64_t id, struct amk_err *e);

/* Binds `bell`, listening. */
int amk_folder_listen(int folder, struct amk_err *e);
/* Connects to `bell`; -1 when that cannot be done now, and *nobody when that is because nobody listens. */
int amk_folder_connect(int folder, bool *nobody);
/* Is there a shim? True, too, when it cannot be told. */
bool amk_folder_is_kept(int folder);
/* Did a shim get as far as starting a program? True, too, when it cannot be told. */
bool amk_folder_has_begun(int folder);

/* 1: the end is told; 0: there is none yet; -1: it cannot be read now. */
int amk_folder_end(int folder, struct amk_run_end *end);
/*
 * What the shim stored. After a loss of power the disk may hold an older state: of another boot, or when it
 * cannot be read, `begun` is UINT64_MAX: all may have gone to the program.
 */
void amk_folder_positions(int folder, struct amk_shim_pos *pos);
void amk_folder_stderr(int folder, struct amk_buf *b);

/* The variable every process of the run finds in its environment, "NAME=VALUE"; "" when there is none. */
#define AMK_FOLDER_COOKIE 48
void amk_folder_cookie(int folder, char to[AMK_FOLDER_COOKIE]);
/* The shim's last list of processes; false when its numbers mean nothing here and now. */
bool amk_folder_tree(int folder, struct amk_tree_page *page);

#endif
