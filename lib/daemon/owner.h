/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever starts a daemon for others to call over the network owns its sessions, and lends them its environment. */
#ifndef AMK_DAEMON_OWNER_H
#define AMK_DAEMON_OWNER_H

#include "core/json.h"
#include "daemon/daemon.h"

/* Whether the request is one whose session takes from the daemon's environment what it does not bring. */
bool amk_owner_serves(const struct amk_daemon *d, const struct amk_request *rq);
/*
 * The request for a session with a fuller environment: where it does not bring PATH, HOME or a variable its
 * agent asks for, the daemon's. NULL when it cannot be used as it is. The caller frees.
 */
struct amk_json *amk_owner_request(const struct amk_json *request);

#endif
