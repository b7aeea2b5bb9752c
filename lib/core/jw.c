/* SPDX-License-Identifier: Apache-2.0 */
/* The last byte written tells whether a comma is due: no state is kept. */
#include "core/jw.h"

#include <inttypes.h>
#include <string.h>

#include "core/utf8.h"

static void comma(struct amk_buf *b)
{
	switch (b->n ? b->s[b->n - 1] : '\0') {
	case '\0':
	case '{':
	case '[':
	case ':':
	case ',':
	case ' ':
	case '\n':
		break;
	default:
		amk_buf_addc(b, ',');
	}
}

static void lead(struct amk_buf *b, const char *key)
{
	comma(b);
	if (!key)
		return;
	amk_buf_addc(b, '"');
	amk_jw_escape(b, key, strlen(key));
	amk_buf_add(b, "\":", 2);
}

void amk_jw_open(struct amk_buf *b, const char *key, char bracket)
{
	lead(b, key);
	amk_buf_addc(b, bracket);
}

void amk_jw_close(struct amk_buf *b, char bracket)
{
	amk_buf_addc(b, bracket);
}

static void escape_one(struct amk_buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		amk_buf_add(b, "\\\"", 2);
		break;
	case '\\':
		amk_buf_add(b, "\\\\", 2);
		break;
	case '\n':
		amk_buf_add(b, "\\n", 2);
		break;
	case '\r':
		amk_buf_add(b, "\\r", 2);
		break;
	case '\t':
		amk_buf_add(b, "\\t", 2);
		break;
	default:
		amk_buf_addf(b, "\\u%04x", c);
	}
}

void amk_jw_escape(struct amk_buf *b, const char *s, size_t n)
{
	const char *end = s + n, *run = s;

	while (s < end) {
		unsigned char c = (unsigned char)*s;
		size_t len;

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
			s++;
			continue;
		}
		len = c >= 0x80 ? amk_utf8_len(s, (size_t)(end - s)) : 0;
		if (len) {
			s += len;
			continue;
		}
		amk_buf_add(b, run, (size_t)(s - run));
		if (c >= 0x80)
			amk_buf_add(b, "\xef\xbf\xbd", 3);
		else
			escape_one(b, c);
		run = ++s;
	}
	amk_buf_add(b, run, (size_t)(s - run));
}

void amk_jw_str(struct amk_buf *b, const char *key, const char *s, size_t n)
{
	if (!s) {
		amk_jw_null(b, key);
		return;
	}
	lead(b, key);
	amk_buf_addc(b, '"');
	amk_jw_escape(b, s, n);
	amk_buf_addc(b, '"');
}

void amk_jw_cstr(struct amk_buf *b, const char *key, const char *s)
{
	amk_jw_str(b, key, s, s ? strlen(s) : 0);
}

void amk_jw_int(struct amk_buf *b, const char *key, int64_t v)
{
	lead(b, key);
	amk_buf_addf(b, "%" PRId64, v);
}

void amk_jw_bool(struct amk_buf *b, const char *key, bool v)
{
	lead(b, key);
	amk_buf_adds(b, v ? "true" : "false");
}

void amk_jw_null(struct amk_buf *b, const char *key)
{
	lead(b, key);
	amk_buf_adds(b, "null");
}

void amk_jw_raw(struct amk_buf *b, const char *key, const char *s, size_t n)
{
	lead(b, key);
	amk_buf_add(b, s, n);
}

void amk_jw_members(struct amk_buf *b, const char *s, size_t n)
{
	if (n == 0)
		return;
	comma(b);
	amk_buf_add(b, s, n);
}
