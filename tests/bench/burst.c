/* SPDX-License-Identifier: Apache-2.0 */
/* A burst of 10,000 events to 8 readers: what each daemon's readers miss. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define EVENTS 10000
#define READERS 8
#define SERVER "/v1/acp/bench"

struct burst {
	double seconds, least, most; /* missing, in percent of what there was */
	uint64_t missing;
};

static void count(const struct bench_readers *rs, uint64_t last, struct burst *b)
{
	b->least = 100;
	for (unsigned i = 0; i < rs->n; i++) {
		uint64_t missing = last - rs->r[i].events;
		double part = 100.0 * (double)missing / (double)last;

		b->missing += missing;
		b->least = part < b->least ? part : b->least;
		b->most = part > b->most ? part : b->most;
	}
}

static struct burst ours(void)
{
	struct burst b = { 0 };
	struct bench_readers rs;
	int64_t began;
	uint64_t last;
	char text[32];

	bench_ours_start("burst");
	bench_ours_session("burst");
	bench_readers_open(&rs, READERS, &bench_ours_at, "/v1/sessions/burst/events/sse?profile=amika");
	bench_readers_until(&rs, 1, 1000);
	snprintf(text, sizeof text, "flood %d 47", EVENTS);
	began = bench_now();
	last = bench_ours_turn("burst", text, &rs);
	b.seconds = (double)(bench_now() - began) / 1e9;
	count(&rs, last, &b);
	bench_readers_close(&rs);
	bench_ours_stop();
	return b;
}

static void rpc(int id, const char *method, const char *params)
{
	char body[512];

	snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}", id, method, params);
	bench_call(&bench_peer_at, "POST", id == 1 ? SERVER "?agent=mock" : SERVER, body);
}

/* Three answers go to the stream besides the updates. */
static struct burst peer(void)
{
	struct burst b = { 0 };
	struct bench_readers rs;
	char params[160];
	int64_t began;
	int s;

	bench_peer_at.headers = "Accept: application/json, text/event-stream\r\n";
	bench_peer_start(true);
	rpc(1, "initialize", "{\"protocolVersion\":1,\"clientCapabilities\":{}}");
	rpc(2, "session/new", "{\"cwd\":\"/\",\"mcpServers\":[]}");
	bench_readers_open(&rs, READERS, &bench_peer_at, SERVER);
	bench_readers_until(&rs, 2, 1000);
	snprintf(params, sizeof params,
		 "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"session/prompt\",\"params\":{\"sessionId\":\"ses-1\",\"prompt\":"
		 "[{\"type\":\"text\",\"text\":\"%d\"}]}}", EVENTS);
	began = bench_now();
	s = bench_ask(&bench_peer_at, "POST", SERVER, params);
	while (bench_readers_pump(&rs, 1000))
		b.seconds = (double)(bench_now() - began) / 1e9;
	close(s);
	count(&rs, EVENTS + 3, &b);
	bench_readers_close(&rs);
	bench_peer_stop();
	bench_peer_at.headers = NULL;
	return b;
}

void bench_burst(void)
{
	struct burst a = ours(), b = { 0 };

	if (bench_conf.peer)
		b = peer();
	bench_row("a burst of 10,000 events to 8 readers: events missed", "none", BENCH_AT_MOST, 0, (double)a.missing,
		  bench_conf.peer ? "%llu in %.2f s; peer %llu, %.1f to %.1f %% of each reader's, in %.2f s" : "%llu in %.2f s",
		  (unsigned long long)a.missing, a.seconds, (unsigned long long)b.missing, b.least, b.most, b.seconds);
}
