/* SPDX-License-Identifier: Apache-2.0 */
/* A million events read again from the start: of one session, and of eight that were written alternately. */
#include <stdio.h>

#include "bench.h"

#define EVENTS 1000000
#define SESSIONS 8
#define ROUNDS 3

/* Seconds to read a session to its end; *events counts what came. */
static double read_all(const char *session, uint64_t last, uint64_t *events)
{
	struct bench_readers rs;
	char path[128];
	int64_t began = bench_now();
	uint64_t chunks;
	double took;

	snprintf(path, sizeof path, "/v1/sessions/%s/events/sse?profile=amika", session);
	bench_readers_open(&rs, 1, &bench_ours_unix, path);
	if (!bench_readers_until(&rs, last, 5000) || rs.r[0].missing || rs.r[0].first != 1)
		bench_give_up("the replay of %s has holes or ends early", session);
	took = (double)(bench_now() - began) / 1e9;
	*events += bench_readers_events(&rs, &chunks);
	bench_readers_close(&rs);
	return took;
}

static void measure(const char *what, const char *target, double bound, const char *prefix, const uint64_t *last,
		    int sessions)
{
	double seconds[ROUNDS], cpu = bench_cpu(bench_ours_pid), median;
	uint64_t events = 0;
	char id[16];

	for (int i = 0; i < ROUNDS; i++) {
		seconds[i] = 0;
		for (int s = 0; s < sessions; s++) {
			snprintf(id, sizeof id, "%s%d", prefix, s);
			seconds[i] += read_all(id, last[s], &events);
		}
		seconds[i] *= EVENTS / ((double)events / (i + 1));
	}
	cpu = (bench_cpu(bench_ours_pid) - cpu) * EVENTS / (double)events;
	median = bench_quantile(seconds, ROUNDS, 0.5);
	bench_row(what, target, BENCH_AT_MOST, bound, median, "%.2f s (%.2f s of processor; for exactly 1,000,000)", median,
		  cpu);
}

/* The turns run at the same time: each turn of the loop takes some of each. */
static void write_interleaved(uint64_t *last)
{
	char id[16], text[32];

	snprintf(text, sizeof text, "flood %d", EVENTS / SESSIONS);
	for (int s = 0; s < SESSIONS; s++) {
		snprintf(id, sizeof id, "inter%d", s);
		bench_ours_session(id);
		bench_ours_say(id, text);
	}
	for (int s = 0; s < SESSIONS; s++) {
		bool idle = false;

		snprintf(id, sizeof id, "inter%d", s);
		while (!idle) {
			last[s] = bench_ours_after(id, &idle);
			bench_wait_ms(100);
		}
	}
}

void bench_replay(void)
{
	uint64_t last[SESSIONS];
	char text[32];

	snprintf(text, sizeof text, "flood %d", EVENTS);
	bench_ours_start("replay");
	bench_ours_session("alone0");
	last[0] = bench_ours_turn("alone0", text, NULL);
	measure("replay of 1,000,000 events, a session of its own", "≤ 1 s", 1, "alone", last, 1);
	bench_ours_stop();
	bench_ours_start("interleaved");
	write_interleaved(last);
	measure("replay of 1,000,000 events, 8 sessions written alternately", "≤ 2.5 s", 2.5, "inter", last, SESSIONS);
	bench_ours_stop();
}
