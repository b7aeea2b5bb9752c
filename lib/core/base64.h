/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as base64 (RFC 4648). */
#ifndef AMK_CORE_BASE64_H
#define AMK_CORE_BASE64_H

#include "core/buf.h"

/* Adds 4 characters for each 3 bytes begun, padded with '='; the alphabet of section 4. */
void amk_base64_encode(struct amk_buf *b, const void *s, size_t n);
/*
 * Adds the bytes that n characters stand for, in either alphabet (sections 4 and 5), padded or not. False, and
 * nothing added, when they are no base64 or the bytes do not fit.
 */
bool amk_base64_decode(struct amk_buf *b, const char *s, size_t n);

#endif
