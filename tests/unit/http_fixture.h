/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of HTTP: a server in a thread, and a client on raw sockets. */
#ifndef AMK_TESTS_UNIT_HTTP_FIXTURE_H
#define AMK_TESTS_UNIT_HTTP_FIXTURE_H

#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/jw.h"
#include "core/time.h"
#include "tap.h"

#define BODY_MAX 65536
#define WAITERS 32

/* ---- the server ---- */

struct waiter {
	struct amk_request *rq; /* NULL: free */
	atomic_int *counter;
	int until;
};

struct reader {
	struct amk_stream *stream;
	size_t at;
	struct reader *next;
};

static bool over_tcp;	 /* set before server_start */
static int from_address; /* clients over TCP come from 127.0.0.this; 0: as it happens */

static struct server {
	struct amk_http_conf conf;
	struct amk_loop *loop;
	struct amk_http *http;
	struct amk_watch *stop;
	int pipe[2];
	pthread_t thread;
	/* what the routes keep */
	struct amk_buf log;
	struct reader *readers;
	struct waiter waiters[WAITERS];
	struct amk_request *held[8];
	atomic_int gone, closed, called, refused;
	atomic_bool deny;
} server;

static void waiters_look(void)
{
	for (int i = 0; i < WAITERS; i++) {
		struct waiter *w = &server.waiters[i];

		if (!w->rq || *w->counter < w->until)
			continue;
		amk_request_reply(w->rq, 204, NULL, NULL, 0);
		w->rq = NULL;
	}
}

static void waiter_gone(void *arg)
{
	((struct waiter *)arg)->rq = NULL;
}

/* GET /until/{counter}/{n}: replies when the counter has reached n. */
static void route_until(struct amk_request *rq, void *arg)
{
	const char *name = amk_request_param(rq, 0);
	int i = 0;

	(void)arg;
	while (server.waiters[i].rq)
		i++;
	server.waiters[i] = (struct waiter){
		.rq = rq,
		.counter = strcmp(name, "gone") == 0 ? &server.gone : &server.closed,
		.until = (int)strtol(amk_request_param(rq, 1), NULL, 10),
	};
	amk_request_later(rq, waiter_gone, &server.waiters[i]);
	waiters_look();
}

static void route_hello(struct amk_request *rq, void *arg)
{
	(void)arg;
	server.called++;
	amk_request_reply(rq, 200, "text/plain", "hello", 5);
}

static void route_echo(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	char address[AMK_HTTP_ADDRESS];

	(void)arg;
	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "param", amk_request_param(rq, 0));
	amk_jw_cstr(&b, "second", amk_request_param(rq, 1));
	amk_jw_cstr(&b, "query", amk_request_query(rq, "q"));
	amk_jw_cstr(&b, "other", amk_request_query(rq, "other"));
	amk_jw_cstr(&b, "header", amk_request_header(rq, "x-colour"));
	if (over_tcp)
		amk_jw_cstr(&b, "address", amk_request_address(rq, address));
	else
		amk_jw_bool(&b, "self", amk_request_pid(rq) == getpid() && amk_request_uid(rq) == getuid());
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

static void route_body(struct amk_request *rq, void *arg)
{
	size_t n;
	const char *s = amk_request_body(rq, &n);

	(void)arg;
	amk_request_reply(rq, 200, "application/octet-stream", s, n);
}

static void route_json(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	(void)arg;
	amk_json_print(&b, NULL, amk_json_get(amk_request_json(rq), "a"));
	amk_request_reply_json(rq, 201, &b);
}

static void route_empty(struct amk_request *rq, void *arg)
{
	(void)arg;
	amk_request_reply(rq, 204, NULL, NULL, 0);
}

static void route_problem(struct amk_request *rq, void *arg)
{
	struct amk_err e;

	(void)arg;
	amk_err_set(&e, AMK_EANSWERED, "it said \"no\"");
	amk_err_hint(&e, "ask again");
	amk_request_problem(rq, &e, "\"by\":\"me\",\"n\":1");
}

static void route_overflow(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4);

	(void)arg;
	amk_buf_adds(&b, "too long");
	amk_request_reply_json(rq, 200, &b);
}

static void route_big(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4u << 20);

	(void)arg;
	for (int i = 0; i < 1 << 17; i++)
		amk_buf_addf(&b, "%07d\n", i);
	amk_request_reply(rq, 200, "text/plain", b.s, b.n);
}

