/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets: handshake, limits, closing from either side, pings, slow and departed clients, stopping. */
#include "ws_fixture.h"

#include "http/ws_wire.h"

static int until(const char *counter, int n)
{
	char line[64];

	snprintf(line, sizeof line, "GET /until/%s/%d", counter, n);
	return ask_status(line, NULL, NULL);
}

static void say_to_all(const char *s, int times)
{
	char line[64];

	snprintf(line, sizeof line, "POST /say/%d", times);
	is_int(ask_status(line, NULL, s), 204, "said to all");
}

#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define THIRTEEN "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: " WS_KEY "\r\n"

static void test_handshake(void)
{
	struct client c;
	struct answer a;

	ask("GET /echo", UPGRADE THIRTEEN KEY, NULL, &a);
	is_int(a.status, 101, "a handshake as Firefox words it");
	is_str(answer_header(&a, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "accepted as the RFC does");
	is_str(answer_header(&a, "Upgrade"), "websocket", "by its name");
	ok(!answer_header(&a, "Sec-WebSocket-Extensions"), "and without extensions");
	answer_free(&a);
	ask("GET /echo", NULL, NULL, &a);
	ok(a.status == 426 && answer_is_problem(&a, "upgrade_required"), "without a handshake: 426");
	is_str(answer_header(&a, "Sec-WebSocket-Version"), "13", "which says the version");
	answer_free(&a);
	is_int(ask_status("GET /echo", UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", NULL), 426, "another version");
	is_int(ask_status("GET /echo", UPGRADE KEY, NULL), 426, "no version");
	is_int(ask_status("GET /echo", "Upgrade: websocket\r\n" THIRTEEN KEY, NULL), 426, "no Connection: upgrade");
	is_int(ask_status("GET /echo", "Upgrade: h2c\r\nConnection: upgrade\r\n" THIRTEEN KEY, NULL), 426, "to something else");
	is_int(ask_status("HEAD /echo", UPGRADE THIRTEEN KEY, NULL), 426, "not with HEAD");
	is_int(ask_status("GET /echo", UPGRADE THIRTEEN, NULL), 400, "no key");
	is_int(ask_status("GET /echo", UPGRADE THIRTEEN "Sec-WebSocket-Key: c2hvcnQ=\r\n", NULL), 400, "a key too short");
	is_int(ask_status("GET /echo", UPGRADE THIRTEEN "Sec-WebSocket-Key: dGhlIHNhbXBsZ?Bub25jZQ==\r\n", NULL), 400,
	       "a key that is not base64");
	client_open(&c);
	client_sends(&c, "GET /echo HTTP/1.0\r\nHost: a\r\n" UPGRADE THIRTEEN KEY "\r\n");
	client_answer(&c, &a, false);
	is_int(a.status, 426, "not with HTTP/1.0");
	answer_free(&a);
	client_close(&c);
}

static void test_early(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct client c;
	struct answer a;

	ws_put(&b, FIN | TEXT, "early bird", 10);
	ws_put(&b, FIN | PING, "and", 3);
	ws_ask(&c, "/echo", b.s, b.n - 2);
	client_head(&c, &a);
	answer_free(&a);
	ok(ws_hears(&c, FIN | TEXT, "early bird", 10), "a frame sent along with the handshake");
	client_send(&c, b.s + b.n - 2, 2);
	ok(ws_hears(&c, FIN | PONG, "and", 3) && ws_leaves(&c), "and half of one");
	client_close(&c);
}

static void test_denied(void)
{
	struct answer a;

	server.deny = true;
	ask("GET /echo", UPGRADE THIRTEEN KEY, NULL, &a);
	ok(a.status == 403 && answer_is_problem(&a, "permission_denied"), "who has no rights is refused before the upgrade");
	answer_free(&a);
	server.deny = false;
}

static void test_limits(void)
{
	static const char unmasked[] = "\x81\x02hi";
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	struct client c;

	ws_open(&c, "/echo");
	client_send(&c, unmasked, sizeof unmasked - 1);
	is_int(ws_closes(&c), 1002, "a frame that is not masked");
	client_close(&c);

	ws_open(&c, "/echo");
	ws_put(&b, FIN | TEXT, "", 0);
	memcpy(b.s, "\x81\xff\0\0\0\0\x01\0\0\x01\x01\x02\x03\x04....", 18); /* 16 MiB and a byte are announced */
	client_send(&c, b.s, 18);
	is_int(ws_closes(&c), 1009, "a message longer than is allowed, before it has come");
	client_close(&c);

	ws_open(&c, "/echo");
	amk_buf_clear(&b);
	ws_put(&b, BINARY, "", 0);
	for (unsigned i = 0; i < AMK_WS_FRAGMENTS; i++)
		ws_put(&b, CONT, "", 0);
	client_send(&c, b.s, b.n);
	is_int(ws_closes(&c), 1008, "a message of more frames than are allowed");
	client_close(&c);
}

static void test_owner_closes(void)
{
	struct frame f;
	struct client c;
	char body[125];

	ws_open(&c, "/tell");
	ws_says(&c, "close 1003 only text here");
	ws_says(&c, "never answered");
	ok(ws_get(&c, &f) && frame_code(&f) == 1003, "the owner closes");
	is_str(f.body.s + 2, "only text here", "and says why");
	frame_free(&f);
	ws_says(&c, "nor this");
	ws_say(&c, FIN | CLOSE, body, ws_close_body(body, 1003, ""));
	ok(client_closed(&c), "when the client has answered, it is over");
	client_close(&c);

	ws_open(&c, "/tell");
	ws_says(&c, "close 1000 ");
	ok(ws_get(&c, &f) && frame_code(&f) == 1000, "closed again");
	frame_free(&f);
	ok(client_closed(&c), "a client that does not answer is cut off");
	client_close(&c);
	is_int(server.called, 2, "nothing was handed over after the close");
}

static void test_tells(void)
{
	struct client c[2];

	for (int i = 0; i < 2; i++)
		ws_open(&c[i], "/tell");
	say_to_all("one", 1);
	say_to_all("two", 2);
	for (int i = 0; i < 2; i++)
		ok(ws_hears(&c[i], FIN | TEXT, "one", 3) && ws_hears(&c[i], FIN | TEXT, "two", 3) &&
			   ws_hears(&c[i], FIN | TEXT, "two", 3), "each reads at its own pace");
	ws_says(&c[0], "hold");
	ws_says(&c[1], "now");
	ok(ws_hears(&c[1], FIN | TEXT, "now", 3), "one asks");
	ws_says(&c[0], "later");
	say_to_all("go", 1);
	ok(ws_hears(&c[1], FIN | TEXT, "go", 2), "and is told");
	ok(ws_hears(&c[0], FIN | TEXT, "go", 2) && ws_hears(&c[0], FIN | TEXT, "later", 5),
	   "what a busy owner left is read when it is woken");
	ask_status("POST /say/1", NULL, "!");
	is_int(ws_closes(&c[0]), 1000, "the end of what is told closes");
	is_int(ws_closes(&c[1]), 1000, "for all");
	for (int i = 0; i < 2; i++)
		client_close(&c[i]);
}

/* Answers and pongs go between frames that are told, whatever the socket takes at a time. */
static void test_between(void)
{
	struct amk_buf big AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	int told = 0, pongs = 0, answers = 0;
	struct client c;
	struct frame f;

	memset(amk_buf_room(&big, 100000), 'x', 100000);
	big.n = 100000;
	ws_open(&c, "/tell");
	say_to_all(big.s, 8);
	for (int i = 0; i < 20; i++) {
		ws_say(&c, FIN | PING, "?", 1);
		ws_says(&c, "answer");
	}
	while (told + pongs + answers < 48 && ws_get(&c, &f)) {
		told += f.first == (FIN | TEXT) && f.body.n == 100000;
		pongs += f.first == (FIN | PONG) && f.body.n == 1;
		answers += f.first == (FIN | TEXT) && strcmp(f.body.s, "answer") == 0;
		frame_free(&f);
	}
	ok(told == 8 && pongs == 20 && answers == 20, "%d told, %d pongs, %d answers", told, pongs, answers);
	ok(ws_leaves(&c), "and nothing else");
	client_close(&c);
}

/* Sends until the server takes no more, which is when nothing goes for so long. */
static size_t send_all_it_takes(struct client *c, const char *s, size_t n)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	size_t sent = 0;

	while (poll(&p, 1, 500) == 1) {
		ssize_t m = send(c->fd, s + sent % n, n - sent % n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (m > 0)
			sent += (size_t)m;
	}
	return sent;
}

static void test_does_not_read(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct client c, other;
	size_t sent, frames;
	char body[1000];

	memset(body, 'q', sizeof body);
	ws_put(&b, FIN | TEXT, body, sizeof body);
	ws_open(&c, "/echo");
	sent = send_all_it_takes(&c, b.s, b.n);
	ok(sent < 4u << 20, "who does not read the answers gets to ask no more (%zu bytes)", sent);
	ws_open(&other, "/echo");
	ws_says(&other, "me?");
	ok(ws_hears(&other, FIN | TEXT, "me?", 3) && ws_leaves(&other), "others are served meanwhile");
	frames = sent / b.n;
	while (frames && ws_hears(&c, FIN | TEXT, body, sizeof body))
		frames--;
	is_int((long long)frames, 0, "when it reads it gets all of them");
	client_close(&c);
	client_close(&other);
}

static void test_streams_limit(void)
{
	struct amk_http_conf conf = ws_usual;
	struct client c[3];
	struct answer a;

	conf.connections = 8;
	conf.streams = 2;
	server_start(&conf);
	ok(ws_open(&c[0], "/echo") && ws_open(&c[1], "/echo"), "two are let in");
	ask("GET /echo", UPGRADE THIRTEEN KEY, NULL, &a);
	ok(a.status == 503 && answer_header(&a, "Retry-After"), "the third is told to come back");
	answer_free(&a);
	client_close(&c[0]);
	is_int(until("closed", 1), 204, "one leaves without a word");
	ok(ws_open(&c[2], "/echo"), "then there is room");
	client_close(&c[1]);
	client_close(&c[2]);
	server_stop();
	server_remove();
}

static void test_ping(void)
{
	struct amk_http_conf conf = ws_usual;
	struct client answers, silent, stuck, slow;
	struct frame f;
	int pings = 0;

	conf.ws_ping_ms = 100;
	conf.body_ms = 500;
	server_start(&conf);
	ws_open(&silent, "/echo");
	ok(ws_hears(&silent, FIN | PING, "", 0) && ws_hears(&silent, FIN | PING, "", 0), "pings come");
	is_int(ws_closes(&silent), 1011, "who answers none of two is given up");
	ws_open(&answers, "/echo");
	for (; pings < 8 && ws_get(&answers, &f) && f.first == (FIN | PING); pings++) {
		ws_say(&answers, FIN | PONG, f.body.s, f.body.n);
		frame_free(&f);
	}
	is_int(pings, 8, "who answers is not");
	ok(ws_leaves(&answers), "and leaves when it likes");
	ws_open(&stuck, "/tell");
	say_to_all("much of this will never be read", 20000);
	is_int(until("closed", 3), 204, "neither is one kept that does not even take what there is");
	ws_open(&slow, "/echo");
	for (int i = 0; i < 50; i++)
		ws_says(&slow, "whole");
	ws_say(&slow, TEXT, "never", 5);
	while (ws_get(&slow, &f) && !frame_code(&f)) {
		if (f.first == (FIN | PING))
			ws_say(&slow, FIN | PONG, "", 0);
		frame_free(&f);
	}
	is_int(frame_code(&f), 1008, "nor one that never ends a message, though it answers");
	frame_free(&f);
	client_close(&slow);
	client_close(&answers);
	client_close(&silent);
	client_close(&stuck);
	server_stop();
	server_remove();
}

static void test_stop(void)
{
	struct client idle, fed, asked;
	struct answer a;

	server_start(&ws_usual);
	ws_open(&idle, "/echo");
	ws_open(&fed, "/tell");
	say_to_all("one", 1);
	ws_ask(&asked, "/echo", NULL, 0);
	client_head(&asked, &a);
	answer_free(&a);
	server_stop();
	is_int(server.closed, 3, "all are closed when the server has stopped");
	is_int(ws_closes(&idle), 1001, "and are told");
	ok(ws_hears(&fed, FIN | TEXT, "one", 3) && ws_closes(&fed) == 1001, "after what they had coming");
	is_int(ws_closes(&asked), 1001, "the youngest too");
	client_close(&idle);
	client_close(&fed);
	client_close(&asked);
	server_remove();
}

static void test_frames(void)
{
	static const struct {
		size_t n;
		const char *head;
		size_t head_n;
	} rows[] = { { 0, "\x81\x00", 2 }, { 125, "\x81\x7d", 2 }, { 126, "\x81\x7e\x00\x7e", 4 },
		     { 65535, "\x81\x7e\xff\xff", 4 }, { 65536, "\x81\x7f\0\0\0\0\0\x01\0\0", 10 } };
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	char *data = amk_calloc(1, 65536);

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		amk_buf_clear(&b);
		amk_ws_frame(&b, 7, data, rows[i].n);
		ok(b.n == rows[i].head_n + rows[i].n && memcmp(b.s, rows[i].head, rows[i].head_n) == 0,
		   "a frame of %zu bytes", rows[i].n);
	}
	free(data);
}

static void test_all(void)
{
	server_start(&ws_usual);
	test_handshake();
	test_early();
	if (!over_tcp)
		test_denied();
	test_limits();
	server.called = 0;
	test_owner_closes();
	test_tells();
	server_stop();
	server_remove();
	server_start(&ws_usual);
	test_between();
	test_does_not_read();
	server_stop();
	server_remove();
	test_streams_limit();
	test_ping();
	test_stop();
}

int main(void)
{
	test_frames();
	test_all();
	over_tcp = true;
	test_all();
	return tap_done();
}
