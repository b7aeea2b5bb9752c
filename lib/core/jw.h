/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON straight into a buffer; commas come by themselves. */
#ifndef AMK_CORE_JW_H
#define AMK_CORE_JW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/*
 * `key` is NULL inside arrays and at the top. Strings are taken as UTF-8; bytes that are not are
 * written as U+FFFD. A NULL string is written as null. Order of calls is order of members.
 */
void amk_jw_open(struct amk_buf *b, const char *key, char bracket); /* '{' or '[' */
void amk_jw_close(struct amk_buf *b, char bracket);		    /* '}' or ']' */
void amk_jw_str(struct amk_buf *b, const char *key, const char *s, size_t n);
void amk_jw_cstr(struct amk_buf *b, const char *key, const char *s);
void amk_jw_int(struct amk_buf *b, const char *key, int64_t v);
void amk_jw_bool(struct amk_buf *b, const char *key, bool v);
void amk_jw_null(struct amk_buf *b, const char *key);
/* Finished JSON text, copied as it is. */
void amk_jw_raw(struct amk_buf *b, const char *key, const char *s, size_t n);
/* Members without braces ("\"a\":1,\"b\":2"), put into the open object; nothing when n is 0. */
void amk_jw_members(struct amk_buf *b, const char *s, size_t n);
/* Only the escaped form of s, without quotes. */
void amk_jw_escape(struct amk_buf *b, const char *s, size_t n);

#endif
