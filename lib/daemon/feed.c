/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: the reader's frames, and a comment where there are none for long. */
#include "daemon/feed.h"

#include <stdlib.h>
#include <string.h>

static const char comment[] = AMK_SSE_COMMENT;

struct amk_feed {
	struct amk_daemon *d;
	struct amk_feed *next, **link;
	struct amk_stream *stream;
	struct amk_reader *reader;
	const char *comment; /* what is left of the one that is due, or NULL */
};

static enum amk_pull comment_pull(struct amk_feed *f, char *to, size_t max, size_t *n)
{
	*n = strnlen(f->comment, max);
	memcpy(to, f->comment, *n);
	f->comment += *n;
	if (*f->comment == '\0')
		f->comment = NULL;
	return AMK_PULL_BYTES;
}

static enum amk_pull feed_pull(void *arg, char *to, size_t max, size_t *n)
{
	struct amk_feed *f = arg;
	enum amk_pull got = AMK_PULL_WAIT;

	/* A comment begun is finished first; one that is only due gives way to what there is to say. */
	if (!f->comment || f->comment == comment)
		got = amk_reader_pull(f->reader, to, max, n);
	if (got == AMK_PULL_BYTES)
		f->comment = NULL;
	if (got != AMK_PULL_WAIT)
		return got;
	if (f->comment)
		return comment_pull(f, to, max, n);
	return f->d->closing ? AMK_PULL_END : AMK_PULL_WAIT;
}

static void feed_closed(void *arg)
{
	struct amk_feed *f = arg;

	*f->link = f->next;
	if (f->next)
		f->next->link = f->link;
	amk_reader_close(f->reader);
	free(f);
}

static void feed_wake(void *arg)
{
	struct amk_feed *f = arg;

	amk_stream_wake(f->stream);
}

static const struct amk_stream_ops feed_ops = { feed_pull, feed_closed };

void amk_feed_open(struct amk_daemon *d, struct amk_request *rq, const struct amk_reader_spec *spec)
{
	struct amk_feed *f = amk_calloc(1, sizeof *f);
	struct amk_reader_spec sse = *spec;
	struct amk_err e = { 0 };

	f->d = d;
	f->comment = comment; /* the header leaves at once, with something behind it */
	sse.frame = amk_sse_frame;
	f->reader = amk_reader_open(d, &sse, feed_wake, f, &e);
	/* A log that cannot be read is said while there is a status to say it with. */
	if (!f->reader || (!amk_reader_has_more(f->reader) && amk_reader_failed(f->reader, &e)))
		amk_request_problem(rq, &e, NULL);
	else
		f->stream = amk_request_stream(rq, AMK_SSE_TYPE, &feed_ops, f);
	if (!f->stream) {
		if (f->reader)
			amk_reader_close(f->reader);
		free(f);
		return;
	}
	f->link = &d->feeds;
	f->next = d->feeds;
	if (f->next)
		f->next->link = &f->next;
	d->feeds = f;
}

void amk_feed_keepalive(struct amk_daemon *d)
{
	for (struct amk_feed *f = d->feeds; f; f = f->next) {
		if (!f->comment)
			f->comment = comment;
		amk_stream_wake(f->stream);
	}
}
