/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance between words that are short. */
#include "core/near.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned least_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Three rows of the table are enough: an exchange looks back by two. */
unsigned amk_near_distance(const char *a, const char *b)
{
	unsigned rows[3][AMK_NEAR_WORD], *before = rows[0], *above = rows[1], *row = rows[2];
	size_t an = strlen(a), bn = strlen(b);

	if (an >= AMK_NEAR_WORD || bn >= AMK_NEAR_WORD)
		return AMK_NEAR_WORD;
	for (unsigned j = 0; j <= bn; j++)
		row[j] = j;
	for (unsigned i = 1; i <= an; i++) {
		unsigned *spare = before;

		before = above;
		above = row;
		row = spare;
		row[0] = i;
		for (unsigned j = 1; j <= bn; j++) {
			row[j] = least_of(above[j - 1] + !same(a[i - 1], b[j - 1]),
					  least_of(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = least_of(row[j], before[j - 2] + 1);
		}
	}
	return row[bn];
}

void amk_near_init(struct amk_near *n, const char *word)
{
	size_t third = strlen(word) / 3;

	*n = (struct amk_near){ .word = word, .least = (third < 1 ? 1 : third > 3 ? 3 : (unsigned)third) + 1 };
}

void amk_near_add(struct amk_near *n, const char *candidate)
{
	size_t typed = strlen(n->word);
	unsigned d = amk_near_distance(n->word, candidate);

	/* A single character is a third of nothing: everything would be near. */
	if (typed < 2 || d == AMK_NEAR_WORD)
		return;
	if (strncasecmp(n->word, candidate, typed) == 0)
		d = least_of(d, 1);
	if (d >= n->least)
		return;
	n->least = d;
	memcpy(n->best, candidate, strlen(candidate) + 1);
}

int amk_near_hint(const struct amk_near *n, struct amk_err *e, const char *lead, const char *otherwise)
{
	if (n->best[0])
		return amk_err_hint(e, "did you mean %s%s?", lead, n->best);
	return amk_err_hint(e, "%s", otherwise);
}
