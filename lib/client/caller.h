/* SPDX-License-Identifier: Apache-2.0 */
/* What a session takes over from whoever creates it: environment, directory; and who that is. */
#ifndef AMK_CLIENT_CALLER_H
#define AMK_CLIENT_CALLER_H

#include <stdbool.h>

#include "core/json.h"
#include "core/path.h"
#include "core/strv.h"

/*
 * Adds the NAME=VALUE pairs a session gets: the usual variables that are set here, those matching
 * `patterns` (a JSON array of names, '*' at the end matches; may be NULL), then `given`, NAME or
 * NAME=VALUE each, which win. Never AMIKA_*.
 */
int amk_caller_environment(struct amk_strv *to, const struct amk_json *patterns, const struct amk_strv *given,
			   struct amk_err *e);
/* Only `given`: for a session on another machine, where nothing else of this one makes sense. */
int amk_caller_given(struct amk_strv *to, const struct amk_strv *given, struct amk_err *e);
/* Writes the pairs as the JSON object `key`. */
void amk_caller_write(struct amk_buf *b, const char *key, const struct amk_strv *pairs);

/* The absolute path of `given`, or of the current directory when it is NULL. Must be a directory. */
int amk_caller_directory(char to[AMK_PATH_MAX], const char *given, struct amk_err *e);
/* AMK_EUSAGE unless `given` can be a folder's path on another machine: absolute. */
int amk_caller_far_directory(const char *given, struct amk_err *e);

#define AMK_CALLER_NAME 200
/* "joe (amika decision)", with a terminal's name "joe on /dev/pts/3". */
void amk_caller_name(char to[AMK_CALLER_NAME], const char *program, bool terminal);

#endif
