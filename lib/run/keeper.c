/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping and ending a process tree. */
#include "run/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/proc.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

/* What is left after KILL (new children, children of the dead) is looked for again, ever more rarely. */
#define KILL_PAUSE_MIN 10
#define KILL_PAUSE_MAX 1000

struct failure {
	const char *step; /* a string of this program, which the child shares */
	int err;
};

static void signal_tree(int signum)
{
	struct amk_procs all = { NULL, 0, 0 };

	amk_procs_read(&all);
	amk_procs_mark(&all, getpid());
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].ours && !all.v[i].zombie)
			amk_proc_signal(&all.v[i], signum);
	}
	amk_procs_release(&all);
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
