/* SPDX-License-Identifier: Apache-2.0 */
/* A request without what changes each time it is made, its members sorted, as a hash. */
#include "decision/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/jw.h"
#include "core/sha256.h"

#define TEXT_MAX (64u << 20)

static int compare(const void *a, const void *b)
{
	return strcmp(amk_json_key(*(const struct amk_json *const *)a), amk_json_key(*(const struct amk_json *const *)b));
}

/* The members of an object by their keys, since agents do not keep their order. The caller frees the list. */
static const struct amk_json **members_of(const struct amk_json *object, size_t *n)
{
	const struct amk_json **list = NULL;
	size_t max = 0;

	*n = 0;
	for (const struct amk_json *m = amk_json_first(object); m; m = amk_json_next(m)) {
		if (*n == max) {
			max = max ? 2 * max : 16;
			list = amk_realloc(list, max * sizeof *list);
		}
		list[(*n)++] = m;
	}
	if (*n)
		qsort(list, *n, sizeof *list, compare);
	return list;
}

static void write_object(struct amk_buf *b, const char *key, const struct amk_json *j, const char *without)
{
	size_t n;
	const struct amk_json **list = members_of(j, &n);

	amk_jw_open(b, key, '{');
	for (size_t i = 0; i < n; i++)
		if (!without || strcmp(amk_json_key(list[i]), without) != 0)
			amk_content_write(b, amk_json_key(list[i]), list[i], NULL);
	amk_jw_close(b, '}');
	free(list);
}

void amk_content_write(struct amk_buf *b, const char *key, const struct amk_json *j, const char *without)
{
	if (amk_json_is_object(j)) {
		write_object(b, key, j, without);
	} else if (amk_json_is_array(j)) {
		amk_jw_open(b, key, '[');
		for (const struct amk_json *m = amk_json_first(j); m; m = amk_json_next(m))
			amk_content_write(b, NULL, m, NULL);
		amk_jw_close(b, ']');
	} else {
		amk_json_print(b, key, j);
	}
}

const char *amk_content_of(char to[AMK_CONTENT], const char *kind, const char *request)
{
	static const char *const keys[] = { "tool",	 "action", "command", "path", "url",
					    "questions", "prompt", "options", "plan" };
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(request, strlen(request), NULL);
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	uint8_t hash[AMK_SHA256_SIZE];

	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "kind", kind);
	for (size_t i = 0; i < AMK_COUNT(keys); i++)
		if (amk_json_get(j, keys[i]))
			amk_content_write(&b, keys[i], amk_json_get(j, keys[i]), NULL);
	/* The description next to what a tool does is a comment, in new words each time. */
	if (amk_json_get(j, "input"))
		amk_content_write(&b, "input", amk_json_get(j, "input"), "description");
	amk_jw_close(&b, '}');
	amk_sha256(b.s, b.n, hash);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(to + 2 * i, 3, "%02x", hash[i]);
	return to;
}
