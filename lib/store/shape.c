/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session has a slot for each kind of line: the shape in use, and the last line. When the lines have cost
 * twice a line's length more than they would have with the last one as the shape, a new shape is made. So
 * shapes never cost more than they save twice over, and what changes with every item (its ids) becomes part
 * of one only where it pays.
 */
#include "store/shape.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "store/inside.h"

#define SLOTS 16      /* kinds with shapes, in a session */
#define KIND_MAX 32
#define TEXT_MAX 1024 /* a longer line does not become a shape; it may have one */
#define GAIN_LEAST 8  /* bytes in a line */

struct text {
	char *s;
	size_t n;
};

struct slot {
	char kind[KIND_MAX];
	int64_t row; /* 0: no shape yet */
	struct text shape, last;
	size_t lost; /* bytes the shape in use has cost more than the last line would have */
};

struct amk_shape_slots {
	struct slot slot[SLOTS];
	unsigned n;
};

/* Once a kind has a newer shape, no line of that kind names an older one: that is how they are forgotten. */
static const struct amk_sql_stmt add = {
	"storing a shape",
	"INSERT INTO shape(session, kind, sequence, text) VALUES(?, ?, ?, ?)",
};

static const struct amk_sql_stmt newest = {
	"reading the shapes",
	"SELECT row, kind, text FROM shape WHERE row IN (SELECT max(row) FROM shape WHERE session = ? GROUP BY kind)",
};

static const struct amk_sql_stmt one = {
	"reading a shape",
	"SELECT text FROM shape WHERE row = ?",
};

static const struct amk_sql_stmt forget = {
	"forgetting shapes",
	"DELETE FROM shape WHERE session = ?1 AND EXISTS (SELECT 1 FROM shape AS newer WHERE newer.session = ?1"
	" AND newer.kind = shape.kind AND newer.row > shape.row AND newer.sequence <= ?2)",
};

static void text_set(struct text *t, const char *s, size_t n)
{
	t->s = amk_realloc(t->s, n);
	memcpy(t->s, s, n);
	t->n = n;
}

/* NULL: this kind has none, for there are too many. */
static struct slot *slot_of(struct amk_shape_slots *slots, const char *kind)
{
	for (unsigned i = 0; i < slots->n; i++)
		if (strcmp(slots->slot[i].kind, kind) == 0)
			return &slots->slot[i];
	if (slots->n == SLOTS || strlen(kind) >= KIND_MAX)
		return NULL;
	memcpy(slots->slot[slots->n].kind, kind, strlen(kind));
	return &slots->slot[slots->n++];
}

void amk_shape_free(struct amk_shape_slots *slots)
{
	for (unsigned i = 0; slots && i < slots->n; i++) {
		free(slots->slot[i].shape.s);
		free(slots->slot[i].last.s);
	}
	free(slots);
}

/* What was in use when the session was last written to. */
static int slots_load(struct amk_store *s, struct amk_log_end *end, struct amk_err *e)
{
	struct amk_sql_call c;

	end->slots = amk_calloc(1, sizeof *end->slots);
	amk_sql_begin(&c, &s->sql, &newest);
	amk_sql_int(&c, end->session);
	while (amk_sql_row(&c)) {
		struct slot *slot = slot_of(end->slots, amk_sql_col_str(&c, 1));
		size_t n;
		const char *text = amk_sql_col_bytes(&c, 2, &n);

		if (!slot)
			continue;
		slot->row = amk_sql_col_int(&c, 0);
		text_set(&slot->shape, text, n);
	}
	return amk_sql_end(&c, e);
}

/* Eight bytes at a time: this runs for every event. */
static size_t same_begin(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y)
			break;
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* Of the n bytes that end at a and at b. */
static size_t same_end(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t x, y;

		memcpy(&x, a - i - 8, 8);
		memcpy(&y, b - i - 8, 8);
		if (x != y)
			break;
	}
	while (i < n && a[-(ptrdiff_t)i - 1] == b[-(ptrdiff_t)i - 1])
		i++;
	return i;
}

