/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets: the handshake, then a socket that is ours to read and write until libmicrohttpd closes it. */
#include "http/ws.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/metric.h"
#include "core/say.h"
#include "core/time.h"
#include "http/internal.h"
#include "http/ws_wire.h"

#define SHARE (64u << 10)      /* bytes read, and bytes sent, for one connection in one turn */
#define PULL (16u << 10)       /* bytes asked for at once */
#define OUT_MAX (128u << 20)   /* an owner's answers; they stay far below it */
#define KEEP 4096	       /* memory an empty buffer may keep */

/* What is to be sent, as far as the socket did not take it. */
struct rest {
	struct amk_buf b;
	size_t at;
};

struct amk_ws {
	TAILQ_ENTRY(amk_ws) due; /* in http->sockets, while `queued` */
	struct amk_request *rq;
	const struct amk_ws_ops *ops;
	void *arg;
	struct MHD_UpgradeResponseHandle *handle; /* NULL before the upgrade */
	struct amk_watch *watch;
	struct amk_timer *timer; /* the next ping; while closing, the end */
	int fd;
	unsigned watched;
	struct amk_ws_read in;
	struct rest early;  /* came with the handshake */
	struct rest pulled; /* what the socket did not take of the last pull */
	struct rest out;    /* our own frames */
	size_t got, sent;   /* in this turn */
	int64_t begun;	    /* when the message that is coming did, monotonic ns; 0: none is */
	unsigned silent;    /* pings since the client was last seen to live */
	bool queued, serving, ticked;
	bool readable; /* the socket may have bytes */
	bool full;     /* the socket takes no more, or has had its share */
	bool closing;  /* a close frame is on its way */
	bool heard;    /* the client's has come, or it is not waited for: what comes is dropped */
	bool shut;     /* nothing will be sent any more */
	bool lost;     /* the connection is no good any more */
};

static void enqueue(struct amk_ws *ws)
{
	if (ws->queued || !ws->handle)
		return;
	ws->queued = true;
	TAILQ_INSERT_TAIL(&ws->rq->conn->http->sockets, ws, due);
	amk_http_due(ws->rq->conn->http);
}

static size_t rest_left(const struct rest *r)
{
	return r->b.n - r->at;
}

static void rest_taken(struct rest *r, size_t n)
{
	r->at += n;
	if (r->at < r->b.n)
		return;
	r->at = 0;
	if (r->b.cap > KEEP)
		amk_buf_release(&r->b);
	else
		amk_buf_clear(&r->b);
}

/* ---- in ---- */

static bool may_read(const struct amk_ws *ws)
{
	if (ws->closing)
		return true;
	return rest_left(&ws->out) <= AMK_WS_WAITING && !(ws->ops->busy && ws->ops->busy(ws->arg));
}

static size_t socket_read(struct amk_ws *ws, char *to, size_t n)
{
	ssize_t m;

	if (!ws->readable || ws->got >= SHARE)
		return 0;
	m = recv(ws->fd, to, n, MSG_DONTWAIT);
	ws->readable = m == (ssize_t)n;
	if (m == 0 || (m < 0 && errno != EAGAIN && errno != EINTR))
		ws->lost = true;
	if (m <= 0)
		return 0;
	ws->got += (size_t)m;
	ws->silent = 0;
	return (size_t)m;
}

static size_t in_bytes(void *arg, char *to, size_t n)
{
	struct amk_ws *ws = arg;
	size_t m = rest_left(&ws->early);

	if (!may_read(ws))
		return 0;
	if (m == 0)
		return socket_read(ws, to, n);
	m = m < n ? m : n;
	memcpy(to, ws->early.b.s + ws->early.at, m);
	rest_taken(&ws->early, m);
	return m;
}

static void in_message(void *arg, enum amk_ws_kind kind, const char *s, size_t n)
{
	struct amk_ws *ws = arg;

	ws->begun = 0;
	if (!ws->closing)
		ws->ops->message(ws->arg, kind, s, n);
}

static void in_ping(void *arg, const char *s, size_t n)
{
	struct amk_ws *ws = arg;

	if (!ws->closing)
		amk_ws_frame_put(&ws->out.b, WSLAY_PONG, s, n);
}

