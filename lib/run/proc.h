/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes as /proc shows them. A number alone may have gone to a stranger: a process is its number
 * and its start time together. Needs only libc.
 */
#ifndef AMK_RUN_PROC_H
#define AMK_RUN_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct amk_proc {
	pid_t pid, parent, group, session;
	uint64_t start; /* clock ticks since boot */
	bool zombie;
	bool ours; /* marked by whoever looks through a list */
};

struct amk_procs {
	struct amk_proc *v; /* owned */
	size_t n, cap;
};

/* False when there is none of that number. */
bool amk_proc_read(pid_t pid, struct amk_proc *to);
/* Signals that very process; false if it is gone or may not be signalled. */
bool amk_proc_signal(const struct amk_proc *p, int signum);

/* All there are, ascending; `all` is empty before. */
void amk_procs_read(struct amk_procs *all);
/* Marks the descendants of what is marked, and those of `root` (0: none). */
void amk_procs_mark(struct amk_procs *all, pid_t root);
/* The descendants of a process, parents before children, `max` at most; the order is that of no list above. */
void amk_procs_below(struct amk_procs *below, pid_t root, size_t max);
void amk_procs_release(struct amk_procs *all);

#endif
