/* SPDX-License-Identifier: Apache-2.0 */
/* What a shim that was killed left behind: found and ended, so that no program works on unseen. */
#ifndef AMK_RUN_STRAY_H
#define AMK_RUN_STRAY_H

#include <stdint.h>

/*
 * Sends KILL to the processes of the run whose folder this is, until none is left: those the shim listed
 * (run/tree.h), the program's session, whoever carries the run's cookie in the environment it was started
 * with, and the descendants of all these. Never to a process of another boot, another namespace, or to one
 * that only got a number of theirs. `alive` is when the shim is known to have lived (amk_tree_now; 0: when
 * it wrote its list). Reads /proc and waits: for a helper thread.
 * Returns how many were still there after patience_ms.
 */
unsigned amk_stray_end(int folder, uint64_t alive, int64_t patience_ms);

#endif
