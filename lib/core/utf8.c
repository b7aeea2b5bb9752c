/* SPDX-License-Identifier: Apache-2.0 */
/* Well-formedness of UTF-8: no overlong forms, no surrogates, nothing over U+10FFFF. */
#include "core/utf8.h"

static bool tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t amk_utf8_len(const char *str, size_t n)
{
	const unsigned char *s = (const unsigned char *)str;

	if (n == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return n >= 2 && tail(s[1]) ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		if (n < 3 || !tail(s[1]) || !tail(s[2]))
			return 0;
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		if (n < 4 || !tail(s[1]) || !tail(s[2]) || !tail(s[3]))
			return 0;
		if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

bool amk_utf8_valid(const char *s, size_t n)
{
	while (n) {
		size_t len = amk_utf8_len(s, n);

		if (!len)
			return false;
		s += len;
		n -= len;
	}
	return true;
}
