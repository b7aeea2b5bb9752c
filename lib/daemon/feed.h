/* SPDX-License-Identifier: Apache-2.0 */
/* A feed: one reader's cursor in the log of a session, framed for its stream. */
#ifndef AMK_DAEMON_FEED_H
#define AMK_DAEMON_FEED_H

#include "daemon/daemon.h"

struct amk_feed_spec {
	int64_t session; /* row */
	uint64_t after;
	bool hidden; /* profile=amika */
	bool raw;    /* includeRaw */
};

/* Answers the request with an event stream. */
void amk_feed_open(struct amk_daemon *d, struct amk_request *rq, const struct amk_feed_spec *spec);
/* Every feed that has nothing to say sends a comment. */
void amk_feed_keepalive(struct amk_daemon *d);

/* Puts a line of the log, with its native payload if asked for, at the end of b. */
struct amk_log_line;
void amk_feed_line(struct amk_daemon *d, struct amk_buf *b, const struct amk_log_line *line, bool raw);

#endif