static void held_gone(void *arg)
{
	*(struct amk_request **)arg = NULL;
	server.gone++;
	waiters_look();
}

static void route_hold(struct amk_request *rq, void *arg)
{
	int i = (int)strtol(amk_request_param(rq, 0), NULL, 10);

	(void)arg;
	server.held[i] = rq;
	amk_request_later(rq, held_gone, &server.held[i]);
}

static void route_release(struct amk_request *rq, void *arg)
{
	int i = (int)strtol(amk_request_param(rq, 0), NULL, 10);

	(void)arg;
	if (server.held[i])
		amk_request_reply(server.held[i], 200, "text/plain", "released", 8);
	server.held[i] = NULL;
	amk_request_reply(rq, 204, NULL, NULL, 0);
}

/* Said to reply later, then replies at once. */
static void route_both(struct amk_request *rq, void *arg)
{
	(void)arg;
	amk_request_later(rq, held_gone, &server.held[0]);
	amk_request_reply(rq, 200, "text/plain", "both", 4);
}

static enum amk_pull reader_pull(void *arg, char *to, size_t max, size_t *n)
{
	struct reader *r = arg;
	size_t left = server.log.n - r->at;

	if (left == 0)
		return AMK_PULL_WAIT;
	if (server.log.s[r->at] == '!')
		return AMK_PULL_END;
	*n = left < max ? left : max;
	memcpy(to, server.log.s + r->at, *n);
	r->at += *n;
	return AMK_PULL_BYTES;
}

static void reader_closed(void *arg)
{
	for (struct reader **at = &server.readers; *at; at = &(*at)->next)
		if (*at == arg) {
			*at = (*at)->next;
			break;
		}
	free(arg);
	server.closed++;
	waiters_look();
}

static void route_stream(struct amk_request *rq, void *arg)
{
	static const struct amk_stream_ops ops = { reader_pull, reader_closed };
	struct reader *r = amk_calloc(1, sizeof *r);

	(void)arg;
	r->at = server.log.n;
	r->stream = amk_request_stream(rq, AMK_SSE_TYPE, &ops, r);
	if (!r->stream) {
		server.refused++;
		free(r);
		return;
	}
	r->next = server.readers;
	server.readers = r;
}

/* The streams send `text`; "!" ends them. */
static void route_feed(struct amk_request *rq, void *arg)
{
	size_t n;
	const char *s = amk_request_body(rq, &n);

	(void)arg;
	if (n == 1)
		amk_buf_addc(&server.log, '!');
	else
		amk_sse_frame(&server.log, server.log.n, s, n);
	for (struct reader *r = server.readers; r; r = r->next) {
		amk_stream_wake(r->stream);
		amk_stream_wake(r->stream);
	}
	amk_request_reply(rq, 204, NULL, NULL, 0);
}

/* How far in what was fed the newest stream has been read. */
static void route_taken(struct amk_request *rq, void *arg)
{
	char text[32];

	(void)arg;
	snprintf(text, sizeof text, "%zu", server.readers ? server.readers->at : 0);
	amk_request_reply(rq, 200, "text/plain", text, strlen(text));
}

static const struct amk_route routes[] = {
	{ "GET", "/hello", 0, route_hello },
	{ "GET", "/open", AMK_ROUTE_OPEN, route_hello },
	{ "GET", "/echo/{}", 0, route_echo },
	{ "GET", "/echo/{}/and/{}", 0, route_echo },
	{ "POST", "/body", 0, route_body },
	{ "POST", "/json", AMK_ROUTE_JSON, route_json },
	{ "GET", "/thing/{}", 0, route_hello },
	{ "POST", "/thing/{}", 0, route_empty },
	{ "POST", "/empty", 0, route_empty },
	{ "GET", "/problem", 0, route_problem },
	{ "GET", "/overflow", 0, route_overflow },
	{ "GET", "/big", 0, route_big },
	{ "GET", "/hold/{}", 0, route_hold },
	{ "POST", "/release/{}", 0, route_release },
	{ "GET", "/both", 0, route_both },
	{ "GET", "/stream", 0, route_stream },
	{ "POST", "/feed", 0, route_feed },
	{ "GET", "/taken", 0, route_taken },
	{ "GET", "/until/{}/{}", 0, route_until },
	{ 0 },
};

