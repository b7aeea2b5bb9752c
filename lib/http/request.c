/* SPDX-License-Identifier: Apache-2.0 */
/* A request's life: gate, route, body, its handler, its reply. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/metric.h"
#include "core/say.h"
#include "http/gate.h"
#include "http/internal.h"
#include "http/ws.h"

/* What libmicrohttpd keeps in a connection's memory for each header, and what it needs for a reply's head. */
#define FIELD_SIZE 64
#define REPLY_ROOM 768

struct amk_request *amk_request_new(struct amk_conn *c, const char *target)
{
	struct amk_request *rq = amk_calloc(1, sizeof *rq);

	rq->conn = c;
	rq->last = ++c->requests == c->http->conf.requests;
	rq->target = amk_strdup(target);
	amk_buf_init(&rq->body, c->http->conf.body_max);
	TAILQ_INSERT_TAIL(&c->http->requests, rq, list);
	c->rq = rq;
	if (c->await == AMK_AWAIT_NEXT)
		amk_conn_await(c, AMK_AWAIT_HEADER);
	return rq;
}

/* What only the handler needed. */
static void input_release(struct amk_request *rq)
{
	amk_json_free(rq->json);
	rq->json = NULL;
	amk_buf_release(&rq->body);
	amk_route_release(&rq->found);
	free(rq->target);
	rq->target = NULL;
}

/* The last moment at which the owner of a request or stream can be told. */
void amk_request_free(struct amk_request *rq)
{
	struct amk_conn *c = rq->conn;

	amk_conn_unwatch(c);
	if (rq->stream)
		amk_stream_free(rq->stream);
	if (rq->ws)
		amk_ws_free(rq->ws);
	if (rq->gone)
		rq->gone(rq->gone_arg);
	if (rq->response)
		MHD_destroy_response(rq->response);
	input_release(rq);
	amk_strv_release(&rq->headers);
	TAILQ_REMOVE(&c->http->requests, rq, list);
	c->rq = NULL;
	free(rq);
}

void amk_request_suspend(struct amk_request *rq)
{
	MHD_suspend_connection(rq->conn->mhd);
	rq->suspended = true;
	amk_conn_watch(rq->conn);
}

void amk_request_resume(struct amk_request *rq)
{
	if (!rq->suspended)
		return;
	rq->suspended = false;
	MHD_resume_connection(rq->conn->mhd);
	amk_http_due(rq->conn->http);
}

void amk_request_left(struct amk_request *rq)
{
	rq->dead = true;
	if (rq->stream)
		amk_stream_end(rq->stream);
	else
		amk_request_resume(rq);
}

void amk_request_respond(struct amk_request *rq, int status, struct MHD_Response *response)
{
	if (rq->answered || rq->response)
		AMK_BUG("a second reply to %s", rq->target ? rq->target : "a request");
	rq->gone = NULL;
	if (rq->dead) {
		MHD_destroy_response(response);
		return;
	}
	for (size_t i = 0; i < rq->headers.n; i += 2)
		MHD_add_response_header(response, rq->headers.v[i], rq->headers.v[i + 1]);
	if (rq->closing || rq->last)
		MHD_add_response_header(response, "Connection", "close");
	rq->response = response;
	rq->status = status;
	amk_metric_add(AMK_METRIC_REPLIES_1XX + (enum amk_metric)(status / 100 - 1), 1);
	amk_request_resume(rq);
}

static struct MHD_Response *response_new(const char *type, const char *body, size_t n)
{
	/* The body is copied, whatever the type of the parameter says. */
	struct MHD_Response *r = MHD_create_response_from_buffer(n, (void *)body, MHD_RESPMEM_MUST_COPY);

	if (!r)
		AMK_BUG("out of memory for a response");
	if (type)
		MHD_add_response_header(r, "Content-Type", type);
	return r;
}

void amk_request_reply(struct amk_request *rq, int status, const char *type, const char *body, size_t n)
{
	amk_request_respond(rq, status, response_new(type, body, n));
}

void amk_request_reply_json(struct amk_request *rq, int status, const struct amk_buf *body)
{
	struct amk_err e;

	if (amk_buf_ok(body)) {
		amk_request_reply(rq, status, "application/json", body->s, body->n);
		return;
	}
	amk_err_set(&e, AMK_EINTERNAL, "the reply is longer than %zu bytes", body->max);
	amk_request_problem(rq, &e, NULL);
}

