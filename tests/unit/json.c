/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON gate: what is accepted, what is refused, and what comes out again. */
#include "core/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

struct text {
	const char *s;
	size_t n;
	const char *name;
};
/* A text may hold NULs. */
#define TEXT(s, name) { s, sizeof(s) - 1, name }

static struct amk_err err;

static struct amk_json *parse(const char *s)
{
	err = (struct amk_err){ 0 };
	return amk_json_parse(s, strlen(s), &err);
}

/* print(parse(s)), or the error. */
static const char *round_trip(struct amk_buf *b, const char *s, size_t n)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(s, n, &err);

	amk_buf_clear(b);
	if (!j)
		return err.msg;
	amk_json_print(b, NULL, j);
	return amk_buf_ok(b) ? b->s : "too long";
}

static void test_unchanged(void)
{
	static const char *const texts[] = {
		"null", "true", "false", "0", "1", "-1", "\"\"", "{}", "[]", "[[]]", "[{}]", "{\"a\":{}}",
		"\"a\"", "[1,2,3]", "{\"b\":1,\"a\":2}", "{\"\":1}", "{\"a\":null}", "[null,true,false]",
		"123456789012345", "-12345678901234", "1234567890123456", "9007199254740993",
		"-9007199254740993", "9223372036854775807", "-9223372036854775808", "18446744073709551616",
		"1.10", "1.0", "0.1", "-0", "-0.0", "1e400", "1E5", "1e+5", "1e-5", "0e0", "1.5e-300",
		"[1.10,{\"a\":-0}]", "\"\\\"\\\\\\n\\r\\t\"", "\"\\u0001\\u001f\\u007f\"", "\"/\"",
		"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "{\"\xc3\xa4\":1}", "{\"a\\\"b\":1}", "\"1.5\"",
		"{\"A\":1,\"a\":2}",
	};
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	for (size_t i = 0; i < AMK_COUNT(texts); i++)
		is_str(round_trip(&b, texts[i], strlen(texts[i])), texts[i], texts[i]);
}

static void test_normalised(void)
{
	static const char *const pairs[][2] = {
		{ " 1 ", "1" }, { "\t[ 1 ,\r\n 2 ]\n", "[1,2]" }, { "{ \"a\" : 1 }", "{\"a\":1}" },
		{ "\"\\/\"", "\"/\"" }, { "\"\\b\\f\"", "\"\\u0008\\u000c\"" }, { "\"\\u0041\"", "\"A\"" },
		{ "\"\\u00e4\\u20AC\"", "\"\xc3\xa4\xe2\x82\xac\"" }, { "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
		{ "\"\x7f\"", "\"\\u007f\"" }, { "[ 1.10 , 2 ]", "[1.10,2]" }, { "[-0 ]", "[-0]" },
	};
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	for (size_t i = 0; i < AMK_COUNT(pairs); i++)
		is_str(round_trip(&b, pairs[i][0], strlen(pairs[i][0])), pairs[i][1], "another way to write the same");
}

static const struct text refused[] = {
	TEXT("", "nothing"), TEXT(" ", "a space"), TEXT("\n", "a newline"),
	TEXT("1 2", "two values"), TEXT("{}{}", "two objects"), TEXT("{}x", "a byte after the value"),
	TEXT("{}\0", "NUL after the value"), TEXT("\0", "NUL alone"), TEXT("[1\0]", "NUL inside"),
	TEXT("\"a\0b\"", "NUL in a string"), TEXT("\"\\u0000\"", "NUL, escaped"),
	TEXT("{\"a\\u0000b\":1}", "NUL in a key"), TEXT("1,", "a comma after the value"),
	TEXT("\"\\ud800\"", "a lone high surrogate"), TEXT("\"\\udc00\"", "a lone low surrogate"),
	TEXT("\"\\ud800x\"", "a high surrogate and a letter"), TEXT("\"\\ud800\\n\"", "a high surrogate and an escape"),
	TEXT("\"\\ud800\\ud800\"", "two high surrogates"), TEXT("\"\\udc00\\ud800\"", "surrogates the wrong way round"),
	TEXT("\"\\ud800\\u0041\"", "a high surrogate and an escaped letter"), TEXT("\"\\ud83d\\ude0\"", "half a pair"),
	TEXT("\"\\u12\"", "a short escape"), TEXT("\"\\u12g4\"", "no hexadecimal digit"),
	TEXT("\"\\u 041\"", "a space for a digit"), TEXT("\"\\x\"", "an unknown escape"),
	TEXT("\"\\\0\"", "an escaped NUL"), TEXT("\"a", "a string cut short"), TEXT("\"\\", "an escape cut short"),
	TEXT("\"\\u00", "a unicode escape cut short"), TEXT("\"a\nb\"", "a newline in a string"),
	TEXT("\"\x1f\"", "a control character in a string"), TEXT("\"\x80\"", "a stray continuation byte"),
	TEXT("\"\xc3\"", "UTF-8 cut short"), TEXT("\"\xc3(\"", "UTF-8 broken off"),
	TEXT("\"\xc0\x80\"", "overlong NUL"), TEXT("\"\xc0\xaf\"", "overlong slash"),
	TEXT("\"\xe0\x80\xaf\"", "overlong, three bytes"), TEXT("\"\xf0\x80\x80\xaf\"", "overlong, four bytes"),
	TEXT("\"\xed\xa0\x80\"", "a surrogate as UTF-8"), TEXT("\"\xf4\x90\x80\x80\"", "over U+10FFFF"),
	TEXT("\"\xff\"", "0xff"), TEXT("\"\xff" "1.5\"", "the mark of large numbers"),
	TEXT("{\"\xff" "1\":1}", "the mark of large numbers in a key"), TEXT("\xef\xbb\xbf{}", "a byte order mark"),
	TEXT("\xc3\xa4", "a letter outside a string"), TEXT("\x7f", "DEL"), TEXT("\x01{}", "a control character"),
	TEXT("\v1", "a vertical tab"), TEXT("\f1", "a form feed"), TEXT("{\"a\":1,\"a\":2}", "a key twice"),
	TEXT("{\"a\":1,\"\\u0061\":2}", "a key twice, once escaped"), TEXT("{\"\":1,\"\":2}", "the empty key twice"),
	TEXT("[{\"b\":{\"a\":1,\"c\":3,\"a\":2}}]", "a key twice, deeper"), TEXT("{1:2}", "a number as key"),
	TEXT("{1.5:2}", "a fraction as key"), TEXT("{12345678901234567890:2}", "a large number as key"),
	TEXT("{null:2}", "null as key"), TEXT("{a:2}", "a bare word as key"), TEXT("{'a':2}", "single quotes"),
	TEXT("{\"a\" 1}", "no colon"), TEXT("{\"a\":}", "no value"), TEXT("{\"a\"}", "no colon and no value"),
	TEXT("{\"a\":1,}", "a comma at the end"), TEXT("[1,]", "a comma at the end of an array"), TEXT("[,1]", "a comma first"),
	TEXT("[1 2]", "no comma"), TEXT("{,}", "only a comma"), TEXT("[", "an array cut short"),
	TEXT("{\"a\":1", "an object cut short"), TEXT("]", "only the end"), TEXT("[}", "wrong end"), TEXT("{]", "wrong end of an object"),
	TEXT("nul", "half a word"), TEXT("nulll", "a word and a half"), TEXT("True", "a capital"), TEXT("NaN", "NaN"),
	TEXT("Infinity", "Infinity"), TEXT("-Infinity", "-Infinity"), TEXT("01", "a leading zero"), TEXT("-01", "a negative leading zero"),
	TEXT("00", "two zeros"), TEXT("-", "a minus"), TEXT("+1", "a plus"), TEXT(".5", "no digit before the point"), TEXT("1.", "none after it"),
	TEXT("1.e5", "none between"), TEXT("1e", "no exponent"), TEXT("1e+", "an exponent's sign only"), TEXT("0x10", "hexadecimal"),
	TEXT("1.5.5", "two points"), TEXT("1-1", "an expression"), TEXT("--1", "two signs"), TEXT("1_000", "an underscore"),
	TEXT("/**/1", "a comment"), TEXT("1//", "a comment behind"), TEXT("[1.5 \"a\"]", "no comma after a fraction"),
	TEXT("1.5\"a\"", "a string after a fraction"),
	TEXT("11111111111111111111111111111111111111111111111111111111111111111", "65 digits"),
};

static void test_refused(void)
{
	for (size_t i = 0; i < AMK_COUNT(refused); i++) {
		struct amk_json *j AMK_AUTO(json) = NULL;

		err = (struct amk_err){ 0 };
		j = amk_json_parse(refused[i].s, refused[i].n, &err);
		ok(!j && err.code == AMK_EINVALID && strncmp(err.msg, "not usable JSON", 15) == 0, "refused: %s",
		   refused[i].name);
	}
	ok(!amk_json_parse("{", 1, NULL), "without anybody to tell");
}

/* Any text cut short must be refused, not read beyond. */
static void test_cut(void)
{
	static const char whole[] = "{\"a\":[1.25,-0,{\"b\":\"x\\u00e4\\ud83d\\ude00\xc3\xa4\"},true,null],\"c\":12345678901234567890}";
	size_t bad = 0;

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		char *copy = amk_malloc(n); /* of exactly this size, for the sanitizer */
		struct amk_json *j AMK_AUTO(json) = NULL;

		memcpy(copy, whole, n);
		j = amk_json_parse(copy, n, &err);
		bad += j != NULL;
		free(copy);
	}
	is_int(bad, 0, "a text cut at any byte is refused");
}

/* n times open, then n times close; with a member on the way for objects. */
static bool nests(size_t n, const char *open, const char *close)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);
	struct amk_json *j AMK_AUTO(json) = NULL;

	for (size_t i = 0; i < n; i++)
		amk_buf_adds(&b, open);
	amk_buf_adds(&b, "1");
	for (size_t i = 0; i < n; i++)
		amk_buf_adds(&b, close);
	j = amk_json_parse(b.s, b.n, &err);
	return j != NULL;
}

