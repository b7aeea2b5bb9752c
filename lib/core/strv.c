/* SPDX-License-Identifier: Apache-2.0 */
/* argv and environ, built string by string. */
#include "core/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"

static void take(struct amk_strv *v, char *s)
{
	v->v = amk_realloc(v->v, (v->n + 2) * sizeof *v->v);
	v->v[v->n++] = s;
	v->v[v->n] = NULL;
}

void amk_strv_add(struct amk_strv *v, const char *s)
{
	take(v, amk_strdup(s));
}

void amk_strv_addf(struct amk_strv *v, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		AMK_BUG("out of memory for a string");
	va_end(ap);
	take(v, s);
}

void amk_strv_release(struct amk_strv *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	*v = (struct amk_strv){ 0 };
}

void amk_auto_strv(struct amk_strv *v)
{
	amk_strv_release(v);
}

bool amk_strv_name_is(const char *name, size_t n, const char *pattern)
{
	size_t k = strlen(pattern);

	if (k && pattern[k - 1] == '*')
		return n >= k - 1 && memcmp(name, pattern, k - 1) == 0;
	return n == k && memcmp(name, pattern, n) == 0;
}
