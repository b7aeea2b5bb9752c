/* SPDX-License-Identifier: Apache-2.0 */
/* amikad as a transient unit of the user's systemd manager, where one answers. */
#ifndef AMK_CLIENT_UNIT_H
#define AMK_CLIENT_UNIT_H

#include <stdbool.h>

/* A manager listens below $XDG_RUNTIME_DIR and systemd-run is on PATH. */
bool amk_unit_possible(void);
/* Starts the unit and waits until it is ready. -1 when the manager would not; the caller has another way. */
int amk_unit_start(const char *state);

#endif
