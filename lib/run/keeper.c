/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping and ending a process tree. */
#include "run/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

/* What is left after KILL (new children, children of the dead) is looked for again, ever more rarely. */
#define KILL_PAUSE_MIN 10
#define KILL_PAUSE_MAX 1000

struct proc {
	pid_t pid, parent;
	bool zombie, ours;
};

struct procs {
	struct proc *v;
	size_t n, cap;
};

struct failure {
	const char *step; /* a string of this program, which the child shares */
	int err;
};

static bool read_proc(pid_t pid, struct proc *to)
{
	char path[32], text[512], state, *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The name in parentheses may hold anything, parentheses too. */
	p = strrchr(text, ')');
	if (!p || strlen(p) < 5)
		return false;
	state = p[2];
	*to = (struct proc){ .pid = pid, .parent = (pid_t)strtol(p + 4, NULL, 10), .zombie = state == 'Z' };
	return true;
}

static void add_proc(struct procs *all, const struct proc *p)
{
	struct proc *v;

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

static void read_all(struct procs *all)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	struct proc p;

	while (d && (entry = readdir(d))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && read_proc((pid_t)pid, &p))
			add_proc(all, &p);
	}
	if (d)
		closedir(d);
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = ((const struct proc *)a)->pid, y = ((const struct proc *)b)->pid;

	return (x > y) - (x < y);
}

/* The kernel need not list children, so the tree is found from the parents. */
static void mark_ours(struct procs *all)
{
	pid_t self = getpid();
	bool more = true;

	if (all->n > 0)
		qsort(all->v, all->n, sizeof *all->v, by_pid);
	while (more) {
		more = false;
		for (size_t i = 0; i < all->n; i++) {
			struct proc *p = &all->v[i], *parent;
			const struct proc key = { .pid = p->parent };

			if (p->ours)
				continue;
			parent = bsearch(&key, all->v, all->n, sizeof *all->v, by_pid);
			if (p->parent == self || (parent && parent->ours))
				p->ours = more = true;
		}
	}
}

/*
 * Between looking and signalling, the process may have ended and its number may have gone to a
 * stranger: the number is pinned by a descriptor and looked at once more.
 */
static void signal_proc(const struct proc *p, int signum)
{
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	struct proc now;

	if (fd < 0 && errno == ESRCH)
		return;
	if (read_proc(p->pid, &now) && (now.parent == p->parent || now.parent == getpid())) {
		if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0) < 0)
			kill(p->pid, signum);
	}
	if (fd >= 0)
		close(fd);
}

static void signal_tree(int signum)
{
	struct procs all = { NULL, 0, 0 };

	read_all(&all);
	mark_ours(&all);
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].ours && !all.v[i].zombie)
			signal_proc(&all.v[i], signum);
	}
	free(all.v);
}

static _Noreturn void give_up(int report, const char *step)
{
	struct failure f = { step, errno };

	if (write(report, &f, sizeof f) < 0)
		_exit(126);
	_exit(127);
}

/*
 * By the system call: signal(3) leaves out the two that glibc keeps for itself, which a starter of ours
 * may have ignored. Zeros are the default action, whatever the layout of the kernel's structure.
 */
static void reset_signals(void)
{
	static const char plain[64];
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		syscall(SYS_rt_sigaction, i, plain, NULL, (size_t)(NSIG - 1) / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The daemon needs more open files than programs expect to find. */
static void limit_files(uint64_t files)
{
	struct rlimit rl;

	if (files == 0 || getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	rl.rlim_cur = files < rl.rlim_max ? (rlim_t)files : rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

/* The child, up to exec. `report` closes on exec. */
static _Noreturn void become(const struct amk_keeper_program *p, pid_t keeper, int report)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(127);
	setsid();
	reset_signals();
	for (int i = 0; i < 3; i++) {
		if (dup2(p->fds[i], i) < 0)
			give_up(report, "fork");
	}
	limit_files(p->files);
	syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
	if (chdir(p->directory) < 0)
		give_up(report, "directory");
	execve(p->path, p->argv, p->env);
	give_up(report, "exec");
}

int amk_keeper_start(struct amk_keeper *k, const struct amk_keeper_program *p, const char **step)
{
	pid_t self = getpid(), pid;
	struct failure f;
	int report[2];
	ssize_t n;

	*k = (struct amk_keeper){ .status = -1, .empty = true, .pause = KILL_PAUSE_MIN };
	*step = "fork";
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe2(report, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become(p, self, report[1]);
	close(report[1]);
	do
		n = pid < 0 ? 0 : read(report[0], &f, sizeof f);
	while (n < 0 && errno == EINTR);
	close(report[0]);
	if (pid < 0)
		return -1;
	if (n == sizeof f) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		*step = f.step;
		errno = f.err;
		return -1;
	}
	k->pid = pid;
	k->empty = false;
	return 0;
}

void amk_keeper_reap(struct amk_keeper *k)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid == 0 || (pid < 0 && errno != EINTR))
			break;
		if (pid > 0 && pid == k->pid) {
			k->pid = 0;
			k->status = status;
		}
	}
	if (pid < 0)
		k->empty = true;
}

void amk_keeper_end(struct amk_keeper *k, int64_t now, int64_t grace)
{
	if (k->empty)
		return;
	if (!k->ending || k->deadline > now + grace)
		k->deadline = now + grace;
	if (k->ending)
		return;
	k->ending = true;
	signal_tree(SIGTERM);
	/* Who is stopped cannot hear it. */
	signal_tree(SIGCONT);
}

int64_t amk_keeper_tick(struct amk_keeper *k, int64_t now)
{
	if (k->empty || !k->ending)
		return AMK_KEEPER_NEVER;
	if (now >= k->deadline) {
		signal_tree(SIGKILL);
		k->deadline = now + k->pause;
		k->pause = k->pause * 2 < KILL_PAUSE_MAX ? k->pause * 2 : KILL_PAUSE_MAX;
	}
	return k->deadline;
}
