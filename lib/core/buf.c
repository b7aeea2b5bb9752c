/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes up to a stated maximum. */
#include "core/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

#define SMALLEST 256 /* bytes: most records fit with one step more */

char amk_buf_empty[1] = "";

void amk_buf_init(struct amk_buf *b, size_t max)
{
	*b = (struct amk_buf)AMK_BUF_INIT(max);
}

void amk_buf_release(struct amk_buf *b)
{
	if (b->cap)
		free(b->s);
	amk_buf_init(b, b->max);
}

void amk_buf_clear(struct amk_buf *b)
{
	b->n = 0;
	b->over = false;
	if (b->cap)
		b->s[0] = '\0';
}

bool amk_buf_ok(const struct amk_buf *b)
{
	return !b->over;
}

char *amk_buf_room(struct amk_buf *b, size_t n)
{
	size_t cap;

	if (b->over || n > b->max || b->n > b->max - n) {
		b->over = true;
		return NULL;
	}
	if (b->n + n + 1 > b->cap) {
		cap = b->cap < SMALLEST ? SMALLEST : b->cap;
		while (cap < b->n + n + 1)
			cap *= 2;
		b->s = amk_realloc(b->cap ? b->s : NULL, cap);
		b->cap = cap;
		b->s[b->n] = '\0';
	}
	return b->s + b->n;
}

void amk_buf_add(struct amk_buf *b, const void *s, size_t n)
{
	char *to = amk_buf_room(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, s, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void amk_buf_adds(struct amk_buf *b, const char *s)
{
	amk_buf_add(b, s, strlen(s));
}

void amk_buf_addc(struct amk_buf *b, char c)
{
	char *to = b->n + 1 < b->cap && !b->over && b->n < b->max ? b->s + b->n : amk_buf_room(b, 1);

	if (!to)
		return;
	to[0] = c;
	to[1] = '\0';
	b->n++;
}

void amk_buf_addf(struct amk_buf *b, const char *fmt, ...)
{
	va_list ap;
	char small[256];
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		AMK_BUG("format \"%s\"", fmt);
	if ((size_t)n < sizeof small) {
		amk_buf_add(b, small, (size_t)n);
		return;
	}
	if (!amk_buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->s + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void amk_buf_drop(struct amk_buf *b, size_t n)
{
	if (n > b->n)
		AMK_BUG("drop of %zu from %zu", n, b->n);
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->s, b->s + n, b->n + 1);
}

char *amk_buf_take(struct amk_buf *b)
{
	char *s = b->cap ? b->s : amk_strdup("");

	amk_buf_init(b, b->max);
	return s;
}

void *amk_malloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		AMK_BUG("out of memory for %zu bytes", n);
	return p;
}

void *amk_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		AMK_BUG("out of memory for %zu times %zu bytes", n, size);
	return p;
}

void *amk_realloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		AMK_BUG("out of memory for %zu bytes", n);
	return p;
}

char *amk_strdup(const char *s)
{
	return amk_strndup(s, strlen(s));
}

char *amk_strndup(const char *s, size_t n)
{
	char *p = amk_malloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *amk_strf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		AMK_BUG("out of memory for a string");
	return s;
}

void amk_auto_buf(struct amk_buf *b)
{
	amk_buf_release(b);
}

void amk_auto_mem(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof p);
	free(p);
}

void amk_auto_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int amk_take_fd(int *fd)
{
	int n = *fd;

	*fd = -1;
	return n;
}
