/* SPDX-License-Identifier: Apache-2.0 */
/* Wall clock for records, monotonic clock for waiting, durations as people type them. */
#ifndef AMK_CORE_TIME_H
#define AMK_CORE_TIME_H

#include <stdint.h>

#include "core/err.h"

#define AMK_TIME_TEXT 32

int64_t amk_time_now(void);	  /* ns since the epoch */
int64_t amk_time_monotonic(void); /* ns */
/* RFC 3339, UTC, nanoseconds: "2026-02-09T00:00:00.000000000Z". */
const char *amk_time_format(char to[AMK_TIME_TEXT], int64_t ns);
/* "500ms", "30s", "5m", "2h", "1d"; a bare number means seconds. Result in ms. */
int amk_time_parse_duration(const char *s, int64_t *ms, struct amk_err *e);

#endif
