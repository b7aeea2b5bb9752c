/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: timers, turns, readiness, signals, children and work on threads. */
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/time.h"
#include "tap.h"

static struct amk_loop *loop;

static void stop_at_limit(void *arg)
{
	(void)arg;
	printf("# the loop was stopped at its limit\n");
	amk_loop_stop(loop);
}

/* Runs the loop until something stops it, at most ten seconds. */
static void run(void)
{
	struct amk_timer *limit = amk_loop_timer(loop, stop_at_limit, NULL);

	amk_loop_timer_arm(limit, 10000);
	amk_loop_run(loop);
	amk_loop_timer_free(limit);
}

struct ticker {
	struct amk_timer *timer;
	int fired;
};

static void tick_again(void *arg)
{
	struct ticker *t = arg;

	if (++t->fired < 3) {
		amk_loop_timer_arm(t->timer, 0);
		return;
	}
	amk_loop_timer_free(t->timer);
	amk_loop_stop(loop);
}

static void count(void *arg)
{
	++*(int *)arg;
}

static void test_timers(void)
{
	struct ticker t = { 0 };
	int never = 0;
	struct amk_timer *off = amk_loop_timer(loop, count, &never), *late = amk_loop_timer(loop, count, &never);
	int64_t start = amk_time_monotonic();

	t.timer = amk_loop_timer(loop, tick_again, &t);
	amk_loop_timer_arm(t.timer, 5);
	amk_loop_timer_arm(off, 1);
	amk_loop_timer_disarm(off);
	amk_loop_timer_arm(late, 1);
	amk_loop_timer_arm(late, 60000);
	run();
	is_int(t.fired, 3, "a timer armed in its own callback fires again, and may be freed there");
	ok(amk_time_monotonic() - start >= 5000000, "no timer fires early");
	is_int(never, 0, "a disarmed timer and one armed anew for later do not fire");
	amk_loop_timer_free(off);
	amk_loop_timer_free(late);
	amk_loop_timer_free(NULL);
}

struct turns {
	int n, again_until, stop_at;
};

static void turn(void *arg)
{
	struct turns *t = arg;

	t->n++;
	if (t->n < t->again_until)
		amk_loop_again(loop);
	if (t->n == t->stop_at)
		amk_loop_stop(loop);
}

static void ask_again(void *arg)
{
	(void)arg;
	amk_loop_again(loop);
}

static void test_turns(void)
{
	struct turns t = { .again_until = 1000, .stop_at = 1000 };
	struct amk_timer *timer = amk_loop_timer(loop, ask_again, NULL);

	amk_loop_on_turn(loop, turn, &t);
	run();
	is_int(t.n, 1000, "as long as there is more to do, turns follow without sleeping");
	t = (struct turns){ .stop_at = 3 };
	amk_loop_timer_arm(timer, 1);
	run();
	is_int(t.n, 3, "asking for another turn in a callback gives one more after its own");
	amk_loop_on_turn(loop, NULL, NULL);
	amk_loop_timer_free(timer);
}

struct pair {
	int fd[2];
	struct amk_watch *watch;
	unsigned seen;
	int calls;
};

static void pair_open(struct pair *p)
{
	*p = (struct pair){ 0 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->fd) < 0)
		abort();
}

static void pair_close(struct pair *p)
{
	close(p->fd[0]);
	if (p->fd[1] >= 0)
		close(p->fd[1]);
}

static void pair_ready(void *arg, unsigned ready)
{
	struct pair *p = arg;

	p->seen |= ready;
	p->calls++;
	if (ready & AMK_READY_GONE) {
		amk_loop_watch_free(p->watch);
		p->watch = NULL;
		amk_loop_stop(loop);
	} else if (ready & AMK_READY_READ) {
		/* One byte a call: readiness is told again as long as there is one. */
		char c;

		if (read(p->fd[0], &c, 1) == 1 && c == '.') {
			amk_loop_watch_set(p->watch, AMK_READY_GONE);
			close(p->fd[1]);
			p->fd[1] = -1;
		}
	} else if (ready & AMK_READY_WRITE) {
		amk_loop_watch_set(p->watch, AMK_READY_READ);
		if (write(p->fd[1], "abc.", 4) != 4)
			abort();
	}
}