void amk_request_problem(struct amk_request *rq, const struct amk_err *e, const char *extension)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT((size_t)1 << 20);
	struct MHD_Response *r;

	amk_problem_write(&b, e, extension);
	r = response_new(AMK_PROBLEM_TYPE, b.s, b.n);
	if (e->code == AMK_EMETHOD && rq->found.allow[0])
		MHD_add_response_header(r, "Allow", rq->found.allow);
	if (e->code == AMK_EUPGRADE) {
		MHD_add_response_header(r, "Upgrade", "websocket");
		MHD_add_response_header(r, "Sec-WebSocket-Version", "13");
	}
	if (e->code == AMK_EUNAVAILABLE)
		MHD_add_response_header(r, "Retry-After", "1");
	amk_request_respond(rq, amk_codes[e->code].http, r);
}

void amk_request_later(struct amk_request *rq, void (*gone)(void *arg), void *arg)
{
	rq->later = true;
	rq->gone = gone;
	rq->gone_arg = arg;
}

void amk_request_abandon(struct amk_request *rq)
{
	void (*gone)(void *arg) = rq->gone;
	struct amk_err e;

	if (rq->stream) {
		amk_stream_end(rq->stream);
		return;
	}
	if (rq->ws) {
		amk_ws_close(rq->ws, AMK_WS_GOING_AWAY, "the daemon is stopping");
		return;
	}
	if (!rq->later || rq->response || rq->answered)
		return;
	rq->gone = NULL;
	if (gone)
		gone(rq->gone_arg);
	rq->closing = true;
	amk_err_set(&e, AMK_EUNAVAILABLE, "the daemon is stopping");
	amk_request_problem(rq, &e, NULL);
}

static enum MHD_Result response_queue(struct amk_request *rq)
{
	const struct amk_route *route = rq->found.route;
	struct MHD_Response *r = rq->response;
	enum MHD_Result done = MHD_queue_response(rq->conn->mhd, (unsigned)rq->status, r);

	/* Not the target: a query may hold a token. */
	amk_say_of(AMK_SAY_DEBUG, "http", AMK_SAY_WITH(AMK_SAY_INT("status", rq->status), AMK_SAY_INT("peer", rq->conn->pid)),
		   "%s %s", route ? route->method : "a request", route ? route->path : "for nothing there is");
	rq->response = NULL;
	rq->answered = true;
	MHD_destroy_response(r);
	input_release(rq);
	/* A stream takes as long as its reader likes, and so does what a connection is upgraded to. */
	if (!rq->stream && rq->status != MHD_HTTP_SWITCHING_PROTOCOLS)
		amk_conn_await(rq->conn, AMK_AWAIT_TAKEN);
	return done;
}

/*
 * libmicrohttpd takes no reply in the middle of a body, and drops one its memory has no room for, so these go
 * past it. They are short, and nothing else is on its way: they fit into the socket. The connection is closed
 * by saying no.
 */
static enum MHD_Result refuse_directly(struct amk_request *rq, const struct amk_err *e)
{
	struct amk_buf head AMK_AUTO(buf) = AMK_BUF_INIT(4096), body AMK_AUTO(buf) = AMK_BUF_INIT(2048);