static void close_begin(struct amk_ws *ws, unsigned code, const char *reason)
{
	if (ws->closing)
		return;
	ws->closing = true;
	ws->ticked = false;
	amk_ws_frame_close(&ws->out.b, code, reason);
	if (ws->timer)
		amk_loop_timer_arm(ws->timer, AMK_WS_CLOSE_MS);
}

static void in_heard(void *arg, unsigned code)
{
	struct amk_ws *ws = arg;

	ws->heard = true;
	close_begin(ws, code, NULL);
}

static const struct amk_ws_read_ops read_ops = { in_bytes, in_message, in_ping, in_heard };

/* What has come and will not be looked at would make the kernel reset the connection instead of ending it. */
static void drop(struct amk_ws *ws)
{
	char waste[PULL];

	while (socket_read(ws, waste, sizeof waste))
		;
}

static void input(struct amk_ws *ws)
{
	enum amk_ws_code code;
	const char *reason;

	ws->got = 0;
	if (!ws->heard && !amk_ws_read_some(&ws->in, &code, &reason)) {
		ws->heard = true;
		close_begin(ws, code, reason);
	}
	if (ws->heard)
		drop(ws);
	else if (ws->in.kind && !ws->begun)
		ws->begun = amk_time_monotonic();
}

/* ---- out ---- */

