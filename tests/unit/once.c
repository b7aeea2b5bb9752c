/* SPDX-License-Identifier: Apache-2.0 */
/* amika-once: what it says of a command, and that nothing of the command stays. */
#include "run/once.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PATIENCE_MS 20000

struct told {
	char report[AMK_ONCE_REPORT_MAX], output[4096];
	int status;
};

static struct once_run {
	pid_t pid;
	int life, output, report;
} run;

static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
}

/* In a process of its own: it waits for all children there are. */
static void start(const struct amk_once_spec *spec, const char *input)
{
	int in[2], out[2], life[2], report[2];

	make_pipe(in);
	make_pipe(out);
	make_pipe(life);
	make_pipe(report);
	if (write(in[1], input, strlen(input)) < 0)
		abort();
	close(in[1]);
	run.pid = fork();
	if (run.pid == 0) {
		int high[AMK_ONCE_FD_COUNT] = { in[0], out[1], -1, life[0], report[1] };

		for (int i = 0; i < AMK_ONCE_FD_COUNT; i++)
			if (high[i] >= 0)
				high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, 40);
		for (int i = 0; i < AMK_ONCE_FD_COUNT; i++)
			if (high[i] >= 0)
				dup2(high[i], i);
		closefrom(AMK_ONCE_FD_COUNT);
		_exit(amk_once_run(spec));
	}
	close(in[0]);
	close(out[1]);
	close(life[0]);
	close(report[1]);
	run.life = life[1];
	run.output = out[0];
	run.report = report[0];
}

static void read_all(int fd, char *to, size_t max)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	while (n < max - 1 && poll(&p, 1, PATIENCE_MS) == 1 && (got = read(fd, to + n, max - 1 - n)) > 0)
		n += (size_t)got;
	to[n] = '\0';
}

static struct told end(void)
{
	struct told t;
	int status;

	read_all(run.report, t.report, sizeof t.report);
	read_all(run.output, t.output, sizeof t.output);
	waitpid(run.pid, &status, 0);
	t.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	close(run.life);
	close(run.output);
	close(run.report);
	return t;
}

static struct amk_once_spec script(const char *text)
{
	static const char *argv[4] = { "/bin/sh", "-c", NULL, NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", "ONE=1", NULL };

	argv[2] = text;
	return (struct amk_once_spec){ 60000, 60000, 0, "/", "/bin/sh", (char *const *)argv, (char *const *)env };
}

static struct told run_script(const char *text, const char *input)
{
	struct amk_once_spec spec = script(text);

	start(&spec, input);
	return end();
}

static void test_ends(void)
{
	struct told t = run_script("cat; echo $ONE$HOME >&2; pwd", "the record\n");

	is_str(t.report, AMK_ONCE_DONE, "a command that exits with 0 is done");
	is_int(t.status, 0, "… status 0");
	is_str(t.output, "the record\n1\n/\n", "its input, its environment, its folder; both outputs are one");
	t = run_script("exit 3", "");
	is_str(t.report, "exited with status 3", "another status is told");
	is_int(t.status, 1, "… status 1");
	t = run_script("kill -KILL $$", "");
	is_str(t.report, "ended by signal 9 (Killed)", "a signal is told");
}

static void test_not_started(void)
{
	struct amk_once_spec spec = script("exit 0");

	spec.program = "/nonexistent";
	start(&spec, "");
	is_str(end().report, "exec: No such file or directory", "what cannot be started is told");
	spec.program = "/bin/sh";
	spec.directory = "/nonexistent";
	start(&spec, "");
	is_str(end().report, "directory: No such file or directory", "… and a folder that is not there");
}

/* What holds the output open is gone when the output ends. */
static void test_left_behind(void)
{
	struct told t = run_script("setsid tail -f /dev/null & exit 0", "");

	is_str(t.report, AMK_ONCE_DONE, "what a command leaves running is ended, and no failure");
}

static void test_deadline(void)
{
	struct amk_once_spec spec = script("trap '' TERM; setsid sh -c 'trap \"\" TERM; exec tail -f /dev/null' & "
					   "echo ready; tail -f /dev/null & wait; exec tail -f /dev/null");

	spec.deadline_ms = 300;
	spec.grace_ms = 100;
	start(&spec, "");
	is_str(end().report, "was not done within 300 ms", "the deadline ends the tree, TERM ignored or not");
}

static void test_owner(void)
{
	struct amk_once_spec spec = script("echo ready; exec tail -f /dev/null");
	char first[8] = "";

	start(&spec, "");
	ok(read(run.output, first, 6) == 6, "a command runs");
	close(run.life);
	run.life = -1;
	is_str(end().report, "was ended with the daemon", "… and ends with its owner");
}

/* The command has the descriptors 0, 1 and 2 and no other. */
static void test_descriptors(void)
{
	struct told t = run_script("exec ls /proc/self/fd", "");

	is_str(t.output, "0\n1\n2\n3\n", "nothing of the daemon's is open in it: 3 is what ls itself opened");
}

int main(void)
{
	test_ends();
	test_not_started();
	test_left_behind();
	test_deadline();
	test_owner();
	test_descriptors();
	return tap_done();
}
