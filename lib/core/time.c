/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and durations. */
#include "core/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		AMK_BUG("clock %d: %s", (int)id, strerror(errno));
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t amk_time_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t amk_time_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Most times formatted are of the second before: its text is kept. */
const char *amk_time_format(char to[AMK_TIME_TEXT], int64_t ns)
{
	static _Thread_local time_t second = -1;
	static _Thread_local char text[AMK_TIME_TEXT];
	time_t s = (time_t)(ns / 1000000000);
	int64_t rest = ns % 1000000000;
	struct tm tm;
	size_t n;

	if (s != second || !text[0]) {
		gmtime_r(&s, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
		second = s;
	}
	n = strlen(text);
	memcpy(to, text, n);
	for (size_t i = 9; i > 0; i--, rest /= 10)
		to[n + i - 1] = (char)('0' + rest % 10);
	memcpy(to + n + 9, "Z", 2);
	return to;
}

int amk_time_parse_duration(const char *s, int64_t *ms, struct amk_err *e)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "", 1000 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	char *end;
	long long n;
	bool number;

	errno = 0;
	n = strtoll(s, &end, 10);
	number = s[0] >= '0' && s[0] <= '9' && !errno && n <= 100000000;
	for (size_t i = 0; number && i < AMK_COUNT(units); i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ms = n * units[i].ms;
			return 0;
		}
	return amk_err_set(e, AMK_EUSAGE, "\"%s\" is not a duration (500ms, 30s, 5m, 2h)", s);
}