static void test_depth(void)
{
	ok(nests(64, "[", "]"), "64 arrays deep");
	ok(!nests(65, "[", "]"), "not 65");
	ok(nests(64, "{\"a\":", "}"), "64 objects deep");
	ok(!nests(65, "{\"a\":", "}"), "not 65 either");
	ok(!nests(100000, "[", "]"), "nor 100,000");
	ok(nests(32, "[{\"a\":", "}]"), "32 of both");
	ok(!nests(33, "[{\"a\":", "}]"), "not 33");
}

/* An object of n keys, the last one given. */
static struct amk_json *keys(unsigned n, const char *last)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);

	amk_buf_adds(&b, "[{");
	for (unsigned i = 1; i < n; i++)
		amk_buf_addf(&b, "\"k%u\":%u,", i, i);
	amk_buf_addf(&b, "\"%s\":0}]", last);
	return amk_json_parse(b.s, b.n, &err);
}

static void test_many_keys(void)
{
	static const unsigned counts[] = { 2, 16, 17, 1000 };

	for (size_t i = 0; i < AMK_COUNT(counts); i++) {
		struct amk_json *good = keys(counts[i], "last"), *bad = keys(counts[i], "k1");

		ok(good && !bad, "%u keys: different ones, one twice", counts[i]);
		ok(strstr(err.msg, "\"k1\" twice"), "the key is named");
		amk_json_free(good);
		amk_json_free(bad);
	}
}

