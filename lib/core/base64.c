/* SPDX-License-Identifier: Apache-2.0 */
/* Three bytes become four characters, and back. */
#include "core/base64.h"

#include <string.h>

static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* n is 1 to 3. */
static void encode_group(char to[4], const unsigned char *s, size_t n)
{
	unsigned v = (unsigned)s[0] << 16 | (n > 1 ? (unsigned)s[1] << 8 : 0) | (n > 2 ? s[2] : 0);

	to[0] = set[v >> 18];
	to[1] = set[v >> 12 & 63];
	to[2] = n > 1 ? set[v >> 6 & 63] : '=';
	to[3] = n > 2 ? set[v & 63] : '=';
}

static int digit(char c)
{
	const char *at = memchr(set, c == '-' ? '+' : c == '_' ? '/' : c, sizeof set - 1);

	return at ? (int)(at - set) : -1;
}

void amk_base64_encode(struct amk_buf *b, const void *bytes, size_t n)
{
	const unsigned char *s = bytes;
	char *to = amk_buf_room(b, (n + 2) / 3 * 4);

	if (!to)
		return;
	for (size_t i = 0; i < n; i += 3, to += 4)
		encode_group(to, s + i, n - i < 3 ? n - i : 3);
	b->n += (n + 2) / 3 * 4;
	b->s[b->n] = '\0';
}

bool amk_base64_decode(struct amk_buf *b, const char *s, size_t n)
{
	bool padded = n % 4 == 0;
	unsigned bits = 0;
	size_t m = b->n, i = 0;

	for (int pads = 0; padded && pads < 2 && n && s[n - 1] == '='; pads++)
		n--;
	if (n % 4 == 1 || !amk_buf_room(b, n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0)))
		return false;
	for (; i < n; i++) {
		int d = digit(s[i]);

		if (d < 0)
			break;
		bits = bits << 6 | (unsigned)d;
		if (i % 4)
			b->s[m++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	if (i == n)
		b->n = m;
	b->s[b->n] = '\0';
	return i == n;
}
