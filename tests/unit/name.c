/* SPDX-License-Identifier: Apache-2.0 */
/* Made names: their form, how many there are, and when there are no more. */
#include "core/name.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/id.h"
#include "tap.h"

#define DRAWS 60000 /* each of 2500 is missed by all of them once in ten million runs */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t different(char (*names)[AMK_NAME_MADE], size_t n)
{
	size_t found = 1;

	qsort(names, n, sizeof *names, by_text);
	for (size_t i = 1; i < n; i++)
		found += strcmp(names[i], names[i - 1]) != 0;
	return found;
}

/* Two words, and behind the second attempt a number. */
static bool is_made(const char *name, bool numbered)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	size_t colour = strspn(name, letters), city;

	if (!amk_id_name_valid(name) || colour < 3 || name[colour] != '-')
		return false;
	name += colour + 1;
	city = strspn(name, letters);
	if (city < 3)
		return false;
	name += city;
	return numbered ? name[0] == '-' && strspn(name + 1, "0123456789") == 4 && strlen(name) == 5 : !name[0];
}

int main(void)
{
	char(*names)[AMK_NAME_MADE] = amk_calloc(DRAWS, sizeof *names), name[AMK_NAME_MADE];
	unsigned good = 0;

	for (unsigned i = 0; i < DRAWS; i++)
		good += amk_name_make(names[i], 0) && is_made(names[i], false);
	is_int(good, DRAWS, "a colour and a city, fit for a session");
	is_int(different(names, DRAWS), 2500, "fifty of each, all different, each drawn");
	for (unsigned i = 0; i < AMK_NAME_TRIES; i++)
		ok(amk_name_make(name, i) && is_made(name, i >= 10), "attempt %u: %s", i, name);
	ok(!amk_name_make(name, AMK_NAME_TRIES), "then no more");
	free(names);
	return tap_done();
}
