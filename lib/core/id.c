/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids. */
#include "core/id.h"

#include <string.h>
#include <sys/random.h>

#include "core/err.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool made_of(const char *s, const char *set, size_t max)
{
	size_t n = strlen(s);

	return n >= 1 && n <= max && strspn(s, set) == n;
}

bool amk_id_valid(const char *s)
{
	return s[0] != '.' && made_of(s, LOWER UPPER DIGIT "._-", 128);
}

bool amk_id_name_valid(const char *s)
{
	return s[0] != '-' && made_of(s, LOWER DIGIT "-", 63);
}

void amk_id_random(char *to, unsigned n)
{
	static const char set[] = "abcdefghjkmnpqrstuvwxyz023456789"; /* 32 */
	unsigned char r[64];

	if (n > sizeof r)
		AMK_BUG("id of %u characters", n);
	if (getrandom(r, n, 0) != (ssize_t)n)
		AMK_BUG("no random bytes");
	for (unsigned i = 0; i < n; i++)
		to[i] = set[r[i] & 31];
	to[n] = '\0';
}
