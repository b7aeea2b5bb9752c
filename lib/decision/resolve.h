/* SPDX-License-Identifier: Apache-2.0 */
/* Where a path leads. */
#ifndef AMK_DECISION_RESOLVE_H
#define AMK_DECISION_RESOLVE_H

#include "core/err.h"
#include "core/path.h"

/*
 * The absolute path without links and "..": that of the deepest folder that is there, then the rest. A relative one
 * starts at `directory`. -1 when that cannot be said: a link that leads nowhere, ".." behind what is not there, no right
 * to look, a "~", a control character. What was true then can have changed by the time the path is used.
 */
int amk_resolve(char to[AMK_PATH_MAX], const char *directory, const char *path, struct amk_err *e);

#endif
