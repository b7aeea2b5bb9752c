/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: bytes to bounded requests, routes, replies, streams. libmicrohttpd behind one header,
 * single-threaded inside the loop. Errors leave as problem+json.
 */
#ifndef AMK_HTTP_HTTP_H
#define AMK_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/json.h"
#include "loop/loop.h"

struct amk_http;    /* a listener */
struct amk_request; /* valid until its handler replied, or `gone` was called */

/* A row of the route table. '{}' in path stands for one segment, given by amk_request_param. */
struct amk_route {
	const char *method; /* GET also answers HEAD */
	const char *path;   /* "/v1/sessions/{}/messages" */
	unsigned flags;
	/* Called once the whole body is there. Replies now, or later (see amk_request_later). */
	void (*fn)(struct amk_request *rq, void *arg);
};
enum amk_route_flags {
	AMK_ROUTE_OPEN = 1, /* peers without rights may use it */
	AMK_ROUTE_JSON = 2, /* a JSON object is the body, and the media type must say so */
};

/*
 * The memory of a connection, which a request's head and the chunks of a stream must fit into. Measured
 * with 1,000 idle streams: 4 KiB each cost 6 MB in all, 8 KiB 10 MB, 16 KiB 15 MB. At 8 KiB a head may
 * have 7 KiB, which a PATH in a query needs.
 */
#define AMK_HTTP_POOL 8192

struct amk_http_conf {
	int listen_fd; /* a Unix or TCP socket, bound, listening, non-blocking; borrowed */
	const struct amk_route *routes; /* ends with a NULL method */
	void *arg;			/* for the routes */
	size_t body_max;		/* bytes */
	size_t pool;			/* AMK_HTTP_POOL */
	unsigned requests;		/* on one connection, which then is closed; 0: any number */
	unsigned connections;		/* at most; more wait to be accepted */
	unsigned streams;		/* at most, and fewer than connections; more get 503 */
	unsigned peer_streams;		/* of them for one user, or one address; 0: all */
	size_t ws_message_max;	/* bytes of a message on a WebSocket; a longer one ends it (1009) */
	uint64_t ws_ping_ms;	/* between pings; a client silent for two of them is given up */
	/* Whoever takes longer is cut, however steadily its bytes come. */
	uint64_t header_ms; /* from the connection, or the next request's first line, to the header's end */
	uint64_t body_ms;   /* from there to the body's end; and for a reply, a stream's apart, to be taken. A
			     * message on a WebSocket has as long, looked at when it is pinged */
	uint64_t idle_ms;   /* from a request's end to the next one's first line */
	/* Asked once per connection of a Unix socket; NULL admits all. False: every route but the open ones
	 * answers 403. */
	bool (*admit)(void *arg, uid_t uid, pid_t pid);
	/*
	 * Judges each request by its head, before anything else is said about it; NULL lets all pass. False: it
	 * has replied. It may add headers to whatever the reply will be, of guard_bytes in all (names, values
	 * and 4 for each).
	 */
	bool (*guard)(void *arg, struct amk_request *rq);
	size_t guard_bytes;
};

/* SIGPIPE is ignored from then on. */
struct amk_http *amk_http_start(struct amk_loop *l, const struct amk_http_conf *conf, struct amk_err *e);
/*
 * Ends streams and open requests first: when it returns, every `closed` and `gone` has been called. Nobody
 * slow is waited for. Not to be called from a handler; NULL is fine.
 */
void amk_http_stop(struct amk_http *h);
/*
 * To be called from the loop's turn function after commits: accepts, reads, calls handlers, serves what was
 * resumed. Nothing happens elsewhere. True when anything may have been served, so handlers may have
 * appended: commit and call again, a few times at most; what is left makes the loop turn again by itself.
 */
bool amk_http_turn(struct amk_http *h);

/* The request. Strings and JSON live until the reply. */
const char *amk_request_param(const struct amk_request *rq, unsigned i); /* i-th '{}', unescaped */
/* Unescaped; NULL: not given; "" for a name without value; of several, the first. */
const char *amk_request_query(const struct amk_request *rq, const char *name);
const char *amk_request_header(const struct amk_request *rq, const char *name);
const char *amk_request_body(const struct amk_request *rq, size_t *n);
const struct amk_json *amk_request_json(const struct amk_request *rq); /* AMK_ROUTE_JSON only */
bool amk_request_is_read(const struct amk_request *rq); /* of a row for GET */
/* The method, only to be asked for by the guard. */
const char *amk_request_method(const struct amk_request *rq);
bool amk_request_is_open(const struct amk_request *rq); /* its route is for all */
/* Goes with the reply, whichever that will be. Both are copied. */
void amk_request_add_header(struct amk_request *rq, const char *name, const char *value);
/* Who is at the other end of a Unix socket; (uid_t)-1 and 0 on the network. */
pid_t amk_request_pid(const struct amk_request *rq);
uid_t amk_request_uid(const struct amk_request *rq);
/* Who is at the other end on the network: "127.0.0.1", "::1"; NULL on a Unix socket. */
#define AMK_HTTP_ADDRESS 46
const char *amk_request_address(const struct amk_request *rq, char to[AMK_HTTP_ADDRESS]);

/* Exactly one of these ends the request. Bodies are copied; a type may be NULL where there is none (204). */
void amk_request_reply(struct amk_request *rq, int status, const char *type, const char *body, size_t n);
/* A buffer that has overflowed becomes a 500. */
void amk_request_reply_json(struct amk_request *rq, int status, const struct amk_buf *body);
/* `extension` are further members for the problem ("\"sessionId\":\"x\""), or NULL. */
void amk_request_problem(struct amk_request *rq, const struct amk_err *e, const char *extension);

/*
 * The handler will reply later, from another callback of the loop. `gone(arg)` (may be NULL) is called if
 * the client leaves first (or the server stops): the request must not be touched any more. A client that
 * only shut down its sending side has not left.
 */
void amk_request_later(struct amk_request *rq, void (*gone)(void *arg), void *arg);

/* A streamed reply: bytes are pulled as the socket drains. */
enum amk_pull { AMK_PULL_BYTES, AMK_PULL_WAIT, AMK_PULL_END };
struct amk_stream_ops {
	/*
	 * Puts 1..max bytes and sets *n, or says WAIT (asked again after amk_stream_wake) or END.
	 */
	enum amk_pull (*pull)(void *arg, char *to, size_t max, size_t *n);
	void (*closed)(void *arg); /* last call: the stream is gone */
};
struct amk_stream;
/* Ends the request with a 200 of that type. Returns NULL when there are too many streams (503 was sent) or
 * the client has left meanwhile: closed() is not called. */
struct amk_stream *amk_request_stream(struct amk_request *rq, const char *type,
				      const struct amk_stream_ops *ops, void *arg);
/* Cheap, idempotent, callable from anywhere on the loop but inside pull. */
void amk_stream_wake(struct amk_stream *s);

/* One SSE frame: "id: 7\ndata: …\n\n" (WHATWG HTML, server-sent events), id 0: without one. Data must hold
 * no newline. */
void amk_sse_frame(struct amk_buf *b, uint64_t id, const char *data, size_t n);
#define AMK_SSE_COMMENT ": keep\n\n"
#define AMK_SSE_TYPE "text/event-stream"

#endif
