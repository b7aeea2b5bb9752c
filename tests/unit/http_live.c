/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over time: later replies, streams, clients that leave or are slow, limits, stopping. */
#include "http_fixture.h"

static void get(struct client *c, const char *path)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	client_open(c);
	amk_buf_addf(&b, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	client_send(c, b.s, b.n);
}

static int until(const char *counter, int n)
{
	char line[64];

	snprintf(line, sizeof line, "GET /until/%s/%d", counter, n);
	return ask_status(line, NULL, NULL);
}

/* A request has certainly been read and its handler called when a later one was answered. */
static void settle(void)
{
	ask_status("GET /hello", NULL, NULL);
}

static void test_later(void)
{
	struct client c;
	struct answer a;

	get(&c, "/hold/0");
	client_sends(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	settle();
	is_int(ask_status("POST /release/0", NULL, ""), 204, "others are served while one waits");
	client_answer(&c, &a, false);
	is_str(a.body.s, "released", "then it gets its reply");
	answer_free(&a);
	client_answer(&c, &a, false);
	is_str(a.body.s, "hello", "and the next request of that connection its own");
	answer_free(&a);
	client_close(&c);
}

static void test_later_gone(void)
{
	struct client c[3];
	struct answer a;

	for (int i = 0; i < 3; i++)
		get(&c[i], (const char *[]){ "/hold/1", "/hold/2", "/hold/3" }[i]);
	settle();
	is_int(server.gone, 0, "three wait");
	client_close(&c[1]);
	is_int(until("gone", 1), 204, "one that leaves is noticed");
	client_close(&c[0]);
	is_int(until("gone", 2), 204, "so is the next");
	shutdown(c[2].fd, SHUT_WR);
	settle();
	ask_status("POST /release/1", NULL, "");
	ask_status("POST /release/3", NULL, "");
	client_answer(&c[2], &a, false);
	is_str(a.body.s, "released", "one that only said it will not send more gets its reply");
	is_int(server.gone, 2, "and is not told gone");
	answer_free(&a);
	client_close(&c[2]);
}

static void test_stream(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct client c, half;
	struct answer a;

	get(&c, "/stream");
	client_head(&c, &a);
	ok(a.status == 200 && a.chunked && answer_header_is(&a, "Content-Type", "text/event-stream"),
	   "a stream begins before its first byte");
	ok(answer_header_is(&a, "Cache-Control", "no-cache"), "and is not to be cached");
	answer_free(&a);
	get(&half, "/stream");
	shutdown(half.fd, SHUT_WR);
	client_head(&half, &a);
	answer_free(&a);
	for (int i = 0; i < 3; i++) {
		struct amk_buf want AMK_AUTO(buf) = AMK_BUF_INIT(256);
		const char *data = (const char *[]){ "{\"n\":0}", "{\"n\":1}", "\xc3\xa4" }[i];

		amk_sse_frame(&want, server.log.n, data, strlen(data));
		ask_status("POST /feed", NULL, data);
		amk_buf_clear(&b);
		client_chunk(&c, &b);
		is_str(b.s, want.s, "woken, it sends a frame");
		amk_buf_clear(&b);
		client_chunk(&half, &b);
		is_str(b.s, want.s, "also to one that will not send more");
	}
	ask_status("POST /feed", NULL, "!");
	amk_buf_clear(&b);
	ok(!client_chunk(&c, &b) && !c.eof, "it ends with an empty chunk");
	client_sends(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	client_answer(&c, &a, false);
	is_int(a.status, 200, "and the connection can be used again");
	answer_free(&a);
	client_close(&c);
	client_close(&half);
	is_int(until("closed", 2), 204, "both are closed");
}

static void test_stream_variants(void)
{
	struct client c;
	struct answer a;
	int before = server.closed;

	is_int(ask_status("HEAD /stream", NULL, NULL), 200, "HEAD of a stream has a head only");
	is_int(until("closed", before + 1), 204, "and is closed at once");
	client_open(&c);
	client_sends(&c, "GET /stream HTTP/1.0\r\n\r\n");
	client_head(&c, &a);
	ok(a.status == 200 && !a.chunked, "HTTP/1.0 is not chunked");
	answer_free(&a);
	ask_status("POST /feed", NULL, "{\"n\":3}");
	a.head = (struct amk_buf)AMK_BUF_INIT(4096);
	ok(client_until(&c, &a.head, "{\"n\":3}\n\n"), "its frames come all the same");
	ask_status("POST /feed", NULL, "!");
	ok(client_closed(&c), "its end is the connection's");
	answer_free(&a);
	client_close(&c);
}

static void test_stream_gone(void)
{
	int before = server.closed;
	struct client c[8];

	for (int i = 0; i < 8; i++)
		get(&c[i], "/stream");
	settle();
	for (int i = 0; i < 8; i += 2)
		client_close(&c[i]);
	is_int(until("closed", before + 4), 204, "streams whose clients leave are closed, with nothing to send");
	ask_status("POST /feed", NULL, "{\"n\":4}");
	for (int i = 1; i < 8; i += 2)
		client_close(&c[i]);
	is_int(until("closed", before + 8), 204, "also while they are written to");
}

/* A reader that does not read holds up nobody, and gets all when it does. */
static void test_stuck(void)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(65536), got AMK_AUTO(buf) = AMK_BUF_INIT(4u << 20);
	size_t start = server.log.n;
	struct client c, other;
	struct answer a;

	for (int i = 0; i < 32768; i++)
		amk_buf_addc(&text, (char)('a' + i % 26));
	get(&c, "/stream");
	get(&other, "/stream");
	client_head(&c, &a);
	answer_free(&a);
	client_head(&other, &a);
	answer_free(&a);
	for (int i = 0; i < 20; i++)
		ask_status("POST /feed", NULL, text.s);
	while (got.n < server.log.n - start && client_chunk(&other, &got))
		;
	is_int(got.n, server.log.n - start, "beside a stuck reader another gets everything");
	client_close(&other);
	amk_buf_clear(&got);
	while (got.n < server.log.n - start && client_chunk(&c, &got))
		;
	ok(got.n == server.log.n - start && memcmp(got.s, server.log.s + start, got.n) == 0,
	   "and so does the stuck one, once it reads");
	client_close(&c);
}

/* Three requests for each connection. */
static void test_enough(void)
{
	struct client c;
	struct answer a[3];

	client_open(&c);
	for (int i = 0; i < 5; i++)
		client_sends(&c, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
	for (int i = 0; i < 3; i++)
		client_answer(&c, &a[i], false);
	ok(a[0].status == 200 && a[1].status == 200 && a[2].status == 200, "as many requests as allowed are answered");
	ok(!answer_header(&a[1], "Connection") && answer_header_is(&a[2], "Connection", "close"), "the last one says so");
	ok(client_closed(&c), "and what comes after it is not");
	for (int i = 0; i < 3; i++)
		answer_free(&a[i]);
	client_close(&c);
	is_int(ask_status("GET /hello", NULL, NULL), 200, "another connection begins anew");
}

/* Four streams, six connections. */
static void test_limits(void)
{
	struct client c[4], waiting[3];
	struct answer a;

	for (int i = 0; i < 4; i++) {
		get(&c[i], "/stream");
		client_head(&c[i], &a);
		answer_free(&a);
	}
	ask("GET /stream", NULL, NULL, &a);
	ok(a.status == 503 && answer_is_problem(&a, "unavailable"), "one stream too many is refused");
	ok(answer_header_is(&a, "Retry-After", "1"), "for now");
	is_int(server.refused, 1, "its handler was told");
	answer_free(&a);
	client_close(&c[0]);
	is_int(until("closed", 1), 204, "when one ends");
	get(&c[0], "/stream");
	client_head(&c[0], &a);
	is_int(a.status, 200, "there is room again");
	answer_free(&a);
	for (int i = 0; i < 3; i++)
		get(&waiting[i], "/hello");
	for (int i = 0; i < 3; i++) {
		client_answer(&waiting[i], &a, false);
		is_int(a.status, 200, "a connection beyond the limit waits for its turn");
		answer_free(&a);
		client_close(&waiting[i]);
	}
	for (int i = 0; i < 4; i++)
		client_close(&c[i]);
	is_int(until("closed", 5), 204, "all are closed");
}

/* Sends a byte at a time, one each 20 ms, until the server closes; the ms that took. */
static int64_t trickle(struct client *c, const char *first)
{
	int64_t start = amk_time_monotonic();
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	client_sends(c, first);
	while (poll(&p, 1, 20) == 0 && amk_time_monotonic() - start < 20000000000)
		client_sends(c, "x");
	return (amk_time_monotonic() - start) / 1000000;
}

/* A connection that sends so is cut after `least` ms, before `most`. */
static void cut(struct client *c, const char *first, int least, int most, const char *name)
{
	int64_t ms = trickle(c, first);

	ok(ms >= least && ms < most && client_closed(c), "%s (%d ms)", name, (int)ms);
	client_close(c);
}

/* A header has 200 ms, a body or reply two seconds, the next request 1500 ms. */
static void test_slow(void)
{
	struct client c, held, stream, big;
	struct answer a;

	get(&held, "/hold/4");
	get(&stream, "/stream");
	client_open(&c);
	cut(&c, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 200, 1400, "a header that does not end is cut");
	client_open(&c);
	cut(&c, "", 200, 1400, "so is one whose first line does not");
	get(&c, "/hello");
	client_answer(&c, &a, false);
	answer_free(&a);
	cut(&c, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 200, 1400, "and the header of a second request");
	get(&c, "/hello");
	client_answer(&c, &a, false);
	answer_free(&a);
	cut(&c, "", 1500, 10000, "a connection may be idle for longer");
	get(&big, "/big");
	client_open(&c);
	cut(&c, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n", 2000, 10000, "so may a body");
	while (client_more(&big))
		;
	ok(big.in.n > 0 && big.in.n < 1 << 20, "a reply that is not taken in that time is cut off");
	client_close(&big);
	get(&c, "/hello");
	client_answer(&c, &a, false);
	ok(a.status == 200 && client_closed(&c), "a connection that asks nothing more is closed");
	answer_free(&a);
	client_close(&c);
	ask_status("POST /release/4", NULL, "");
	client_answer(&held, &a, false);
	is_int(a.status, 200, "a request that waits for its reply is not");
	answer_free(&a);
	client_close(&held);
	client_head(&stream, &a);
	is_int(a.status, 200, "nor is a stream");
	answer_free(&a);
	client_close(&stream);
	is_int(until("closed", 1), 204, "it closes when its client leaves");
}

static void test_stop(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct client stream[5], held, body, idle, big;
	struct answer a;

	for (int i = 0; i < 5; i++) {
		get(&stream[i], "/stream");
		client_head(&stream[i], &a);
		answer_free(&a);
	}
	get(&held, "/hold/5");
	client_open(&body);
	client_sends(&body, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
	client_open(&idle);
	get(&big, "/big");
	settle();
	client_close(&stream[0]);
	server_stop();
	is_int(server.closed, 5, "stopping closes every stream");
	is_int(server.gone, 1, "and tells every owner of a request");
	for (int i = 1; i < 5; i++) {
		amk_buf_clear(&b);
		ok(!client_chunk(&stream[i], &b) && b.n == 0 && !stream[i].eof, "a stream is ended properly");
	}
	client_answer(&held, &a, false);
	ok(a.status == 503 && answer_is_problem(&a, "unavailable") && answer_header_is(&a, "Connection", "close"),
	   "a request that waited is told to come back");
	answer_free(&a);
	ok(client_closed(&held) && client_closed(&body) && client_closed(&idle), "the others are closed");
	for (int i = 1; i < 5; i++)
		client_close(&stream[i]);
	client_close(&held);
	client_close(&body);
	client_close(&idle);
	client_close(&big);
}

static void test_start_fails(void)
{
	struct amk_http_conf conf = usual;
	struct amk_err e = { 0 };

	conf.streams = conf.connections;
	ok(!amk_http_start(NULL, &conf, &e) && e.code == AMK_EINVALID, "streams may not take every connection: %s",
	   e.msg);
}

int main(void)
{
	struct amk_http_conf conf = usual;

	test_start_fails();
	server_start(&conf);
	test_later();
	test_later_gone();
	test_stream();
	test_stream_variants();
	test_stream_gone();
	test_stuck();
	server_stop();
	server_remove();
	conf.requests = 3;
	server_start(&conf);
	test_enough();
	server_stop();
	server_remove();
	conf = usual;
	conf.streams = 4;
	conf.connections = 6;
	server_start(&conf);
	test_limits();
	server_stop();
	server_remove();
	conf = usual;
	conf.header_ms = 200;
	conf.body_ms = 2000;
	conf.idle_ms = 1500;
	server_start(&conf);
	test_slow();
	server_stop();
	server_remove();
	server_start(&usual);
	test_stop();
	server_remove();
	return tap_done();
}
