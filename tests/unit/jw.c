/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: commas, escapes, bytes that are not UTF-8. */
#include "core/jw.h"

#include <stdint.h>
#include <string.h>

#include "core/json.h"
#include "tap.h"

static void test_structure(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "empty", '{');
	amk_jw_close(&b, '}');
	amk_jw_open(&b, "list", '[');
	amk_jw_int(&b, NULL, 1);
	amk_jw_bool(&b, NULL, false);
	amk_jw_null(&b, NULL);
	amk_jw_open(&b, NULL, '[');
	amk_jw_close(&b, ']');
	amk_jw_cstr(&b, NULL, "x");
	amk_jw_close(&b, ']');
	amk_jw_cstr(&b, "none", NULL);
	amk_jw_str(&b, "part", "abcdef", 3);
	amk_jw_int(&b, "least", INT64_MIN);
	amk_jw_int(&b, "most", INT64_MAX);
	amk_jw_bool(&b, "yes", true);
	amk_jw_raw(&b, "raw", "[1, 2]", 6);
	amk_jw_close(&b, '}');
	is_str(b.s, "{\"empty\":{},\"list\":[1,false,null,[],\"x\"],\"none\":null,\"part\":\"abc\","
		    "\"least\":-9223372036854775808,\"most\":9223372036854775807,\"yes\":true,\"raw\":[1, 2]}",
	       "commas where they belong");
}

static void test_members(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	amk_jw_open(&b, NULL, '{');
	amk_jw_members(&b, "", 0);
	amk_jw_members(&b, "\"a\":1", 5);
	amk_jw_members(&b, "", 0);
	amk_jw_members(&b, "\"b\":2,\"c\":3", 11);
	amk_jw_cstr(&b, "d", "{[:,");
	amk_jw_cstr(&b, "e", "");
	amk_jw_int(&b, "f", 0);
	amk_jw_close(&b, '}');
	is_str(b.s, "{\"a\":1,\"b\":2,\"c\":3,\"d\":\"{[:,\",\"e\":\"\",\"f\":0}", "members put in, and none");
}

static void test_lines(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	amk_buf_adds(&b, "data: ");
	amk_jw_open(&b, NULL, '{');
	amk_jw_close(&b, '}');
	amk_buf_addc(&b, '\n');
	amk_jw_open(&b, NULL, '{');
	amk_jw_close(&b, '}');
	is_str(b.s, "data: {}\n{}", "no comma behind a label or a newline");
}

struct row {
	const char *s;
	size_t n;
	const char *want;
};
#define ROW(s, want) { s, sizeof(s) - 1, want }

static void test_escapes(void)
{
	static const struct row rows[] = {
		ROW("", ""), ROW("plain", "plain"), ROW("\"\\/", "\\\"\\\\/"), ROW("\n\r\t", "\\n\\r\\t"),
		ROW("\b\f\x01\x1f", "\\u0008\\u000c\\u0001\\u001f"), ROW("a\0b", "a\\u0000b"), ROW("\x7f", "\\u007f"),
		ROW("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
		ROW("\xff", "\xef\xbf\xbd"), ROW("a\xc3", "a\xef\xbf\xbd"), ROW("\xc3(", "\xef\xbf\xbd("),
		ROW("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"), ROW("\xed\xa0\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"),
		ROW("\x80\xc3\xa4\x80", "\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd"),
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

		amk_jw_escape(&b, rows[i].s, rows[i].n);
		is_str(b.s, rows[i].want, "an escape");
	}
}

static void test_keys(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	amk_jw_open(&b, NULL, '{');
	amk_jw_int(&b, "a\"\n", 1);
	amk_jw_int(&b, "", 2);
	amk_jw_close(&b, '}');
	is_str(b.s, "{\"a\\\"\\n\":1,\"\":2}", "keys are escaped too, and may be empty");
}

/* Any bytes at all give JSON that the gate accepts, with a string of the same meaning where it was UTF-8. */
static void test_torture(void)
{
	unsigned seed = 1;
	int bad = 0;

	for (int round = 0; round < 2000; round++) {
		struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10000);
		struct amk_json *j AMK_AUTO(json) = NULL;
		char bytes[40];
		struct amk_err e;

		for (size_t i = 0; i < sizeof bytes; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (char)(1 + (seed >> 16) % 255);
		}
		amk_jw_str(&b, NULL, bytes, sizeof bytes);
		j = amk_json_parse(b.s, b.n, &e);
		bad += !amk_json_str(j);
	}
	is_int(bad, 0, "random bytes come out as valid JSON");
}

static void test_overflow(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10);

	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "key", "a value that is too long");
	amk_jw_close(&b, '}');
	ok(!amk_buf_ok(&b), "what does not fit is noticed at the end");
}

int main(void)
{
	test_structure();
	test_members();
	test_lines();
	test_escapes();
	test_keys();
	test_torture();
	test_overflow();
	return tap_done();
}
