/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, timestamps and durations. */
#include "core/time.h"

#include <string.h>

#include "tap.h"

static void test_format(void)
{
	char text[AMK_TIME_TEXT];

	is_str(amk_time_format(text, 0), "1970-01-01T00:00:00.000000000Z", "the epoch");
	is_str(amk_time_format(text, INT64_C(1770595200000000000)), "2026-02-09T00:00:00.000000000Z", "a day");
	is_str(amk_time_format(text, INT64_C(1709251199999999999)), "2024-02-29T23:59:59.999999999Z", "a leap day's end");
	is_str(amk_time_format(text, 1), "1970-01-01T00:00:00.000000001Z", "a nanosecond");
	is_str(amk_time_format(text, INT64_MAX), "2262-04-11T23:47:16.854775807Z", "the last one");
}

static void test_clocks(void)
{
	int64_t a = amk_time_monotonic(), b = amk_time_monotonic();

	ok(b >= a && a > 0, "the monotonic clock does not go back");
	ok(amk_time_now() > INT64_C(1700000000000000000), "the wall clock counts from 1970");
}

static void test_durations(void)
{
	static const struct {
		const char *s;
		int64_t ms;
	} good[] = { { "500ms", 500 }, { "30s", 30000 }, { "30", 30000 }, { "5m", 300000 }, { "2h", 7200000 },
		     { "1d", 86400000 }, { "0", 0 }, { "0ms", 0 }, { "007", 7000 }, { "100000000d", INT64_C(8640000000000000) } };
	static const char *const bad[] = { "", "s", "ms", "-1", "-1s", "+1", " 1", "1 ", "1 s", "1.5s", "1w", "1S", "1mss",
					   "1h30m", "100000001", "99999999999999999999", "0x10", "one" };
	struct amk_err e;
	int64_t ms;

	for (size_t i = 0; i < AMK_COUNT(good); i++) {
		ms = -1;
		ok(amk_time_parse_duration(good[i].s, &ms, &e) == 0 && ms == good[i].ms, "%s", good[i].s);
	}
	for (size_t i = 0; i < AMK_COUNT(bad); i++) {
		ms = -1;
		ok(amk_time_parse_duration(bad[i], &ms, &e) < 0 && ms == -1 && e.code == AMK_EUSAGE, "not \"%s\"", bad[i]);
	}
	is_str(e.msg, "\"one\" is not a duration (500ms, 30s, 5m, 2h)", "said with examples");
}

int main(void)
{
	test_format();
	test_clocks();
	test_durations();
	return tap_done();
}
