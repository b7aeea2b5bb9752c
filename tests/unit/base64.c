/* SPDX-License-Identifier: Apache-2.0 */
/* Base64: the vectors of RFC 4648, all bytes, the buffer's limit. */
#include "core/base64.h"

#include <string.h>

#include "tap.h"

static void test_vectors(void)
{
	static const char *const rows[][2] = {
		{ "", "" },		{ "f", "Zg==" },	{ "fo", "Zm8=" },	  { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(100);

		amk_base64_encode(&b, rows[i][0], strlen(rows[i][0]));
		is_str(b.s, rows[i][1], rows[i][1]);
	}
}

static void test_bytes(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(100);

	amk_buf_adds(&b, "x");
	amk_base64_encode(&b, "\x00\xff\xfe\xfb\xf0\x3f", 6);
	is_str(b.s, "xAP/++/A/", "bytes above 127 and zero, behind what is there");
}

static void test_limit(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(7);

	amk_base64_encode(&b, "foob", 4);
	ok(!amk_buf_ok(&b) && b.n == 0, "what does not fit is not begun");
}

static void decodes(const char *s, const char *want)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(7);

	amk_buf_adds(&b, "x");
	ok(amk_base64_decode(&b, s, strlen(s)) == (want != NULL), "%s: %s", want ? "means something" : "means nothing", s);
	ok(b.n == 1 + (want ? strlen(want) : 0) && memcmp(b.s + 1, want ? want : "", b.n - 1) == 0 && b.s[b.n] == '\0',
	   "that is added behind what is there");
}

static void test_back(void)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "Zg==", "f" }, { "Zg", "f" }, { "Zm8=", "fo" }, { "Zm8", "fo" }, { "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" }, { "Zm9vYmFy", "foobar" }, { "++//", "\xfb\xef\xff" }, { "--__", "\xfb\xef\xff" },
		{ "Zg=", NULL }, { "Zg===", NULL }, { "Z", NULL }, { "Zm9vY", NULL }, { "=", NULL }, { "Zm=v", NULL },
		{ "Zm9\n", NULL }, { "Zm 9", NULL }, { "Zm9vYmFyYg", NULL /* does not fit */ },
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		decodes(rows[i][0], rows[i][1]);
}

int main(void)
{
	test_vectors();
	test_back();
	test_bytes();
	test_limit();
	return tap_done();
}
