/* SPDX-License-Identifier: Apache-2.0 */
/* The log's rows, and waking those who read them. */
#include "store/log.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "event/event.h"
#include "core/metric.h"
#include "store/inside.h"

#define SHAPED_MAX 65536 /* a longer line is not worth it */
#define WHOLE_MAX (256u << 20)

#define COLUMNS "session, sequence, row, shape, time, prefix, suffix, line"
#define RAW "raw_at, run, raw_offset, raw_n, hidden"

/* Plain, because a SELECT of the log within it would make SQLite gather its rows in a table of its own first. */
static const struct amk_sql_stmt append = {
	"appending to the log",
	"INSERT INTO log(" COLUMNS ", " RAW ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

/* Where all lines were deleted, the session itself knows. */
static const struct amk_sql_stmt last_sequence = {
	"appending to the log",
	"SELECT coalesce((SELECT max(sequence) FROM log WHERE session = ?1),"
	" (SELECT sequence FROM session WHERE row = ?1), 0)",
};

/* Sessions being forgotten: they are few, and looked for once in a reading. */
#define KEPT "session NOT IN (SELECT row FROM session WHERE forgotten = 1)"
#define IN_RANGE "hidden <= ?3 AND row <= ?4 AND " KEPT
#define OF_ONE " FROM log WHERE session = ?1 AND sequence > ?2 AND " IN_RANGE " ORDER BY sequence LIMIT ?5"
#define OF_ALL " FROM log WHERE row > ?2 AND " IN_RANGE " ORDER BY row LIMIT ?5"

/* By whether a session was named, and whether the native bytes are asked for: columns cost when a million are read. */
static const struct amk_sql_stmt lines[2][2] = {
	{ { "reading the log", "SELECT " COLUMNS OF_ALL }, { "reading the log", "SELECT " COLUMNS ", " RAW OF_ALL } },
	{ { "reading the log", "SELECT " COLUMNS OF_ONE }, { "reading the log", "SELECT " COLUMNS ", " RAW OF_ONE } },
};

static const struct amk_sql_stmt newest = {
	"reading the log",
	"SELECT value, max(value, coalesce((SELECT max(row) FROM log), 0)) FROM counter WHERE name = 'log_forgotten'",
};

static const struct amk_sql_stmt forgotten = {
	"forgetting events",
	"UPDATE counter SET value = max(value, ?) WHERE name = 'log_forgotten'",
};

static void mark_dirty(struct amk_store *s, int64_t session)
{
	if (s->log.dirty_n > s->log.committed && s->log.dirty[s->log.dirty_n - 1] == session)
		return;
	if (s->log.dirty_n == s->log.dirty_max) {
		s->log.dirty_max = s->log.dirty_max ? s->log.dirty_max * 2 : 16;
		s->log.dirty = amk_realloc(s->log.dirty, s->log.dirty_max * sizeof *s->log.dirty);
	}
	s->log.dirty[s->log.dirty_n++] = session;
}

static struct amk_log_end *end_place(struct amk_store *s, int64_t session)
{
	return &s->log.ends[(uint64_t)session % AMK_COUNT(s->log.ends)];
}

/* The session's last number, in the end kept for it or read again. */
static struct amk_log_end *end_of(struct amk_store *s, int64_t session, struct amk_err *e)
{
	struct amk_log_end *end = end_place(s, session);
	struct amk_sql_call c;

	if (end->session == session)
		return end;
	end->session = 0;
	amk_sql_begin(&c, &s->sql, &last_sequence);
	amk_sql_int(&c, session);
	if (amk_sql_row(&c))
		end->sequence = (uint64_t)amk_sql_col_int(&c, 0);
	if (amk_sql_end(&c, e) < 0)
		return NULL;
	end->session = session;
	return end;
}

/* The part of the line that is stored: *at is where it begins. */
static int fit_shape(struct amk_store *s, const struct amk_log_line *line, size_t *at, struct amk_shape_fit *fit,
		     struct amk_err *e)
{
	struct amk_shape_text text = { .session = line->session, .sequence = line->sequence, .kind = line->kind };
	char head[AMK_EVENT_HEAD];
	size_t n;

	*fit = (struct amk_shape_fit){ 0 };
	*at = 0;
	if (!line->kind || line->n > SHAPED_MAX)
		return 0;
	n = amk_event_head(head, line->sequence, line->time);
	if (line->n < n || memcmp(line->line, head, n) != 0)
		return 0;
	text.s = line->line + n;
	text.n = line->n - n;
	if (amk_shape_fit(s, &text, fit, e) < 0)
		return -1;
	if (fit->row)
		*at = n + fit->prefix;
	return 0;
}

static int append_row(struct amk_store *s, const struct amk_log_line *line, struct amk_err *e)
{
	struct amk_shape_fit fit;
	struct amk_sql_call c;
	size_t at;

	if (fit_shape(s, line, &at, &fit, e) < 0)
		return -1;
	amk_sql_begin(&c, &s->sql, &append);
	amk_sql_int(&c, line->session);
	amk_sql_int(&c, (int64_t)line->sequence);
	amk_sql_int(&c, (int64_t)s->log.row + 1);
	amk_sql_ref(&c, fit.row);
	amk_sql_int(&c, fit.row ? line->time : 0);
	amk_sql_int(&c, (int64_t)fit.prefix);
	amk_sql_int(&c, (int64_t)fit.suffix);
	amk_sql_strn(&c, line->line + at, line->n - at - fit.suffix);
	amk_sql_int(&c, (int64_t)line->raw_at);
	amk_sql_ref(&c, line->run);
	amk_sql_int(&c, (int64_t)line->raw_offset);
	amk_sql_int(&c, line->raw_n);
	amk_sql_int(&c, line->hidden);
	return amk_sql_run(&c, e);
}

int amk_log_append(struct amk_store *s, const struct amk_log_line *line, struct amk_err *e)
{
	struct amk_log_end *end = end_of(s, line->session, e);

	if (!end)
		return -1;
	/* A turn that is broken says why, whatever is appended to it. */
	if (line->sequence != end->sequence + 1 && s->sql.broken.code == AMK_OK)
		return amk_err_set(e, AMK_EINTERNAL, "appending to the log: %llu is not the session's next number",
				   (unsigned long long)line->sequence);
	if (append_row(s, line, e) < 0)
		return -1;
	end->sequence++;
	s->log.row++;
	amk_metric_add(AMK_METRIC_EVENTS, 1);
	amk_metric_add(AMK_METRIC_EVENT_BYTES, (int64_t)line->n);
	mark_dirty(s, line->session);
	return s->log.appended ? s->log.appended(s->log.appended_arg, line, e) : 0;
}

void amk_log_on_append(struct amk_store *s, int (*appended)(void *arg, const struct amk_log_line *line, struct amk_err *e),
		       void *arg)
{
	s->log.appended = appended;
	s->log.appended_arg = arg;
}

/* Numbers a client may choose, as SQLite has them. */
static int64_t bounded(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* The columns of a row but the line. */
static void take_columns(struct amk_sql_call *c, bool raw, struct amk_log_line *line)
{
	*line = (struct amk_log_line){
		.session = amk_sql_col_int(c, 0),
		.sequence = (uint64_t)amk_sql_col_int(c, 1),
		.row = (uint64_t)amk_sql_col_int(c, 2),
	};
	if (!raw)
		return;
	line->raw_at = (size_t)amk_sql_col_int(c, 8);
	line->run = amk_sql_col_int(c, 9);
	line->raw_offset = (uint64_t)amk_sql_col_int(c, 10);
	line->raw_n = (uint32_t)amk_sql_col_int(c, 11);
	line->hidden = amk_sql_col_int(c, 12);
}

/* The line, put together in `whole` if it has a shape. */
static int take_line(struct amk_store *s, struct amk_sql_call *c, struct amk_log_line *line, struct amk_buf *whole,
		     struct amk_err *e)
{
	int64_t shape = amk_sql_col_int(c, 3);
	size_t prefix, suffix, n;
	char head[AMK_EVENT_HEAD];
	const char *text;

	line->line = amk_sql_col_bytes(c, 7, &line->n);
	if (shape == 0)
		return 0;
	prefix = (size_t)amk_sql_col_int(c, 5);
	suffix = (size_t)amk_sql_col_int(c, 6);
	if (amk_shape_read(s, shape, &text, &n, e) < 0)
		return -1;
	if (prefix > n || suffix > n)
		return amk_err_set(e, AMK_EFAILED, "reading the log: row %llu does not fit its shape",
				   (unsigned long long)line->row);
	amk_buf_clear(whole);
	amk_buf_add(whole, head, amk_event_head(head, line->sequence, amk_sql_col_int(c, 4)));
	amk_buf_add(whole, text, prefix);
	amk_buf_add(whole, line->line, line->n);
	amk_buf_add(whole, text + n - suffix, suffix);
	line->line = whole->s;
	line->n = whole->n;
	return 0;
}

int amk_log_read(struct amk_store *s, const struct amk_log_range *range,
		 bool (*each)(void *arg, const struct amk_log_line *line), void *arg, struct amk_err *e)
{
	struct amk_buf whole AMK_AUTO(buf) = AMK_BUF_INIT(WHOLE_MAX);
	struct amk_log_line line;
	struct amk_sql_call c;
	int r = 0;

	amk_sql_begin(&c, &s->sql, &lines[range->session != 0][range->raw]);
	amk_sql_int(&c, range->session);
	amk_sql_int(&c, bounded(range->after));
	amk_sql_int(&c, range->hidden);
	amk_sql_int(&c, (int64_t)s->log.committed_row);
	amk_sql_int(&c, bounded(range->limit));
	while (r == 0 && amk_sql_row(&c)) {
		take_columns(&c, range->raw, &line);
		r = take_line(s, &c, &line, &whole, e);
		if (r == 0 && !each(arg, &line))
			break;
	}
	if (r == 0)
		return amk_sql_end(&c, e);
	amk_sql_end(&c, NULL);
	return -1;
}

uint64_t amk_log_newest(const struct amk_store *s)
{
	return s->log.committed_row;
}

uint64_t amk_log_forgotten_upto(const struct amk_store *s)
{
	return s->log.forgotten;
}

uint64_t amk_log_epoch(const struct amk_store *s)
{
	return s->log.epoch;
}

void amk_log_take(struct amk_store *s)
{
	s->log.taking = true;
}

int amk_log_forgotten(struct amk_store *s, int64_t session, uint64_t row, struct amk_err *e)
{
	struct amk_sql_call c;

	amk_sql_begin(&c, &s->sql, &forgotten);
	amk_sql_int(&c, bounded(row));
	if (amk_sql_run_one(&c, e) < 0)
		return -1;
	s->log.forgetting = row > s->log.forgetting ? row : s->log.forgetting;
	end_place(s, session)->session = 0;
	amk_shape_drop(s, session);
	mark_dirty(s, session);
	return 0;
}

void amk_log_stir(struct amk_store *s, int64_t session)
{
	mark_dirty(s, session);
}

static void list_add(struct amk_log_sub ***end, struct amk_log_sub *sub)
{
	sub->next = NULL;
	sub->link = *end;
	**end = sub;
	*end = &sub->next;
}

void amk_log_subscribe(struct amk_store *s, struct amk_log_sub *sub)
{
	list_add(s->log.waking ? &s->log.late_end : &s->log.end, sub);
}

void amk_log_unsubscribe(struct amk_store *s, struct amk_log_sub *sub)
{
	if (s->log.next == sub)
		s->log.next = sub->next;
	if (s->log.end == &sub->next)
		s->log.end = sub->link;
	if (s->log.late_end == &sub->next)
		s->log.late_end = sub->link;
	*sub->link = sub->next;
	if (sub->next)
		sub->next->link = sub->link;
	sub->next = NULL;
	sub->link = NULL;
}

static int row_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void wake_all(struct amk_store *s, const int64_t *sessions, size_t n)
{
	for (struct amk_log_sub *sub = s->log.first; sub; sub = s->log.next) {
		s->log.next = sub->next;
		if (sub->session == 0 || bsearch(&sub->session, sessions, n, sizeof *sessions, row_cmp))
			sub->wake(sub->arg);
	}
}

/* Those who came while others were woken read what there is by themselves, and are woken from now on. */
static void late_join(struct amk_store *s)
{
	while (s->log.late) {
		struct amk_log_sub *sub = s->log.late;

		amk_log_unsubscribe(s, sub);
		list_add(&s->log.end, sub);
	}
}

/* Takes out the sessions whose appends are committed. */
static int64_t *dirty_take(struct amk_store *s, size_t *n)
{
	size_t size = s->log.committed * sizeof *s->log.dirty;
	int64_t *sessions = amk_malloc(size);

	*n = s->log.committed;
	memcpy(sessions, s->log.dirty, size);
	s->log.dirty_n -= *n;
	s->log.committed = 0;
	memmove(s->log.dirty, s->log.dirty + *n, s->log.dirty_n * sizeof *s->log.dirty);
	qsort(sessions, *n, sizeof *sessions, row_cmp);
	return sessions;
}

void amk_log_wake(struct amk_store *s)
{
	s->log.committed = s->log.dirty_n;
	s->log.committed_row = s->log.row;
	s->log.forgotten = s->log.forgetting;
	s->log.epoch += s->log.taking;
	s->log.taking = false;
	if (s->log.waking)
		return; /* committed by someone being woken: the loop below goes round again */
	s->log.waking = true;
	while (s->log.committed) {
		size_t n;
		int64_t *sessions AMK_AUTO(mem) = dirty_take(s, &n);

		wake_all(s, sessions, n);
		late_join(s);
	}
	s->log.waking = false;
}

void amk_log_forget(struct amk_store *s)
{
	s->log.dirty_n = s->log.committed;
	s->log.row = s->log.committed_row;
	s->log.forgetting = s->log.forgotten;
	memset(s->log.ends, 0, sizeof s->log.ends);
	amk_shape_drop(s, 0);
	s->log.taking = false;
}

void amk_log_init(struct amk_store *s)
{
	s->log.end = &s->log.first;
	s->log.late_end = &s->log.late;
}

int amk_log_opened(struct amk_store *s, struct amk_err *e)
{
	struct amk_sql_call c;

	memset(s->log.ends, 0, sizeof s->log.ends);
	amk_shape_drop(s, 0);
	amk_sql_begin(&c, &s->sql, &newest);
	if (amk_sql_row(&c)) {
		s->log.forgotten = s->log.forgetting = (uint64_t)amk_sql_col_int(&c, 0);
		s->log.row = s->log.committed_row = (uint64_t)amk_sql_col_int(&c, 1);
	}
	return amk_sql_end(&c, e);
}

void amk_log_release(struct amk_store *s)
{
	free(s->log.dirty);
	amk_shape_drop(s, 0);
}
