/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest TAP printer: each check is a line, the plan comes last. */
#ifndef AMK_TESTS_UNIT_TAP_H
#define AMK_TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 4, 5), unused)) static bool
tap_check(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!good) {
		tap_failed++;
		printf("# at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

#define ok(cond, ...) tap_check((cond), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_check_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) tap_check_int((long long)(got), (long long)(want), __FILE__, __LINE__, __VA_ARGS__)

__attribute__((unused)) static bool tap_check_str(const char *got, const char *want, const char *file, int line,
						  const char *name)
{
	bool good = got && want ? strcmp(got, want) == 0 : got == want;

	tap_check(good, file, line, "%s", name);
	if (!good)
		printf("# got  %s\n# want %s\n", got ? got : "(null)", want ? want : "(null)");
	return good;
}

__attribute__((unused)) static bool tap_check_int(long long got, long long want, const char *file, int line,
						  const char *name)
{
	tap_check(got == want, file, line, "%s", name);
	if (got != want)
		printf("# got  %lld\n# want %lld\n", got, want);
	return got == want;
}

/* return tap_done(); at the end of main */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
