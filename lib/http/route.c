/* SPDX-License-Identifier: Apache-2.0 */
/* Segment by segment: a row's segment is a word or '{}', a path's segment is decoded before it is compared. */
#include "http/route.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Decodes one segment, NUL-terminated; the gate has seen to it that escapes are well-formed. */
static size_t segment_decode(char *to, const char *s, size_t n)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%' && n - i > 2) {
			to[m++] = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		} else {
			to[m++] = s[i];
		}
	}
	to[m] = '\0';
	return m;
}

/* Length up to the next '/' or the end of the path. */
static size_t segment_len(const char *s)
{
	return strcspn(s, "/?");
}

/* Whether the path is one of the pattern's; fills f->text with its parameters. */
static bool path_matches(const char *pattern, const char *path, struct amk_route_found *f)
{
	char *to = f->text;

	f->n = 0;
	while (*pattern == '/' && *path == '/') {
		size_t want = segment_len(++pattern), have = segment_len(++path);
		size_t n = segment_decode(to, path, have);

		if (want == 2 && memcmp(pattern, "{}", 2) == 0) {
			if (n == 0 || f->n == AMK_ROUTE_PARAMS)
				return false;
			f->params[f->n++] = to;
			to += n + 1;
		} else if (n != want || memcmp(pattern, to, n) != 0) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return *pattern == '\0' && (*path == '\0' || *path == '?');
}

static bool method_is(const char *row, const char *method)
{
	return strcmp(row, method) == 0 || (strcmp(row, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow_add(struct amk_route_found *f, const char *method)
{
	size_t at = strlen(f->allow);

	snprintf(f->allow + at, sizeof f->allow - at, "%s%s%s", at ? ", " : "", method,
		 strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

int amk_route_find(const struct amk_route *routes, const char *method, const char *target,
		   struct amk_route_found *f, struct amk_err *e)
{
	*f = (struct amk_route_found){ .text = amk_malloc(strlen(target) + AMK_ROUTE_PARAMS + 1) };
	for (const struct amk_route *r = routes; r->method; r++) {
		if (!path_matches(r->path, target, f))
			continue;
		if (method_is(r->method, method)) {
			f->route = r;
			return 0;
		}
		allow_add(f, r->method);
	}
	f->n = 0;
	if (f->allow[0])
		return amk_err_set(e, AMK_EMETHOD, "%.20s is not possible here, %s is", method, f->allow);
	return amk_err_set(e, AMK_ENOTFOUND, "there is no route %.*s", (int)strcspn(target, "?"), target);
}

void amk_route_release(struct amk_route_found *f)
{
	free(f->text);
	f->text = NULL;
	f->n = 0;
}
