/* SPDX-License-Identifier: Apache-2.0 */
/* Every way a program under a real shim can end, or not begin. */
#include "run_with.h"

#include <sys/wait.h>

static bool is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

/* What the program printed first, as a process number. */
static pid_t read_pid(struct seen *s)
{
	return until(s->ended || strchr(output(s), '\n')) ? (pid_t)strtol(output(s), NULL, 10) : 0;
}

static void check_ends(void)
{
	char *const argv[] = { (char *)"x", NULL };
	struct amk_run_spec spec;
	char plain[AMK_PATH_MAX];
	struct seen s;

	start_script(&s, "exit 7");
	ok(until(s.ended) && is_end(&s, 7, 0, "exited"), "an exit code");
	finish(&s);
	start_script(&s, "kill -KILL $$");
	ok(until(s.ended) && is_end(&s, -1, SIGKILL, "exited"), "a signal");
	finish(&s);

	spec = spec_of("/nonexistent/x", argv);
	ok(start(&s, &spec) && until(s.ended) && is_end(&s, -1, 0, "exec: No such file or directory"),
	   "a missing program");
	finish(&s);
	snprintf(plain, sizeof plain, "%s/plain", base);
	close(open(plain, O_WRONLY | O_CREAT, 0644));
	spec = spec_of(plain, argv);
	ok(start(&s, &spec) && until(s.ended) && is_end(&s, -1, 0, "exec: Permission denied"),
	   "a file that may not be executed");
	finish(&s);
	unlink(plain);
	spec = spec_of("/bin/true", argv);
	spec.directory = "/nonexistent";
	ok(start(&s, &spec) && until(s.ended) && is_end(&s, -1, 0, "directory: No such file or directory"),
	   "a missing directory");
	finish(&s);
}

static void check_no_shim(void)
{
	char *const argv[] = { (char *)"x", NULL };
	struct amk_run_spec spec = spec_of("/bin/true", argv);
	struct amk_err e = { 0 };
	struct seen s = { 0 };

	spec.shim = "/nonexistent/amika-shim";
	ok(!amk_run_start(loop, &spec, &ops, &s, &e) && e.code == AMK_ENOTFOUND, "without a shim nothing starts");
	ok(amk_folder_open(dir, spec.id, NULL) < 0, "and no folder stays");
	is_int(s.calls, 0, "and nothing is called");
}

static void check_tree(void)
{
	struct seen s;
	pid_t tool;

	start_script(&s, "(setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done' &);"
			 "while :; do sleep 1000; done");
	tool = read_pid(&s);
	amk_run_terminate(s.run, 20);
	ok(until(s.ended) && is_end(&s, -1, SIGTERM, "terminated"), "a tree is ended");
	ok(is_gone(tool), "with a tool that forked twice, made a session and ignores TERM");
	finish(&s);

	start_script(&s, "(setsid sh -c 'echo $$; exec sleep 1000' &); read -r go; exit 3");
	tool = read_pid(&s);
	put(&s, 0, "go\n");
	ok(until(s.ended) && is_end(&s, 3, 0, "exited"), "a program that ends leaves nothing running");
	ok(is_gone(tool), "not even what it left in the background");
	finish(&s);
}

/* Twelve generations, each a session of its own, each left behind by its parent. */
static void check_deep_tree(void)
{
	struct seen s;
	pid_t last;

	start_script(&s, "trap '' TERM; export N=12 G='"
			 "if [ $N = 0 ]; then echo $$; else N=$((N - 1)); (setsid sh -c \"$G\" &); fi;"
			 "while :; do sleep 1000; done'; eval \"$G\"");
	last = read_pid(&s);
	amk_run_terminate(s.run, 0);
	ok(until(s.ended) && is_end(&s, -1, SIGKILL, "terminated") && is_gone(last), "twelve generations are ended");
	finish(&s);
}

static void check_shim_dies(void)
{
	struct seen s;
	pid_t program, keeper;

	start_script(&s, "echo $$; while :; do sleep 1000; done");
	program = read_pid(&s);
	kill(amk_run_pid(s.run), SIGKILL);
	ok(until(s.ended) && is_end(&s, -1, 0, "lost"), "a killed shim is noticed");
	ok(until_gone(program), "its program dies with it");
	finish(&s);

	start_script(&s, "echo $$; cat");
	program = read_pid(&s);
	put(&s, 0, "x\n");
	until(s.done == 2);
	keeper = amk_run_pid(s.run);
	amk_run_free(s.run);
	kill(keeper, SIGKILL);
	ok(until_gone(keeper) && until_gone(program), "a shim is killed while no daemon is there");
	ok(attach(&s, last_id) && until(s.ended) && is_end(&s, -1, 0, "lost"), "that is noticed, too");
	is_int(s.done, 2, "its positions have survived it");
	finish(&s);
}

static void check_lease(void)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"echo $$; exec sleep 1000", NULL };
	struct amk_run_spec spec = spec_of("/bin/sh", argv);
	struct seen s;
	pid_t pid;

	spec.lease_ms = 30;
	start(&s, &spec);
	ok(read_pid(&s) > 0 && !s.ended, "a program with a short lease runs while a daemon is there");
	pid = amk_run_pid(s.run);
	amk_run_free(s.run);
	ok(until_gone(pid), "and ends when none comes back");
	ok(attach(&s, last_id) && until(s.ended) && is_end(&s, -1, SIGTERM, "lease"), "for that reason");
	finish(&s);
}

static void check_removed(void)
{
	struct seen s;
	pid_t program, pid;

	start_script(&s, "echo $$; exec sleep 1000");
	program = read_pid(&s);
	pid = amk_run_pid(s.run);
	amk_run_free(s.run);
	ok(amk_run_remove(dir, last_id, NULL) == 0, "the folder is removed under a program");
	ok(until_gone(pid) && until_gone(program), "program and shim end");
}

static void check_usage(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 2);
		execl(shim, "amika-shim", "soon", "1", "0", "/", "/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 2, "the shim refuses arguments that are none");
}

int main(void)
{
	static void (*const checks[])(void) = {
		check_ends, check_no_shim, check_tree, check_deep_tree, check_shim_dies, check_lease,
		check_removed, check_usage, NULL,
	};

	return run_checks(checks);
}
