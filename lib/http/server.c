/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd inside the loop: it is run only from the loop's turn, never from a callback of its own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/metric.h"
#include "core/say.h"
#include "http/internal.h"

/* How often libmicrohttpd is run to let last words out when stopping; nobody is waited for. */
#define STOP_ROUNDS 8

static void __attribute__((format(printf, 2, 0))) mhd_said(void *arg, const char *fmt, va_list ap)
{
	int error = errno;
	char text[256];

	amk_scarce_heed(arg, error);
	if (vsnprintf(text, sizeof text, fmt, ap) > 0)
		amk_say(AMK_SAY_TRACE, "http", "%s", text);
}

void amk_http_due(struct amk_http *h)
{
	h->due = true;
	amk_loop_again(h->loop);
}

static struct amk_conn *conn_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void conn_notify(void *arg, struct MHD_Connection *mhd, void **context,
			enum MHD_ConnectionNotificationCode what)
{
	struct amk_http *h = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		h->conns++;
		amk_metric_add(AMK_METRIC_CONNECTIONS, 1);
		amk_metric_add(AMK_METRIC_CONNECTIONS_MADE, 1);
		amk_scarce_over(h);
		*context = amk_conn_new(h, mhd);
		return;
	}
	h->conns--;
	amk_metric_add(AMK_METRIC_CONNECTIONS, -1);
	if (*context)
		amk_conn_free(*context);
	/* After the limit was reached, the listening socket is looked at again only from the next run on. */
	amk_http_due(h);
}

/* The only moment at which the target is still as it came. */
static void *request_line(void *arg, const char *target, struct MHD_Connection *mhd)
{
	(void)arg;
	return amk_request_new(conn_of(mhd), target ? target : "");
}

static enum MHD_Result request_step(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
				    const char *version, const char *body, size_t *n, void **context)
{
	struct amk_request *rq = *context;
	size_t taken = *n;

	(void)arg;
	(void)mhd;
	if (!rq->begun)
		return amk_request_begin(rq, &(struct amk_line){ method, url, version });
	if (taken == 0)
		return amk_request_finish(rq);
	*n = 0;
	return amk_request_take(rq, body, taken);
}

static void request_done(void *arg, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct amk_request *rq = *context;

	(void)arg;
	(void)mhd;
	(void)code;
	if (!rq)
		return;
	amk_conn_await(rq->conn, AMK_AWAIT_NEXT);
	amk_request_free(rq);
	*context = NULL;
}

static void sockets_ready(void *arg, unsigned ready)
{
	struct amk_http *h = arg;

	(void)ready;
	h->due = true; /* the turn comes before the next wait anyway */
}

bool amk_http_turn(struct amk_http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (!h->due)
		return false;
	h->due = false;
	amk_ws_serve(h);
	errno = 0; /* see mhd_said */
	MHD_run(h->mhd);
	/* No timeouts are set, so this tells only that some connection has more to do. */
	if (MHD_get_timeout(h->mhd, &ms) == MHD_YES)
		amk_http_due(h);
	return true;
}

static bool is_network(int fd)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof sa;

	return getsockname(fd, (struct sockaddr *)&sa, &n) == 0 && sa.ss_family != AF_UNIX;
}

static struct MHD_Daemon *mhd_start(struct amk_http *h)
{
	const struct amk_http_conf *conf = &h->conf;

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
					MHD_USE_ERROR_LOG,
				0, NULL, NULL, request_step, h, MHD_OPTION_EXTERNAL_LOGGER, mhd_said, h,
				MHD_OPTION_LISTEN_SOCKET, conf->listen_fd,
				MHD_OPTION_NOTIFY_CONNECTION, conn_notify, h,
				MHD_OPTION_URI_LOG_CALLBACK, request_line, h,
				MHD_OPTION_NOTIFY_COMPLETED, request_done, h,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, conf->pool,
				MHD_OPTION_CONNECTION_LIMIT, conf->connections,
				MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct amk_http *amk_http_start(struct amk_loop *l, const struct amk_http_conf *conf, struct amk_err *e)
{
	struct amk_http *h;

	if (conf->streams >= conf->connections) {
		amk_err_set(e, AMK_EINVALID, "%u streams leave no room in %u connections", conf->streams,
			    conf->connections);
		return NULL;
	}
	h = amk_calloc(1, sizeof *h);
	h->loop = l;
	h->conf = *conf;
	h->armed = INT64_MAX;
	h->network = is_network(conf->listen_fd);
	for (int i = 0; i < AMK_AWAIT_NOTHING; i++)
		TAILQ_INIT(&h->queues[i]);
	TAILQ_INIT(&h->requests);
	TAILQ_INIT(&h->sockets);
	signal(SIGPIPE, SIG_IGN); /* as libmicrohttpd is told */
	h->mhd = mhd_start(h);
	if (!h->mhd) {
		free(h);
		amk_err_set(e, AMK_EFAILED, "cannot start the HTTP server");
		return NULL;
	}
	h->watch = amk_loop_watch(l, MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
				  AMK_READY_READ, sockets_ready, h, e);
	if (!h->watch) {
		MHD_quiesce_daemon(h->mhd);
		MHD_stop_daemon(h->mhd);
		free(h);
		return NULL;
	}
	h->overdue = amk_loop_timer(l, amk_conn_overdue, h);
	h->retry = amk_loop_timer(l, amk_scarce_retry, h);
	amk_http_due(h); /* the listening socket is looked at from the first run on */
	return h;
}

void amk_http_stop(struct amk_http *h)
{
	struct amk_request *rq;

	if (!h)
		return;
	h->stopping = true;
	MHD_quiesce_daemon(h->mhd); /* the listening socket is not ours to close */
	TAILQ_FOREACH(rq, &h->requests, list)
		amk_request_abandon(rq);
	for (int i = 0; i < STOP_ROUNDS && (i < 2 || h->due); i++) {
		h->due = true;
		amk_http_turn(h);
	}
	TAILQ_FOREACH(rq, &h->requests, list) {
		rq->dead = true;
		amk_request_resume(rq);
		if (rq->ws)
			amk_ws_cut(rq->ws);
	}
	/* libmicrohttpd stops only when it has taken back what was upgraded. */
	amk_http_due(h);
	amk_http_turn(h);
	MHD_stop_daemon(h->mhd);
	amk_loop_watch_free(h->watch);
	amk_loop_timer_free(h->overdue);
	amk_loop_timer_free(h->retry);
	free(h);
}
