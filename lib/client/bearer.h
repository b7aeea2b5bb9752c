/* SPDX-License-Identifier: Apache-2.0 */
/* The token a tool shows to a daemon it reaches by a URL. */
#ifndef AMK_CLIENT_BEARER_H
#define AMK_CLIENT_BEARER_H

#include <stdbool.h>

#include "core/err.h"

#define AMK_BEARER_MAX 4096 /* bytes */

/*
 * *token is, in this order: what the file `given` (--token-file) holds, AMIKA_TOKEN, what the file
 * AMIKA_TOKEN_FILE holds, and with `own` what is in STATE/token, if it is ours and can be read; else NULL.
 * The caller frees it with amk_bearer_free.
 */
int amk_bearer_find(char **token, const char *given, bool own, struct amk_err *e);
void amk_bearer_free(char *token); /* wipes it first; may be NULL */

#endif
