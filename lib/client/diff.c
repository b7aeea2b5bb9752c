/* SPDX-License-Identifier: Apache-2.0 */
/* A unified diff: what both ends have in common is left aside, the rest compared by its longest common lines. */
#include "client/diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3
#define CELLS_MAX (4u << 20) /* of the table */

struct line {
	const char *s;
	size_t n; /* without its newline */
	bool whole; /* it has one */
};

struct text {
	struct line *lines;
	size_t n;
};

/* A line of the result: ' ' of both, '-' of the first, '+' of the second. */
struct step {
	char mark;
	const struct line *line;
};

struct diff {
	struct text a, b;
	struct step *steps;
	size_t n;
};

/* A text of no lines has an array, too. */
static struct text lines_of(const char *s)
{
	size_t max = 64;
	struct text t = { .lines = amk_malloc(max * sizeof *t.lines) };

	while (*s) {
		size_t n = strcspn(s, "\n");

		if (t.n == max) {
			max *= 2;
			t.lines = amk_realloc(t.lines, max * sizeof *t.lines);
		}
		t.lines[t.n++] = (struct line){ s, n, s[n] == '\n' };
		s += n + (s[n] == '\n');
	}
	return t;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->n == b->n && a->whole == b->whole && memcmp(a->s, b->s, a->n) == 0;
}

static void step(struct diff *d, char mark, const struct line *line)
{
	d->steps[d->n++] = (struct step){ mark, line };
}

/* length[i * (m + 1) + j]: of the longest common lines of a from i and b from j. */
static uint32_t *lengths(const struct line *a, size_t n, const struct line *b, size_t m)
{
	uint32_t *length = amk_calloc((n + 1) * (m + 1), sizeof *length);

	for (size_t i = n; i-- > 0;) {
		for (size_t j = m; j-- > 0;) {
			uint32_t *at = &length[i * (m + 1) + j];

			if (same(&a[i], &b[j]))
				*at = at[m + 2] + 1;
			else
				*at = at[m + 1] > at[1] ? at[m + 1] : at[1];
		}
	}
	return length;
}

static void compare(struct diff *d, const struct line *a, size_t n, const struct line *b, size_t m)
{
	bool fits = (n + 1) <= CELLS_MAX / (m + 1);
	uint32_t *length = fits ? lengths(a, n, b, m) : NULL;
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		const uint32_t *at = fits ? &length[i * (m + 1) + j] : NULL;

		if (at && i < n && j < m && same(&a[i], &b[j])) {
			step(d, ' ', &a[i++]);
			j++;
		} else if (i < n && (j == m || !at || at[m + 1] >= at[1])) {
			step(d, '-', &a[i++]);
		} else {
			step(d, '+', &b[j++]);
		}
	}
	free(length);
}

static void compare_all(struct diff *d)
{
	size_t head = 0, tail = 0, n = d->a.n, m = d->b.n;

	while (head < n && head < m && same(&d->a.lines[head], &d->b.lines[head]))
		head++;
	while (tail < n - head && tail < m - head && same(&d->a.lines[n - 1 - tail], &d->b.lines[m - 1 - tail]))
		tail++;
	for (size_t i = 0; i < head; i++)
		step(d, ' ', &d->a.lines[i]);
	compare(d, d->a.lines + head, n - head - tail, d->b.lines + head, m - head - tail);
	for (size_t i = n - tail; i < n; i++)
		step(d, ' ', &d->a.lines[i]);
}

/* Where the hunk that begins with the change at `at` ends: changes up to two contexts apart are one. */
static size_t hunk_end(const struct diff *d, size_t at)
{
	size_t last = at;

	for (size_t i = at; i < d->n && i <= last + 2 * CONTEXT + 1; i++)
		if (d->steps[i].mark != ' ')
			last = i;
	return last + CONTEXT + 1 < d->n ? last + CONTEXT + 1 : d->n;
}

static size_t count(const struct diff *d, size_t from, size_t to, char without)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += d->steps[i].mark != without;
	return n;
}

static void write_hunk(struct amk_buf *out, const struct diff *d, size_t from, size_t to)
{
	size_t a = count(d, 0, from, '+'), b = count(d, 0, from, '-');
	size_t n = count(d, from, to, '+'), m = count(d, from, to, '-');

	/* An empty range is named by the line before it. */
	amk_buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", n ? a + 1 : a, n, m ? b + 1 : b, m);
	for (size_t i = from; i < to; i++) {
		const struct line *l = d->steps[i].line;

		amk_buf_addc(out, d->steps[i].mark);
		amk_buf_add(out, l->s, l->n);
		amk_buf_addc(out, '\n');
		if (!l->whole)
			amk_buf_adds(out, "\\ No newline at the end\n");
	}
}

/* Parts of a file need not end where a line does: that is only told where just one of them does. */
static void complete(struct diff *d)
{
	struct line *a = d->a.n ? &d->a.lines[d->a.n - 1] : NULL, *b = d->b.n ? &d->b.lines[d->b.n - 1] : NULL;

	if (!a || !b || !(a->whole || b->whole)) {
		if (a)
			a->whole = true;
		if (b)
			b->whole = true;
	}
}

void amk_diff_write(struct amk_buf *out, const char *before, const char *after)
{
	struct diff d = { .a = lines_of(before), .b = lines_of(after) };
	size_t shown = 0;

	complete(&d);
	d.steps = amk_calloc(d.a.n + d.b.n + 1, sizeof *d.steps);
	compare_all(&d);
	for (size_t i = 0; i < d.n; i++) {
		size_t from, to;

		if (d.steps[i].mark == ' ')
			continue;
		from = i > shown + CONTEXT ? i - CONTEXT : shown;
		to = hunk_end(&d, i);
		write_hunk(out, &d, from, to);
		shown = to;
		i = to - 1;
	}
	free(d.steps);
	free(d.a.lines);
	free(d.b.lines);
}
