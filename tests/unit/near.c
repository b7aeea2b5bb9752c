/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance and what it suggests. */
#include "core/near.h"

#include <string.h>

#include "tap.h"

static void test_distance(void)
{
	static const struct {
		const char *a, *b;
		unsigned d;
	} rows[] = {
		{ "", "", 0 },		{ "", "abc", 3 },	 { "abc", "", 3 },	    { "agent", "agent", 0 },
		{ "agnet", "agent", 1 }, { "agen", "agent", 1 }, { "aagent", "agent", 1 },  { "agens", "agent", 1 },
		{ "AGENT", "agent", 0 }, { "ab", "ba", 1 },	 { "abcd", "badc", 2 },	    { "ca", "abc", 3 },
		{ "lsit", "list", 1 },	 { "kitten", "sitting", 3 }, { "create", "list", 5 },
	};
	char longest[AMK_NEAR_WORD], too_long[AMK_NEAR_WORD + 1];

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		is_int(amk_near_distance(rows[i].a, rows[i].b), rows[i].d, rows[i].a);
		is_int(amk_near_distance(rows[i].b, rows[i].a), rows[i].d, "and back");
	}
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	memset(too_long, 'x', sizeof too_long);
	too_long[sizeof too_long - 1] = '\0';
	is_int(amk_near_distance(longest, ""), AMK_NEAR_WORD - 1, "the longest word");
	is_int(amk_near_distance(longest, longest), 0, "is itself");
	is_int(amk_near_distance(too_long, too_long), AMK_NEAR_WORD, "a longer one is near nothing");
	is_int(amk_near_distance("x", too_long), AMK_NEAR_WORD, "nor near a short one");
}

static const char *best_of(struct amk_near *n, const char *word)
{
	static const char *const there[] = { "agent", "decision", "doctor", "events", "ls", "run", "send", "session",
					     "permission-mode", "x" };

	amk_near_init(n, word);
	for (size_t i = 0; i < AMK_COUNT(there); i++)
		amk_near_add(n, there[i]);
	return n->best;
}

static void test_best(void)
{
	static const char *const rows[][2] = {
		{ "agnet", "agent" },	  { "sesion", "session" }, { "sessoin", "session" }, { "Session", "session" },
		{ "dec", "decision" },	  { "sl", "ls" },	   { "runn", "run" },	     { "permision-mode", "permission-mode" },
		{ "permissions-model", "permission-mode" },	   { "xyzzy", "" },	     { "r", "" },
		{ "", "" },		  { "y", "" },		   { "doc", "doctor" },	     { "even", "events" },
		{ "something", "" },	  { "sned", "send" },	   { "list", "" },
	};
	struct amk_near n;

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		is_str(best_of(&n, rows[i][0]), rows[i][1], rows[i][0]);
}

static void test_hint(void)
{
	struct amk_near n;
	struct amk_err e;

	best_of(&n, "agnet");
	amk_err_set(&e, AMK_EUSAGE, "unknown option --agnet");
	is_int(amk_near_hint(&n, &e, "--", "see --help"), -1, "a hint is an error's");
	is_str(e.hint, "did you mean --agent?", "names the nearest");
	best_of(&n, "zzzz");
	amk_near_hint(&n, &e, "--", "see --help");
	is_str(e.hint, "see --help", "or says where to look");
}

int main(void)
{
	test_distance();
	test_best();
	test_hint();
	return tap_done();
}
