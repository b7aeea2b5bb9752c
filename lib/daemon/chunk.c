/* SPDX-License-Identifier: Apache-2.0 */
/* From rows to frames, and the few stretches that are kept because many read them at once. */
#include "daemon/chunk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"
#include "core/jw.h"
#include "store/log.h"

#define CHUNKS 64
#define HELD_MAX (1u << 20) /* bytes; beyond it a chunk that is made anew begins with a buffer of its own size */
#define FRAME_MAX (256u << 20) /* one line with its native payload */

struct amk_chunks {
	struct amk_daemon *d;
	struct amk_chunk all[CHUNKS];
	struct amk_chunk *first; /* the one last asked for; the others behind it in that order */
	uint64_t ids;
	size_t held; /* by the buffers of all */
};

void amk_chunk_gap(struct amk_buf *b, const char *session_id, uint64_t after, uint64_t before)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "gap");
	if (session_id)
		amk_jw_cstr(b, "session_id", session_id);
	amk_jw_int(b, "after", (int64_t)after);
	amk_jw_int(b, "before", (int64_t)before);
	amk_jw_close(b, '}');
}

struct amk_chunks *amk_chunks_new(struct amk_daemon *d)
{
	struct amk_chunks *cs = amk_calloc(1, sizeof *cs);

	cs->d = d;
	for (size_t i = 0; i < CHUNKS; i++) {
		amk_buf_init(&cs->all[i].bytes, FRAME_MAX);
		cs->all[i].next = cs->first;
		cs->first = &cs->all[i];
	}
	return cs;
}

static void give_up(struct amk_chunks *cs, struct amk_chunk *c)
{
	cs->held -= c->bytes.cap;
	amk_buf_release(&c->bytes);
	free(c->marks);
	c->marks = NULL;
	c->n = c->max = 0;
	c->id = 0;
}

void amk_chunks_free(struct amk_chunks *cs)
{
	if (!cs)
		return;
	for (size_t i = 0; i < CHUNKS; i++)
		give_up(cs, &cs->all[i]);
	free(cs);
}

void amk_chunks_age(struct amk_chunks *cs)
{
	for (size_t i = 0; i < CHUNKS; i++) {
		if (!cs->all[i].used)
			give_up(cs, &cs->all[i]);
		cs->all[i].used = false;
	}
}

/* The native payload as JSON: the line itself if it is JSON, else a string of it. */
static bool read_raw(const struct amk_daemon *d, const struct amk_log_line *line, struct amk_buf *out)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(FRAME_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	char name[48], *to;
	int fd AMK_AUTO(fd) = -1;

	snprintf(name, sizeof name, "%lld/out", (long long)line->run);
	fd = openat(d->run_dir, name, O_RDONLY | O_CLOEXEC);
	to = amk_buf_room(&b, line->raw_n);
	if (fd < 0 || !to || pread(fd, to, line->raw_n, (off_t)line->raw_offset) != (ssize_t)line->raw_n)
		return false;
	b.n = line->raw_n;
	while (b.n && b.s[b.n - 1] == '\n')
		b.n--;
	b.s[b.n] = '\0';
	j = amk_json_parse(b.s, b.n, NULL);
	if (j)
		amk_buf_add(out, b.s, b.n);
	else
		amk_jw_str(out, NULL, b.s, b.n);
	return amk_buf_ok(out);
}

/* Puts the native payload in the place of the "null" that stands for it. */
static void add_with_raw(const struct amk_daemon *d, const struct amk_log_line *line, struct amk_buf *b)
{
	struct amk_buf native AMK_AUTO(buf) = AMK_BUF_INIT(FRAME_MAX);

	if (line->run == 0 || !read_raw(d, line, &native)) {
		amk_buf_add(b, line->line, line->n);
		return;
	}
	amk_buf_add(b, line->line, line->raw_at);
	amk_buf_add(b, native.s, native.n);
	amk_buf_add(b, line->line + line->raw_at + 4, line->n - line->raw_at - 4);
}

