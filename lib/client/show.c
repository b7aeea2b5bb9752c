/* SPDX-License-Identifier: Apache-2.0 */
/* Records for programs and for eyes. */
#include "client/show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/fields.h"
#include "core/help.h"
#include "core/lines.h"
#include "core/time.h"
#include "core/utf8.h"
#include "event/render.h"

#define TEXT_MAX (64u << 20)
#define CELL_MAX 60 /* characters of a table's cell */
#define VALUE_MAX 2000

int amk_show_bytes(const char *s, size_t n, struct amk_err *e)
{
	if (amk_write_all(STDOUT_FILENO, s, n) == 0)
		return 0;
	if (errno == EPIPE)
		return amk_err_set(e, AMK_OK, "the reader has gone");
	return amk_err_sys(e, "writing to standard output");
}

/* What a person reads for a value. */
static void value_text(struct amk_buf *out, const struct amk_json *v, size_t max)
{
	struct amk_buf json AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	bool yes;

	if (!v || amk_json_is_null(v) || (amk_json_str(v) && !amk_json_str(v)[0]))
		amk_buf_addc(out, '-');
	else if (amk_json_str(v))
		amk_render_word(out, amk_json_str(v), max);
	else if (amk_json_bool(v, &yes))
		amk_buf_adds(out, yes ? "yes" : "no");
	else {
		amk_json_print(&json, NULL, v);
		amk_render_word(out, json.s, max);
	}
}

static void add_cell(struct amk_show_table *t, const struct amk_json *v)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	value_text(&text, v, CELL_MAX);
	amk_strv_add(&t->cells, text.s);
}

static void add_last(struct amk_show_table *t, const struct amk_json *line)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	t->last(&text, line, CELL_MAX);
	amk_strv_add(&t->cells, text.s);
}

/* "45s", "12m", "3h", "2d": how long ago that was. */
static void add_age(struct amk_show_table *t, const struct amk_json *ms)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	int64_t v, age;
	size_t i = 0;

	if (!amk_json_int(ms, &v)) {
		add_cell(t, ms);
		return;
	}
	age = amk_time_now() / 1000000000 - v / 1000;
	if (age < 0)
		age = 0;
	while (i + 1 < AMK_COUNT(units) && age < units[i].seconds)
		i++;
	amk_strv_addf(&t->cells, "%lld%c", (long long)(age / units[i].seconds), units[i].unit);
}

/* "812K", "210M", "3.2G". */
static void add_size(struct amk_show_table *t, const struct amk_json *bytes)
{
	double kib;
	int64_t v;

	if (!amk_json_int(bytes, &v)) {
		add_cell(t, bytes);
		return;
	}
	kib = (double)v / 1024;
	if (kib < 1024)
		amk_strv_addf(&t->cells, "%.0fK", kib);
	else if (kib < 1024 * 1024)
		amk_strv_addf(&t->cells, "%.0fM", kib / 1024);
	else
		amk_strv_addf(&t->cells, "%.1fG", kib / 1024 / 1024);
}

static void add_column(struct amk_show_table *t, unsigned column, const struct amk_json *record,
		       const struct amk_json *line)
{
	const char *key = t->columns[column].key;

	if (t->last && column + 1 == t->n) {
		add_last(t, line);
		return;
	}
	switch (t->as[column]) {
	case AMK_SHOW_PLAIN:
		add_cell(t, amk_json_get(line, key));
		break;
	case AMK_SHOW_AGE:
		add_age(t, amk_json_get(record, key));
		break;
	case AMK_SHOW_SIZE:
		add_size(t, amk_json_get(line, key));
		break;
	}
}

int amk_show_add(struct amk_show_table *t, const struct amk_json *record, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;

	amk_fields_line(&line, t->type, record);
	if (amk_cmd_records())
		return amk_out_record(line.s, line.n, e);
	j = amk_json_parse(line.s, line.n, e);
	if (!j)
		return -1;
	for (unsigned i = 0; i < t->n; i++)
		add_column(t, i, record, j);
	return 0;
}

static size_t width(const char *s)
{
	size_t n = strlen(s), shown = 0;

	for (size_t at = 0; at < n; shown++) {
		size_t len = amk_utf8_len(s + at, n - at);

		at += len ? len : 1;
	}
	return shown;
}

static size_t column_width(const struct amk_show_table *t, unsigned column)
{
	size_t max = strlen(t->columns[column].head);

	for (size_t i = column; i < t->cells.n; i += t->n)
		if (width(t->cells.v[i]) > max)
			max = width(t->cells.v[i]);
	return max;
}

/* `room` is 0 for the last cell of a row. */
static void put_cell(struct amk_buf *out, const char *s, size_t room)
{
	amk_buf_adds(out, s);
	for (size_t i = width(s); i < room; i++)
		amk_buf_addc(out, ' ');
	if (room == 0)
		amk_buf_addc(out, '\n');
}

/* How many columns stand beside each other: on a terminal those that fit, one at least. */
static unsigned beside(const struct amk_show_table *t)
{
	size_t columns = amk_help_columns(), at = 0;

	for (unsigned i = 0; columns && i < t->n; at += t->room[i++])
		if (i && at + column_width(t, i) > columns)
			return i;
	return t->n;
}

/* The cells of a row, or the heads; what does not fit stands below, if there is anything. */
static void put_row(struct amk_buf *out, const struct amk_show_table *t, char *const *cells, unsigned fit)
{
	for (unsigned i = 0; i < fit; i++)
		put_cell(out, cells ? cells[i] : t->columns[i].head, i + 1 < fit ? t->room[i] : 0);
	for (unsigned i = fit; cells && i < t->n; i++)
		if (strcmp(cells[i], "-") != 0)
			amk_buf_addf(out, "    %s: %s\n", t->columns[i].head, cells[i]);
}

int amk_show_end(struct amk_show_table *t, struct amk_err *e)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	unsigned fit;

	if (amk_cmd_records() || t->cells.n == 0)
		return 0;
	for (unsigned i = 0; i + 1 < t->n; i++)
		if (column_width(t, i) + 2 > t->room[i])
			t->room[i] = column_width(t, i) + 2;
	fit = beside(t);
	if (!t->headed)
		put_row(&out, t, NULL, fit);
	t->headed = true;
	for (size_t i = 0; i < t->cells.n; i += t->n)
		put_row(&out, t, t->cells.v + i, fit);
	amk_strv_release(&t->cells);
	return amk_show_bytes(out.s, out.n, e);
}

int amk_show_line(const struct amk_buf *line, struct amk_err *e)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;

	if (amk_cmd_records())
		return amk_out_record(line->s, line->n, e);
	j = amk_json_parse(line->s, line->n, e);
	if (!j)
		return -1;
	for (const struct amk_json *m = amk_json_first(j); m; m = amk_json_next(m)) {
		if (strcmp(amk_json_key(m), "type") == 0)
			continue;
		amk_buf_addf(&out, "%-18s ", amk_json_key(m));
		value_text(&out, m, VALUE_MAX);
		amk_buf_addc(&out, '\n');
	}
	amk_buf_addc(&out, '\n');
	return amk_show_bytes(out.s, out.n, e);
}

int amk_show_record(const char *type, const struct amk_json *record, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	amk_fields_line(&line, type, record);
	return amk_show_line(&line, e);
}

void amk_show_awaits(const char *program, const char *records)
{
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "%s: reading %s from the terminal, one JSON object a line, to ^D\n", program, records);
}
