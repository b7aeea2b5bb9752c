/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the address sanitizer is built in: gcc says so by a macro, clang when asked for the feature. */
#ifndef AMK_TESTS_UNIT_SANITIZED_H
#define AMK_TESTS_UNIT_SANITIZED_H

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

#endif
