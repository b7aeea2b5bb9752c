/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the promises of SPECIFICATION.md: bench BINDIR, in a temporary state folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/lines.h"
#include "core/path.h"
#include "core/time.h"

#define STARTS 15
#define READERS 1000
#define IDLE_S 10

static char state[64], program[AMK_PATH_MAX];
static int state_dir = -1;
static pid_t daemon_pid;
static int broken;

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	if (daemon_pid)
		kill(daemon_pid, SIGTERM);
	exit(1);
}

/* One row of the table in SPECIFICATION.md. */
static void row(const char *what, const char *target, double most, double value, const char *unit)
{
	printf("| %s | %s | %.2f %s |%s\n", what, target, value, unit, value > most ? " BROKEN" : "");
	broken += value > most;
}

static int http_open(const char *method, const char *path, const char *body)
{
	char request[1024];
	struct sockaddr_un at;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(request, sizeof request,
			 "%s %s HTTP/1.1\r\nHost: amika\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 method, path, strlen(body), body);

	amk_path_socket(&at, state_dir, "socket");
	if (s < 0 || connect(s, (struct sockaddr *)&at, sizeof at) < 0)
		give_up("connecting");
	if (amk_write_all(s, request, (size_t)n) < 0)
		give_up("asking");
	return s;
}

/* Reads up to the end of the header; true when the status begins with 2. */
static bool http_answered(int s)
{
	char head[4096];
	size_t n = 0;

	while (n < sizeof head - 1) {
		ssize_t r = read(s, head + n, sizeof head - 1 - n);

		if (r <= 0)
			return false;
		n += (size_t)r;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n"))
			return strncmp(head, "HTTP/1.1 2", 10) == 0;
	}
	return false;
}

static void http_call(const char *method, const char *path, const char *body)
{
	int s = http_open(method, path, body);

	if (!http_answered(s))
		give_up(path);
	close(s);
}

/* As many open files as a login gives: it is for the daemon to ask for more. */
static void limit_files(rlim_t soft)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = soft < files.rlim_max ? soft : files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Starts the daemon and waits for its first healthy answer. Returns how long that took, in ms. */
static double daemon_start(void)
{
	int64_t began = amk_time_monotonic();
	int ready[2];
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		give_up("pipe");
	daemon_pid = fork();
	if (daemon_pid == 0) {
		int null = open("/dev/null", O_RDWR);

		limit_files(1024);
		dup2(ready[1], 3);
		dup2(null, 2);
		execl(program, "amikad", "serve", "--ready-fd", "3", (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		give_up("the daemon did not start");
	close(ready[0]);
	http_call("GET", "/v1/health", "");
	return (double)(amk_time_monotonic() - began) / 1e6;
}

static void daemon_stop(void)
{
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
}

static int ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

/* Resident memory in MB. */
static double resident(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && kb < 0 && fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (kb < 0)
		give_up(path);
	fclose(f);
	return (double)kb / 1024;
}

/* Time on a processor of all threads, in ms. */
static double cpu(pid_t pid)
{
	char path[64], file[384];
	double ms = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	if (!d)
		give_up(path);
	for (struct dirent *t = readdir(d); t; t = readdir(d)) {
		long long ns = 0;
		FILE *f;

		snprintf(file, sizeof file, "%s/%s/schedstat", path, t->d_name);
		f = t->d_name[0] == '.' ? NULL : fopen(file, "re");
		if (f && fscanf(f, "%lld", &ns) == 1)
			ms += (double)ns / 1e6;
		if (f)
			fclose(f);
	}
	closedir(d);
	return ms;
}

/* The shim of our session: its command line has our folder in it. */
static pid_t find_shim(void)
{
	pid_t found = 0;
	DIR *d = opendir("/proc");

	for (struct dirent *p = d ? readdir(d) : NULL; p && !found; p = readdir(d)) {
		char path[320], line[4096];
		int fd;
		ssize_t n;

		snprintf(path, sizeof path, "/proc/%s/cmdline", p->d_name);
		fd = strtol(p->d_name, NULL, 10) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		n = fd < 0 ? 0 : read(fd, line, sizeof line);
		if (n > 0 && memmem(line, (size_t)n, "amika-shim", 10) && memmem(line, (size_t)n, state, strlen(state)))
			found = (pid_t)strtol(p->d_name, NULL, 10);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
	return found;
}

static void measure_starts(void)
{
	double ms[STARTS];

	for (int i = 0; i < STARTS; i++) {
		if (i)
			daemon_stop();
		ms[i] = daemon_start();
	}
	qsort(ms, STARTS, sizeof ms[0], ascending);
	row("start of the daemon to its first healthy answer, median of 15", "≤ 10 ms", 10, ms[STARTS / 2], "ms");
	row("resident memory of the idle daemon", "≤ 8 MB", 8, resident(daemon_pid), "MB");
}

/* A session whose program lives: its turn has ended. */
static void make_session(void)
{
	char body[256], data[65536];
	struct amk_buf seen AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);
	int s;

	snprintf(body, sizeof body, "{\"agent\":\"mock\",\"directory\":\"%s\",\"arguments\":[\"--pace\",\"0\"]}", state);
	http_call("POST", "/v1/sessions/bench", body);
	http_call("POST", "/v1/sessions/bench/messages", "{\"message\":\"hello\"}");
	s = http_open("GET", "/v1/sessions/bench/events/sse", "");
	while (!strstr(seen.s, "\"turn.ended\"")) {
		ssize_t n = read(s, data, sizeof data);

		if (n <= 0)
			give_up("the turn did not end");
		amk_buf_add(&seen, data, (size_t)n);
	}
	close(s);
}

static void measure_readers(void)
{
	static int readers[READERS];
	struct timespec idle = { .tv_sec = IDLE_S };
	double before;

	for (int i = 0; i < READERS; i++) {
		readers[i] = http_open("GET", "/v1/sessions/bench/events/sse?offset=1000000", "");
		if (!http_answered(readers[i]))
			give_up("a reader was refused");
	}
	row("1,000 idle readers of server-sent events: resident memory of the daemon", "≤ 20 MB", 20,
	    resident(daemon_pid), "MB");
	before = cpu(daemon_pid);
	nanosleep(&idle, NULL);
	row("1,000 idle readers: processor time of the daemon in 10 s", "≤ 50 ms", 50, cpu(daemon_pid) - before, "ms");
	for (int i = 0; i < READERS; i++)
		close(readers[i]);
}

int main(int argc, char **argv)
{
	pid_t shim;

	if (argc != 3) {
		fprintf(stderr, "usage: bench BINDIR STATE\n");
		return 2;
	}
	snprintf(program, sizeof program, "%s/amikad", argv[1]);
	snprintf(state, sizeof state, "%s", argv[2]);
	limit_files(READERS * 2);
	state_dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_dir < 0)
		give_up(state);
	setenv("AMIKA_STATE_DIRECTORY", state, 1);
	measure_starts();
	make_session();
	shim = find_shim();
	if (!shim)
		give_up("no shim");
	row("resident memory of a shim", "≤ 1 MB", 1, resident(shim), "MB");
	measure_readers();
	daemon_stop();
	return broken > 0;
}
