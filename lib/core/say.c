/* SPDX-License-Identifier: Apache-2.0 */
/* One line on stderr per call, in one write. */
#include "core/say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/time.h"

static bool traced(const char *topic)
{
	const char *list = getenv("AMIKA_TRACE");
	size_t n = strlen(topic);

	while (list && *list) {
		const char *end = strchrnul(list, ',');

		if ((size_t)(end - list) == n && memcmp(list, topic, n) == 0)
			return true;
		list = *end ? end + 1 : NULL;
	}
	return false;
}

void amk_say(enum amk_say_level level, const char *topic, const char *fmt, ...)
{
	static const char *const names[] = { "error", "info", "trace" };
	char line[1024], when[AMK_TIME_TEXT];
	va_list ap;
	int n, m;

	if (level == AMK_SAY_TRACE && !traced(topic))
		return;
	n = snprintf(line, sizeof line, "%s %s %s: ", amk_time_format(when, amk_time_now()), names[level], topic);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	n += m;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	line[n] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n + 1) < 0)
		return; /* nowhere left to say it */
}
