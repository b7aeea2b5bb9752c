/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it. */
#ifndef AMK_CORE_UTF8_H
#define AMK_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed sequence at s (1 to 4), 0 when it is malformed or cut by n. */
size_t amk_utf8_len(const char *s, size_t n);
bool amk_utf8_valid(const char *s, size_t n);

#endif