static void test_watch(void)
{
	struct amk_err e = { 0 };
	struct pair p;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), again;

	pair_open(&p);
	p.watch = amk_loop_watch(loop, p.fd[0], AMK_READY_WRITE, pair_ready, &p, &e);
	run();
	is_int(p.seen, AMK_READY_READ | AMK_READY_WRITE | AMK_READY_GONE, "readable, writable and gone are told");
	is_int(p.calls, 6, "once to write, for each byte, once gone");
	ok(!p.watch, "a watch may be freed in its callback");
	again = p.fd[0];
	pair_close(&p);
	pair_open(&p);
	p.watch = amk_loop_watch(loop, p.fd[0], 0, pair_ready, &p, &e);
	ok(p.watch && p.fd[0] == again, "a descriptor number that was freed can be watched again");
	amk_loop_watch_free(p.watch);
	pair_close(&p);
	ok(!amk_loop_watch(loop, file, AMK_READY_READ, pair_ready, &p, &e) && e.code != AMK_OK,
	   "what cannot be watched is an error: %s", e.msg);
	amk_loop_watch_free(NULL);
	close(file);
}

static void freed_before(void *arg, unsigned ready)
{
	struct pair *both = arg;

	/* Both are ready in this turn: whichever comes first frees the other. */
	(void)ready;
	both[0].calls++;
	amk_loop_watch_free(both[0].watch);
	amk_loop_watch_free(both[1].watch);
	amk_loop_stop(loop);
}

static void test_watch_freed_by_other(void)
{
	struct amk_err e;
	struct pair both[2];

	for (int i = 0; i < 2; i++) {
		pair_open(&both[i]);
		if (write(both[i].fd[1], "x", 1) != 1)
			abort();
	}
	for (int i = 0; i < 2; i++)
		both[i].watch = amk_loop_watch(loop, both[i].fd[0], AMK_READY_READ, freed_before, both, &e);
	run();
	is_int(both[0].calls, 1, "a freed watch is not called, though it was ready in the same turn");
	pair_close(&both[0]);
	pair_close(&both[1]);
}

static void signal_seen(void *arg, int signum)
{
	*(int *)arg = signum;
	amk_loop_stop(loop);
}

static void test_signals(void)
{
	struct amk_err e;
	int seen = 0;

	is_int(amk_loop_signal(loop, SIGUSR1, signal_seen, &seen, &e), 0, "a signal is watched");
	kill(getpid(), SIGUSR1);
	run();
	is_int(seen, SIGUSR1, "and delivered on the loop");
	is_int(amk_loop_signal(loop, SIGKILL, signal_seen, &seen, &e), -1, "one that cannot be is an error");
}

struct end {
	int status, signum, calls;
};

static void child_ended(void *arg, int status, int signum)
{
	struct end *x = arg;

	x->status = status;
	x->signum = signum;
	x->calls++;
	amk_loop_stop(loop);
}

static pid_t shell(const char *script, const int *fds, unsigned nfds, struct end *end)
{
	const char *argv[] = { "sh", "-c", script, NULL }, *env[] = { "COLOUR=green", NULL };
	struct amk_spawn sp = { .path = "/bin/sh", .argv = (char *const *)argv, .env = (char *const *)env,
				.directory = "/", .fds = fds, .nfds = nfds, .session = true };
	struct amk_err e = { 0 };
	pid_t pid = amk_loop_spawn(loop, &sp, child_ended, end, &e);

	if (pid < 0)
		printf("# %s\n", e.msg);
	return pid;
}

