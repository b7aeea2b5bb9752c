/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: every code point, and everything that is none. */
#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "tap.h"

/* Writes a code point as the bit pattern of n bytes, well-formed or not. */
static void put(char *to, uint32_t c, size_t n)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(lead[n] | c);
}

static size_t proper_size(uint32_t c)
{
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void test_every_code_point(void)
{
	size_t wrong = 0, overlong = 0, cut = 0;
	char s[4];

	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		size_t n = proper_size(c);

		put(s, c, n);
		wrong += amk_utf8_len(s, n) != (surrogate ? 0 : n);
		for (size_t less = 1; less < n; less++)
			cut += amk_utf8_len(s, less) != 0;
		for (size_t more = n + 1; more <= 4; more++) {
			put(s, c, more);
			overlong += amk_utf8_len(s, more) != 0;
		}
	}
	is_int(wrong, 0, "all code points but surrogates, in their own length");
	is_int(cut, 0, "none when cut");
	is_int(overlong, 0, "none in a longer form");
}

static void test_refused(void)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe2\x82", "\xe2(\xac",
					   "\xe2\x82(", "\xf0\x9f\x98", "\xf0(\x98\x80", "\xf0\x9f(\x80", "\xf0\x9f\x98(",
					   "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
					   "\xed\xa0\x80", "\xed\xbf\xbf" };
	size_t accepted = 0;

	for (size_t i = 0; i < AMK_COUNT(bad); i++)
		accepted += amk_utf8_len(bad[i], strlen(bad[i])) != 0 || amk_utf8_valid(bad[i], strlen(bad[i]));
	is_int(accepted, 0, "malformed sequences");
}

static void test_texts(void)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";

	ok(amk_utf8_valid("", 0), "nothing");
	ok(amk_utf8_valid("a\0b", 3), "NUL is a character");
	ok(amk_utf8_valid(text, sizeof text - 1), "a text of all lengths");
	ok(!amk_utf8_valid(text, sizeof text - 3), "cut in a character");
	ok(!amk_utf8_valid("good\xff", 5) && !amk_utf8_valid("\xff" "good", 5), "one bad byte at an end");
	is_int(amk_utf8_len("", 0), 0, "no length of nothing");
	is_int(amk_utf8_len(text + 1, 10), 2, "the length of the first only");
}

int main(void)
{
	test_every_code_point();
	test_refused();
	test_texts();
	return tap_done();
}
