/* SPDX-License-Identifier: Apache-2.0 */
/* One command, kept until nothing of it is left: a poll(2) of its children, its deadline and our owner. */
#include "run/once.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/keeper.h"

struct once {
	const struct amk_once_spec *spec;
	struct amk_keeper keeper;
	int signals; /* signalfd */
	bool abandoned;
	int64_t now, deadline; /* ms */
	char why[AMK_ONCE_REPORT_MAX]; /* it failed; "": it has not */
};

static int64_t read_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Only the first thing that goes wrong is the reason. */
static void note(struct once *o, const char *what, const char *detail)
{
	if (o->why[0] == '\0')
		snprintf(o->why, sizeof o->why, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
}

static void note_status(struct once *o)
{
	char text[80];

	if (WIFEXITED(o->keeper.status) && WEXITSTATUS(o->keeper.status) == 0)
		return;
	if (WIFEXITED(o->keeper.status))
		snprintf(text, sizeof text, "exited with status %d", WEXITSTATUS(o->keeper.status));
	else
		snprintf(text, sizeof text, "ended by signal %d (%.40s)", WTERMSIG(o->keeper.status),
			 strsignal(WTERMSIG(o->keeper.status)));
	note(o, text, NULL);
}

static void end_tree(struct once *o)
{
	amk_keeper_end(&o->keeper, o->now, o->spec->grace_ms);
}

static void take_signals(struct once *o)
{
	struct signalfd_siginfo info;
	bool running = o->keeper.pid != 0;

	while (read(o->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGTERM) {
			note(o, "was told to end", NULL);
			end_tree(o);
		}
	}
	amk_keeper_reap(&o->keeper);
	if (!running || o->keeper.pid != 0)
		return;
	note_status(o);
	o->deadline = AMK_KEEPER_NEVER;
	end_tree(o); /* what it left running */
}

static void look_at_owner(struct once *o, short ready)
{
	if (!ready)
		return;
	o->abandoned = true;
	if (o->keeper.pid != 0)
		note(o, "was ended with the daemon", NULL);
	end_tree(o);
}

static void look_at_clock(struct once *o)
{
	char text[60];

	if (o->now < o->deadline)
		return;
	snprintf(text, sizeof text, "was not done within %lld ms", (long long)o->spec->deadline_ms);
	note(o, text, NULL);
	end_tree(o);
	o->deadline = AMK_KEEPER_NEVER;
}

static int wait_ms(const struct once *o, int64_t due)
{
	if (o->deadline < due)
		due = o->deadline;
	if (due == AMK_KEEPER_NEVER)
		return -1;
	if (due <= o->now)
		return 0;
	return due - o->now < INT32_MAX ? (int)(due - o->now) : INT32_MAX;
}

static void turn(struct once *o)
{
	struct pollfd p[] = {
		{ .fd = o->signals, .events = POLLIN },
		{ .fd = o->abandoned ? -1 : AMK_ONCE_LIFE, .events = POLLIN },
	};
	int64_t due = amk_keeper_tick(&o->keeper, o->now);

	if (poll(p, 2, wait_ms(o, due)) < 0)
		p[0].revents = p[1].revents = 0;
	o->now = read_clock();
	if (p[0].revents)
		take_signals(o);
	look_at_owner(o, p[1].revents);
	look_at_clock(o);
}

static int watch_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGPIPE };
	sigset_t wanted;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	/* The starter may have ignored it: then ended children would vanish unseen. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_SETMASK, &wanted, NULL);
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int start(struct once *o, const char **step)
{
	struct amk_keeper_program p = {
		.directory = o->spec->directory,
		.path = o->spec->program,
		.argv = o->spec->argv,
		.env = o->spec->env,
		.files = o->spec->files,
	};

	*step = "preparing";
	for (int fd = AMK_ONCE_LIFE; fd < AMK_ONCE_FD_COUNT; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -1;
	o->signals = watch_signals();
	p.fds[0] = fcntl(AMK_ONCE_INPUT, F_DUPFD_CLOEXEC, AMK_ONCE_FD_COUNT);
	p.fds[1] = p.fds[2] = fcntl(AMK_ONCE_OUTPUT, F_DUPFD_CLOEXEC, AMK_ONCE_FD_COUNT);
	if (o->signals < 0 || p.fds[0] < 0 || p.fds[1] < 0 || amk_keeper_start(&o->keeper, &p, step) < 0)
		return -1;
	close(p.fds[0]);
	close(p.fds[1]);
	return 0;
}

int amk_once_run(const struct amk_once_spec *spec)
{
	struct once o = { .spec = spec, .signals = -1, .keeper = { .status = -1, .empty = true } };
	const char *step, *report;

	o.now = read_clock();
	o.deadline = o.now + spec->deadline_ms;
	if (start(&o, &step) < 0) {
		int err = errno;

		note(&o, step, strerror(err));
	}
	while (!o.keeper.empty)
		turn(&o);
	report = o.why[0] ? o.why : AMK_ONCE_DONE;
	if (write(AMK_ONCE_REPORT, report, strlen(report)) < 0)
		return 1;
	return o.why[0] != '\0';
}
