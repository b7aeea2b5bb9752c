/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of live programs share: a loop, a folder of runs, a shim, and what a run has told. */
#ifndef AMK_TESTS_UNIT_RUN_WITH_H
#define AMK_TESTS_UNIT_RUN_WITH_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/path.h"
#include "run/folder.h"
#include "run/run.h"
#include "tap.h"

#define PATIENCE_MS 30000
#define GRACE_MS 10000

struct seen {
	struct amk_run *run;
	uint64_t out_n, begun, done;
	bool ended;
	struct amk_run_end end;
	unsigned calls;
	bool free_on_out;
};

static struct amk_loop *loop;
static bool impatient;
static char base[] = "/tmp/amika-run-XXXXXX";
static char shim[AMK_PATH_MAX];
static int dir; /* the folder of runs */
static int64_t last_id;

static void on_out(void *arg, uint64_t upto)
{
	struct seen *s = arg;

	s->out_n = upto;
	s->calls++;
	if (s->free_on_out)
		amk_run_free(s->run);
	amk_loop_stop(loop);
}

static void on_positions(void *arg, uint64_t begun, uint64_t done)
{
	struct seen *s = arg;

	s->begun = begun;
	s->done = done;
	s->calls++;
	amk_loop_stop(loop);
}

static void on_ended(void *arg, const struct amk_run_end *end, uint64_t out_n)
{
	struct seen *s = arg;

	s->end = *end;
	s->out_n = out_n;
	s->ended = true;
	s->calls++;
	amk_loop_stop(loop);
}

static const struct amk_run_ops ops = { on_out, on_positions, on_ended };

static void lose_patience(void *arg)
{
	(void)arg;
	impatient = true;
	amk_loop_stop(loop);
}

/* Runs the loop until `cond` holds, as callbacks come. False when none came in time. */
#define until(cond) \
	({ \
		struct amk_timer *patience = amk_loop_timer(loop, lose_patience, NULL); \
		impatient = false; \
		amk_loop_timer_arm(patience, PATIENCE_MS); \
		while (!(cond) && !impatient) \
			amk_loop_run(loop); \
		amk_loop_timer_free(patience); \
		!impatient; \
	})

/* Waits for the end of a process that may not be ours. */
__attribute__((unused)) static bool until_gone(pid_t pid)
{
	int fd AMK_AUTO(fd) = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	if (pid <= 0 || fd < 0)
		return pid > 0 && errno == ESRCH;
	do
		r = poll(&p, 1, PATIENCE_MS); /* its end may interrupt */
	while (r < 0 && errno == EINTR);
	return r == 1;
}

static struct amk_run_spec spec_of(const char *program, char *const *argv)
{
	static char *const env[] = { (char *)"PATH=/usr/bin:/bin", (char *)"WORD=one two", NULL };

	return (struct amk_run_spec){
		.dir = dir,
		.id = ++last_id,
		.shim = shim,
		.program = program,
		.argv = argv,
		.env = env,
		.directory = base,
		.lease_ms = 600000,
		.end_ms = GRACE_MS,
	};
}

static bool start(struct seen *s, const struct amk_run_spec *spec)
{
	struct amk_err e = { 0 };

	*s = (struct seen){ 0 };
	s->run = amk_run_start(loop, spec, &ops, s, &e);
	if (!s->run)
		printf("# %s\n", e.msg);
	return s->run != NULL;
}

__attribute__((unused)) static bool start_script(struct seen *s, const char *script)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct amk_run_spec spec = spec_of("/bin/sh", argv);

	return start(s, &spec);
}

__attribute__((unused)) static bool attach(struct seen *s, int64_t id)
{
	struct amk_err e = { 0 };

	*s = (struct seen){ 0 };
	s->run = amk_run_attach(loop, dir, id, &ops, s, &e);
	if (!s->run)
		printf("# %s\n", e.msg);
	return s->run != NULL;
}

static uint64_t put(struct seen *s, uint64_t at, const char *text)
{
	struct amk_err e = { 0 };

	if (amk_run_write(s->run, at, text, strlen(text), &e) < 0)
		printf("# %s\n", e.msg);
	return at + strlen(text);
}

static const char *output(const struct seen *s)
{
	static char text[4096];
	ssize_t n = amk_run_read(s->run, 0, text, sizeof text - 1, NULL);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

__attribute__((unused)) static bool is_end(const struct seen *s, int code, int signum, const char *reason)
{
	bool good = s->ended && s->end.code == code && s->end.signum == signum;

	good = good && strcmp(s->end.reason, reason) == 0;
	if (!good)
		printf("# ended %d, code %d, signal %d, reason %s\n", s->ended, s->end.code, s->end.signum,
		       s->end.reason);
	return good;
}

/* Ends it, and removes its folder. */
static void finish(struct seen *s)
{
	struct amk_err e = { 0 };

	amk_run_terminate(s->run, 0);
	if (!until(s->ended))
		printf("# it does not end\n");
	amk_run_free(s->run);
	if (amk_run_remove(dir, last_id, &e) < 0)
		printf("# %s\n", e.msg);
}

/* The state folder's path may be as long as this. */
static int open_long_folder(void)
{
	char path[AMK_PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/", base), fd = -1;

	while (n < 200)
		path[n++] = 'd';
	path[n] = '\0';
	if (mkdir(path, 0700) == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static void remove_long_folder(void)
{
	char path[AMK_PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/", base);

	memset(path + n, 'd', (size_t)(200 - n));
	path[200] = '\0';
	ok(rmdir(path) == 0 && rmdir(base) == 0, "no file is left behind");
}

static bool find_shim(void)
{
	static const char *const near[] = { "../../bin", "../..", "../bin", "." };
	const char *given = getenv("AMIKA_SHIM");
	char self[AMK_PATH_MAX];

	if (given)
		return snprintf(shim, sizeof shim, "%s", given) > 0;
	if (amk_path_helper(shim, "amika-shim", NULL) == 0)
		return true;
	for (size_t i = 0; amk_path_self_dir(self, NULL) == 0 && i < AMK_COUNT(near); i++) {
		snprintf(shim, sizeof shim, "%.3000s/%s/amika-shim", self, near[i]);
		if (access(shim, X_OK) == 0)
			return true;
	}
	return false;
}

/* Sets up, runs the checks (NULL-terminated), cleans up; the result is main's. */
static int run_checks(void (*const checks[])(void))
{
	struct amk_err e = { 0 };

	signal(SIGPIPE, SIG_IGN);
	loop = amk_loop_new(&e);
	if (!loop || !mkdtemp(base) || (dir = open_long_folder()) < 0)
		return 1;
	ok(find_shim(), "there is a shim");
	for (size_t i = 0; checks[i]; i++)
		checks[i]();
	amk_loop_free(loop);
	close(dir);
	remove_long_folder();
	return tap_done();
}

#endif
