/* SPDX-License-Identifier: Apache-2.0 */
/* Fifty colours, fifty cities. */
#include "core/name.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#include "core/err.h"

#define PLAIN 10 /* attempts without a number */

static const char *const colours[50] = {
	"amber",  "apricot", "aqua",   "auburn", "azure",  "beige",  "black",  "blue",	 "bronze", "brown",
	"cobalt", "copper",  "coral",  "cream",	 "crimson", "cyan",  "ebony",  "emerald", "fuchsia", "gold",
	"green",  "grey",    "indigo", "ivory",	 "jade",   "khaki",  "lemon",  "lilac",	 "lime",   "magenta",
	"maroon", "mauve",   "mint",   "navy",	 "ochre",  "olive",  "orange", "peach",	 "pink",   "plum",
	"purple", "red",     "ruby",   "rust",	 "sepia",  "silver", "teal",   "violet", "white",  "yellow",
};

static const char *const cities[50] = {
	"accra",  "athens",  "bergen", "berlin", "bogota", "boston", "cairo",  "chicago", "cork",  "dakar",
	"delhi",  "dublin",  "essen",  "fez",	 "genoa",  "ghent",  "hanoi",  "havana", "izmir",  "jakarta",
	"kyiv",	  "kyoto",   "lagos",  "leeds",	 "lima",   "lisbon", "london", "lyon",	 "madrid", "malmo",
	"milan",  "nairobi", "naples", "osaka",	 "oslo",   "paris",  "porto",  "prague", "quito",  "riga",
	"rome",	  "seoul",   "sofia",  "sydney", "tallinn", "tokyo", "turin",  "vienna", "warsaw", "zurich",
};

static unsigned chance(unsigned below)
{
	uint32_t r;

	if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
		AMK_BUG("no random bytes");
	return r % below;
}

bool amk_name_make(char to[AMK_NAME_MADE], unsigned attempt)
{
	const char *colour = colours[chance(AMK_COUNT(colours))], *city = cities[chance(AMK_COUNT(cities))];

	if (attempt >= AMK_NAME_TRIES)
		return false;
	if (attempt < PLAIN)
		snprintf(to, AMK_NAME_MADE, "%s-%s", colour, city);
	else
		snprintf(to, AMK_NAME_MADE, "%s-%s-%04u", colour, city, chance(10000));
	return true;
}