static void test_long_string(void)
{
	size_t n = 10 << 20;
	struct amk_buf in AMK_AUTO(buf) = AMK_BUF_INIT(n + 100), out AMK_AUTO(buf) = AMK_BUF_INIT(n + 100);

	amk_buf_adds(&in, "{\"text\":\"");
	memset(amk_buf_room(&in, n), 'x', n);
	in.n += n;
	amk_buf_adds(&in, "\",\"n\":9007199254740993}");
	is_str(strcmp(round_trip(&out, in.s, in.n), in.s) == 0 ? "same" : "other", "same", "a string of 10 MiB");
}

/* Every byte of a text in turn set to every value: nothing may crash, what is accepted is printable again. */
static void test_torture(void)
{
	static const char seed[] = "{\"a\":[1.5,-0,\"\\u00e4\\ud83d\\ude00\"],\"b\":{\"c\":null}}";
	struct amk_buf once AMK_AUTO(buf) = AMK_BUF_INIT(1000), twice AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	char text[sizeof seed];
	size_t n = sizeof seed - 1, accepted = 0, unstable = 0;

	for (size_t i = 0; i < n; i++)
		for (int c = 0; c < 256; c++) {
			struct amk_json *j AMK_AUTO(json) = NULL;

			memcpy(text, seed, n);
			text[i] = (char)c;
			j = amk_json_parse(text, n, &err);
			if (!j)
				continue;
			accepted++;
			amk_buf_clear(&once);
			amk_json_print(&once, NULL, j);
			if (strcmp(round_trip(&twice, once.s, once.n), once.s) != 0)
				unstable++;
		}
	ok(accepted > 100 && accepted < n * 256 / 2, "%zu of %zu mutations are JSON", accepted, n * 256);
	is_int(unstable, 0, "what is printed is accepted and printed the same");
}

