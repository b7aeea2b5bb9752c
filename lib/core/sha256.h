/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), for comparing secrets without telling how much of a guess was right. */
#ifndef AMK_CORE_SHA256_H
#define AMK_CORE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMK_SHA256_SIZE 32

void amk_sha256(const void *s, size_t n, uint8_t to[AMK_SHA256_SIZE]);
/* Takes the same time wherever the two differ. */
bool amk_sha256_equal(const uint8_t a[AMK_SHA256_SIZE], const uint8_t b[AMK_SHA256_SIZE]);

#endif
