/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids: what may be one, and making new ones. */
#ifndef AMK_CORE_ID_H
#define AMK_CORE_ID_H

#include <stdbool.h>

/* [A-Za-z0-9._-]{1,128}, not starting with '.': what the API takes as a session or message id. */
bool amk_id_valid(const char *s);
/* [a-z0-9][a-z0-9-]{0,62}: what the tools take as a new session's name. */
bool amk_id_name_valid(const char *s);
/* Fills to[0..n-1] with random letters and digits (no look-alikes) and a NUL at to[n]. */
void amk_id_random(char *to, unsigned n);

#endif
