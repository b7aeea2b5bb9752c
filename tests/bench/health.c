/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/health on 1, 16 and 64 connections, with the same generator for both daemons, turn about. */
#include <stdio.h>

#include "bench.h"

#define ROUNDS 3
#define SECONDS 1.0

enum { OURS, QUIET, LOGGING, SIDES };

struct figures {
	double rate[SIDES], cpu[SIDES]; /* answers per second, and per second on a processor */
};

static double load(pid_t pid, const struct bench_at *at, unsigned n, double *per_cpu)
{
	double cpu = bench_cpu(pid), rate = bench_load(at, "/v1/health", n, SECONDS);

	cpu = bench_cpu(pid) - cpu;
	*per_cpu = cpu > 0 ? rate * SECONDS / cpu : 0;
	return rate;
}

/* The medians: the machine may be shared. */
static void measure(unsigned n, struct figures *f)
{
	double rate[SIDES][ROUNDS], cpu[SIDES][ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		rate[OURS][i] = load(bench_ours_pid, &bench_ours_at, n, &cpu[OURS][i]);
		for (int side = QUIET; side < SIDES; side++) {
			rate[side][i] = cpu[side][i] = 1;
			if (!bench_conf.peer)
				continue;
			bench_peer_start(side == LOGGING);
			rate[side][i] = load(bench_peer_pid, &bench_peer_at, n, &cpu[side][i]);
			bench_peer_stop();
		}
	}
	for (int side = OURS; side < SIDES; side++) {
		f->rate[side] = bench_quantile(rate[side], ROUNDS, 0.5);
		f->cpu[side] = bench_quantile(cpu[side], ROUNDS, 0.5);
	}
}

static void say(unsigned n, const struct figures *f, const char *target, double ratio, double bound)
{
	char what[80];

	snprintf(what, sizeof what, "health, %u connection%s", n, n > 1 ? "s" : "");
	if (!bench_conf.peer) {
		bench_note(what, target, "%.0f/s, %.0f/s/core; the peer was not to be had", f->rate[OURS],
			   f->cpu[OURS]);
		return;
	}
	bench_row(what, target, BENCH_AT_LEAST, bound, ratio,
		  "%.0f/s; peer %.0f/s without its request log (%.2f times), %.0f/s with it (%.2f times); "
		  "per second of processor %.0f, %.0f, %.0f",
		  f->rate[OURS], f->rate[QUIET], f->rate[OURS] / f->rate[QUIET], f->rate[LOGGING],
		  f->rate[OURS] / f->rate[LOGGING], f->cpu[OURS], f->cpu[QUIET], f->cpu[LOGGING]);
}

void bench_health(void)
{
	static const unsigned connections[] = { 1, 16, 64 };
	struct figures f;

	bench_ours_start("health");
	for (size_t i = 0; i < AMK_COUNT(connections); i++) {
		measure(connections[i], &f);
		if (connections[i] == 1)
			say(1, &f, "≥ the peer with its request log", f.rate[OURS] / f.rate[LOGGING], 1);
		else
			say(connections[i], &f, "≥ 2 × the peer without its request log", f.rate[OURS] / f.rate[QUIET], 2);
	}
	bench_ours_stop();
}
