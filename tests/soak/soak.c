/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak BINDIR SCRATCH SECONDS [SEED]: 200 sessions of the mock are talked to while agents, shims and the
 * daemon are killed and readers come and go. Ends with a verdict; status 1 when anything was lost, changed
 * or left. Plan of the daemon's life, in eighths: one with kills, six without, one with kills.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "soak.h"

#define SECOND INT64_C(1000000000)
#define QUIET (150 * SECOND)

struct bench_conf bench_conf;
struct soak soak;

uint64_t soak_random(uint64_t below)
{
	soak.random ^= soak.random << 13;
	soak.random ^= soak.random >> 7;
	soak.random ^= soak.random << 17;
	return soak.random % below;
}

double soak_part(void)
{
	return (double)(bench_now() - soak.began) / (double)soak.length;
}

static void say(const char *what, const char *fmt, va_list ap)
{
	printf("%7.1f s: %s", (double)(bench_now() - soak.began) / 1e9, what);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
}

void soak_failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("WRONG: ", fmt, ap);
	va_end(ap);
	soak.failures++;
}

void bench_give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("given up: ", fmt, ap);
	va_end(ap);
	if (bench_ours_pid)
		kill(bench_ours_pid, SIGTERM);
	printf("not ok 1 - soak\n1..1\n");
	fflush(stdout);
	_exit(1);
}

static void took_too_long(int signum)
{
	(void)signum;
	bench_give_up("nothing moves any more");
}

static void raise_files(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &files);
}

static void progress(void)
{
	printf("%7.1f s: %lu messages, %lu events; killed: %lu agents, %lu shims, %lu daemons; %lu restarts, %lu storms, "
	       "%lu replays; %.2f MB, %zu files; %lu wrong\n",
	       (double)(bench_now() - soak.began) / 1e9, soak.messages, soak.events, soak.agents, soak.shims,
	       soak.daemons, soak.restarts, soak.storms, soak.replays, bench_resident(bench_ours_pid),
	       soak_verdict_files(), soak.failures);
	fflush(stdout);
}

/* Memory is compared within the daemon's long life: after a sixth of the time, and at its end. */
static void measure(void)
{
	double part = soak_part(), rss;

	rss = bench_resident(bench_ours_pid);
	if (rss > soak.rss_most)
		soak.rss_most = rss;
	if (part >= 1.0 / 6 && soak.rss_early == 0)
		soak.rss_early = rss;
	if (part >= 1.0 / 6 && part < 0.875)
		soak.rss_late = rss;
}

static void turn(bool kills)
{
	static int64_t measured, told;
	int64_t now = bench_now();

	soak_talk_turn(now);
	if (kills)
		soak_kill_turn(now);
	soak_talk_wait(20);
	if (now - measured > SECOND) {
		measured = now;
		measure();
	}
	if (now - told > soak.length / 24) {
		told = now;
		progress();
	}
}

/* All programs live, nobody reads: as many files as there may be at the end. */
static void first_round(void)
{
	for (size_t i = 0; i < SOAK_SESSIONS; i++)
		bench_ours_say(soak.s[i].id, "echo first");
	for (size_t i = 0; i < SOAK_SESSIONS; i++) {
		bool idle = false;

		while (!idle) {
			bench_ours_after(soak.s[i].id, &idle);
			bench_wait_ms(1);
		}
	}
	soak.files_early = soak_verdict_files() + 2; /* the last connections may be open still */
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : (uint64_t)bench_now();
	int64_t until;

	if (argc < 4) {
		fprintf(stderr, "usage: soak BINDIR SCRATCH SECONDS [SEED]\n");
		return 2;
	}
	bench_conf = (struct bench_conf){ .bindir = argv[1], .scratch = argv[2] };
	soak.length = strtoll(argv[3], NULL, 10) * SECOND;
	soak.random = seed * 2654435761u + 1;
	printf("soak: %s seconds, seed %llu\n", argv[3], (unsigned long long)seed);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, took_too_long);
	alarm((unsigned)(soak.length / SECOND + 600));
	raise_files();
	soak.began = bench_now();
	bench_ours_start("state");
	soak_talk_create();
	first_round();
	while (soak_part() < 1)
		turn(true);
	soak.closing = true;
	for (until = bench_now() + QUIET; !soak_talk_is_quiet() && bench_now() < until;)
		turn(false);
	progress();
	soak_verdict();
	printf("%s: %lu messages, %lu events, %lu agents, %lu shims, %lu daemons killed, %lu wrong\n",
	       soak.failures ? "FAILED" : "passed", soak.messages, soak.events, soak.agents, soak.shims, soak.daemons,
	       soak.failures);
	printf("%s 1 - soak\n1..1\n", soak.failures ? "not ok" : "ok");
	return soak.failures > 0;
}
