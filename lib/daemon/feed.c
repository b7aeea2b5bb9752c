/* SPDX-License-Identifier: Apache-2.0 */
/* Readers hold a cursor, never a queue: a feed reads the log as its socket drains. */
#include "daemon/feed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/jw.h"
#include "core/say.h"
#include "store/log.h"

#define CHUNK (64u << 10)	/* read ahead of the socket */
#define LINE_MAX (128u << 20)	/* one frame with its native payload */

struct amk_feed {
	struct amk_daemon *d;
	struct amk_feed *next, **link;
	struct amk_feed_spec spec; /* .after is the cursor */
	struct amk_stream *stream;
	struct amk_log_sub sub;
	struct amk_buf frames;
	size_t sent;
	bool keep; /* a comment is due */
};

/* The native payload as JSON: the line itself if it is JSON, else a string of it. */
static bool read_raw(struct amk_daemon *d, const struct amk_log_line *line, struct amk_buf *out)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
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

void amk_feed_line(struct amk_daemon *d, struct amk_buf *b, const struct amk_log_line *line, bool raw)
{
	struct amk_buf native AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);

	if (!raw || line->run == 0 || !read_raw(d, line, &native)) {
		amk_buf_add(b, line->line, line->n);
		return;
	}
	amk_buf_add(b, line->line, line->raw_at);
	amk_buf_add(b, native.s, native.n);
	amk_buf_add(b, line->line + line->raw_at + 4, line->n - line->raw_at - 4);
}

static bool frame_line(void *arg, const struct amk_log_line *line)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	struct amk_feed *f = arg;

	f->spec.after = line->sequence;
	if (f->spec.raw) {
		amk_feed_line(f->d, &text, line, true);
		amk_sse_frame(&f->frames, line->sequence, text.s, text.n);
	} else {
		amk_sse_frame(&f->frames, line->sequence, line->line, line->n);
	}
	return f->frames.n < CHUNK;
}

static void fill(struct amk_feed *f)
{
	struct amk_log_range range = { f->spec.session, f->spec.after, 10000, f->spec.hidden };
	struct amk_err e = { 0 };

	amk_buf_clear(&f->frames);
	f->sent = 0;
	if (amk_log_read(f->d->store, &range, frame_line, f, &e) < 0)
		amk_say(AMK_SAY_ERROR, "feed", "%s", e.msg);
	if (f->frames.n == 0 && f->keep)
		amk_buf_adds(&f->frames, AMK_SSE_COMMENT);
	f->keep = false;
}

static enum amk_pull feed_pull(void *arg, char *to, size_t max, size_t *n)
{
	struct amk_feed *f = arg;

	if (f->sent == f->frames.n)
		fill(f);
	if (f->frames.n == 0) {
		amk_buf_release(&f->frames);
		return f->d->stopping ? AMK_PULL_END : AMK_PULL_WAIT;
	}
	*n = f->frames.n - f->sent < max ? f->frames.n - f->sent : max;
	memcpy(to, f->frames.s + f->sent, *n);
	f->sent += *n;
	return AMK_PULL_BYTES;
}

static void feed_closed(void *arg)
{
	struct amk_feed *f = arg;

	amk_log_unsubscribe(f->d->store, &f->sub);
	*f->link = f->next;
	if (f->next)
		f->next->link = f->link;
	amk_buf_release(&f->frames);
	free(f);
}

static void feed_wake(void *arg)
{
	struct amk_feed *f = arg;

	amk_stream_wake(f->stream);
}

static const struct amk_stream_ops feed_ops = { feed_pull, feed_closed };

void amk_feed_open(struct amk_daemon *d, struct amk_request *rq, const struct amk_feed_spec *spec)
{
	struct amk_feed *f = amk_calloc(1, sizeof *f);

	f->d = d;
	f->spec = *spec;
	f->sub = (struct amk_log_sub){ .session = spec->session, .wake = feed_wake, .arg = f };
	amk_buf_init(&f->frames, LINE_MAX + CHUNK);
	f->keep = true; /* the header leaves at once, with something behind it */
	f->stream = amk_request_stream(rq, AMK_SSE_TYPE, &feed_ops, f);
	if (!f->stream) {
		free(f);
		return;
	}
	amk_log_subscribe(d->store, &f->sub);
	f->link = &d->feeds;
	f->next = d->feeds;
	if (f->next)
		f->next->link = &f->next;
	d->feeds = f;
}

void amk_feed_keepalive(struct amk_daemon *d)
{
	for (struct amk_feed *f = d->feeds; f; f = f->next) {
		f->keep = true;
		amk_stream_wake(f->stream);
	}
}
