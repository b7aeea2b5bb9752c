/* SPDX-License-Identifier: Apache-2.0 */
/* Whose program listens on a port of this machine. */
#ifndef AMK_CLIENT_LISTENER_H
#define AMK_CLIENT_LISTENER_H

#include <stdbool.h>

/*
 * True when somebody listens on that TCP port, on whatever address, and all who do are this user or root
 * (/proc/net/tcp, tcp6: proc_pid_net(5)).
 */
bool amk_listener_is_ours(unsigned port);

#endif
