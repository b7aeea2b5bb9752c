/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a cancelled turn: what its tools left running is ended, TERM and soon KILL. That is every process below the
 * shim that was born since the turn began, but for the program and its helpers: a helper (a server of tools, say) is
 * in the program's process group, and so are all between the two. Agents give each tool a group of its own, to end
 * it by; what a tool detaches has one, too, or has lost its parent. What earlier turns started stays. Needs only libc.
 */
#ifndef AMK_RUN_SWEEP_H
#define AMK_RUN_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define AMK_SWEEP_NEVER INT64_MAX

struct amk_sweep {
	uint64_t turn;	/* number of the turn that runs or ran last, as told; 0: none yet */
	uint64_t since; /* when it began, as the start of a process is counted */
	uint64_t swept; /* number of the last one that was swept */
	uint64_t from;	/* when that one began */
	bool busy;	/* something is still being ended: nothing may be fed to the program meanwhile */
	int64_t kill, until; /* ms: when TERM has had its time; when what will not die is left */
	int64_t due;
};

/* A turn begins. A number that is not above the last one was told before. */
void amk_sweep_turn(struct amk_sweep *w, uint64_t turn);
/* That turn was cancelled and is over. Nothing if another one has begun, or it was told before. */
void amk_sweep_begin(struct amk_sweep *w, uint64_t turn, int64_t now);
/* Does what is due at `now` (ms); returns when to be called again, or AMK_SWEEP_NEVER. */
int64_t amk_sweep_tick(struct amk_sweep *w, pid_t program, int64_t now);

#endif