static void test_spawn(void)
{
	int out[2], open_fd = open("/", O_RDONLY | O_CLOEXEC);
	struct end x = { 0 };
	char got[256] = "", want[128];
	ssize_t n;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		abort();
	/* The loop's own descriptors and open_fd must not be there. */
	pid = shell("read a; echo \"$a $COLOUR $PWD $(readlink /proc/$$/fd/3)\" >&4; "
		    "ls -l /proc/$$/fd | grep -e 'eventpoll' -e '-> /$' >&4; "
		    "cut -d ' ' -f 6 /proc/$$/stat >&4; exit 7",
		    (int[]){ -1, 2, 2, -1, out[1] }, 5, &x);
	close(out[1]);
	run();
	for (size_t at = 0; (n = read(out[0], got + at, sizeof got - 1 - at)) > 0;)
		at += (size_t)n;
	snprintf(want, sizeof want, " green / /dev/null\n%d\n", (int)pid);
	is_str(got, want, "a child gets its environment, its directory, its descriptors, its own session");
	ok(x.calls == 1 && x.status == 7 && x.signum == 0, "its exit status is told once");
	shell("kill -9 $$", (int[]){ -1, -1, 2 }, 3, &x);
	run();
	is_int(x.signum, 9, "so is the signal that ended it");
	close(out[0]);
	close(open_fd);
}

static void test_spawn_defaults(void)
{
	struct end x = { 0 };
	sigset_t set, old;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	shell("kill -PIPE $$; exit 3", NULL, 0, &x);
	run();
	is_int(x.signum, SIGPIPE, "an ignored signal is not inherited");
	shell("kill -TERM $$; exit 3", NULL, 0, &x);
	run();
	is_int(x.signum, SIGTERM, "nor a blocked one");
	sigprocmask(SIG_SETMASK, &old, NULL);
	shell("exec 2>&1; for i in 0 1 2; do readlink /proc/$$/fd/$i | grep -qx /dev/null || exit 4; done", NULL, 0, &x);
	run();
	is_int(x.status, 0, "without descriptors the standard three are /dev/null");
}

static void test_spawn_fails(void)
{
	const char *argv[] = { "none", NULL };
	struct amk_spawn sp = { .path = "/nonexistent/program", .argv = (char *const *)argv,
				.env = (char *const *)argv + 1 };
	struct amk_err e = { 0 };

	is_int(amk_loop_spawn(loop, &sp, child_ended, NULL, &e), -1, "a program that is missing is an error");
	is_int(e.code, AMK_ENOTFOUND, "not found");
	ok(strstr(e.msg, "/nonexistent/program"), "which names it: %s", e.msg);
	sp.path = "/bin/true";
	sp.directory = "/nonexistent/folder";
	is_int(amk_loop_spawn(loop, &sp, child_ended, NULL, &e), -1, "so is a missing folder");
	ok(strstr(e.msg, "/nonexistent/folder"), "which is named: %s", e.msg);
}

struct task {
	pthread_t worker, done;
	int value;
};

static void task_work(void *arg)
{
	struct task *t = arg;

	t->worker = pthread_self();
	t->value *= 2;
}

static void task_done(void *arg)
{
	struct task *t = arg;

	t->done = pthread_self();
	t->value++;
	amk_loop_stop(loop);
}

static void test_work(void)
{
	struct task t = { .value = 20 };

	amk_loop_work(loop, task_work, task_done, &t);
	run();
	is_int(t.value, 41, "work is done, then told");
	ok(!pthread_equal(t.worker, pthread_self()), "work runs on another thread");
	ok(pthread_equal(t.done, pthread_self()), "and its end is told on the loop");
}

/* A child that runs on, and work that is under way, when the loop is freed. */
static void test_free(void)
{
	struct task t = { .value = 1 };
	struct end x = { 0 };
	int in[2], status;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		abort();
	pid = shell("read line; exit 5", (int[]){ in[0], -1, 2 }, 3, &x);
	amk_loop_work(loop, task_work, task_done, &t);
	amk_loop_free(loop);
	amk_loop_free(NULL);
	is_int(t.value, 3, "freeing the loop waits for work");
	is_int(x.calls, 0, "and leaves children alone");
	if (write(in[1], "\n", 1) != 1 || waitpid(pid, &status, 0) != pid)
		status = -1;
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 5, "they run on");
	close(in[0]);
	close(in[1]);
}

int main(void)
{
	struct amk_err e;

	loop = amk_loop_new(&e);
	test_timers();
	test_turns();
	test_watch();
	test_watch_freed_by_other();
	test_signals();
	test_spawn();
	test_spawn_defaults();
	test_spawn_fails();
	test_work();
	test_free();
	return tap_done();
}
