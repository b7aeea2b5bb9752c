/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No descriptor is left for a new client. libmicrohttpd 0.9.75 then does one of two things: with no connection
 * of its own it tries again at once, for ever; with some it waits until one of them closes, even when
 * descriptors come back from elsewhere. We see to it that it tries again now and then.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/metric.h"
#include "core/say.h"
#include "http/internal.h"

#define RETRY_MS 100

/* Its only word on this is what it writes to its log, right after accept(2) has failed. */
void amk_scarce_heed(struct amk_http *h, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return;
	if (!h->scarce)
		amk_say(AMK_SAY_WARN, "http", "no descriptors are left for new clients: they wait");
	amk_metric_add(AMK_METRIC_LIMIT_DESCRIPTORS, !h->scarce);
	h->scarce = true;
	/* With no connection there is nothing it could miss. */
	if (h->conns == 0)
		amk_loop_watch_set(h->watch, 0);
	amk_loop_timer_arm(h->retry, RETRY_MS);
}

/* A connection whose other end is closed already: its end is what the library waits for. */
static bool one_closes(struct amk_http *h)
{
	struct sockaddr any = { .sa_family = AF_UNIX };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return false;
	close(pair[1]);
	h->prompting = true;
	if (MHD_add_connection(h->mhd, pair[0], &any, sizeof any) != MHD_YES)
		amk_say(AMK_SAY_TRACE, "http", "as many connections as may be are open");
	h->prompting = false;
	return true;
}

void amk_scarce_retry(void *http)
{
	struct amk_http *h = http;

	if (h->conns == 0)
		amk_loop_watch_set(h->watch, AMK_READY_READ);
	else if (!one_closes(h))
		amk_loop_timer_arm(h->retry, RETRY_MS);
	amk_http_due(h);
}

void amk_scarce_over(struct amk_http *h)
{
	if (!h->scarce || h->prompting)
		return;
	h->scarce = false;
	amk_say(AMK_SAY_INFO, "http", "new clients are served again");
}