static size_t socket_write(struct amk_ws *ws, const char *s, size_t n)
{
	ssize_t m = send(ws->fd, s, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (m < 0 && errno != EAGAIN && errno != EINTR)
		ws->lost = true;
	if (m < 0)
		m = 0;
	ws->sent += (size_t)m;
	ws->full = (size_t)m < n;
	return (size_t)m;
}

static void rest_write(struct amk_ws *ws, struct rest *r)
{
	rest_taken(r, socket_write(ws, r->b.s + r->at, rest_left(r)));
}

static bool own_frames_next(const struct amk_ws *ws)
{
	return rest_left(&ws->out) && ws->ops->between(ws->arg);
}

/* False when nothing is to be sent now. */
static bool pull_some(struct amk_ws *ws)
{
	char bytes[PULL];
	size_t n = 0, m;

	switch (ws->ops->pull(ws->arg, bytes, sizeof bytes, &n)) {
	case AMK_PULL_BYTES:
		if (n == 0 || n > sizeof bytes)
			AMK_BUG("a WebSocket's owner gave %zu bytes for %zu", n, sizeof bytes);
		m = socket_write(ws, bytes, n);
		amk_buf_add(&ws->pulled.b, bytes + m, n - m);
		return true;
	case AMK_PULL_END:
		close_begin(ws, AMK_WS_NORMAL, NULL);
		break;
	case AMK_PULL_WAIT:
		break;
	}
	return own_frames_next(ws);
}

static bool write_some(struct amk_ws *ws)
{
	if (rest_left(&ws->pulled))
		rest_write(ws, &ws->pulled);
	else if (own_frames_next(ws))
		rest_write(ws, &ws->out);
	else if (ws->closing && rest_left(&ws->out) == 0)
		return false;
	else
		return pull_some(ws);
	return true;
}

static void output(struct amk_ws *ws)
{
	if (!amk_buf_ok(&ws->out.b))
		ws->lost = true;
	ws->sent = 0;
	while (!ws->full && !ws->lost && ws->sent < SHARE && write_some(ws))
		;
	if (ws->sent >= SHARE)
		ws->full = true; /* more in the next turn, when the others have had theirs */
}

/* ---- life ---- */

void amk_ws_free(struct amk_ws *ws)
{
	struct amk_request *rq = ws->rq;

	rq->ws = NULL;
	rq->conn->http->streams--;
	amk_metric_add(AMK_METRIC_STREAMS, -1);
	if (ws->queued)
		TAILQ_REMOVE(&rq->conn->http->sockets, ws, due);
	amk_loop_watch_free(ws->watch);
	amk_loop_timer_free(ws->timer);
	if (ws->handle)
		MHD_upgrade_action(ws->handle, MHD_UPGRADE_ACTION_CLOSE);
	ws->ops->closed(ws->arg);
	amk_ws_read_release(&ws->in);
	amk_buf_release(&ws->early.b);
	amk_buf_release(&ws->pulled.b);
	amk_buf_release(&ws->out.b);
	free(ws);
	amk_http_due(rq->conn->http);
}

static bool message_is_late(const struct amk_ws *ws)
{
	int64_t most = (int64_t)ws->rq->conn->http->conf.body_ms * 1000000;

	return ws->begun && amk_time_monotonic() - ws->begun > most;
}

static void tick(struct amk_ws *ws)
{
	ws->ticked = false;
	if (ws->closing)
		ws->lost = true;
	else if (ws->silent == 2)
		close_begin(ws, AMK_WS_INTERNAL, "no answer to a ping");
	else if (message_is_late(ws))
		close_begin(ws, AMK_WS_POLICY, "the message took too long");
	if (ws->closing)
		return;
	amk_loop_timer_arm(ws->timer, ws->rq->conn->http->conf.ws_ping_ms);
	if (ws->ops->busy && ws->ops->busy(ws->arg))
		return; /* an answer would not be heard */
	ws->silent++;
	if (rest_left(&ws->out) == 0) /* else there is enough to be taken */
		amk_ws_frame_put(&ws->out.b, WSLAY_PING, NULL, 0);
}

static void watch_as_needed(struct amk_ws *ws)
{
	unsigned wanted = (may_read(ws) ? AMK_READY_READ : 0) | (ws->full ? AMK_READY_WRITE : 0);

	if (wanted == ws->watched)
		return;
	ws->watched = wanted;
	amk_loop_watch_set(ws->watch, wanted);
}

static void serve(struct amk_ws *ws)
{
	ws->serving = true;
	if (ws->ticked)
		tick(ws);
	input(ws);
	output(ws);
	ws->serving = false;
	/* Both have said their last: the sending side is shut, and the client's end is waited for. */
	if (ws->closing && ws->heard && !ws->shut && rest_left(&ws->out) == 0) {
		ws->shut = true;
		shutdown(ws->fd, SHUT_WR);
	}
	if (ws->lost)
		amk_ws_free(ws);
	else
		watch_as_needed(ws);
}

void amk_ws_serve(struct amk_http *h)
{
	struct amk_ws *last = TAILQ_LAST(&h->sockets, amk_wss), *ws;

	/* Those that want another turn queue up behind the last. */
	for (bool more = last; more;) {
		ws = TAILQ_FIRST(&h->sockets);
		more = ws != last;
		TAILQ_REMOVE(&h->sockets, ws, due);
		ws->queued = false;
		serve(ws);
	}
}

static void socket_ready(void *arg, unsigned ready)
{
	struct amk_ws *ws = arg;

	if (ready & AMK_READY_READ)
		ws->readable = true;
	if (ready & AMK_READY_WRITE) {
		ws->full = false;
		ws->silent = 0;
	}
	enqueue(ws);
}

static void timer_fired(void *arg)
{
	struct amk_ws *ws = arg;

	ws->ticked = true;
	enqueue(ws);
}

/* libmicrohttpd lets the kernel wait for more of a reply; a frame is to leave at once. */
static void delay_not(const struct amk_ws *ws)
{
	int on = 1;

	if (ws->rq->conn->http->network && setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
		amk_say(AMK_SAY_ERROR, "http", "a WebSocket's frames are delayed: %s", strerror(errno));
}

static void upgraded(void *cls, struct MHD_Connection *mhd, void *context, const char *early, size_t n,
		     MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct amk_ws *ws = cls;
	struct amk_http *h = ws->rq->conn->http;
	struct amk_err e;

	(void)mhd;
	(void)context;
	ws->handle = handle;
	ws->fd = fd;
	delay_not(ws);
	amk_conn_pin(ws->rq->conn);
	amk_buf_add(&ws->early.b, early, n);
	ws->timer = amk_loop_timer(h->loop, timer_fired, ws);
	amk_loop_timer_arm(ws->timer, ws->closing ? AMK_WS_CLOSE_MS : h->conf.ws_ping_ms);
	ws->watched = AMK_READY_READ;
	ws->watch = amk_loop_watch(h->loop, fd, ws->watched, socket_ready, ws, &e);
	if (!ws->watch) {
		amk_say(AMK_SAY_ERROR, "http", "a WebSocket cannot be served: %s", e.msg);
		ws->lost = true;
	}
	enqueue(ws);
}

/* Whether a list of words (RFC 9110, section 5.6.1) holds this one. */
static bool list_has(const char *list, const char *word)
{
	size_t n = strlen(word), m;

	for (const char *s = list; s && *s; s += m + strspn(s + m, ", \t")) {
		m = strcspn(s, ", \t");
		if (m == n && strncasecmp(s, word, n) == 0)
			return true;
	}
	return false;
}

static int handshake_check(const struct amk_request *rq, char accept[AMK_WS_ACCEPT], struct amk_err *e)
{
	const char *version = amk_request_header(rq, "Sec-WebSocket-Version");

	if (!rq->upgradable || !list_has(amk_request_header(rq, "Upgrade"), "websocket") ||
	    !list_has(amk_request_header(rq, "Connection"), "upgrade"))
		return amk_err_set(e, AMK_EUPGRADE, "this is a WebSocket: GET with HTTP/1.1, Upgrade: websocket "
						    "and Connection: Upgrade is needed");
	if (!version || strcmp(version, "13") != 0)
		return amk_err_set(e, AMK_EUPGRADE, "WebSocket version 13 is spoken here, not %.20s",
				   version ? version : "none");
	if (!amk_ws_accept(accept, amk_request_header(rq, "Sec-WebSocket-Key")))
		return amk_err_set(e, AMK_EINVALID, "Sec-WebSocket-Key is not 16 bytes in base64");
	return 0;
}

struct amk_ws *amk_request_ws(struct amk_request *rq, const struct amk_ws_ops *ops, void *arg)
{
	struct amk_http *h = rq->conn->http;
	char accept[AMK_WS_ACCEPT];
	struct MHD_Response *r;
	struct amk_ws *ws;
	struct amk_err e;

	if (rq->dead)
		return NULL;
	if (handshake_check(rq, accept, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return NULL;
	}
	if (!amk_stream_fits(rq))
		return NULL;
	ws = amk_calloc(1, sizeof *ws);
	*ws = (struct amk_ws){ .rq = rq, .ops = ops, .arg = arg, .fd = -1 };
	amk_buf_init(&ws->early.b, h->conf.pool);
	amk_buf_init(&ws->pulled.b, PULL);
	amk_buf_init(&ws->out.b, OUT_MAX);
	amk_ws_read_init(&ws->in, &read_ops, ws, h->conf.ws_message_max);
	r = MHD_create_response_for_upgrade(upgraded, ws);
	if (!r)
		AMK_BUG("out of memory for a response");
	MHD_add_response_header(r, "Upgrade", "websocket");
	MHD_add_response_header(r, "Sec-WebSocket-Accept", accept);
	rq->ws = ws;
	h->streams++;
	amk_metric_add(AMK_METRIC_STREAMS, 1);
	amk_metric_add(AMK_METRIC_STREAMS_MADE, 1);
	amk_request_respond(rq, 101, r);
	return ws;
}

void amk_ws_wake(struct amk_ws *ws)
{
	if (!ws->serving)
		enqueue(ws);
}

void amk_ws_send(struct amk_ws *ws, enum amk_ws_kind kind, const char *s, size_t n)
{
	if (ws->closing)
		return;
	amk_ws_frame_put(&ws->out.b, (enum wslay_opcode)kind, s, n);
	amk_ws_wake(ws);
}

void amk_ws_close(struct amk_ws *ws, enum amk_ws_code code, const char *reason)
{
	close_begin(ws, code, reason);
	amk_ws_wake(ws);
}

void amk_ws_cut(struct amk_ws *ws)
{
	if (!ws->handle)
		return;
	ws->got = 0;
	ws->readable = true;
	drop(ws);
	amk_ws_free(ws);
}
