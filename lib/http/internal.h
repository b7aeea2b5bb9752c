/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: a listener, its connections, their requests and streams. */
#ifndef AMK_HTTP_INTERNAL_H
#define AMK_HTTP_INTERNAL_H

#include <netinet/in.h>
#include <sys/queue.h>

#include <microhttpd.h>

#include "core/strv.h"
#include "http/http.h"
#include "http/route.h"

/* What a connection is waited for. Each has one time for all, so its queue is in the order of the deadlines. */
enum amk_await { AMK_AWAIT_HEADER, AMK_AWAIT_BODY, AMK_AWAIT_TAKEN, AMK_AWAIT_NEXT, AMK_AWAIT_NOTHING };

struct amk_conn {
	TAILQ_ENTRY(amk_conn) queue;
	struct amk_http *http;
	struct MHD_Connection *mhd;
	struct amk_request *rq;	 /* the one being served, or NULL */
	struct amk_watch *watch; /* while libmicrohttpd does not look at the socket */
	int64_t deadline;	 /* monotonic ns */
	enum amk_await await;
	unsigned requests; /* begun so far */
	int fd;
	pid_t pid; /* of the peer on a Unix socket */
	uid_t uid;
	struct in6_addr address; /* of the peer on the network; IPv4 as ::ffff:a.b.c.d */
	bool admitted;
};
TAILQ_HEAD(amk_conns, amk_conn);

struct amk_request {
	TAILQ_ENTRY(amk_request) list;
	struct amk_conn *conn;
	const char *method; /* while its head is judged */
	char *target; /* as it came */
	struct amk_strv headers; /* for the reply: name, value, name, value, … */
	struct amk_route_found found;
	struct amk_buf body;
	size_t taken; /* of the body, kept or not */
	struct amk_json *json;
	struct MHD_Response *response; /* made, not yet handed over */
	int status;
	struct amk_stream *stream;
	struct amk_ws *ws;
	void (*gone)(void *arg); /* owed to whoever took the request */
	void *gone_arg;
	bool begun, called, later, answered;
	bool suspended; /* libmicrohttpd leaves the connection alone until it is resumed */
	bool dead;	/* the client has left */
	bool closing;	/* no further request on this connection */
	bool upgradable; /* GET of HTTP/1.1 */
	bool last;	/* the same, because it has had enough of them */
};
TAILQ_HEAD(amk_requests, amk_request);

TAILQ_HEAD(amk_wss, amk_ws);

struct amk_http {
	struct amk_loop *loop;
	struct amk_http_conf conf;
	struct MHD_Daemon *mhd;
	struct amk_watch *watch;	    /* of libmicrohttpd's epoll descriptor */
	struct amk_timer *overdue;	    /* armed while a queue is not empty */
	int64_t armed;			    /* for then; INT64_MAX: it is not */
	struct amk_conns queues[AMK_AWAIT_NOTHING];
	struct amk_requests requests;
	struct amk_wss sockets; /* WebSockets with something to do */
	unsigned conns;
	unsigned streams; /* and WebSockets */
	struct amk_timer *retry; /* armed while scarce */
	bool scarce;		 /* no descriptors are left for new clients */
	bool prompting;		 /* a connection being added is our own */
	bool network; /* TCP, not a Unix socket */
	bool due, stopping;
};

/* server.c: libmicrohttpd has something to do; the next turn lets it. */
void amk_http_due(struct amk_http *h);

/* conn.c */
struct amk_conn *amk_conn_new(struct amk_http *h, struct MHD_Connection *mhd);
void amk_conn_free(struct amk_conn *c);
void amk_conn_await(struct amk_conn *c, enum amk_await what); /* restarts its deadline */
void amk_conn_watch(struct amk_conn *c);		      /* tells the request when the client leaves */
void amk_conn_unwatch(struct amk_conn *c);
void amk_conn_overdue(void *http); /* cuts those whose deadline has passed */
/* The same user, or the same address: of IPv6 the first half, for a host has all of the other to choose from. */
bool amk_conn_same_peer(const struct amk_conn *a, const struct amk_conn *b);
void amk_conn_pin(struct amk_conn *c); /* bounds what the kernel holds for a reader who does not read */

/* scarce.c: libmicrohttpd said something when errno was `error`; look again; a client has been accepted. */
void amk_scarce_heed(struct amk_http *h, int error);
void amk_scarce_retry(void *http);
void amk_scarce_over(struct amk_http *h);

/* request.c, in the order of a request's life */
struct amk_request *amk_request_new(struct amk_conn *c, const char *target);
/* The parts of the request line and of the header as they lie in libmicrohttpd's buffer. */
struct amk_line {
	const char *method, *url, *version;
};
enum MHD_Result amk_request_begin(struct amk_request *rq, const struct amk_line *line);
enum MHD_Result amk_request_take(struct amk_request *rq, const char *body, size_t n);
enum MHD_Result amk_request_finish(struct amk_request *rq);
void amk_request_suspend(struct amk_request *rq);
void amk_request_resume(struct amk_request *rq);
/* Hands over a response; it is the reply. */
void amk_request_respond(struct amk_request *rq, int status, struct MHD_Response *response);
void amk_request_left(struct amk_request *rq);	  /* the client did */
void amk_request_abandon(struct amk_request *rq); /* the server stops */
void amk_request_free(struct amk_request *rq);

/* stream.c */
bool amk_stream_fits(struct amk_request *rq); /* else 503 was sent */
void amk_stream_end(struct amk_stream *s);
void amk_stream_free(struct amk_stream *s);

/* ws.c */
void amk_ws_serve(struct amk_http *h); /* reads and writes where that is possible */
void amk_ws_cut(struct amk_ws *ws);    /* ends it at once, if it was upgraded */
/*
 * libmicrohttpd's next run closes what was upgraded. It ends that request with a lock held under which nothing
 * can be resumed, so that the owner is told here, before.
 */
void amk_ws_free(struct amk_ws *ws);

/* problem.c: an application/problem+json body. */
void amk_problem_write(struct amk_buf *b, const struct amk_err *e, const char *extension);
#define AMK_PROBLEM_TYPE "application/problem+json"

#endif