static bool peer_admitted(void *arg, uid_t uid, pid_t pid)
{
	(void)arg;
	return !server.deny && uid == getuid() && pid == getpid();
}

static void server_turn(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4 && server.http && amk_http_turn(server.http); i++)
		;
}

static void server_stops(void *arg, unsigned ready)
{
	(void)arg;
	(void)ready;
	amk_http_stop(server.http);
	server.http = NULL;
	amk_loop_watch_free(server.stop);
	amk_loop_stop(server.loop);
}

static void *server_run(void *arg)
{
	struct amk_err e;

	server.loop = amk_loop_new(&e);
	amk_loop_on_turn(server.loop, server_turn, NULL);
	server.http = amk_http_start(server.loop, &server.conf, &e);
	if (!server.http)
		abort();
	server.stop = amk_loop_watch(server.loop, server.pipe[0], AMK_READY_READ, server_stops, NULL, &e);
	amk_loop_run(server.loop);
	amk_loop_free(server.loop);
	return arg;
}

/* An address nobody chose and no folder holds, or a port nobody chose. */
static void server_listen(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	server.conf.listen_fd = socket(over_tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(server.conf.listen_fd, over_tcp ? (struct sockaddr *)&in : (struct sockaddr *)&to,
		 over_tcp ? sizeof in : sizeof to.sun_family) < 0 ||
	    listen(server.conf.listen_fd, 64) < 0)
		abort();
}

static void server_start(const struct amk_http_conf *conf)
{
	memset(&server, 0, sizeof server);
	server.conf = *conf;
	if (!server.conf.routes)
		server.conf.routes = routes;
	server.conf.admit = peer_admitted;
	amk_buf_init(&server.log, 16u << 20);
	server_listen();
	if (pipe2(server.pipe, O_CLOEXEC) < 0 || pthread_create(&server.thread, NULL, server_run, NULL) != 0)
		abort();
}

static void server_stop(void)
{
	close(server.pipe[1]);
	pthread_join(server.thread, NULL);
	close(server.pipe[0]);
}

static void server_remove(void)
{
	close(server.conf.listen_fd);
	amk_buf_release(&server.log);
}

/* ---- the client ---- */

struct client {
	int fd;
	struct amk_buf in; /* received, not yet given out */
	bool eof;
};

struct answer {
	int status;	      /* 0: the connection ended first */
	struct amk_buf head, body;
	bool chunked;
};

static void client_open(struct client *c)
{
	struct timeval patience = { .tv_sec = 20 };
	struct sockaddr_storage to;
	socklen_t n = sizeof to;

	*c = (struct client){ .fd = socket(over_tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	amk_buf_init(&c->in, 16u << 20);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (from_address &&
	    bind(c->fd, (struct sockaddr *)&(struct sockaddr_in){
				.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)from_address) },
		 sizeof(struct sockaddr_in)) < 0)
		abort();
	if (getsockname(server.conf.listen_fd, (struct sockaddr *)&to, &n) < 0 ||
	    connect(c->fd, (struct sockaddr *)&to, n) < 0)
		abort();
}

static void client_close(struct client *c)
{
	close(c->fd);
	amk_buf_release(&c->in);
}

static void client_send(struct client *c, const char *s, size_t n)
{
	while (n) {
		ssize_t m = send(c->fd, s, n, MSG_NOSIGNAL);

		if (m < 0)
			return; /* refused meanwhile: the answer tells */
		s += m;
		n -= (size_t)m;
	}
}

static void client_sends(struct client *c, const char *s)
{
	client_send(c, s, strlen(s));
}

/* False at the end of the connection, or when nothing came for 20 s. */
static bool client_more(struct client *c)
{
	char *to = amk_buf_room(&c->in, 65536);
	ssize_t n = c->eof ? 0 : recv(c->fd, to, 65536, 0);

	if (n < 0 && errno == EAGAIN)
		printf("# nothing came for 20 s\n");
	if (n <= 0) {
		c->eof = true;
		return false;
	}
	c->in.n += (size_t)n;
	c->in.s[c->in.n] = '\0';
	return true;
}

/* Moves n received bytes to `to`. */
static bool client_take(struct client *c, struct amk_buf *to, size_t n)
{
	while (c->in.n < n)
		if (!client_more(c))
			return false;
	amk_buf_add(to, c->in.s, n);
	amk_buf_drop(&c->in, n);
	return true;
}

