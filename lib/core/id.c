/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids. */
#include "core/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/err.h"
#include "core/sha256.h"

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

const char *amk_id_of_row(char to[AMK_ID_ROW], char letter, int64_t row)
{
	snprintf(to, AMK_ID_ROW, "%c_%" PRId64, letter, row);
	return to;
}

int64_t amk_id_row(const char *id, char letter)
{
	char again[AMK_ID_ROW];
	int64_t row = id[0] == letter && id[1] == '_' ? strtoll(id + 2, NULL, 10) : 0;

	/* One number has one name: no sign, no zeros before it, nothing behind it. */
	return row > 0 && strcmp(amk_id_of_row(again, letter, row), id) == 0 ? row : 0;
}

static bool is_uuid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != sizeof form - 1)
		return false;
	for (size_t i = 0; s[i]; i++)
		if (form[i] == '-' ? s[i] != '-' : !strchr(DIGIT "abcdefABCDEF", s[i]))
			return false;
	return true;
}

const char *amk_id_uuid(char to[AMK_ID_UUID], const char *text)
{
	uint8_t h[AMK_SHA256_SIZE];

	if (is_uuid(text)) {
		for (size_t i = 0; i < AMK_ID_UUID; i++)
			to[i] = strchr(UPPER, text[i]) && text[i] ? (char)(text[i] | 0x20) : text[i];
		return to;
	}
	amk_sha256(text, strlen(text), h);
	h[6] = (h[6] & 0x0f) | 0x80; /* the version */
	h[8] = (h[8] & 0x3f) | 0x80; /* and the variant */
	for (size_t i = 0, at = 0; i < 16; i++)
		at += (size_t)snprintf(to + at, AMK_ID_UUID - at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
				       h[i]);
	return to;
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
