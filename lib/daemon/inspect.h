/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a state folder is what it should be: the database, and the spools held against it. */
#ifndef AMK_DAEMON_INSPECT_H
#define AMK_DAEMON_INSPECT_H

#include "store/verify.h"

/*
 * Looks at everything in the state folder open as dir, `path`, and reports each check. Changes nothing; a daemon may be at
 * work in it. 0: it was looked at, whatever was found.
 */
int amk_inspect(int dir, const char *path, const struct amk_verify_to *to, struct amk_err *e);

#endif
