/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what a shim keeps: looked at some time after something happened, never while all is still. */
#include "run/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/crash.h"
#include "run/proc.h"

#define PAUSE_MS 1000
#define SHARE 100 /* looking takes one part in so many of the time, however many processes there are */

static void read_boot(char *to, size_t max)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, max - 1);

	to[n > 0 ? n : 0] = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

void amk_tree_place(struct amk_tree_place *here)
{
	struct stat st;

	memset(here, 0, sizeof *here);
	read_boot(here->boot, sizeof here->boot);
	here->space = stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

uint64_t amk_tree_now(void)
{
	const uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * ticks + (uint64_t)t.tv_nsec * ticks / 1000000000;
}

/* A page is written as a whole or not at all, also under SIGKILL. If the disk does not take it, the last one stays. */
static void save(struct amk_tree *t)
{
	AMK_CRASH("shim.tree.before");
	t->page.at = amk_tree_now();
	if (t->fd < 0 || pwrite(t->fd, &t->page, sizeof t->page, 0) < 0)
		return;
	AMK_CRASH("shim.tree.after");
}

void amk_tree_init(struct amk_tree *t, int fd)
{
	_Static_assert(sizeof t->page <= 4096, "more than a page");

	t->fd = fd;
	t->due = AMK_TREE_NEVER;
	t->pause = PAUSE_MS;
	/* Where we are is there already. */
	if (fd >= 0 && pread(fd, &t->page, sizeof t->page, 0) == sizeof t->page)
		return;
	if (fd >= 0)
		close(fd);
	t->fd = -1;
}

void amk_tree_program(struct amk_tree *t, pid_t pid)
{
	struct amk_proc p;

	if (!amk_proc_read(pid, &p))
		return;
	t->page.n = 1;
	t->page.v[0].pid = (uint64_t)pid;
	t->page.v[0].start = p.start;
	save(t);
}

void amk_tree_stir(struct amk_tree *t, int64_t now)
{
	if (t->due == AMK_TREE_NEVER && t->page.n > 0)
		t->due = now + t->pause;
}

static int64_t read_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void look(struct amk_tree *t)
{
	struct amk_procs below = { NULL, 0, 0 };
	uint64_t n = 1;

	amk_procs_below(&below, getpid(), AMK_TREE_MAX);
	for (size_t i = 0; i < below.n && n < AMK_TREE_MAX; i++) {
		if ((uint64_t)below.v[i].pid == t->page.v[0].pid)
			continue;
		t->page.v[n].pid = (uint64_t)below.v[i].pid;
		t->page.v[n++].start = below.v[i].start;
	}
	t->page.n = n;
	amk_procs_release(&below);
	save(t);
}

int64_t amk_tree_tick(struct amk_tree *t, int64_t now)
{
	int64_t began;

	if (now < t->due)
		return t->due;
	began = read_clock();
	look(t);
	t->pause = (read_clock() - began) * SHARE / 1000;
	if (t->pause < PAUSE_MS)
		t->pause = PAUSE_MS;
	t->due = AMK_TREE_NEVER;
	return t->due;
}
