/* SPDX-License-Identifier: Apache-2.0 */
/* Wildcards, compared in bounded time: pattern times text, without going back. */
#ifndef AMK_DECISION_GLOB_H
#define AMK_DECISION_GLOB_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"

#define AMK_GLOB_MAX 4096 /* bytes of a pattern, and of a text */

/* What a pattern has where a wildcard stood; every other byte is itself. Texts hold no control characters. */
#define AMK_GLOB_STAR '\1' /* any bytes but '/' */
#define AMK_GLOB_ONE '\2'  /* one character but '/' */
#define AMK_GLOB_ALL '\3'  /* any bytes */
#define AMK_GLOB_DIRS '\4' /* nothing, or whole components: any bytes up to and with a '/' */

/* False too when one of them is longer than AMK_GLOB_MAX. */
bool amk_glob_match(const char *pattern, const char *text);

/*
 * A path pattern as people write it: '*' and '?' within a component, "**" across them. Absolute, or relative to the
 * session's directory. AMK_EINVALID for '[', '~', "." and ".." as components, control characters.
 */
int amk_glob_path(struct amk_buf *to, const char *pattern, struct amk_err *e);

#endif
