/* SPDX-License-Identifier: Apache-2.0 */
/* SIGKILL for agents, shims and the daemon, and its restart, at moments the seed chose. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/path.h"

#include "soak.h"

#define SECOND INT64_C(1000000000)
#define PROCESSES 2000

/* Seconds between two of a kind, on average. */
#define AGENT_S 3
#define SHIM_S 5
#define STORM_S 10
#define DAEMON_S 10
#define DAEMON_LEAST 6 /* in each of its times of dying, however short they are */

static size_t read_file(const char *pid, const char *name, char *to, size_t max)
{
	char path[320];
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, to, max - 1);
	if (fd >= 0)
		close(fd);
	to[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Ours are those with our folder in their environment. */
static bool is_ours(const char *pid, const char *name)
{
	char text[8192], mark[AMK_PATH_MAX + 8];
	size_t n;

	snprintf(mark, sizeof mark, "SOAK=%s", bench_conf.scratch);
	n = read_file(pid, "environ", text, sizeof text);
	if (!memmem(text, n, mark, strlen(mark) + 1))
		return false;
	read_file(pid, "comm", text, sizeof text);
	return !name || strncmp(text, name, strlen(name)) == 0;
}

size_t soak_kill_find(const char *name, pid_t *found, size_t max)
{
	DIR *d = opendir("/proc");
	size_t n = 0;

	for (struct dirent *p = d ? readdir(d) : NULL; p; p = readdir(d)) {
		if (p->d_name[0] < '1' || p->d_name[0] > '9' || !is_ours(p->d_name, name))
			continue;
		if (n < max)
			found[n] = (pid_t)strtol(p->d_name, NULL, 10);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

static bool kill_one(const char *name)
{
	pid_t found[PROCESSES];
	size_t n = soak_kill_find(name, found, PROCESSES);

	return n && kill(found[soak_random(n < PROCESSES ? n : PROCESSES)], SIGKILL) == 0;
}

/* One in three times it is asked to start anew, as after an update. */
static void kill_daemon(void)
{
	if (soak_random(3) == 0) {
		kill(bench_ours_pid, SIGHUP);
		soak.restarts++;
		return;
	}
	kill(bench_ours_pid, SIGKILL);
	waitpid(bench_ours_pid, NULL, 0);
	soak.daemons++;
	bench_ours_start("state");
}

/* Some read everything again; the others come back where they were. */
static void storm(int64_t now)
{
	soak_talk_storm(now);
	for (int i = 0; i < 5; i++)
		soak_talk_replay(&soak.s[soak_random(SOAK_SESSIONS)]);
}

/*
 * The daemon is killed in the first and the last eighth of the time. Between them it lives, so that its
 * memory can be compared: see soak.c.
 */
void soak_kill_turn(int64_t now)
{
	static int64_t agent, shim, daemon, reconnect;
	double part = soak_part();
	int64_t life = soak.length / 8 / DAEMON_LEAST < DAEMON_S * SECOND ? soak.length / 8 / DAEMON_LEAST : DAEMON_S * SECOND;

	if (now >= agent) {
		soak.agents += agent && kill_one("amika-mock");
		agent = now + (int64_t)soak_random(2 * AGENT_S * SECOND);
	}
	if (now >= shim) {
		soak.shims += shim && kill_one("amika-shim");
		shim = now + (int64_t)soak_random(2 * SHIM_S * SECOND);
	}
	if (now >= daemon) {
		if (daemon && (part < 0.125 || part > 0.875))
			kill_daemon();
		daemon = now + (int64_t)soak_random((uint64_t)(2 * life));
	}
	if (now >= reconnect) {
		if (reconnect)
			storm(now);
		reconnect = now + (int64_t)soak_random(2 * STORM_S * SECOND);
	}
}