	amk_problem_write(&body, e, NULL);
	amk_buf_addf(&head,
		     "HTTP/1.1 %d %s\r\nContent-Type: " AMK_PROBLEM_TYPE
		     "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		     amk_codes[e->code].http, amk_codes[e->code].title, body.n);
	amk_buf_add(&head, body.s, body.n);
	amk_metric_add(AMK_METRIC_REPLIES_1XX + (enum amk_metric)(amk_codes[e->code].http / 100 - 1), 1);
	if (send(rq->conn->fd, head.s, head.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		amk_say(AMK_SAY_TRACE, "http", "a refused client has left: errno %d", errno);
	return MHD_NO;
}

/* Refused, and what else the connection holds is not looked at. */
static int head_refuse(struct amk_request *rq, const struct amk_err *e)
{
	rq->closing = true;
	amk_request_problem(rq, e, NULL);
	return -1;
}

static size_t head_size(const struct amk_request *rq)
{
	return MHD_get_connection_info(rq->conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
}

/* Whether the connection's memory has room for a reply beside the request's head. */
static int room_check(const struct amk_request *rq, struct amk_err *e)
{
	struct MHD_Connection *mhd = rq->conn->mhd;
	const char *cookie = amk_request_header(rq, "Cookie");
	int fields = MHD_get_connection_values(mhd, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, NULL,
					       NULL);
	size_t used = head_size(rq) + (size_t)fields * FIELD_SIZE + (cookie ? strlen(cookie) + 1 : 0);

	if (used + REPLY_ROOM + rq->conn->http->conf.guard_bytes <= rq->conn->http->conf.pool)
		return 0;
	return amk_err_set(e, AMK_EHEADER, "the request's header is too long");
}

/* libmicrohttpd has replaced separators by NULs, but moved nothing; where it did, the head was not clean. */
static int head_check(struct amk_request *rq, const struct amk_line *line, struct amk_err *e)
{
	const char *lines = line->version + strlen(line->version), *end = line->method + head_size(rq);
	struct amk_gate g = { .method = line->method, .target = rq->target, .target_n = strlen(rq->target),
			      .version = line->version, .lines = lines };

	if (line->url != line->method + strlen(line->method) + 1 ||
	    line->version != line->url + g.target_n + 1 || lines > end)
		return amk_err_set(e, AMK_EINVALID, "the request is not usable: its first line is malformed");
	g.lines_n = (size_t)(end - lines);
	return amk_gate_check(&g, e);
}

static bool type_is_json(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;

	return n == strlen("application/json") && strncasecmp(type, "application/json", n) == 0;
}

static int body_too_long(const struct amk_request *rq, struct amk_err *e)
{
	return amk_err_set(e, AMK_ETOOBIG, "the body is longer than %zu bytes", rq->body.max);
}

static int body_check(struct amk_request *rq, struct amk_err *e)
{
	const char *length = amk_request_header(rq, "Content-Length");

	return length && strtoull(length, NULL, 10) > rq->body.max ? body_too_long(rq, e) : 0;
}

static int rights_check(struct amk_request *rq, struct amk_err *e)
{
	const struct amk_route *route = rq->found.route;

	if (rq->conn->admitted || (route && route->flags & AMK_ROUTE_OPEN))
		return 0;
	return amk_err_set(e, AMK_EDENIED, "process %d has no rights here", (int)rq->conn->pid);
}

static int type_check(struct amk_request *rq, struct amk_err *e)
{
	if (!(rq->found.route->flags & AMK_ROUTE_JSON) || type_is_json(amk_request_header(rq, "Content-Type")))
		return 0;
	amk_err_set(e, AMK_EMEDIA, "the body must be JSON");
	return amk_err_hint(e, "send Content-Type: application/json");
}

/* All that can be said by the head. With -1 the reply is there. */
static int head_judge(struct amk_request *rq, const struct amk_line *line)
{
	const struct amk_http_conf *conf = &rq->conn->http->conf;
	struct amk_err e, why;
	int found;

	rq->method = line->method;
	if (head_check(rq, line, &e) < 0 || body_check(rq, &e) < 0)
		return head_refuse(rq, &e);
	if (rq->conn->http->stopping) {
		amk_err_set(&e, AMK_EUNAVAILABLE, "the daemon is stopping");
		return head_refuse(rq, &e);
	}
	found = amk_route_find(conf->routes, line->method, rq->target, &rq->found, &why);
	if (conf->guard && !conf->guard(conf->arg, rq))
		return -1;
	if (rights_check(rq, &e) == 0 && found < 0)
		e = why;
	else if (rights_check(rq, &e) == 0 && type_check(rq, &e) == 0)
		return 0;
	amk_request_problem(rq, &e, NULL);
	return -1;
}

enum MHD_Result amk_request_begin(struct amk_request *rq, const struct amk_line *line)
{
	struct amk_err e;

	rq->begun = true;
	rq->upgradable = strcmp(line->method, "GET") == 0 && strcmp(line->version, "HTTP/1.1") == 0;
	amk_conn_await(rq->conn, AMK_AWAIT_BODY);
	if (room_check(rq, &e) < 0)
		return refuse_directly(rq, &e);
	/* A refused body that comes anyway is read, so that the client reads the reply; one that is still
	 * held back (Expect) or that nobody wants to read is not: libmicrohttpd closes after the reply. */
	if (head_judge(rq, line) < 0 && (rq->closing || amk_request_header(rq, "Expect")))
		return response_queue(rq);
	return MHD_YES;
}

enum MHD_Result amk_request_take(struct amk_request *rq, const char *body, size_t n)
{
	struct amk_err e;

	if (n > rq->body.max - rq->taken) {
		body_too_long(rq, &e);
		return refuse_directly(rq, &e);
	}
	rq->taken += n;
	if (!rq->response)
		amk_buf_add(&rq->body, body, n);
	return MHD_YES;
}

static int json_read(struct amk_request *rq, struct amk_err *e)
{
	rq->json = amk_json_parse(rq->body.s, rq->body.n, e);
	if (!rq->json)
		return -1;
	if (!amk_json_is_object(rq->json))
		return amk_err_set(e, AMK_EINVALID, "the body is not a JSON object");
	return 0;
}

static void handler_call(struct amk_request *rq)
{
	const struct amk_route *route = rq->found.route;
	struct amk_err e;

	rq->called = true;
	if (route->flags & AMK_ROUTE_JSON && json_read(rq, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	route->fn(rq, rq->conn->http->conf.arg);
	if (!rq->response && !rq->later)
		AMK_BUG("the handler of %s did not reply", route->path);
}

enum MHD_Result amk_request_finish(struct amk_request *rq)
{
	amk_conn_await(rq->conn, AMK_AWAIT_NOTHING);
	if (rq->dead)
		return MHD_NO;
	if (!rq->response && !rq->called) {
		handler_call(rq);
		/* Asked again in the next run: a connection suspended right after reading is read from first
		 * when it is resumed, and one whose client has shut down its sending side then ends there. */
		if (!rq->response)
			return MHD_YES;
	}
	if (rq->response)
		return response_queue(rq);
	amk_request_suspend(rq);
	return MHD_YES;
}

const char *amk_request_param(const struct amk_request *rq, unsigned i)
{
	return i < rq->found.n ? rq->found.params[i] : NULL;
}

const char *amk_request_query(const struct amk_request *rq, const char *name)
{
	const char *value = NULL;
	size_t n = strlen(name);

	if (MHD_lookup_connection_value_n(rq->conn->mhd, MHD_GET_ARGUMENT_KIND, name, n, &value, NULL) !=
	    MHD_YES)
		return NULL;
	return value ? value : "";
}

const char *amk_request_header(const struct amk_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn->mhd, MHD_HEADER_KIND, name);
}

const char *amk_request_body(const struct amk_request *rq, size_t *n)
{
	*n = rq->body.n;
	return rq->body.s;
}

const struct amk_json *amk_request_json(const struct amk_request *rq)
{
	return rq->json;
}

const char *amk_request_method(const struct amk_request *rq)
{
	return rq->method;
}

bool amk_request_is_open(const struct amk_request *rq)
{
	return rq->found.route && rq->found.route->flags & AMK_ROUTE_OPEN;
}

void amk_request_add_header(struct amk_request *rq, const char *name, const char *value)
{
	amk_strv_add(&rq->headers, name);
	amk_strv_add(&rq->headers, value);
}

bool amk_request_is_read(const struct amk_request *rq)
{
	return strcmp(rq->found.route->method, "GET") == 0;
}

pid_t amk_request_pid(const struct amk_request *rq)
{
	return rq->conn->pid;
}

uid_t amk_request_uid(const struct amk_request *rq)
{
	return rq->conn->uid;
}

const char *amk_request_address(const struct amk_request *rq, char to[AMK_HTTP_ADDRESS])
{
	const struct in6_addr *a = &rq->conn->address;

	if (!rq->conn->http->network)
		return NULL;
	if (IN6_IS_ADDR_V4MAPPED(a))
		return inet_ntop(AF_INET, a->s6_addr + 12, to, AMK_HTTP_ADDRESS);
	return inet_ntop(AF_INET6, a, to, AMK_HTTP_ADDRESS);
}