static void test_numbers(void)
{
	struct amk_json *j AMK_AUTO(json) = parse("[9007199254740993,-9223372036854775808,9223372036854775808,1.0,1e3,"
						  "-0,1e400,42,\"42\",-0.5]");
	static const int64_t exact[] = { INT64_C(9007199254740993), INT64_MIN };
	const struct amk_json *c = amk_json_first(j);
	int64_t v = 77;
	double d = 0;

	for (size_t i = 0; i < AMK_COUNT(exact); i++, c = amk_json_next(c))
		ok(amk_json_int(c, &v) && v == exact[i], "%lld is exact", (long long)exact[i]);
	v = 77;
	ok(!amk_json_int(c, &v) && v == 77, "2^63 is no integer of ours");
	ok(amk_json_num(c, &d) && d == 9223372036854775808.0, "but a number");
	c = amk_json_next(c);
	ok(!amk_json_int(c, &v) && amk_json_num(c, &d) && d == 1.0, "1.0 is written as a fraction");
	c = amk_json_next(c);
	ok(!amk_json_int(c, &v) && amk_json_num(c, &d) && d == 1000.0, "1e3 too");
	c = amk_json_next(c);
	ok(amk_json_int(c, &v) && v == 0, "-0 is 0");
	c = amk_json_next(c);
	ok(amk_json_num(c, &d) && isinf(d), "1e400 is too large for a double");
	c = amk_json_next(c);
	ok(amk_json_int(c, &v) && v == 42 && amk_json_num(c, &d) && d == 42.0 && !amk_json_str(c), "42");
	c = amk_json_next(c);
	ok(!amk_json_int(c, &v) && !amk_json_num(c, &d) && amk_json_str(c), "\"42\" is a string");
	c = amk_json_next(c);
	ok(amk_json_num(c, &d) && d == -0.5, "-0.5");
	ok(!amk_json_next(c), "the last one");
}

static void test_access(void)
{
	struct amk_json *j AMK_AUTO(json) =
		parse("{\"s\":\"text\",\"n\":7,\"t\":true,\"f\":false,\"z\":null,\"o\":{\"x\":1},\"a\":[],\"big\":1.5}");
	bool b = false;

	ok(amk_json_is_object(j) && !amk_json_is_array(j) && !amk_json_is_null(j), "an object");
	is_str(amk_json_get_str(j, "s"), "text", "a string member");
	ok(!amk_json_get(j, "S"), "names are exact");
	is_int(amk_json_get_int(j, "n", -1), 7, "an integer member");
	is_int(amk_json_get_int(j, "s", -1), -1, "another type gives the default");
	is_int(amk_json_get_int(j, "missing", -1), -1, "so does a missing one");
	is_int(amk_json_get_int(j, "big", -1), -1, "and a fraction");
	ok(amk_json_is(j, "s", "text") && !amk_json_is(j, "s", "tex") && !amk_json_is(j, "n", "7") &&
	   !amk_json_is(j, "missing", ""), "comparing a string member");
	ok(amk_json_true(amk_json_get(j, "t")) && !amk_json_true(amk_json_get(j, "f")) &&
	   !amk_json_true(amk_json_get(j, "s")), "true is true only");
	ok(amk_json_bool(amk_json_get(j, "t"), &b) && b && amk_json_bool(amk_json_get(j, "f"), &b) && !b &&
	   !amk_json_bool(amk_json_get(j, "z"), &b), "booleans");
	ok(amk_json_is_null(amk_json_get(j, "z")) && !amk_json_is_null(amk_json_get(j, "missing")), "null is not missing");
	ok(amk_json_is_array(amk_json_get(j, "a")) && !amk_json_first(amk_json_get(j, "a")), "an empty array");
	is_str(amk_json_key(amk_json_first(j)), "s", "the first member's name");
	is_str(amk_json_key(amk_json_next(amk_json_first(j))), "n", "the next one's");
	ok(!amk_json_str(amk_json_get(j, "big")), "a number kept as text is no string");
}

