/* SPDX-License-Identifier: Apache-2.0 */
/* Wildcards: which places of the text the pattern can have reached, one row after another. */
#include "decision/glob.h"

#include <string.h>

/* Length of the character at s; a stray byte counts as one. */
static size_t char_len(const char *s)
{
	size_t n = 1;

	if ((unsigned char)*s >= 0xC0)
		while (((unsigned char)s[n] & 0xC0) == 0x80)
			n++;
	return n;
}

static void step_one(const bool *from, bool *to, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (from[i] && text[i] != '/')
			to[i + char_len(text + i)] = true;
}

static void step_byte(const bool *from, bool *to, const char *text, size_t n, char c)
{
	for (size_t i = 0; i < n; i++)
		to[i + 1] = from[i] && text[i] == c;
}

static void step_many(const bool *from, bool *to, const char *text, size_t n, char wildcard)
{
	bool reached = false;

	for (size_t i = 0; i <= n; i++) {
		if (i && wildcard == AMK_GLOB_STAR && text[i - 1] == '/')
			reached = false;
		reached = reached || from[i];
		to[i] = wildcard == AMK_GLOB_DIRS ? from[i] || (reached && i && text[i - 1] == '/') : reached;
	}
}

bool amk_glob_match(const char *pattern, const char *text)
{
	size_t n = strnlen(text, AMK_GLOB_MAX + 1);
	bool rows[2][AMK_GLOB_MAX + 2] = { { true } };
	bool *from = rows[0], *to = rows[1], *other;

	if (n > AMK_GLOB_MAX || strnlen(pattern, AMK_GLOB_MAX + 1) > AMK_GLOB_MAX)
		return false;
	for (const char *p = pattern; *p; p++) {
		memset(to, 0, n + 1);
		if (*p == AMK_GLOB_ONE)
			step_one(from, to, text, n);
		else if (*p >= AMK_GLOB_STAR && *p <= AMK_GLOB_DIRS)
			step_many(from, to, text, n, *p);
		else
			step_byte(from, to, text, n, *p);
		other = from;
		from = to;
		to = other;
	}
	return from[n];
}

static bool is_dots(const char *component, size_t n)
{
	return (n == 1 && component[0] == '.') || (n == 2 && component[0] == '.' && component[1] == '.');
}

static int check_path(const char *pattern, struct amk_err *e)
{
	if (!pattern[0] || strlen(pattern) > AMK_GLOB_MAX / 2)
		return amk_err_set(e, AMK_EINVALID, "a path pattern has 1 to %d bytes", AMK_GLOB_MAX / 2);
	if (pattern[0] == '~') {
		amk_err_set(e, AMK_EINVALID, "path pattern %.100s: ~ is not a folder here", pattern);
		return amk_err_hint(e, "write the folder out");
	}
	for (const char *p = pattern; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || strchr("[]", *p))
			return amk_err_set(e, AMK_EINVALID, "path pattern %.100s: no [ ] and no control characters", pattern);
	for (const char *p = pattern; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (is_dots(p, n)) {
			amk_err_set(e, AMK_EINVALID, "path pattern %.100s: no . and .. in it", pattern);
			return amk_err_hint(e, "it is compared with the path that all links lead to");
		}
		p += n;
	}
	return 0;
}

int amk_glob_path(struct amk_buf *to, const char *pattern, struct amk_err *e)
{
	if (check_path(pattern, e) < 0)
		return -1;
	for (const char *p = pattern; *p; p++) {
		bool starts = p == pattern || p[-1] == '/';

		if (strncmp(p, "**", 2) == 0) {
			bool dirs = starts && p[2] == '/';

			amk_buf_addc(to, dirs ? AMK_GLOB_DIRS : AMK_GLOB_ALL);
			p += dirs ? 2 : 1;
		} else if (*p == '/' && starts && p != pattern) {
			continue; /* "//" is "/" */
		} else {
			amk_buf_addc(to, *p == '*' ? AMK_GLOB_STAR : *p == '?' ? AMK_GLOB_ONE : *p);
		}
	}
	return 0;
}
