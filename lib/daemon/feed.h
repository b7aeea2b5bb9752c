/* SPDX-License-Identifier: Apache-2.0 */
/* A feed: a reader whose frames leave as server-sent events. */
#ifndef AMK_DAEMON_FEED_H
#define AMK_DAEMON_FEED_H

#include "daemon/reader.h"

/* Answers the request with an event stream; the spec's frame is set here. */
void amk_feed_open(struct amk_daemon *d, struct amk_request *rq, const struct amk_reader_spec *spec);
/* Every feed that has nothing to say sends a comment. */
void amk_feed_keepalive(struct amk_daemon *d);

#endif