static void mark(struct amk_chunk *c, uint64_t cursor)
{
	if (c->n == c->max) {
		c->max = c->max ? c->max * 2 : 8;
		c->marks = amk_realloc(c->marks, c->max * sizeof *c->marks);
	}
	c->marks[c->n++] = (struct amk_chunk_mark){ cursor, c->bytes.n };
}

/* A line that differs from the stored one: with its payload, or in the stream of all with its cursor. */
static void add_changed(const struct amk_chunks *cs, struct amk_chunk *c, const struct amk_log_line *line,
			uint64_t cursor)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(FRAME_MAX);

	if (c->key.raw)
		add_with_raw(cs->d, line, &b);
	else
		amk_buf_add(&b, line->line, line->n);
	if (c->key.session == 0 && b.n && b.s[b.n - 1] == '}') {
		b.n--;
		amk_buf_addf(&b, ",\"cursor\":%" PRIu64 "}", cursor);
	}
	c->key.frame(&c->bytes, cursor, b.s, b.n);
}

/* For readers who see every number: what lay between is not kept any more. */
static void add_gap(struct amk_chunk *c, uint64_t before)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CHUNK_GAP_MAX);

	amk_chunk_gap(&b, c->key.session_id, c->key.after, before);
	c->key.frame(&c->bytes, 0, b.s, b.n);
	mark(c, before - 1);
}

struct filling {
	struct amk_chunks *cs;
	struct amk_chunk *c;
};

static bool add_line(void *arg, const struct amk_log_line *line)
{
	struct filling *f = arg;
	struct amk_chunk *c = f->c;
	uint64_t cursor = c->key.session ? line->sequence : line->row;

	if (c->bytes.n >= AMK_CHUNK_SIZE) {
		c->last = false;
		return false;
	}
	if (c->n == 0 && c->key.session && c->key.hidden && cursor > c->key.after + 1)
		add_gap(c, cursor);
	if (c->key.raw || c->key.session == 0)
		add_changed(f->cs, c, line, cursor);
	else
		c->key.frame(&c->bytes, cursor, line->line, line->n);
	mark(c, cursor);
	return true;
}

static int fill(struct amk_chunks *cs, struct amk_chunk *c, const struct amk_chunk_key *key, struct amk_err *e)
{
	struct amk_log_range range = { key->session, key->after, INT64_MAX, key->hidden, key->raw };
	struct filling f = { cs, c };
	int r;

	cs->held -= c->bytes.cap;
	if (cs->held + c->bytes.cap > HELD_MAX)
		amk_buf_release(&c->bytes);
	amk_buf_clear(&c->bytes);
	c->key = *key;
	c->id = ++cs->ids;
	c->n = 0;
	c->last = true;
	c->seen = amk_log_newest(cs->d->store);
	c->epoch = amk_log_epoch(cs->d->store);
	r = amk_log_read(cs->d->store, &range, add_line, &f, e);
	cs->held += c->bytes.cap;
	if (r == 0 && !amk_buf_ok(&c->bytes))
		r = amk_err_set(e, AMK_ETOOBIG, "an event of more than %u bytes", FRAME_MAX);
	if (r < 0)
		give_up(cs, c);
	return r;
}

static bool is_same(const struct amk_chunk_key *a, const struct amk_chunk_key *b)
{
	return a->after == b->after && a->session == b->session && a->hidden == b->hidden && a->raw == b->raw &&
	       a->frame == b->frame;
}

const struct amk_chunk *amk_chunks_get(struct amk_chunks *cs, const struct amk_chunk_key *key, uint64_t fresh,
				       struct amk_err *e)
{
	struct amk_chunk **link = &cs->first, *c;
	bool found;

	while ((*link)->next && !((*link)->id && is_same(&(*link)->key, key)))
		link = &(*link)->next;
	c = *link;
	found = c->id && is_same(&c->key, key) && c->epoch == amk_log_epoch(cs->d->store) &&
		(c->n > 0 || c->seen >= fresh);
	*link = c->next;
	c->next = cs->first;
	cs->first = c;
	c->used = true;
	return found || fill(cs, c, key, e) == 0 ? c : NULL;
}
