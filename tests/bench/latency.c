/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What amika adds between an agent's line and its reader, and between a message's commit and the agent's
 * stdin. The mock says when it made a line and when it read one; the event turn.started says when it was
 * made, right before its commit. A pipe from a process that does the same without amika is subtracted.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/json.h"
#include "core/lines.h"
#include "core/time.h"

#include "bench.h"

#define LINES 3000
#define PACE_US 1000
#define MESSAGES 500

struct latency {
	double ms[LINES + 1];
	size_t n;
};

static void add(struct latency *l, int64_t ns)
{
	if (l->n < LINES)
		l->ms[l->n++] = (double)ns / 1e6;
}

/* A child that writes the time into a pipe every PACE_US; what it takes to read it here. */
static void measure_pipe(struct latency *l)
{
	struct timespec pace = { .tv_nsec = PACE_US * 1000 };
	int p[2];
	pid_t pid;

	if (pipe(p) < 0)
		bench_give_up("pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < LINES; i++) {
			int64_t now = amk_time_now();

			if (write(p[1], &now, sizeof now) != sizeof now)
				_exit(1);
			nanosleep(&pace, NULL);
		}
		_exit(0);
	}
	close(p[1]);
	for (;;) {
		struct pollfd ready = { .fd = p[0], .events = POLLIN };
		int64_t then;

		poll(&ready, 1, -1);
		if (read(p[0], &then, sizeof then) != sizeof then)
			break;
		add(l, amk_time_now() - then);
	}
	close(p[0]);
	waitpid(pid, NULL, 0);
}

/* A reader that looks at what the events say: lines of the stream as they come, chunk sizes and all. */
struct lines {
	int fd;
	struct amk_buf in;
};

/* Reads once and calls `each` with every whole line; the time at which it came is the same for all. */
static void read_lines(struct lines *r, void (*each)(void *arg, const char *line, int64_t now), void *arg)
{
	char *to = amk_buf_room(&r->in, 65536), *nl;
	ssize_t n = to ? read(r->fd, to, 65536) : -1;
	int64_t now = amk_time_now();
	size_t used = 0;

	if (n <= 0)
		bench_give_up("a stream ended");
	r->in.n += (size_t)n;
	r->in.s[r->in.n] = '\0';
	while ((nl = memchr(r->in.s + used, '\n', r->in.n - used))) {
		*nl = '\0';
		each(arg, r->in.s + used, now);
		used = (size_t)(nl + 1 - r->in.s);
	}
	amk_buf_drop(&r->in, used);
}

static void take_delta(void *arg, const char *line, int64_t now)
{
	const char *delta = strstr(line, "\"type\":\"item.delta\"") ? strstr(line, "\"delta\":\"") : NULL;
	struct latency *l = arg;

	/* A user's or a completing delta is no time. */
	if (delta && strtoll(delta + 9, NULL, 10) > 1000000000000000000)
		add(l, now - strtoll(delta + 9, NULL, 10));
}

static void measure_lines(struct latency *l)
{
	struct lines r = { .in = AMK_BUF_INIT(4 << 20) };
	char text[48];

	r.fd = bench_ask(&bench_ours_at, "GET", "/v1/sessions/latency/events/sse", NULL);
	snprintf(text, sizeof text, "clock %d %d", LINES, PACE_US);
	bench_ours_say("latency", text);
	while (l->n < LINES)
		read_lines(&r, take_delta, l);
	close(r.fd);
	amk_buf_release(&r.in);
}

struct commit {
	int64_t committed;
	bool over;
	struct latency *l;
};

/* ns since the epoch of "2026-02-09T00:00:00.000000000Z". */
static int64_t time_of(const char *s)
{
	struct tm tm = { 0 };

	if (sscanf(s, "%d-%d-%dT%d:%d:%d.", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		bench_give_up("no time: %s", s);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm) * 1000000000 + strtoll(strchr(s, '.') + 1, NULL, 10);
}

static void take_turn(void *arg, const char *line, int64_t now)
{
	const char *time = strstr(line, "\"time\":\""), *text = strstr(line, "\"text\":\"");
	struct commit *c = arg;

	(void)now;
	if (time && strstr(line, "\"type\":\"turn.started\""))
		c->committed = time_of(time + 8);
	else if (text && strstr(line, "\"type\":\"item.completed\"") && strstr(line, "\"role\":\"assistant\""))
		add(c->l, strtoll(text + 8, NULL, 10) - c->committed);
	else if (strstr(line, "\"type\":\"turn.ended\""))
		c->over = true;
}

static void measure_messages(struct latency *l)
{
	struct lines r = { .in = AMK_BUF_INIT(4 << 20) };

	char path[96];
	uint64_t after;

	bench_ours_session("commit");
	after = bench_ours_turn("commit", "hello", NULL);
	snprintf(path, sizeof path, "/v1/sessions/commit/events/sse?offset=%llu", (unsigned long long)after);
	r.fd = bench_ask(&bench_ours_at, "GET", path, NULL);
	for (int i = 0; i < MESSAGES; i++) {
		struct commit c = { .l = l };

		bench_ours_say("commit", "when");
		while (!c.over)
			read_lines(&r, take_turn, &c);
		bench_wait_ms(2);
	}
	close(r.fd);
	amk_buf_release(&r.in);
}

static void say(const char *what, struct latency *l, struct latency *direct)
{
	double p50 = bench_quantile(l->ms, l->n, 0.5), p99 = bench_quantile(l->ms, l->n, 0.99);
	double d50 = bench_quantile(direct->ms, direct->n, 0.5), d99 = bench_quantile(direct->ms, direct->n, 0.99);
	char name[128];

	snprintf(name, sizeof name, "added latency, %s: p50", what);
	bench_row(name, "≤ 0.2 ms", BENCH_AT_MOST, 0.2, p50 - d50, "%.3f ms (%.3f less a pipe's %.3f)", p50 - d50, p50, d50);
	snprintf(name, sizeof name, "added latency, %s: p99", what);
	bench_row(name, "≤ 1 ms", BENCH_AT_MOST, 1, p99 - d99, "%.3f ms (%.3f less a pipe's %.3f)", p99 - d99, p99, d99);
}

void bench_latency(void)
{
	static struct latency direct, lines, messages;

	measure_pipe(&direct);
	bench_ours_start("latency");
	bench_ours_session("latency");
	bench_ours_turn("latency", "hello", NULL);
	measure_lines(&lines);
	measure_messages(&messages);
	bench_ours_stop();
	say("line to reader", &lines, &direct);
	say("commit to stdin", &messages, &direct);
}
