/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: libmicrohttpd asks for bytes as the socket drains; with none, the connection sleeps until woken. */
#include <stdlib.h>
#include <string.h>

#include "core/metric.h"
#include "http/internal.h"

/* libmicrohttpd keeps this much for each stream, but uses it only for HTTP/1.0, which is not chunked. */
#define BLOCK 512

struct amk_stream {
	struct amk_request *rq;
	const struct amk_stream_ops *ops;
	void *arg;
	bool ended;
};

static ssize_t stream_pull(void *cls, uint64_t pos, char *to, size_t max)
{
	struct amk_stream *s = cls;
	size_t n = 0;

	(void)pos;
	if (s->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	switch (s->ops->pull(s->arg, to, max, &n)) {
	case AMK_PULL_BYTES:
		if (n == 0 || n > max)
			AMK_BUG("a stream gave %zu bytes for %zu", n, max);
		return (ssize_t)n;
	case AMK_PULL_WAIT:
		amk_request_suspend(s->rq);
		return 0;
	case AMK_PULL_END:
		break;
	}
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* Counted when asked: streams begin seldom, and what is counted nowhere cannot be miscounted. */
static unsigned streams_of_peer(const struct amk_request *rq)
{
	const struct amk_request *other;
	unsigned n = 0;

	TAILQ_FOREACH(other, &rq->conn->http->requests, list)
		n += (other->stream || other->ws) && amk_conn_same_peer(rq->conn, other->conn);
	return n;
}

bool amk_stream_fits(struct amk_request *rq)
{
	struct amk_http *h = rq->conn->http;
	unsigned n = h->streams, own;
	struct amk_err e;

	if (n >= h->conf.streams || h->stopping) {
		amk_metric_add(AMK_METRIC_LIMIT_STREAMS, !h->stopping);
		amk_err_set(&e, AMK_EUNAVAILABLE, "too many streams are open (%u)", n);
	} else {
		own = streams_of_peer(rq);
		if (h->conf.peer_streams == 0 || own < h->conf.peer_streams)
			return true;
		amk_metric_add(AMK_METRIC_LIMIT_PEER_STREAMS, 1);
		amk_err_set(&e, AMK_EUNAVAILABLE, "too many streams of yours are open (%u)", own);
	}
	amk_request_problem(rq, &e, NULL);
	return false;
}

struct amk_stream *amk_request_stream(struct amk_request *rq, const char *type,
				      const struct amk_stream_ops *ops, void *arg)
{
	struct amk_stream *s;
	struct MHD_Response *r;

	if (rq->dead || !amk_stream_fits(rq))
		return NULL;
	s = amk_malloc(sizeof *s);
	*s = (struct amk_stream){ .rq = rq, .ops = ops, .arg = arg };
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, stream_pull, s, NULL);
	if (!r)
		AMK_BUG("out of memory for a response");
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-cache");
	rq->stream = s;
	rq->conn->http->streams++;
	amk_metric_add(AMK_METRIC_STREAMS, 1);
	amk_metric_add(AMK_METRIC_STREAMS_MADE, 1);
	amk_conn_pin(rq->conn);
	amk_request_respond(rq, 200, r);
	return s;
}

void amk_stream_wake(struct amk_stream *s)
{
	amk_request_resume(s->rq);
}

void amk_stream_end(struct amk_stream *s)
{
	s->ended = true;
	amk_request_resume(s->rq);
}

void amk_stream_free(struct amk_stream *s)
{
	s->rq->conn->http->streams--;
	amk_metric_add(AMK_METRIC_STREAMS, -1);
	s->ops->closed(s->arg);
	free(s);
}
