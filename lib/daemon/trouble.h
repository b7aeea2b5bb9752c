/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trouble with the store. What is in memory may then be ahead of it: all of it is forgotten. Until the store can be
 * written it is shown as it stands there; then everything is loaded again, which is the same road as a restart. The
 * programs go on under their shims.
 */
#ifndef AMK_DAEMON_TROUBLE_H
#define AMK_DAEMON_TROUBLE_H

#include "daemon/daemon.h"

/* Loads sessions and hooks from the store, in place of those there are; frozen: only to be shown. */
int amk_trouble_sessions(struct amk_daemon *d, bool frozen, struct amk_err *e);
/* The store failed: the turn will be undone. For the conf of whoever uses it; arg is the daemon. */
void amk_trouble_met(void *arg, const struct amk_err *e);
/* Undoes the turn. */
void amk_trouble_freeze(struct amk_daemon *d);
/* Tries again; what has gone well for as long as one waits between two tries is over. A timer's; arg is the daemon. */
void amk_trouble_look_again(void *arg);

#endif
