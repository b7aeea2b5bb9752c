/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: who is at the other end, how long they may take, whether they have left. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/metric.h"
#include "core/say.h"
#include "core/time.h"
#include "http/internal.h"

/* What a stuck reader may cost in the kernel; left alone, TCP's buffer grows to megabytes. */
#define STREAM_BUFFER 65536

/* Over the network there is nobody to be known by the kernel's word; whoever comes is let in by the guard. */
static void address_ask(struct amk_conn *c)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa = { 0 };
	socklen_t n = sizeof sa;

	c->admitted = true;
	if (getpeername(c->fd, (struct sockaddr *)&sa, &n) < 0)
		return;
	if (sa.any.ss_family == AF_INET6) {
		c->address = sa.in6.sin6_addr;
	} else if (sa.any.ss_family == AF_INET) {
		c->address.s6_addr[10] = c->address.s6_addr[11] = 0xff;
		memcpy(c->address.s6_addr + 12, &sa.in.sin_addr, 4);
	}
}

static void peer_ask(struct amk_conn *c)
{
	const struct amk_http_conf *conf = &c->http->conf;
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return;
	c->uid = cred.uid;
	c->pid = cred.pid;
	c->admitted = !conf->admit || conf->admit(conf->arg, c->uid, c->pid);
}

struct amk_conn *amk_conn_new(struct amk_http *h, struct MHD_Connection *mhd)
{
	struct amk_conn *c = amk_calloc(1, sizeof *c);

	c->http = h;
	c->mhd = mhd;
	c->await = AMK_AWAIT_NOTHING;
	c->uid = (uid_t)-1;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	if (h->network)
		address_ask(c);
	else
		peer_ask(c);
	amk_conn_await(c, AMK_AWAIT_HEADER);
	return c;
}

bool amk_conn_same_peer(const struct amk_conn *a, const struct amk_conn *b)
{
	size_t n = IN6_IS_ADDR_V4MAPPED(&a->address) ? 16 : 8;

	if (!a->http->network)
		return a->uid == b->uid;
	return memcmp(&a->address, &b->address, n) == 0;
}

void amk_conn_pin(struct amk_conn *c)
{
	int n = STREAM_BUFFER;

	if (c->http->network && setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof n) < 0)
		amk_say(AMK_SAY_WARN, "http", "a stream's buffer stays as it is: %s", strerror(errno));
}

void amk_conn_free(struct amk_conn *c)
{
	amk_conn_await(c, AMK_AWAIT_NOTHING);
	amk_conn_unwatch(c);
	free(c);
}

static void timer_arm(struct amk_http *h, int64_t deadline, int64_t now)
{
	h->armed = deadline;
	if (deadline != INT64_MAX)
		amk_loop_timer_arm(h->overdue, deadline > now ? (uint64_t)(deadline - now) / 1000000 + 1 : 0);
}

static uint64_t patience_ms(const struct amk_http_conf *conf, enum amk_await what)
{
	switch (what) {
	case AMK_AWAIT_HEADER:
		return conf->header_ms;
	case AMK_AWAIT_BODY:
	case AMK_AWAIT_TAKEN:
		return conf->body_ms;
	default:
		return conf->idle_ms;
	}
}

/*
 * The timer is left to fire too early when the connection it was armed for is done: that costs one look
 * at most each header_ms, re-arming would cost one for each request.
 */
void amk_conn_await(struct amk_conn *c, enum amk_await what)
{
	struct amk_http *h = c->http;
	int64_t now;

	if (c->await != AMK_AWAIT_NOTHING)
		TAILQ_REMOVE(&h->queues[c->await], c, queue);
	c->await = what;
	if (what == AMK_AWAIT_NOTHING)
		return;
	now = amk_time_monotonic();
	c->deadline = now + (int64_t)patience_ms(&h->conf, what) * 1000000;
	TAILQ_INSERT_TAIL(&h->queues[what], c, queue);
	if (c->deadline < h->armed)
		timer_arm(h, c->deadline, now);
}

void amk_conn_overdue(void *http)
{
	struct amk_http *h = http;
	int64_t now = amk_time_monotonic(), next = INT64_MAX;
	struct amk_conn *c;

	for (int i = 0; i < AMK_AWAIT_NOTHING; i++) {
		while ((c = TAILQ_FIRST(&h->queues[i])) && c->deadline <= now) {
			/* One between two requests is only put away. */
			amk_metric_add(AMK_METRIC_LIMIT_TIME, c->await != AMK_AWAIT_NEXT);
			amk_conn_await(c, AMK_AWAIT_NOTHING);
			/* libmicrohttpd owns the socket: it sees the end and closes. */
			shutdown(c->fd, SHUT_RDWR);
		}
		if (c && c->deadline < next)
			next = c->deadline;
	}
	timer_arm(h, next, now);
}

/*
 * A client that only shut down its sending side still reads (a shell's `printf … | socat` does so): it is
 * served on, unwatched, and found out by the next write if it leaves.
 */
static void peer_ready(void *arg, unsigned ready)
{
	struct amk_conn *c = arg;
	struct pollfd p = { .fd = c->fd };

	(void)ready;
	amk_conn_unwatch(c);
	if (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR) && c->rq)
		amk_request_left(c->rq);
}

void amk_conn_watch(struct amk_conn *c)
{
	struct amk_err e;

	if (c->watch)
		return;
	c->watch = amk_loop_watch(c->http->loop, c->fd, AMK_READY_GONE, peer_ready, c, &e);
	if (!c->watch)
		amk_say(AMK_SAY_WARN, "http", "a waiting client will not be noticed leaving: %s", e.msg);
}

void amk_conn_unwatch(struct amk_conn *c)
{
	amk_loop_watch_free(c->watch);
	c->watch = NULL;
}
