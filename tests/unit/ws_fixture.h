/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of WebSockets: routes that echo and that tell, and a client that can send anything. */
#ifndef AMK_TESTS_UNIT_WS_FIXTURE_H
#define AMK_TESTS_UNIT_WS_FIXTURE_H

/* A program takes from both fixtures what it needs. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include "http_fixture.h"
#include "http/ws.h"

#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455, section 1.3 */

/* ---- the routes ---- */

struct socket {
	struct amk_ws *ws;
	size_t at, frame_end; /* in server.log */
	bool held;	      /* has asked to be left alone */
	struct socket *next;
};

static struct socket *sockets;

static void socket_closed(void *arg)
{
	for (struct socket **at = &sockets; *at; at = &(*at)->next)
		if (*at == arg) {
			*at = (*at)->next;
			break;
		}
	free(arg);
	server.closed++;
	waiters_look();
}

static enum amk_pull echo_pull(void *arg, char *to, size_t max, size_t *n)
{
	(void)arg;
	(void)to;
	(void)max;
	*n = 0;
	return AMK_PULL_WAIT;
}

static bool echo_between(void *arg)
{
	(void)arg;
	return true;
}

static void echo_message(void *arg, enum amk_ws_kind kind, const char *s, size_t n)
{
	struct socket *so = arg;

	server.called++;
	amk_ws_send(so->ws, kind, s, n);
}

static size_t log_frame_len(const unsigned char *s)
{
	if (s[1] < 126)
		return 2u + s[1];
	return s[1] == 126 ? 4u + (size_t)s[2] * 256 + s[3] : 10u + (size_t)s[7] * 65536 + (size_t)s[8] * 256 + s[9];
}

static enum amk_pull tell_pull(void *arg, char *to, size_t max, size_t *n)
{
	struct socket *so = arg;
	size_t left = server.log.n - so->at;

	if (left == 0)
		return AMK_PULL_WAIT;
	if (server.log.s[so->at] == '!' && so->at == so->frame_end)
		return AMK_PULL_END;
	*n = left < max ? left : max;
	memcpy(to, server.log.s + so->at, *n);
	so->at += *n;
	while (so->frame_end < so->at)
		so->frame_end += log_frame_len((const unsigned char *)server.log.s + so->frame_end);
	return AMK_PULL_BYTES;
}

static bool tell_between(void *arg)
{
	struct socket *so = arg;

	return so->at == so->frame_end;
}

/* Orders: "close CODE REASON", "hold", else an echo. */
static void tell_message(void *arg, enum amk_ws_kind kind, const char *s, size_t n)
{
	struct socket *so = arg;
	char *reason;

	server.called++;
	if (strncmp(s, "close ", 6) == 0) {
		unsigned code = (unsigned)strtoul(s + 6, &reason, 10);

		amk_ws_close(so->ws, (enum amk_ws_code)code, reason + 1);
	} else if (strcmp(s, "hold") == 0) {
		so->held = true;
	} else {
		amk_ws_send(so->ws, kind, s, n);
	}
}

static bool tell_busy(void *arg)
{
	return ((struct socket *)arg)->held;
}

static void socket_open(struct amk_request *rq, const struct amk_ws_ops *ops)
{
	struct socket *so = amk_calloc(1, sizeof *so);

	so->ws = amk_request_ws(rq, ops, so);
	if (!so->ws) {
		server.refused++;
		free(so);
		return;
	}
	so->next = sockets;
	sockets = so;
}

static void route_ws_echo(struct amk_request *rq, void *arg)
{
	static const struct amk_ws_ops ops = { echo_pull, echo_between, echo_message, NULL, socket_closed };

	(void)arg;
	socket_open(rq, &ops);
}

static void route_ws_tell(struct amk_request *rq, void *arg)
{
	static const struct amk_ws_ops ops = { tell_pull, tell_between, tell_message, tell_busy, socket_closed };

	(void)arg;
	socket_open(rq, &ops);
}

/* Every /tell gets the body as a message, so many times; "!" ends them. */
static void route_ws_say(struct amk_request *rq, void *arg)
{
	long times = strtol(amk_request_param(rq, 0), NULL, 10);
	size_t n;
	const char *s = amk_request_body(rq, &n);

	(void)arg;
	if (n == 1 && *s == '!')
		amk_buf_addc(&server.log, '!');
	else
		for (long i = 0; i < times; i++)
			amk_ws_frame(&server.log, 0, s, n);
	for (struct socket *so = sockets; so; so = so->next) {
		so->held = false;
		amk_ws_wake(so->ws);
	}
	amk_request_reply(rq, 204, NULL, NULL, 0);
}

static const struct amk_route ws_routes[] = {
	{ "GET", "/hello", 0, route_hello },
	{ "GET", "/echo", 0, route_ws_echo },
	{ "GET", "/tell", 0, route_ws_tell },
	{ "POST", "/say/{}", 0, route_ws_say },
	{ "GET", "/until/{}/{}", 0, route_until },
	{ 0 },
};

