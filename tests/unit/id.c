/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids. */
#include "core/id.h"

#include <string.h>

#include "core/buf.h"
#include "tap.h"

static const char *repeated(char to[200], char c, size_t n)
{
	memset(to, c, n);
	to[n] = '\0';
	return to;
}

static void test_ids(void)
{
	static const char *const good[] = { "a", "A", "0", "a.b", "a_b-c", "-", "_", "Z9.", "a..b" };
	static const char *const bad[] = { "", ".", "..", ".a", "a b", "a/b", "a%2fb", "\xc3\xa4", "a\n", "a:b", "a+b", "~" };
	char text[200];

	for (size_t i = 0; i < AMK_COUNT(good); i++)
		ok(amk_id_valid(good[i]), "an id: %s", good[i]);
	for (size_t i = 0; i < AMK_COUNT(bad); i++)
		ok(!amk_id_valid(bad[i]), "no id, number %zu", i);
	ok(amk_id_valid(repeated(text, 'x', 128)), "128 characters");
	ok(!amk_id_valid(repeated(text, 'x', 129)), "not 129");
}

static void test_names(void)
{
	static const char *const good[] = { "a", "0", "tau", "a-b", "a-", "9-9" };
	static const char *const bad[] = { "", "-", "-a", "A", "a.b", "a_b", "a b", "a/b", ".a", "\xc3\xa4" };
	char text[200];

	for (size_t i = 0; i < AMK_COUNT(good); i++)
		ok(amk_id_name_valid(good[i]), "a name: %s", good[i]);
	for (size_t i = 0; i < AMK_COUNT(bad); i++)
		ok(!amk_id_name_valid(bad[i]), "no name, number %zu", i);
	ok(amk_id_name_valid(repeated(text, 'x', 63)), "63 characters");
	ok(!amk_id_name_valid(repeated(text, 'x', 64)), "not 64");
}

static void test_random(void)
{
	char seen[200][13], first[65];
	int same = 0, bad = 0;

	for (int i = 0; i < 200; i++) {
		amk_id_random(seen[i], 12);
		bad += strlen(seen[i]) != 12 || !amk_id_name_valid(seen[i]) || strpbrk(seen[i], "il1o");
		for (int j = 0; j < i; j++)
			same += strcmp(seen[i], seen[j]) == 0;
	}
	is_int(bad, 0, "200 random names, without look-alikes");
	is_int(same, 0, "all different");
	amk_id_random(first, 64);
	is_int(strlen(first), 64, "the longest");
	amk_id_random(first, 0);
	is_str(first, "", "the shortest");
}

static void test_uuids(void)
{
	char a[AMK_ID_UUID], b[AMK_ID_UUID];

	is_str(amk_id_uuid(a, "00000000-0000-4000-8000-0000000000a1"), "00000000-0000-4000-8000-0000000000a1", "a UUID");
	is_str(amk_id_uuid(a, "ABCDEF00-0000-4000-8000-0000000000A1"), "abcdef00-0000-4000-8000-0000000000a1",
	       "in lower case");
	/* SHA-256 of "abc" is ba7816bf-8f01-cfea-4141-40de5dae2223…, FIPS 180-4. */
	is_str(amk_id_uuid(a, "abc"), "ba7816bf-8f01-8fea-8141-40de5dae2223", "made from another text");
	ok(strcmp(amk_id_uuid(a, "m_1"), amk_id_uuid(b, "m_2")) != 0, "another for another");
	is_int(strlen(amk_id_uuid(a, "00000000-0000-4000-8000-0000000000ax")), 36, "almost one");
	ok(strcmp(a, "00000000-0000-4000-8000-0000000000ax") != 0, "is none");
	is_int(strlen(amk_id_uuid(a, "")), 36, "of nothing");
}

static void test_rows(void)
{
	static const char *const none[] = { "", "d", "d_", "d_0", "d_-1", "d_+1", "d_ 1", "d_07", "d_7x", "d7", "r_7",
					    "d_9223372036854775808", "d_99999999999999999999" };
	char to[AMK_ID_ROW];

	is_str(amk_id_of_row(to, 'd', 7), "d_7", "a row's name");
	is_int(amk_id_row("d_7", 'd'), 7, "and back");
	is_int(amk_id_row(amk_id_of_row(to, 'r', INT64_MAX), 'r') == INT64_MAX, true, "the last there can be");
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		is_int(amk_id_row(none[i], 'd'), 0, none[i]);
}

int main(void)
{
	test_rows();
	test_uuids();
	test_ids();
	test_names();
	test_random();
	return tap_done();
}
