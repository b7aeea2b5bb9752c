/* SPDX-License-Identifier: Apache-2.0 */
/* After the time is over: what is left, what it adds up to. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/path.h"

#include "soak.h"

#define LEFT_MS 10000 /* the last processes of a session may take so long to be gone */

/* Entries of a folder, without . and .. */
static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	for (struct dirent *f = d ? readdir(d) : NULL; f; f = readdir(d))
		n += f->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

size_t soak_verdict_files(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/fd", (int)bench_ours_pid);
	return entries(path);
}

static void check_sessions(void)
{
	struct amk_err e = { 0 };

	for (size_t i = 0; i < SOAK_SESSIONS; i++) {
		struct soak_session *s = &soak.s[i];

		soak_stream_close(&s->live);
		if (amk_check_finish(s->check, false, &e) < 0)
			soak_failed("%s: %s", s->id, e.msg);
		soak_talk_replay(s);
	}
}

static void check_files(void)
{
	size_t n = 0;

	/* Closed connections are noticed when the loop turns. */
	for (int i = 0; i < 50; i++) {
		n = soak_verdict_files();
		if (n <= soak.files_early)
			return;
		bench_wait_ms(100);
	}
	soak_failed("%zu open files of the daemon, %zu at the beginning", n, soak.files_early);
}

/* Half of them are ended first; all are forgotten. */
static void end_sessions(void)
{
	for (size_t i = 0; i < SOAK_SESSIONS; i++) {
		char path[64];
		int status;

		snprintf(path, sizeof path, "/v1/sessions/%s/terminate", soak.s[i].id);
		status = i % 2 ? 204 : bench_try(&bench_ours_unix, "POST", path, "{}");
		if (status != 204)
			soak_failed("%s: its end was answered by %d", soak.s[i].id, status);
		*strrchr(path, '/') = '\0';
		status = bench_try(&bench_ours_unix, "DELETE", path, NULL);
		if (status != 204)
			soak_failed("%s: forgetting it was answered by %d", soak.s[i].id, status);
	}
}

static void check_processes(void)
{
	pid_t found[8];
	size_t n = 0;

	for (int i = 0; i < LEFT_MS / 100; i++) {
		n = soak_kill_find(NULL, found, AMK_COUNT(found));
		if (n == 0)
			return;
		bench_wait_ms(100);
	}
	soak_failed("%zu processes are left, such as %d", n, (int)found[0]);
	for (size_t i = 0; i < n && i < AMK_COUNT(found); i++)
		kill(found[i], SIGKILL);
}

/* The daemon's own check of all that is stored; it says what it finds. */
static void verify(const char *when)
{
	char program[AMK_PATH_MAX];
	int status = 0;
	pid_t pid;

	fflush(stdout);
	snprintf(program, sizeof program, "%s/amikad", bench_conf.bindir);
	pid = fork();
	if (pid == 0) {
		execl(program, "amikad", "verify", "--text", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (pid < 0 || status)
		soak_failed("amikad verify %s ends with status %d", when, WEXITSTATUS(status));
}

static int64_t number(const char *sql)
{
	char path[AMK_PATH_MAX];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t v = -1;

	snprintf(path, sizeof path, "%s/state/amika.db", bench_conf.scratch);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

/* Of forgotten sessions nothing is left: no row, no folder. */
static void check_leftovers(void)
{
	static const char *const tables[] = { "session", "spec", "log", "shape", "message", "run", "input", "decision" };
	char path[AMK_PATH_MAX], sql[64];

	for (size_t i = 0; i < AMK_COUNT(tables); i++) {
		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
		if (number(sql) != 0)
			soak_failed("%lld rows of %s are left", (long long)number(sql), tables[i]);
	}
	snprintf(path, sizeof path, "%s/state/run", bench_conf.scratch);
	if (entries(path) != 0)
		soak_failed("%zu folders of programs are left", entries(path));
}

static void check_memory(void)
{
	/* In two minutes caches still fill, and sessions have their first turn since the daemon started. */
	double most = soak.length >= 1800 * INT64_C(1000000000) ? 1.05 : 1.5;

	printf("memory: %.2f MB after a sixth of the time, %.2f MB at the end of the long life, %.2f MB at most\n",
	       soak.rss_early, soak.rss_late, soak.rss_most);
	if (soak.rss_late > most * soak.rss_early)
		soak_failed("memory grew to %.2f times what it was; %.2f are allowed", soak.rss_late / soak.rss_early,
			    most);
}

static void stop_daemon(void)
{
	int status = 0;

	kill(bench_ours_pid, SIGTERM);
	waitpid(bench_ours_pid, &status, 0);
	bench_ours_pid = 0;
	if (status)
		soak_failed("the daemon ended with status %d", status);
}

void soak_verdict(void)
{
	check_sessions();
	check_files();
	verify("after all of it");
	printf("store: %lld programs were started, %lld events, %lld decisions\n", (long long)number("SELECT count(*) FROM run"),
	       (long long)number("SELECT count(*) FROM log"), (long long)number("SELECT count(*) FROM decision"));
	end_sessions();
	stop_daemon();
	check_processes();
	verify("of an empty store");
	check_leftovers();
	check_memory();
}
