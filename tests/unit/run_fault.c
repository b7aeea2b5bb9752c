/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every n-th system call of a shim, then of its daemon, fails once: what is asked happens all the same, or a
 * sentence says why not. Nothing hangs, nothing is lost or said to have gone that did not.
 */
#include "failing.h"
#include "run_with.h"

#include "run/shim.h"
#include "run/tree.h"

#define CALLS_MAX 120 /* after some 50, all of a shim's are its looking through /proc */

static char self[AMK_PATH_MAX], mark[100];

/* This program as shim: amika-shim LEASE_MS END_MS FILES DIRECTORY PROGRAM ARGV0 [ARG...] */
static int be_shim(char **argv)
{
	const char *at = getenv("FAIL_AT");
	const struct amk_shim_spec spec = {
		.lease_ms = strtoll(argv[1], NULL, 10),
		.end_ms = strtoll(argv[2], NULL, 10),
		.directory = argv[4],
		.program = argv[5],
		.argv = argv + 6,
		.env = environ,
	};

	failing.mark = getenv("FAIL_MARK");
	failing.at = at ? strtol(at, NULL, 10) : 0;
	failing.in_child = failing.at < 0;
	failing.at = labs(failing.at);
	failing.parent = getpid();
	failing.memory = true;
	amk_shim_run(&spec);
	return 0;
}

static struct amk_run_spec failing_spec(long at)
{
	static char *const argv[] = { (char *)"cat", NULL };
	static char where[40], how[120], path[] = "PATH=/usr/bin:/bin";
	static char *env[] = { path, where, how, NULL };
	struct amk_run_spec spec = spec_of("/bin/cat", argv);

	snprintf(where, sizeof where, "FAIL_AT=%ld", at);
	snprintf(how, sizeof how, "FAIL_MARK=%s", mark);
	spec.env = env;
	spec.shim = self;
	return spec;
}

static pid_t listed_program(void)
{
	struct amk_tree_page page;
	int folder AMK_AUTO(fd) = amk_folder_open(dir, last_id, NULL);

	return amk_folder_tree(folder, &page) && page.n > 0 ? (pid_t)page.v[0].pid : 0;
}

/* Why it did not begin: the step, and the error's words. */
static bool is_sentence(const char *reason)
{
	static const char *const steps[] = { "shim: ", "pipe: ", "fork: ", "directory: ", "exec: " };

	for (size_t i = 0; i < AMK_COUNT(steps); i++)
		if (strncmp(reason, steps[i], strlen(steps[i])) == 0)
			return reason[strlen(steps[i])] != '\0';
	return false;
}

/* After a life with a failure in it. Says nothing when all is well. */
static bool is_sound(const struct seen *s, long at, pid_t program)
{
	bool echoed = strcmp(output(s), "one\n") == 0, silent = output(s)[0] == '\0';
	bool good = s->ended && (echoed || silent);

	if (strcmp(s->end.reason, "terminated") == 0)
		good = good && echoed && (s->begun == 4 || s->begun == UINT64_MAX);
	else
		good = good && silent && is_sentence(s->end.reason);
	if (program && kill(program, 0) == 0)
		good = false;
	if (!good)
		printf("# call %ld: ended %d, %s, code %d; out \"%s\", begun %d, program %d\n", at, s->ended,
		       s->end.reason, s->end.code, output(s), (int)s->begun, (int)program);
	return good;
}

/* One life: a line goes in and comes out, then the end. */
static bool live_once(struct seen *s, long at)
{
	pid_t program;

	if (!until(s->ended || s->out_n >= 4))
		return false;
	program = listed_program();
	if (!s->ended) {
		amk_run_terminate(s->run, 0);
		until(s->ended);
	}
	failing.at = 0;
	return is_sound(s, at, program);
}

/* How many calls failed, one in each life; -1 when something was unsound. */
static long fail_each(int sign)
{
	bool good = true, fired = true;
	long at = 0;

	while (good && fired && ++at < CALLS_MAX) {
		struct amk_run_spec spec = failing_spec(sign * at);
		struct seen s;

		unlink(mark);
		good = start(&s, &spec);
		put(&s, 0, "one\n");
		good = good && live_once(&s, at);
		fired = access(mark, F_OK) == 0;
		finish(&s);
	}
	unlink(mark);
	return good ? at - 1 : -1;
}

static void check_shim(void)
{
	long n = fail_each(1);

	ok(n > 40, "%ld calls of a shim fail, one in each life, and all is said", n);
	n = fail_each(-1);
	ok(n > 2, "and %ld calls of its child on the way to the program", n);
}

/* A call of the daemon failed: it is asked again. */
static bool write_anyhow(struct seen *s)
{
	for (int i = 0; i < 3; i++) {
		struct amk_err e = { 0 };

		if (amk_run_write(s->run, 0, "one\n", 4, &e) == 0)
			return true;
		if (!e.msg[0])
			return false;
	}
	return false;
}

/* 1: started; 0: not, with a sentence and no folder left; -1: not, otherwise. */
static int start_failing(struct seen *s, const struct amk_run_spec *spec)
{
	struct amk_err e = { 0 };

	*s = (struct seen){ 0 };
	s->run = amk_run_start(loop, spec, &ops, s, &e);
	if (s->run)
		return 1;
	failing.at = 0;
	if (e.msg[0] && amk_folder_open(dir, spec->id, NULL) < 0)
		return 0;
	printf("# not started: \"%s\", or its folder is left\n", e.msg);
	return -1;
}

/* The daemon goes and another comes. */
static bool attach_anyhow(struct seen *s)
{
	amk_run_free(s->run);
	for (int i = 0; i < 3; i++) {
		struct amk_err e = { 0 };

		*s = (struct seen){ 0 };
		s->run = amk_run_attach(loop, dir, last_id, &ops, s, &e);
		if (s->run)
			return true;
		if (e.code == AMK_ENOTFOUND)
			printf("# a run that was started is not found: %s\n", e.msg);
		if (!e.msg[0] || e.code == AMK_ENOTFOUND)
			return false;
	}
	return false;
}

static void check_daemon(void)
{
	long at = 0, lived = 0;
	bool good = true;

	do {
		struct amk_run_spec spec = failing_spec(0);
		struct seen s;
		int started;

		failing.at = ++at;
		failing.seen = 0;
		started = start_failing(&s, &spec);
		good = started >= 0;
		if (started <= 0)
			continue;
		lived++;
		good = write_anyhow(&s) && attach_anyhow(&s) && write_anyhow(&s) && live_once(&s, at);
		failing.at = 0;
		finish(&s);
	} while (good && failing.seen >= at && at < CALLS_MAX);
	ok(good && lived > 20, "%ld calls of a daemon fail, and %ld programs live their life", at - 1, lived);
}

int main(int argc, char **argv)
{
	static void (*const checks[])(void) = { check_shim, check_daemon, NULL };

	if (argc > 6 && strcmp(argv[0], "amika-shim") == 0)
		return be_shim(argv);
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return 1;
	failing.parent = getpid();
	snprintf(mark, sizeof mark, "/tmp/amika-fault-%d", (int)getpid());
	return run_checks(checks);
}
