/* SPDX-License-Identifier: Apache-2.0 */
/* Start to the first healthy answer, and what an idle daemon holds. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define STARTS 15
#define READERS 1000
#define IDLE_MS 10000
#define SESSIONS 200

static double peer_start_ms(double *resident)
{
	double ms[STARTS];

	for (int i = 0; i < STARTS; i++) {
		if (i)
			bench_peer_stop();
		ms[i] = bench_peer_start(true) * 1000;
	}
	bench_wait_ms(500);
	*resident = bench_resident(bench_peer_pid);
	bench_peer_stop();
	return bench_quantile(ms, STARTS, 0.5);
}

void bench_start(void)
{
	double ms[STARTS], mine, peer = 0, mb = 0, start;

	for (int i = 0; i < STARTS; i++) {
		if (i)
			bench_ours_stop();
		ms[i] = bench_ours_start("start") * 1000;
	}
	start = bench_quantile(ms, STARTS, 0.5);
	mine = bench_resident(bench_ours_pid);
	bench_ours_stop();
	if (bench_conf.peer)
		peer = peer_start_ms(&mb);
	bench_row("start of the daemon to its first healthy answer, median of 15", "≤ 10 ms", BENCH_AT_MOST, 10, start,
		  bench_conf.peer ? "%.2f ms; peer %.1f ms: %.1f times as long" : "%.2f ms", start, peer, peer / start);
	bench_row("resident memory of the idle daemon", "≤ 8 MB", BENCH_AT_MOST, 8, mine,
		  bench_conf.peer ? "%.2f MB; peer %.2f MB: %.1f times as much" : "%.2f MB", mine, mb, mb / mine);
}

static void live_sessions(void)
{
	double rss = bench_resident(bench_ours_pid), own, before;
	char id[16];

	before = bench_smaps(bench_ours_pid, "Private_Dirty");
	for (int i = 0; i < SESSIONS; i++) {
		snprintf(id, sizeof id, "live%d", i);
		bench_ours_session(id);
		bench_ours_turn(id, "hello", NULL);
	}
	own = (bench_smaps(bench_ours_pid, "Private_Dirty") - before) / SESSIONS;
	rss = (bench_resident(bench_ours_pid) - rss) * 1024 / SESSIONS;
	bench_row("200 live idle sessions: memory of the daemon for each", "≤ 64 KiB", BENCH_AT_MOST, 64,
		  rss > own ? rss : own, "%.1f KiB resident, %.1f KiB private", rss, own);
}

static void idle_readers(void)
{
	struct bench_readers rs;
	double before, ms, mb;

	bench_readers_open(&rs, READERS, &bench_ours_unix, "/v1/sessions/idle/events/sse?offset=1000000");
	bench_readers_until(&rs, 1, 500);
	mb = bench_resident(bench_ours_pid);
	before = bench_cpu(bench_ours_pid);
	bench_wait_ms(IDLE_MS);
	ms = (bench_cpu(bench_ours_pid) - before) * 1000;
	bench_readers_close(&rs);
	bench_row("1,000 idle readers of server-sent events: resident memory of the daemon", "≤ 20 MB", BENCH_AT_MOST,
		  20, mb, "%.2f MB", mb);
	bench_row("1,000 idle readers: processor time of the daemon in 10 s", "≤ 50 ms", BENCH_AT_MOST, 50, ms,
		  "%.2f ms", ms);
}

void bench_idle(void)
{
	double shim;

	bench_ours_start("idle");
	bench_ours_session("idle");
	bench_ours_turn("idle", "hello", NULL);
	shim = bench_resident(bench_shim());
	bench_row("resident memory of a shim", "≤ 1 MB", BENCH_AT_MOST, 1, shim, "%.2f MB", shim);
	idle_readers();
	bench_ours_stop();
	bench_ours_start("live");
	live_sessions();
	bench_ours_stop();
}
