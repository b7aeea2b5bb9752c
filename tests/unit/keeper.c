/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper: how a program is started, and that nothing of its tree gets away. */
#include "run/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PATIENCE_MS 20000

static char folder[] = "/tmp/amika-keeper-XXXXXX";
static int signals; /* SIGCHLD */
static int out;	    /* the program's stdout, our end */

static const char *at_folder(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int start(struct amk_keeper *k, const char *directory, const char *const *argv, const char **step)
{
	char *const env[] = { (char *)"PATH=/usr/bin:/bin", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pair[2], r, err;
	struct amk_keeper_program p = { directory, argv[0], (char **)argv, env, 0, { 0 } };

	if (out > 0)
		close(out);
	if (null < 0 || pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	p.fds[0] = null;
	p.fds[1] = pair[1];
	p.fds[2] = null;
	r = amk_keeper_start(k, &p, step);
	err = errno;
	close(null);
	close(pair[1]);
	out = pair[0];
	errno = err;
	return r;
}

static int start_script(struct amk_keeper *k, const char *script)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL }, *step;

	return start(k, folder, argv, &step);
}

/* A line of the program's output, without its newline. */
static bool read_line(char *to, size_t max)
{
	struct pollfd p = { .fd = out, .events = POLLIN };
	size_t n = 0;

	while (n + 1 < max && poll(&p, 1, PATIENCE_MS) > 0 && read(out, to + n, 1) == 1 && to[n] != '\n')
		n++;
	to[n] = '\0';
	return n > 0;
}

static pid_t read_pid(void)
{
	char line[32];

	return read_line(line, sizeof line) ? (pid_t)strtol(line, NULL, 10) : 0;
}

/* Waits for a child to end, and collects. */
static bool wait_child(struct amk_keeper *k)
{
	struct pollfd p = { .fd = signals, .events = POLLIN };
	struct signalfd_siginfo info;

	if (poll(&p, 1, PATIENCE_MS) <= 0 || read(signals, &info, sizeof info) != sizeof info)
		return false;
	amk_keeper_reap(k);
	return true;
}

/* The time is ours: `now` far behind the deadline stands for waiting it out. */
static bool wait_empty(struct amk_keeper *k, int64_t now)
{
	while (!k->empty) {
		amk_keeper_tick(k, now);
		now += 10000;
		if (!wait_child(k))
			return false;
	}
	return true;
}

static bool is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

static void check_failures(void)
{
	const char *missing[] = { "/nonexistent/program", NULL }, *plain[] = { NULL, NULL };
	const char *sh[] = { "/bin/sh", "-c", "exit 0", NULL }, *step = "";
	struct amk_keeper k;
	int fd = open(at_folder("plain"), O_WRONLY | O_CREAT, 0644);

	close(fd);
	plain[0] = at_folder("plain");
	ok(start(&k, "/", missing, &step) < 0 && errno == ENOENT, "a missing program");
	is_str(step, "exec", "is told as exec");
	ok(start(&k, "/", plain, &step) < 0 && errno == EACCES, "a file that may not be executed");
	ok(start(&k, "/nonexistent", sh, &step) < 0 && errno == ENOENT, "a missing directory");
	is_str(step, "directory", "is told as directory");
	ok(k.empty && k.pid == 0, "and nothing is left");
}

static void check_surroundings(void)
{
	struct amk_keeper k;
	char line[256];

	signal(SIGUSR1, SIG_IGN);
	is_int(start_script(&k, "pwd; read -r p n s pp pg sid rest < /proc/self/stat;"
				"echo $((pg == p)) $((sid == p));"
				"ls /proc/$$/fd;"
				"grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2 | tr -d '0\\n'; echo ."),
	       0, "a script starts");
	read_line(line, sizeof line);
	is_str(line, folder, "in its directory");
	read_line(line, sizeof line);
	is_str(line, "1 1", "in a session and group of its own");
	for (const char *const *fd = (const char *const[]){ "0", "1", "2", NULL }; *fd; fd++) {
		read_line(line, sizeof line);
		is_str(line, *fd, "with a descriptor");
	}
	read_line(line, sizeof line);
	is_str(line, ".", "no signal blocked or ignored");
	ok(wait_empty(&k, 0), "and ends");
	ok(WIFEXITED(k.status) && WEXITSTATUS(k.status) == 0, "with its status");
	is_int(k.pid, 0, "known as over");
}

static void check_status(void)
{
	struct amk_keeper k;

	start_script(&k, "exit 7");
	ok(wait_empty(&k, 0) && WIFEXITED(k.status) && WEXITSTATUS(k.status) == 7, "exit code 7");
	start_script(&k, "kill -USR2 $$");
	ok(wait_empty(&k, 0) && WIFSIGNALED(k.status) && WTERMSIG(k.status) == SIGUSR2, "ended by a signal");
}

/* A tool that forks twice, makes itself a session and does not listen to TERM. */
static void check_stubborn(void)
{
	struct amk_keeper k;
	pid_t stubborn;

	start_script(&k, "trap 'exit 5' TERM;"
			 "(setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done' &);"
			 "while :; do sleep 1000 & wait; done");
	stubborn = read_pid();
	amk_keeper_end(&k, 1000, 500);
	is_int(amk_keeper_tick(&k, 1400), 1500, "KILL is not due before the grace is over");
	while (k.pid != 0 && wait_child(&k))
		;
	is_int(WEXITSTATUS(k.status), 5, "the program ends by TERM");
	ok(!k.empty && kill(stubborn, 0) == 0, "a tool that forked twice and ignores TERM does not");
	ok(wait_empty(&k, 1500) && is_gone(stubborn), "KILL ends it");
	is_int(amk_keeper_tick(&k, 9000), AMK_KEEPER_NEVER, "nothing more to do");
}

static void check_leftover(void)
{
	struct amk_keeper k;
	pid_t left;

	start_script(&k, "(setsid sh -c 'echo $$; exec sleep 1000' &); exit 3");
	left = read_pid();
	while (k.pid != 0 && wait_child(&k))
		;
	ok(!k.empty && !is_gone(left), "what the program left behind is still kept");
	amk_keeper_end(&k, 0, 60000);
	ok(wait_empty(&k, 0) && is_gone(left), "and ends by TERM");
	is_int(WEXITSTATUS(k.status), 3, "the status stays the program's");
}

static void check_stopped(void)
{
	struct amk_keeper k;
	siginfo_t info;

	start_script(&k, "trap 'exit 9' TERM; kill -STOP $$; exit 1");
	waitid(P_PID, (id_t)k.pid, &info, WSTOPPED | WNOWAIT);
	amk_keeper_end(&k, 0, 60000);
	ok(wait_empty(&k, 0), "a stopped program ends");
	ok(WIFEXITED(k.status) && WEXITSTATUS(k.status) == 9, "for it hears TERM");
}

static void check_forward(void)
{
	struct amk_keeper k;

	start_script(&k, "trap '' TERM; echo up; while :; do sleep 1000; done");
	read_pid();
	amk_keeper_end(&k, 0, 60000);
	amk_keeper_end(&k, 10, 90000);
	is_int(amk_keeper_tick(&k, 10), 60000, "a longer grace changes nothing");
	amk_keeper_end(&k, 20, 0);
	ok(wait_empty(&k, 20) && WTERMSIG(k.status) == SIGKILL, "a shorter one does");
}

int main(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	signals = signalfd(-1, &wanted, SFD_CLOEXEC);
	if (signals < 0 || !mkdtemp(folder))
		return 1;
	check_failures();
	check_surroundings();
	check_status();
	check_stubborn();
	check_leftover();
	check_stopped();
	check_forward();
	unlink(at_folder("plain"));
	rmdir(folder);
	return tap_done();
}