/* All up to and with `mark`. */
static bool client_until(struct client *c, struct amk_buf *to, const char *mark)
{
	const char *at;

	while (!(at = memmem(c->in.s, c->in.n, mark, strlen(mark))))
		if (!client_more(c))
			return false;
	return client_take(c, to, (size_t)(at - c->in.s) + strlen(mark));
}

/* One chunk of a chunked body into `to`; false at its end. */
static bool client_chunk(struct client *c, struct amk_buf *to)
{
	struct amk_buf size AMK_AUTO(buf) = AMK_BUF_INIT(64), crlf AMK_AUTO(buf) = AMK_BUF_INIT(64);
	size_t n;

	if (!client_until(c, &size, "\r\n"))
		return false;
	n = strtoul(size.s, NULL, 16);
	return client_take(c, to, n) && client_take(c, &crlf, 2) && n > 0;
}

static const char *answer_header(const struct answer *a, const char *name)
{
	static char value[512];
	size_t n = strlen(name);

	for (const char *line = strstr(a->head.s, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
			snprintf(value, sizeof value, "%.*s", (int)strcspn(line + n + 4, "\r"), line + n + 4);
			return value;
		}
	return NULL;
}

static bool answer_header_is(const struct answer *a, const char *name, const char *want)
{
	const char *got = answer_header(a, name);

	return got && strcmp(got, want) == 0;
}

/* The head of the next answer. */
static void client_head(struct client *c, struct answer *a)
{
	*a = (struct answer){ .head = AMK_BUF_INIT(65536), .body = AMK_BUF_INIT(16u << 20) };
	if (!client_until(c, &a->head, "\r\n\r\n"))
		return;
	a->status = (int)strtol(a->head.s + strlen("HTTP/1.1 "), NULL, 10);
	a->chunked = answer_header_is(a, "Transfer-Encoding", "chunked");
}

static void client_answer(struct client *c, struct answer *a, bool head_only)
{
	const char *length;

	client_head(c, a);
	length = answer_header(a, "Content-Length");
	if (head_only || a->status == 0)
		return;
	if (a->chunked)
		while (client_chunk(c, &a->body))
			;
	else if (length)
		client_take(c, &a->body, strtoul(length, NULL, 10));
}

static void answer_free(struct answer *a)
{
	amk_buf_release(&a->head);
	amk_buf_release(&a->body);
}

/* Whether the server has closed and nothing is left to read. */
__attribute__((unused)) static bool client_closed(struct client *c)
{
	return c->in.n == 0 && !client_more(c);
}

/* A whole request on a connection of its own: "GET /hello". */
static void ask(const char *line, const char *headers, const char *body, struct answer *a)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct client c;

	client_open(&c);
	amk_buf_addf(&b, "%s HTTP/1.1\r\nHost: here\r\n%s", line, headers ? headers : "");
	if (body)
		amk_buf_addf(&b, "Content-Length: %zu\r\n", strlen(body));
	amk_buf_addf(&b, "\r\n%s", body ? body : "");
	client_send(&c, b.s, b.n);
	client_answer(&c, a, strncmp(line, "HEAD", 4) == 0);
	client_close(&c);
}

__attribute__((unused)) static int ask_status(const char *line, const char *headers, const char *body)
{
	struct answer a;
	int status;

	ask(line, headers, body, &a);
	status = a.status;
	answer_free(&a);
	return status;
}

/* Whether the body is a problem of that code, and well-formed. */
__attribute__((unused)) static bool answer_is_problem(const struct answer *a, const char *code)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(a->body.s, a->body.n, NULL);
	char urn[128];

	snprintf(urn, sizeof urn, "urn:sandbox-agent:error:%s", code);
	return j && answer_header_is(a, "Content-Type", "application/problem+json") && amk_json_is(j, "type", urn) &&
	       amk_json_get_int(j, "status", 0) == a->status && amk_json_get_str(j, "title") &&
	       amk_json_get_str(j, "detail");
}

static const struct amk_http_conf usual = {
	.body_max = BODY_MAX, .pool = AMK_HTTP_POOL, .connections = 64, .streams = 48,
	.header_ms = 20000, .body_ms = 20000, .idle_ms = 20000,
};

#endif
