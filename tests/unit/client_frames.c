/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events, however the bytes are cut. */
#include "client/frames.h"

#include <stdlib.h>

#include "core/lines.h"
#include "tap.h"

/* Feeds `s` in pieces of `step` bytes; the events as "ID=DATA;" in order. */
static const char *parse(const char *s, size_t n, size_t step)
{
	static char seen[4096];
	struct amk_frames f;
	size_t used = 0;

	seen[0] = '\0';
	amk_frames_init(&f);
	for (size_t at = 0; at < n; at += step) {
		uint64_t id;
		char *data;
		size_t len;

		amk_frames_add(&f, s + at, at + step < n ? step : n - at, NULL);
		while (amk_frames_next(&f, &id, &data, &len) > 0) {
			if (strlen(data) != len)
				return "length";
			used += (size_t)snprintf(seen + used, sizeof seen - used, "%llu=%s;", (unsigned long long)id, data);
		}
	}
	amk_frames_release(&f);
	return seen;
}

static void every_cut(const char *s, const char *want, const char *name)
{
	size_t n = strlen(s), bad = 0;

	for (size_t step = 1; step <= n; step++)
		bad += strcmp(parse(s, n, step), want) != 0;
	is_str(parse(s, n, 1), want, name);
	is_int(bad, 0, "the same in pieces of any length");
}

static void test_full(void)
{
	struct amk_frames f;
	char *block = amk_malloc(1u << 20), *data;
	uint64_t id;
	size_t n;

	memset(block, 'x', 1u << 20);
	amk_frames_init(&f);
	amk_frames_add(&f, "data: a\n\n", 9, NULL);
	ok(!amk_frames_full(&f), "one small event does not fill it");
	amk_frames_add(&f, "data: ", 6, NULL);
	amk_frames_add(&f, block, 1u << 20, NULL);
	ok(amk_frames_full(&f), "a whole event and much behind it do");
	amk_frames_next(&f, &id, &data, &n);
	ok(!amk_frames_full(&f), "an unfinished event alone does not, however long");
	amk_frames_release(&f);
	free(block);
}

static void test_large(void)
{
	struct amk_frames f;
	struct amk_err e = { 0 };
	char *block = amk_malloc(1u << 20), *data;
	uint64_t id;
	size_t n;
	int r = 0;

	memset(block, 'x', 1u << 20);
	amk_frames_init(&f);
	amk_frames_add(&f, "id: 1\ndata: ", 12, NULL);
	for (int i = 0; i < 16; i++)
		amk_frames_add(&f, block, 1u << 20, NULL);
	amk_frames_add(&f, "\n\n", 2, NULL);
	is_int(amk_frames_next(&f, &id, &data, &n), 1, "a record of 16 MiB comes through");
	is_int(n, AMK_LINE_MAX, "whole");
	for (int i = 0; i < 20 && r == 0; i++)
		r = amk_frames_add(&f, block, 1u << 20, &e);
	is_int(r, -1, "a longer one is refused");
	is_int(e.code, AMK_ETOOBIG, "as too large");
	amk_frames_release(&f);
	free(block);
}

static void test_clear(void)
{
	struct amk_frames f;
	uint64_t id;
	char *data;
	size_t n;

	amk_frames_init(&f);
	amk_frames_add(&f, "id: 1\ndata: half", 16, NULL);
	amk_frames_clear(&f);
	amk_frames_add(&f, "id: 1\ndata: whole\n\n", 19, NULL);
	is_int(amk_frames_next(&f, &id, &data, &n), 1, "after a new connection");
	is_str(data, "whole", "what was cut off is forgotten");
	amk_frames_release(&f);
}

int main(void)
{
	every_cut("id: 1\ndata: {\"a\":1}\n\nid: 2\ndata: {}\n\n", "1={\"a\":1};2={};", "two events");
	every_cut(": keep\n\n: keep\n\nid: 7\ndata: x\n\n: keep\n\n", "7=x;", "comments between");
	every_cut("id:3\r\ndata:no space\r\n\r\n", "3=no space;", "CR LF and no spaces");
	every_cut("data: one\ndata: two\n\n", "0=one\ntwo;", "data in two lines, no id");
	every_cut("event: message\nretry: 5\nid: 4\ndata:  two spaces\n\n", "4= two spaces;", "fields of no use");
	every_cut("id: nonsense\ndata: x\n\nid: 99999999999999999999999\ndata: y\n\n", "0=x;0=y;", "ids that are none");
	every_cut("id: 5\n\nid: 6\ndata:\n\n", "6=;", "an event without data is none");
	every_cut("id: 8\ndata: unfinished\n", "", "what has no end waits");
	test_full();
	test_large();
	test_clear();
	return tap_done();
}
