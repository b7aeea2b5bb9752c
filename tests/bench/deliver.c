/* SPDX-License-Identifier: Apache-2.0 */
/* Events delivered to readers, per second on a processor of the daemon: writing them is included. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/path.h"

#include "bench.h"

struct delivery {
	double per_core, per_second, per_chunk;
	uint64_t events, missing;
};

/* One turn of the session, and all of it to every reader. */
static struct delivery deliver(unsigned readers, const char *session, const char *text)
{
	struct delivery d = { 0 };
	struct bench_readers rs;
	uint64_t chunks, before;
	char path[256];
	double cpu;
	int64_t began;

	bench_ours_session(session);
	bench_ours_turn(session, "hello", NULL);
	snprintf(path, sizeof path, "/v1/sessions/%s/events/sse", session);
	bench_readers_open(&rs, readers, &bench_ours_at, path);
	while (bench_readers_pump(&rs, 300))
		;
	before = bench_readers_events(&rs, &chunks);
	for (unsigned i = 0; i < rs.n; i++)
		rs.r[i].chunks = 0;
	cpu = bench_cpu(bench_ours_pid);
	began = bench_now();
	bench_ours_turn(session, text, &rs);
	d.per_second = (double)(bench_now() - began) / 1e9;
	cpu = bench_cpu(bench_ours_pid) - cpu;
	d.events = bench_readers_events(&rs, &chunks) - before;
	d.per_core = (double)d.events / cpu;
	d.per_second = (double)d.events / d.per_second;
	d.per_chunk = (double)d.events / (double)chunks;
	for (unsigned i = 0; i < rs.n; i++)
		d.missing += rs.r[i].missing;
	bench_readers_close(&rs);
	return d;
}

static void measure(unsigned readers, const char *text, const char *how, const char *target, double bound)
{
	char what[128], session[32];
	struct delivery d;

	snprintf(session, sizeof session, "deliver%u", readers);
	d = deliver(readers, session, text);
	snprintf(what, sizeof what, "%s, %u readers: deliveries/s/core", how, readers);
	bench_row(what, target, BENCH_AT_LEAST, bound, d.missing ? 0 : d.per_core,
		  "%.0f k (%.0f k/s; %.1f events each time a reader was served; %llu missing)", d.per_core / 1e3,
		  d.per_second / 1e3, d.per_chunk, (unsigned long long)d.missing);
}

/* The daemon then takes one line of an agent's output each time its loop turns, and commits it alone. */
static void settle_for_one_line(void)
{
	char path[AMK_PATH_MAX];
	FILE *f;

	snprintf(path, sizeof path, "%s/single", bench_conf.scratch);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/single/settings.json", bench_conf.scratch);
	f = fopen(path, "we");
	if (!f || fputs("{\"step_bytes\":1}\n", f) < 0 || fclose(f) != 0)
		bench_give_up("%s: %s", path, strerror(errno));
}

void bench_deliver(void)
{
	static const struct {
		unsigned readers;
		const char *single, *flood;
	} runs[] = {
		{ 8, "flood 40000", "flood 400000" },
		{ 100, "flood 6000", "flood 100000" },
		{ 1000, "flood 600", "flood 10000" },
	};

	settle_for_one_line();
	bench_ours_start("single");
	for (size_t i = 0; i < AMK_COUNT(runs); i++)
		measure(runs[i].readers, runs[i].single, "one event a turn", "≥ 100 k", 100e3);
	bench_ours_stop();
	bench_ours_start("flood");
	for (size_t i = 0; i < AMK_COUNT(runs); i++)
		measure(runs[i].readers, runs[i].flood, "a flood", "≥ 1,000 k", 1e6);
	bench_ours_stop();
}
