/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use the socket. A fence, not a wall: see SECURITY.md. */
#ifndef AMK_DAEMON_PEER_H
#define AMK_DAEMON_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "session/session.h"

/*
 * Our own user and root, unless the peer descends from one of our shims: an agent has no rights here.
 * `all` is NULL while the store is in trouble.
 */
bool amk_peer_admit(const struct amk_sessions *all, uid_t uid, pid_t pid);

#endif
