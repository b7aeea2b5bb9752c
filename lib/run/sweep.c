/* SPDX-License-Identifier: Apache-2.0 */
/* Ending what the tools of a cancelled turn left running. */
#include "run/sweep.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "run/proc.h"
#include "run/tree.h"

#define TERM_MS 200  /* the agent had its own time before */
#define LOOK_MS 10   /* between two looks */
#define MOST_MS 3000 /* what the kernel holds for longer must not hold the session */
#define BELOW_MAX 4096

void amk_sweep_turn(struct amk_sweep *w, uint64_t turn)
{
	if (turn <= w->turn)
		return;
	w->turn = turn;
	w->since = amk_tree_now();
}

void amk_sweep_begin(struct amk_sweep *w, uint64_t turn, int64_t now)
{
	if (turn != w->turn || turn == w->swept)
		return;
	w->swept = turn;
	w->from = w->since;
	w->busy = true;
	w->kill = now + TERM_MS;
	w->until = now + MOST_MS;
	w->due = now;
}

static bool is_marked(const struct amk_procs *below, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (below->v[i].pid == pid)
			return below->v[i].ours;
	return false;
}

/* Marks the program and its helpers: parents come before children. */
static void mark_kept(struct amk_procs *below, pid_t program)
{
	for (size_t i = 0; i < below->n; i++) {
		struct amk_proc *p = &below->v[i];

		p->ours = p->pid == program || (p->group == program && is_marked(below, i, p->parent));
	}
}

/* How many there were. */
static unsigned signal_left(const struct amk_sweep *w, pid_t program, int signum)
{
	struct amk_procs below = { NULL, 0, 0 };
	unsigned found = 0;

	amk_procs_below(&below, getpid(), BELOW_MAX);
	mark_kept(&below, program);
	for (size_t i = 0; i < below.n; i++) {
		const struct amk_proc *p = &below.v[i];

		if (p->ours || p->zombie || p->start < w->from)
			continue;
		found++;
		if (signum)
			amk_proc_signal(p, signum);
		/* Who is stopped cannot hear it. */
		if (signum == SIGTERM)
			amk_proc_signal(p, SIGCONT);
	}
	amk_procs_release(&below);
	return found;
}

int64_t amk_sweep_tick(struct amk_sweep *w, pid_t program, int64_t now)
{
	bool first = w->busy && w->due == w->kill - TERM_MS;
	unsigned left;

	if (!w->busy)
		return AMK_SWEEP_NEVER;
	if (now < w->due)
		return w->due;
	left = signal_left(w, program, now >= w->kill ? SIGKILL : first ? SIGTERM : 0);
	if (left == 0 || now >= w->until)
		w->busy = false;
	w->due = w->busy ? now + LOOK_MS : AMK_SWEEP_NEVER;
	return w->due;
}
