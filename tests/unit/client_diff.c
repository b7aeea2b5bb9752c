/* SPDX-License-Identifier: Apache-2.0 */
/* The diff of an edit: by hand, and that it makes the one text of the other. */
#include "client/diff.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const char *diff(const char *before, const char *after)
{
	static struct amk_buf b = AMK_BUF_INIT(1u << 20);

	amk_buf_clear(&b);
	amk_diff_write(&b, before, after);
	return b.n ? b.s : "";
}

static void by_hand(void)
{
	is_str(diff("", ""), "", "nothing and nothing");
	is_str(diff("a\nb\n", "a\nb\n"), "", "the same");
	is_str(diff("a", "b"), "@@ -1,1 +1,1 @@\n-a\n+b\n", "one line, whole by itself");
	is_str(diff("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n", "a new text");
	is_str(diff("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n", "nothing is left");
	is_str(diff("a\n", "a"), "@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at the end\n", "only its newline goes");
	is_str(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n"),
	       "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n", "three lines of context");
	is_str(diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n"),
	       "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n", "two changes near each other");
	is_str(diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n"),
	       "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n", "and farther apart");
}

/* Applies the hunks to `before`. */
static void apply(struct amk_buf *to, const char *before, const char *hunks)
{
	size_t line = 1, from;

	while (*hunks) {
		size_t n = strcspn(hunks, "\n") + 1;

		if (*hunks == '@') {
			char *end;

			from = strtoul(hunks + 4, &end, 10);
			from += strtoul(end + 1, NULL, 10) == 0;
			for (; line < from; line++, before += strcspn(before, "\n") + 1)
				amk_buf_add(to, before, strcspn(before, "\n") + 1);
		} else {
			if (*hunks != '-')
				amk_buf_add(to, hunks + 1, n - 1);
			if (*hunks != '+')
				before += strcspn(before, "\n") + 1, line++;
		}
		hunks += n;
	}
	amk_buf_adds(to, before);
}

static char *make(unsigned *seed, unsigned lines)
{
	struct amk_buf b = AMK_BUF_INIT(1u << 20);

	for (unsigned i = 0; i < lines; i++)
		amk_buf_addf(&b, "%c\n", 'a' + (*seed = *seed * 1103515245 + 12345) / 65536 % 5);
	return b.n ? amk_buf_take(&b) : amk_strdup("");
}

static void many(void)
{
	unsigned seed = 7, wrong = 0;

	for (unsigned i = 0; i < 2000; i++) {
		char *before AMK_AUTO(mem) = make(&seed, i % 40), *after AMK_AUTO(mem) = make(&seed, i * 7 % 37);
		struct amk_buf to AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);

		apply(&to, before, diff(before, after));
		wrong += strcmp(to.n ? to.s : "", after) != 0;
	}
	is_int(wrong, 0, "two thousand diffs make one text of the other");
}

static void large(void)
{
	unsigned seed = 3;
	char *before AMK_AUTO(mem) = make(&seed, 20000), *after AMK_AUTO(mem) = make(&seed, 20000);
	struct amk_buf to AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);

	apply(&to, before, diff(before, after));
	is_str(to.s, after, "large ones, too, as a whole");
}

int main(void)
{
	by_hand();
	many();
	large();
	return tap_done();
}
