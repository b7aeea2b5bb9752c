/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks of this daemon: what its settings say, wired to its store. */
#ifndef AMK_DAEMON_OUTLET_H
#define AMK_DAEMON_OUTLET_H

#include "daemon/daemon.h"

/* Anew; where the store cannot be written, none. */
void amk_outlet_open(struct amk_daemon *d, void (*trouble)(void *arg, const struct amk_err *e));

#endif
