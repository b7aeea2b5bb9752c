/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each kind of a session's lines a slot knows the shape in use and the last line. When the lines have cost
 * twice a line's length more than they would have with the last one as the shape, a new shape is made. So
 * shapes never cost more than they save twice over, and what changes with every item (its ids) becomes part
 * of one only where it pays. Slots are a cache of fixed size: the shape in use is read again when it is missed.
 */
#include "store/shape.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "store/inside.h"

#define KIND_MAX 32
#define TEXT_MAX 1024 /* a longer line does not become a shape; it may have one */
#define GAIN_LEAST 8  /* bytes in a line */
#define SETS 128
#define WAYS 4 /* slots of a set; one of the session's kinds belongs to one set */

struct text {
	char *s;
	size_t n;
};

struct amk_shape_slot {
	int64_t session; /* 0: free */
	char kind[KIND_MAX];
	uint64_t used;
	int64_t row; /* 0: no shape yet */
	struct text shape, last;
	size_t lost; /* bytes the shape in use has cost more than the last line would have */
};

/* Once a kind has a newer shape, no line of that kind names an older one: that is how they are forgotten. */
static const struct amk_sql_stmt add = {
	"storing a shape",
	"INSERT INTO shape(session, kind, sequence, text) VALUES(?, ?, ?, ?)",
};

static const struct amk_sql_stmt newest = {
	"reading a shape",
	"SELECT row, text FROM shape WHERE session = ? AND kind = ? ORDER BY row DESC LIMIT 1",
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

static void slot_clear(struct amk_shape_slot *slot)
{
	free(slot->shape.s);
	free(slot->last.s);
	*slot = (struct amk_shape_slot){ 0 };
}

static unsigned hash_of(int64_t session, const char *kind)
{
	unsigned h = 2166136261u ^ (unsigned)session; /* FNV-1a */

	for (; *kind; kind++)
		h = (h ^ (unsigned char)*kind) * 16777619u;
	return h ^ h >> 15;
}

/* The slot of the kind, or the one it may have: unused for the longest time in its set. */
static struct amk_shape_slot *slot_find(struct amk_store *s, const struct amk_shape_text *text)
{
	struct amk_shape_slot *set, *found;

	if (!s->slots)
		s->slots = amk_calloc(SETS * WAYS, sizeof *s->slots);
	set = found = &s->slots[hash_of(text->session, text->kind) % SETS * WAYS];
	for (struct amk_shape_slot *slot = set; slot < set + WAYS; slot++) {
		if (slot->session == text->session && strcmp(slot->kind, text->kind) == 0)
			return slot;
		if (slot->used < found->used)
			found = slot;
	}
	return found;
}

/* A slot that was another's takes the shape that was in use when such a line was last written. */
static int slot_load(struct amk_store *s, struct amk_shape_slot *slot, const struct amk_shape_text *text,
		     struct amk_err *e)
{
	struct amk_sql_call c;

	slot_clear(slot);
	amk_sql_begin(&c, &s->sql, &newest);
	amk_sql_int(&c, text->session);
	amk_sql_str(&c, text->kind);
	if (amk_sql_row(&c)) {
		size_t n;
		const char *shape = amk_sql_col_bytes(&c, 1, &n);

		slot->row = amk_sql_col_int(&c, 0);
		text_set(&slot->shape, shape, n);
	}
	if (amk_sql_end(&c, e) < 0)
		return -1;
	slot->session = text->session;
	memcpy(slot->kind, text->kind, strlen(text->kind));
	return 0;
}

static struct amk_shape_slot *slot_of(struct amk_store *s, const struct amk_shape_text *text, struct amk_err *e)
{
	struct amk_shape_slot *slot = slot_find(s, text);

	if ((slot->session != text->session || strcmp(slot->kind, text->kind) != 0) && slot_load(s, slot, text, e) < 0)
		return NULL;
	slot->used = ++s->slots_used;
	return slot;
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

static int make_shape(struct amk_store *s, struct amk_shape_slot *slot, const struct amk_shape_text *text,
		      struct amk_err *e)
{
	struct amk_sql_call c;
	int64_t row;

	amk_sql_begin(&c, &s->sql, &add);
	amk_sql_int(&c, text->session);
	amk_sql_str(&c, text->kind);
	amk_sql_int(&c, (int64_t)text->sequence);
	amk_sql_blob(&c, text->s, text->n);
	if (amk_sql_run_insert(&c, &row, e) < 0)
		return -1;
	slot->row = row;
	slot->lost = 0;
	text_set(&slot->shape, text->s, text->n);
	return 0;
}

int amk_shape_fit(struct amk_store *s, const struct amk_shape_text *text, struct amk_shape_fit *fit,
		  struct amk_err *e)
{
	struct amk_shape_fit other;
	struct amk_shape_slot *slot;
	size_t common, with_last;

	*fit = (struct amk_shape_fit){ 0 };
	if (strlen(text->kind) >= KIND_MAX)
		return 0;
	slot = slot_of(s, text, e);
	if (!slot)
		return -1;
	common = compare(&slot->shape, text, fit);
	with_last = compare(&slot->last, text, &other);
	slot->lost = with_last >= common + GAIN_LEAST ? slot->lost + with_last - common : 0;
	if (text->n <= TEXT_MAX && slot->lost > 2 * text->n) {
		if (make_shape(s, slot, text, e) < 0)
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

void amk_shape_drop(struct amk_store *s, int64_t session)
{
	for (size_t i = 0; s->slots && i < SETS * WAYS; i++)
		if (session == 0 || s->slots[i].session == session)
			slot_clear(&s->slots[i]);
	for (size_t i = 0; i < AMK_COUNT(s->shapes); i++) {
		free(s->shapes[i].text);
		s->shapes[i] = (struct amk_shape_seen){ 0 };
	}
	if (session == 0) {
		free(s->slots);
		s->slots = NULL;
	}
}
