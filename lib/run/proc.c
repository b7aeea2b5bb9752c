/* SPDX-License-Identifier: Apache-2.0 */
/* Reading /proc, and signalling without hitting a stranger. */
#include "run/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define START_FIELD 22 /* of /proc/PID/stat, counted from 1 as proc(5) does */

/* The name in parentheses may hold anything, parentheses too: what follows it starts at its last one. */
static bool parse_stat(const char *text, struct amk_proc *to)
{
	const char *p = strrchr(text, ')');
	char *end;

	if (!p || strlen(p) < 5)
		return false;
	to->zombie = p[2] == 'Z' || p[2] == 'X';
	to->parent = (pid_t)strtol(p + 4, &end, 10);
	to->group = (pid_t)strtol(end, &end, 10);
	to->session = (pid_t)strtol(end, &end, 10);
	for (int field = 7; field < START_FIELD && *end; field++)
		end += strcspn(end + 1, " ") + 1;
	to->start = strtoull(end, NULL, 10);
	return to->start > 0 || to->pid == 1;
}

bool amk_proc_read(pid_t pid, struct amk_proc *to)
{
	char path[32], text[1024];
	ssize_t n;
	int fd;

	*to = (struct amk_proc){ .pid = pid };
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return parse_stat(text, to);
}

/*
 * Between looking and signalling, the process may have ended and its number may have gone to a
 * stranger: the number is pinned by a descriptor and looked at once more.
 */
bool amk_proc_signal(const struct amk_proc *p, int signum)
{
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	bool pinned = fd >= 0, sent = false;
	struct amk_proc now;

	/* Where it cannot be pinned (an old kernel, no descriptor to spare) the number has to do. */
	if (!pinned && errno == ESRCH)
		return false;
	if (amk_proc_read(p->pid, &now) && now.start == p->start)
		sent = (pinned ? syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0) : kill(p->pid, signum)) == 0;
	if (pinned)
		close(fd);
	return sent;
}

static void add(struct amk_procs *all, const struct amk_proc *p)
{
	struct amk_proc *v;

	if (all->n == all->cap) {
		size_t cap = all->cap ? 2 * all->cap : 256;

		v = realloc(all->v, cap * sizeof *v);
		if (!v)
			return;
		all->v = v;
		all->cap = cap;
	}
	all->v[all->n++] = *p;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = ((const struct amk_proc *)a)->pid, y = ((const struct amk_proc *)b)->pid;

	return (x > y) - (x < y);
}

void amk_procs_read(struct amk_procs *all)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	struct amk_proc p;

	while (d && (entry = readdir(d))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && amk_proc_read((pid_t)pid, &p))
			add(all, &p);
	}
	if (d)
		closedir(d);
	if (all->n > 0)
		qsort(all->v, all->n, sizeof *all->v, by_pid);
}

void amk_procs_mark(struct amk_procs *all, pid_t root)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < all->n; i++) {
			struct amk_proc *p = &all->v[i], *parent;
			const struct amk_proc key = { .pid = p->parent };

			if (p->ours)
				continue;
			parent = bsearch(&key, all->v, all->n, sizeof *all->v, by_pid);
			if ((root && p->parent == root) || (parent && parent->ours))
				p->ours = more = true;
		}
	}
}

/* ---- only what is below us, where the kernel lists children ---- */

static void add_child(struct amk_procs *below, long pid, size_t max)
{
	struct amk_proc p;

	if (pid > 0 && below->n < max && amk_proc_read((pid_t)pid, &p))
		add(below, &p);
}

/* A thread's children: numbers, each followed by a space. False when the kernel has no such file. */
static bool add_children(struct amk_procs *below, pid_t pid, const char *thread, size_t max)
{
	char path[300], text[4096];
	long number = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while ((n = read(fd, text, sizeof text)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				number = number * 10 + (text[i] - '0');
				continue;
			}
			add_child(below, number, max);
			number = 0;
		}
	}
	close(fd);
	return true;
}

static void add_threads_children(struct amk_procs *below, pid_t pid, size_t max)
{
	struct dirent *entry;
	char path[32];
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] != '.')
			add_children(below, pid, entry->d_name, max);
	}
	if (d)
		closedir(d);
}

static void below_by_parents(struct amk_procs *below, pid_t root, size_t max)
{
	struct amk_procs all = { NULL, 0, 0 };

	amk_procs_read(&all);
	amk_procs_mark(&all, root);
	for (size_t i = 0; i < all.n && below->n < max; i++) {
		if (all.v[i].ours)
			add(below, &all.v[i]);
	}
	amk_procs_release(&all);
}

/* The shim and whoever looks at one have their children under their first thread. */
void amk_procs_below(struct amk_procs *below, pid_t root, size_t max)
{
	char first[16];

	snprintf(first, sizeof first, "%d", (int)root);
	if (!add_children(below, root, first, max)) {
		below_by_parents(below, root, max);
		return;
	}
	for (size_t i = 0; i < below->n && below->n < max; i++)
		add_threads_children(below, below->v[i].pid, max);
}

void amk_procs_release(struct amk_procs *all)
{
	free(all->v);
	*all = (struct amk_procs){ NULL, 0, 0 };
}