/* How much of the text is in t. */
static size_t compare(const struct text *t, const struct amk_shape_text *text, struct amk_shape_fit *fit)
{
	size_t most = t->n < text->n ? t->n : text->n;

	*fit = (struct amk_shape_fit){ 0 };
	if (most == 0)
		return 0;
	fit->prefix = same_begin(t->s, text->s, most);
	fit->suffix = same_end(t->s + t->n, text->s + text->n, most - fit->prefix);
	return fit->prefix + fit->suffix;
}

static int make_shape(struct amk_store *s, const struct amk_log_end *end, struct slot *slot,
		      const struct amk_shape_text *text, struct amk_err *e)
{
	struct amk_sql_call c;
	int64_t row;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_int(&c, end->session);
	amk_sql_str(&c, text->kind);
	amk_sql_int(&c, (int64_t)end->sequence + 1);
	amk_sql_blob(&c, text->s, text->n);
	if (amk_sql_run_insert(&c, &row, e) < 0)
		return -1;
	slot->row = row;
	slot->lost = 0;
	text_set(&slot->shape, text->s, text->n);
	return 0;
}

int amk_shape_fit(struct amk_store *s, struct amk_log_end *end, const struct amk_shape_text *text,
		  struct amk_shape_fit *fit, struct amk_err *e)
{
	struct amk_shape_fit other;
	size_t common, with_last;
	struct slot *slot;

	*fit = (struct amk_shape_fit){ 0 };
	if (!end->slots && slots_load(s, end, e) < 0)
		return -1;
	slot = slot_of(end->slots, text->kind);
	if (!slot)
		return 0;
	common = compare(&slot->shape, text, fit);
	with_last = compare(&slot->last, text, &other);
	slot->lost = with_last >= common + GAIN_LEAST ? slot->lost + with_last - common : 0;
	if (text->n <= TEXT_MAX && slot->lost > 2 * text->n) {
		if (make_shape(s, end, slot, text, e) < 0)
			return -1;
		*fit = (struct amk_shape_fit){ .prefix = text->n };
	}
	fit->row = slot->row;
	if (text->n <= TEXT_MAX)
		text_set(&slot->last, text->s, text->n);
	return 0;
}

int amk_shape_forget(struct amk_store *s, int64_t session, uint64_t first, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &forget);
	amk_sql_int(&c, session);
	amk_sql_int(&c, (int64_t)first);
	return amk_sql_run(&c, e);
}

/* ---- reading ---- */

static struct amk_shape_seen *read_place(struct amk_store *s, int64_t row)
{
	return &s->shapes[(uint64_t)row % AMK_COUNT(s->shapes)];
}

int amk_shape_read(struct amk_store *s, int64_t row, const char **text, size_t *n, struct amk_err *e)
{
	struct amk_shape_seen *r = read_place(s, row);
	struct amk_sql_call c;
	size_t len = 0;

	if (r->row != row) {
		r->row = 0;
		amk_sql_begin(&c, &s->sql, &one);
		amk_sql_int(&c, row);
		if (amk_sql_row(&c)) {
			const char *found = amk_sql_col_bytes(&c, 0, &len);

			r->text = amk_realloc(r->text, len);
			memcpy(r->text, found, len);
			r->row = row;
		}
		r->n = len;
		if (amk_sql_end(&c, e) < 0)
			return -1;
	}
	*text = r->text;
	*n = r->n;
	return r->row ? 0 : amk_err_set(e, AMK_EFAILED, "reading the log: shape %lld is missing", (long long)row);
}

void amk_shape_clear(struct amk_store *s)
{
	for (size_t i = 0; i < AMK_COUNT(s->shapes); i++) {
		free(s->shapes[i].text);
		s->shapes[i] = (struct amk_shape_seen){ 0 };
	}
}