static const struct amk_http_conf ws_usual = {
	.routes = ws_routes, .body_max = 1u << 20, .pool = AMK_HTTP_POOL, .connections = 64, .streams = 48,
	.header_ms = 20000, .body_ms = 20000, .idle_ms = 20000, .ws_message_max = 16u << 20, .ws_ping_ms = 60000,
};

/* ---- the client ---- */

#define FIN 0x80
enum opcode { CONT, TEXT, BINARY, CLOSE = 8, PING, PONG };

static void ws_ask(struct client *c, const char *path, const char *early, size_t n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	client_open(c);
	amk_buf_release(&c->in);
	amk_buf_init(&c->in, 64u << 20);
	amk_buf_addf(&b, "GET %s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " WS_KEY "\r\n\r\n", path);
	amk_buf_add(&b, early, n);
	client_send(c, b.s, b.n);
}

/* False when it was not upgraded. */
static bool ws_open(struct client *c, const char *path)
{
	struct answer a;
	bool good;

	ws_ask(c, path, NULL, 0);
	client_head(c, &a);
	good = a.status == 101;
	answer_free(&a);
	return good;
}

/* A masked frame as it stands on the wire; `first` is its first byte. */
static void ws_put(struct amk_buf *b, unsigned first, const char *s, size_t n)
{
	static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned bytes = n <= 125 ? 0 : n <= 0xffff ? 2 : 8;
	char *to;

	amk_buf_addc(b, (char)first);
	amk_buf_addc(b, (char)(0x80 | (bytes == 0 ? n : bytes == 2 ? 126 : 127)));
	while (bytes--)
		amk_buf_addc(b, (char)(n >> 8 * bytes));
	amk_buf_add(b, (const char *)key, 4);
	to = amk_buf_room(b, n);
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(s[i] ^ key[i % 4]);
	b->n += n;
	b->s[b->n] = '\0';
}

static void ws_say(struct client *c, unsigned first, const char *s, size_t n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);

	ws_put(&b, first, s, n);
	client_send(c, b.s, b.n);
}

static void ws_says(struct client *c, const char *s)
{
	ws_say(c, FIN | TEXT, s, strlen(s));
}

static size_t ws_close_body(char to[125], unsigned code, const char *reason)
{
	size_t n = strlen(reason);

	to[0] = (char)(code >> 8);
	to[1] = (char)code;
	memcpy(to + 2, reason, n);
	return n + 2;
}

struct frame {
	unsigned first;
	struct amk_buf body;
};

static void frame_free(struct frame *f)
{
	amk_buf_release(&f->body);
}

/* False at the end of the connection; masked frames are no frames of a server. */
static bool ws_get(struct client *c, struct frame *f)
{
	struct amk_buf head AMK_AUTO(buf) = AMK_BUF_INIT(16), more AMK_AUTO(buf) = AMK_BUF_INIT(16);
	size_t n, bytes;

	*f = (struct frame){ .body = AMK_BUF_INIT(64u << 20) };
	if (!client_take(c, &head, 2) || (unsigned char)head.s[1] >= 128)
		return false;
	f->first = (unsigned char)head.s[0];
	n = (unsigned char)head.s[1];
	bytes = n < 126 ? 0 : n == 126 ? 2 : 8;
	if (!client_take(c, &more, bytes))
		return false;
	if (bytes)
		n = 0;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | (unsigned char)more.s[i];
	return client_take(c, &f->body, n);
}

static unsigned frame_code(const struct frame *f)
{
	const unsigned char *s = (const unsigned char *)f->body.s;

	return f->first != (FIN | CLOSE) || f->body.n < 2 ? 0 : (unsigned)s[0] << 8 | s[1];
}

/* The close code that comes next, is answered, and then the end; 0: no code, -1: something else came. */
static int ws_closes(struct client *c)
{
	struct frame f;
	int code = -1;

	if (ws_get(c, &f) && f.first == (FIN | CLOSE)) {
		code = (int)frame_code(&f);
		ws_say(c, FIN | CLOSE, f.body.s, f.body.n);
	}
	frame_free(&f);
	return client_closed(c) ? code : -1;
}

static bool ws_hears(struct client *c, unsigned first, const char *s, size_t n)
{
	struct frame f;
	bool good = ws_get(c, &f) && f.first == first && f.body.n == n && (n == 0 || memcmp(f.body.s, s, n) == 0);

	if (!good)
		printf("# came %#x with %zu bytes\n", f.first, f.body.n);
	frame_free(&f);
	return good;
}

/* Whether the connection closes in order, by the client's wish. */
static bool ws_leaves(struct client *c)
{
	char body[125];

	ws_say(c, FIN | CLOSE, body, ws_close_body(body, 1000, ""));
	return ws_closes(c) == 1000;
}

#endif
