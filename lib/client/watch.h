/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sessions, as it is and as it changes. */
#ifndef AMK_CLIENT_WATCH_H
#define AMK_CLIENT_WATCH_H

#include "client/client.h"

/* Both give records of the API, borrowed for the call; what it returns below 0 ends all. */
typedef int amk_watch_each(void *arg, const struct amk_json *session, struct amk_err *e);

/* All sessions, the newest first. */
int amk_watch_list(struct amk_client *c, amk_watch_each *each, void *arg, struct amk_err *e);
/*
 * All of them, then each again whose state has changed or that was set otherwise, also where the connection broke
 * meanwhile; `pause` is called after some of them, before more is waited for. Until a signal, which is AMK_EXIT_DONE.
 */
int amk_watch_follow(struct amk_client *c, amk_watch_each *each, int (*pause)(void *arg, struct amk_err *e), void *arg,
		     struct amk_err *e);

#endif
