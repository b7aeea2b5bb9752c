/* SPDX-License-Identifier: Apache-2.0 */
/* Routes that read the log: a page, a stream, the stream of one turn; of a session or of all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "daemon/api.h"
#include "daemon/feed.h"
#include "store/log.h"

#define LIMIT 1000u
#define LIMIT_MOST 100000u
#define PAGE_BYTES (8u << 20)  /* a page ends with the first event behind so many */
#define PAGE_MOST (300u << 20) /* with a last event of the greatest length */
#define PIECE (64u << 10)

/* What the query asks for; false when a problem was sent. "now" is the newest cursor there is. */
static bool read_query(struct amk_daemon *d, struct amk_request *rq, const struct amk_session *s,
		       struct amk_reader_spec *spec)
{
	const char *profile = amk_request_query(rq, "profile"), *offset = amk_request_query(rq, "offset");

	spec->hidden = profile && strcmp(profile, "amika") == 0;
	spec->raw = amk_api_flag(rq, "includeRaw", "include_raw");
	spec->session_id = s ? amk_session_id(s) : NULL;
	if (offset && strcmp(offset, "now") == 0) {
		spec->after = s ? amk_session_sequence(s) : amk_log_newest(d->store);
		return true;
	}
	return amk_api_number(rq, "offset", &spec->after);
}

/* A page */

static void frame_item(struct amk_buf *b, uint64_t id, const char *line, size_t n)
{
	(void)id;
	amk_buf_add(b, line, n);
	amk_buf_addc(b, ',');
}

static void add_events(struct amk_reader *r, struct amk_buf *b)
{
	size_t start = b->n, n;
	char *to;

	while (b->n - start < PAGE_BYTES || !amk_reader_between(r)) {
		to = amk_buf_room(b, PIECE);
		if (!to || amk_reader_pull(r, to, PIECE, &n) != AMK_PULL_BYTES)
			break;
		b->n += n;
	}
	if (b->n > start)
		b->n--; /* the last comma */
	b->s[b->n] = '\0';
}

static void reply_page(struct amk_daemon *d, struct amk_request *rq, struct amk_reader_spec *spec)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(PAGE_MOST);
	uint64_t limit = LIMIT;
	struct amk_reader *r;
	struct amk_err e;
	bool more, failed;

	if (!amk_api_number(rq, "limit", &limit))
		return;
	spec->limit = limit < LIMIT_MOST ? limit : LIMIT_MOST;
	spec->frame = frame_item;
	r = amk_reader_open(d, spec, NULL, NULL, &e);
	if (!r) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "events", '[');
	if (spec->limit)
		add_events(r, &b);
	amk_jw_close(&b, ']');
	more = amk_reader_has_more(r);
	/* What could be read is given; the next page then says what is wrong. */
	failed = amk_reader_failed(r, &e);
	amk_jw_bool(&b, "hasMore", more || failed);
	if (!spec->session_id)
		amk_jw_int(&b, "cursor", (int64_t)amk_reader_cursor(r));
	amk_jw_close(&b, '}');
	if (failed && amk_reader_cursor(r) == spec->after)
		amk_request_problem(rq, &e, NULL);
	else
		amk_request_reply_json(rq, 200, &b);
	amk_reader_close(r);
}

void amk_api_event_list(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_reader_spec spec = { 0 };

	if (s && read_query(arg, rq, s, &spec))
		reply_page(arg, rq, &spec);
}

void amk_api_event_list_all(struct amk_request *rq, void *arg)
{
	struct amk_reader_spec spec = { 0 };

	if (amk_api_ready(arg, rq) && read_query(arg, rq, NULL, &spec))
		reply_page(arg, rq, &spec);
}

/* A stream */

static void stream(struct amk_daemon *d, struct amk_request *rq, const struct amk_session *s)
{
	const char *last = amk_request_header(rq, "Last-Event-ID");
	struct amk_reader_spec spec = { 0 };
	char *end;

	if (!read_query(d, rq, s, &spec))
		return;
	spec.notices = spec.hidden;
	/* A browser that reconnects repeats the old query: the header is the newer of the two. */
	if (last && last[0] >= '0' && last[0] <= '9') {
		uint64_t id = strtoull(last, &end, 10);

		if (*end == '\0' && id <= INT64_MAX)
			spec.after = id;
	}
	amk_feed_open(d, rq, &spec);
}

void amk_api_event_sse(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);

	if (s)
		stream(arg, rq, s);
}

void amk_api_event_sse_all(struct amk_request *rq, void *arg)
{
	if (amk_api_ready(arg, rq))
		stream(arg, rq, NULL);
}

/* The stream of one turn */

struct turn {
	struct amk_daemon *d;
	struct amk_request *rq; /* NULL: the client has gone */
	char session_id[129], message_id[129];
	struct amk_reader_spec spec;
};

static void turn_gone(void *arg)
{
	struct turn *t = arg;

	t->rq = NULL;
}

static void turn_flushed(void *arg, bool ok)
{
	struct turn *t = arg;

	if (t->rq && ok && t->d->sessions)
		amk_feed_open(t->d, t->rq, &t->spec);
	else if (t->rq)
		amk_api_reply_unwritten(t->d, t->rq);
	free(t);
}

/* The reader stands where the log ended before the message, so it misses nothing of its turn. */
void amk_api_event_turn(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_reader_spec spec = { 0 };
	struct amk_daemon *d = arg;
	struct amk_receipt r;
	struct amk_err e;
	struct turn *t;

	if (!s || !read_query(d, rq, s, &spec))
		return;
	if (amk_api_session_message(rq, s, &r, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	t = amk_calloc(1, sizeof *t);
	t->d = d;
	t->rq = rq;
	t->spec = spec;
	t->spec.after = r.after;
	snprintf(t->session_id, sizeof t->session_id, "%s", amk_session_id(s));
	snprintf(t->message_id, sizeof t->message_id, "%s", r.message_id);
	t->spec.session_id = t->session_id;
	t->spec.turn_of = t->message_id;
	amk_request_later(rq, turn_gone, t);
	amk_store_flush(d->store, turn_flushed, t);
}
