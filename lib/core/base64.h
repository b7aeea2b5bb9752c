/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as base64 (RFC 4648, section 4). */
#ifndef AMK_CORE_BASE64_H
#define AMK_CORE_BASE64_H

#include "core/buf.h"

/* Adds 4 characters for each 3 bytes begun, padded with '='. */
void amk_base64_encode(struct amk_buf *b, const void *s, size_t n);

#endif