static void test_missing(void)
{
	bool b;
	int64_t v;
	double d;

	ok(!amk_json_get(NULL, "a") && !amk_json_first(NULL) && !amk_json_next(NULL) && !amk_json_key(NULL) &&
	   !amk_json_str(NULL) && !amk_json_int(NULL, &v) && !amk_json_num(NULL, &d) && !amk_json_bool(NULL, &b) &&
	   !amk_json_true(NULL) && !amk_json_is_object(NULL) && !amk_json_is_array(NULL) && !amk_json_is_null(NULL) &&
	   !amk_json_get_str(NULL, "a") && !amk_json_is(NULL, "a", "b"), "a missing value has no type");
	amk_json_free(NULL);
}

struct fields {
	const char *text;
	int64_t count;
	bool flag;
	const struct amk_json *object, *array;
};

static const struct amk_json_field table[] = {
	AMK_JSON_FIELD(fields, text, "text", STR, true),
	AMK_JSON_FIELD(fields, count, "count", INT, false),
	AMK_JSON_FIELD(fields, flag, "flag", BOOL, false),
	AMK_JSON_FIELD(fields, object, "object", OBJECT, false),
	AMK_JSON_FIELD(fields, array, "array", ARRAY, false),
};

/* "" or what was wrong. */
static const char *read_fields(const char *text, struct fields *f)
{
	struct amk_json *j AMK_AUTO(json) = parse(text);

	if (amk_json_read(j, table, AMK_COUNT(table), f, &err) < 0)
		return err.code == AMK_EINVALID ? err.msg : "another code";
	f->text = f->text ? strcmp(f->text, "hello") == 0 ? "hello" : "other" : NULL; /* the tree goes */
	return "";
}

static void test_reading_by_table(void)
{
	struct fields f = { .count = 5 };

	is_str(read_fields("{\"text\":\"hello\",\"count\":9007199254740993,\"flag\":true,\"object\":{},\"array\":[],"
			   "\"unknown\":1}", &f), "", "everything, and something unknown");
	ok(strcmp(f.text, "hello") == 0 && f.count == INT64_C(9007199254740993) && f.flag && f.object && f.array,
	   "is filled in");
	f = (struct fields){ .count = 5 };
	is_str(read_fields("{\"text\":\"hello\",\"count\":null}", &f), "", "only what is required");
	ok(f.count == 5 && !f.object, "the rest stays");
	is_str(read_fields("{}", &f), "\"text\" is missing", "something required is missing");
	is_str(read_fields("{\"text\":null}", &f), "\"text\" is missing", "or null");
	is_str(read_fields("{\"text\":1}", &f), "\"text\" must be a string", "a wrong type");
	is_str(read_fields("{\"text\":\"\",\"count\":1.5}", &f), "\"count\" must be an integer", "a fraction");
	is_str(read_fields("{\"text\":\"\",\"flag\":0}", &f), "\"flag\" must be true or false", "0 for false");
	is_str(read_fields("{\"text\":\"\",\"object\":[]}", &f), "\"object\" must be an object", "an array for an object");
	is_str(read_fields("{\"text\":\"\",\"array\":{}}", &f), "\"array\" must be an array", "an object for an array");
	is_str(read_fields("[]", &f), "a JSON object is needed", "an array for all of it");
}

static void test_printing(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	struct amk_json *j AMK_AUTO(json) = parse("{\"a\":[1.10,\"x\"],\"b\":null}");

	amk_buf_addc(&b, '{');
	amk_json_print(&b, "first", amk_json_get(j, "a"));
	amk_json_print(&b, "second", NULL);
	amk_json_print(&b, "third", j);
	amk_buf_addc(&b, '}');
	is_str(b.s, "{\"first\":[1.10,\"x\"],\"second\":null,\"third\":{\"a\":[1.10,\"x\"],\"b\":null}}",
	       "values under keys, a missing one is null");
}

int main(void)
{
	test_unchanged();
	test_normalised();
	test_refused();
	test_cut();
	test_depth();
	test_many_keys();
	test_long_string();
	test_torture();
	test_numbers();
	test_access();
	test_missing();
	test_reading_by_table();
	test_printing();
	return tap_done();
}
