/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for an answer, and every change of it. */
#ifndef AMK_CLIENT_INBOX_H
#define AMK_CLIENT_INBOX_H

#include "client/client.h"

/* Called with each decision as the API has it; -1 with e ends it. */
struct amk_inbox_reader {
	int (*take)(void *arg, const struct amk_json *decision, struct amk_err *e);
	void *arg;
};

/* The open ones, with `all` the others too, oldest first; of one session, or NULL. */
int amk_inbox_list(struct amk_client *c, const char *session, bool all, const struct amk_inbox_reader *to,
		   struct amk_err *e);
/*
 * The same, then each as it is opened and closed, across restarts of the daemon, until a signal (an exit status) or the
 * reader of stdout has gone. Each as it was at that change, though it may have been answered since.
 */
int amk_inbox_follow(struct amk_client *c, const char *session, bool all, const struct amk_inbox_reader *to,
		     struct amk_err *e);

#endif
