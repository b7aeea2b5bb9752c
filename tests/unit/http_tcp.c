/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server on the network: peers are addresses, small replies leave at once, stuck readers cost little. */
#include "http_fixture.h"

#include <netinet/tcp.h>

static void get(struct client *c, const char *path)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	client_open(c);
	amk_buf_addf(&b, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	client_send(c, b.s, b.n);
}

static void test_peer(void)
{
	struct answer a;

	server.deny = true;
	ask("GET /echo/x", NULL, NULL, &a);
	ok(a.status == 200, "nobody is asked whether to admit an address");
	ok(strstr(a.body.s, "\"address\":\"127.0.0.1\""), "the peer is its address");
	answer_free(&a);
	server.deny = false;
}

/* Requests on one connection, each sent when the one before is answered: with a delay of 40 ms for each
 * (Nagle's algorithm and the delayed acknowledgement) these would take 8 s. */
static void test_no_delay(void)
{
	int64_t start = amk_time_monotonic(), ms;
	struct client c;
	struct answer a;
	int good = 0;

	client_open(&c);
	for (int i = 0; i < 200; i++) {
		client_sends(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
		client_answer(&c, &a, false);
		good += a.status == 200;
		answer_free(&a);
	}
	client_close(&c);
	ms = (amk_time_monotonic() - start) / 1000000;
	ok(good == 200 && ms < 4000, "200 replies, none held back (%d ms)", (int)ms);
}

/* What is taken from the stream of a reader that does not read is what the kernel holds, for both ends.
 * Without a bound it is what TCP grows to, megabytes. */
static void test_stuck(void)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(65536), got AMK_AUTO(buf) = AMK_BUF_INIT(16u << 20);
	unsigned long taken;
	struct client c;
	struct answer a;

	for (int i = 0; i < 65000; i++)
		amk_buf_addc(&text, 'a');
	client_open(&c);
	client_sends(&c, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	client_head(&c, &a);
	answer_free(&a);
	for (int i = 0; i < 128; i++)
		ask_status("POST /feed", NULL, text.s);
	ask("GET /taken", NULL, NULL, &a);
	taken = strtoul(a.body.s, NULL, 10);
	answer_free(&a);
	ok(taken > 0 && taken < 1u << 20, "the kernel holds %lu bytes for a stuck reader", taken);
	while (got.n < server.log.n && client_chunk(&c, &got))
		;
	ok(got.n == server.log.n && got.n > 8000000, "and it gets all %zu once it reads", got.n);
	client_close(&c);
}

/* Four streams for an address, of eight. */
static void test_peer_streams(void)
{
	struct client c[5];
	struct answer a;

	for (int i = 0; i < 4; i++) {
		get(&c[i], "/stream");
		client_head(&c[i], &a);
		answer_free(&a);
	}
	ask("GET /stream", NULL, NULL, &a);
	ok(a.status == 503 && answer_is_problem(&a, "unavailable") && answer_header_is(&a, "Retry-After", "1") &&
	   strstr(a.body.s, "of yours"), "one stream too many from an address is refused, for now");
	answer_free(&a);
	from_address = 2;
	get(&c[4], "/stream");
	client_head(&c[4], &a);
	is_int(a.status, 200, "another address has room");
	answer_free(&a);
	from_address = 0;
	for (int i = 0; i < 5; i++)
		client_close(&c[i]);
}

int main(void)
{
	struct amk_http_conf conf = usual;

	over_tcp = true;
	server_start(&conf);
	test_peer();
	test_no_delay();
	test_stuck();
	server_stop();
	server_remove();
	conf.streams = 8;
	conf.peer_streams = 4;
	server_start(&conf);
	test_peer_streams();
	server_stop();
	server_remove();
	return tap_done();
}
