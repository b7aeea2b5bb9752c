/* SPDX-License-Identifier: Apache-2.0 */
/* Moving a cursor through chunks, and the few lines that are a reader's own. */
#include "daemon/reader.h"

#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "core/metric.h"
#include "core/say.h"
#include "core/time.h"
#include "daemon/chunk.h"
#include "store/log.h"

#define OWN_MAX 4096

struct amk_reader {
	struct amk_daemon *d;
	struct amk_reader_spec spec; /* .after is the cursor, .limit what is left of it */
	char *session_id, *turn_of;
	int64_t session; /* row, 0: all */
	void (*wake)(void *arg);
	void *arg;
	struct amk_log_sub sub;
	uint64_t woken;	  /* the newest row of the log then */
	uint64_t gap_told; /* up to this row */
	int64_t since; /* the newest change of a state told */
	struct amk_buf own;
	size_t own_sent;
	const struct amk_chunk *chunk; /* where its id is still chunk_id: the next frame is number `at` */
	uint64_t chunk_id;
	size_t at, skip; /* so much of the next frame was given */
	bool limited, turn_begun, ended;
	struct amk_err failed; /* code AMK_OK: not yet */
};

/* NULL: it is not there any more. */
static struct amk_session *session_of(const struct amk_reader *r)
{
	struct amk_session *s = r->d->sessions ? amk_session_find(r->d->sessions, r->session_id, NULL) : NULL;

	return s && amk_session_row(s) == r->session ? s : NULL;
}

/* The reader's own lines */

static void own_frame(struct amk_reader *r, const struct amk_buf *line)
{
	r->spec.frame(&r->own, 0, line->s, line->n);
}

static void put_state(struct amk_reader *r, struct amk_buf *b, const struct amk_session *s)
{
	char when[AMK_TIME_TEXT];

	r->since = amk_session_since(s);
	amk_jw_cstr(b, "state", amk_session_state(s));
	amk_jw_cstr(b, "state_reason", amk_session_reason(s));
	amk_jw_cstr(b, "state_since", amk_time_format(when, r->since));
}

/* Of all sessions, the states there are are not told, only those they change to. */
static void say_hello(struct amk_reader *r, const struct amk_session *s)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(OWN_MAX);

	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "type", "hello");
	amk_jw_cstr(&b, "version", PACKAGE_VERSION);
	if (s)
		amk_jw_cstr(&b, "session_id", r->session_id);
	amk_jw_int(&b, "after", (int64_t)r->spec.after);
	if (s)
		put_state(r, &b, s);
	else
		r->since = amk_session_newest_change(r->d->sessions);
	amk_jw_close(&b, '}');
	own_frame(r, &b);
}

static const struct amk_session *next_change(const struct amk_reader *r)
{
	return r->d->sessions ? amk_session_changed(r->d->sessions, r->since) : NULL;
}

/* Told once the reader has all events there are: the state is the one behind them. */
static void say_state(struct amk_reader *r)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(OWN_MAX);
	const struct amk_session *s = r->session ? session_of(r) : next_change(r);

	if (!s || amk_session_since(s) <= r->since)
		return;
	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "type", "session.state");
	amk_jw_cstr(&b, "session_id", amk_session_id(s));
	amk_jw_int(&b, "after", (int64_t)amk_session_sequence(s));
	put_state(r, &b, s);
	amk_jw_close(&b, '}');
	own_frame(r, &b);
}

/* Of all sessions it is only known up to where something is missing. */
static void say_gap(struct amk_reader *r)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CHUNK_GAP_MAX);
	uint64_t upto = amk_log_forgotten_upto(r->d->store);

	if (r->session || r->spec.after >= upto || r->gap_told >= upto)
		return;
	r->gap_told = upto;
	amk_chunk_gap(&b, NULL, r->spec.after, upto + 1);
	own_frame(r, &b);
}

static size_t own_give(struct amk_reader *r, char *to, size_t max)
{
	size_t n = r->own.n - r->own_sent < max ? r->own.n - r->own_sent : max;

	memcpy(to, r->own.s + r->own_sent, n);
	r->own_sent += n;
	if (r->own_sent == r->own.n) {
		amk_buf_release(&r->own);
		r->own_sent = 0;
	}
	return n;
}

/* Events */

/* With the next frame at r->at; NULL: there is none now. */
static const struct amk_chunk *chunk_here(struct amk_reader *r)
{
	struct amk_chunk_key key = { r->session, r->session_id, r->spec.after, r->spec.hidden, r->spec.raw,
				     r->spec.frame };
	const struct amk_chunk *c = r->chunk;

	if (c && c->id == r->chunk_id) {
		if (r->at < c->n)
			return c;
		if (c->last && c->seen >= r->woken)
			return NULL;
	}
	r->at = 0;
	r->chunk = c = amk_chunks_get(r->d->chunks, &key, r->woken, &r->failed);
	if (!c) {
		amk_say(AMK_SAY_ERROR, "reader", "%s", r->failed.msg);
		r->ended = true;
		return NULL;
	}
	r->chunk_id = c->id;
	return c->n ? c : NULL;
}

static bool frame_has(const char *frame, size_t n, const char *text)
{
	return memmem(frame, n, text, strlen(text)) != NULL;
}

/* The type stands before anything an agent may have written. */
static bool is_type(const char *frame, size_t n, const char *type)
{
	const char *at = memmem(frame, n, "\"type\":\"", 8);
	size_t len = strlen(type);

	return at && n - (size_t)(at + 8 - frame) > len && memcmp(at + 8, type, len) == 0 && at[8 + len] == '"';
}

/*
 * The original's rule (sandbox-agent 0.1.11): behind the first of these the stream of a turn ends. But not
 * behind those of a turn that ran before ours, and not behind a line that could not be understood.
 */
static bool closes_turn(struct amk_reader *r, const char *frame, size_t n)
{
	static const char *const closers[] = { "turn.ended", "error", "permission.requested", "question.requested" };
	struct amk_buf ours AMK_AUTO(buf) = AMK_BUF_INIT(512);

	if (is_type(frame, n, "session.ended"))
		return true;
	if (!r->turn_begun) {
		amk_jw_cstr(&ours, "message", r->turn_of);
		/* A message that was put into a turn is named by its item. */
		r->turn_begun = (is_type(frame, n, "turn.started") || is_type(frame, n, "item.started")) &&
				frame_has(frame, n, ours.s);
		return false;
	}
	for (size_t i = 0; i < AMK_COUNT(closers); i++)
		if (is_type(frame, n, closers[i]))
			return true;
	return false;
}

static void pass_frame(struct amk_reader *r, const struct amk_chunk *c)
{
	size_t start = r->at ? c->marks[r->at - 1].end : 0;

	r->spec.after = c->marks[r->at].cursor;
	if (r->turn_of && closes_turn(r, c->bytes.s + start, c->marks[r->at].end - start))
		r->ended = true;
	if (r->limited && --r->spec.limit == 0)
		r->ended = true;
	r->at++;
	r->skip = 0;
}

/* Whole frames, as many as fit; of one that is longer than `max`, a part. */
static size_t frames_give(struct amk_reader *r, const struct amk_chunk *c, char *to, size_t max)
{
	size_t from = (r->at ? c->marks[r->at - 1].end : 0) + r->skip, upto = from;

	while (r->at < c->n && c->marks[r->at].end - from <= max && !r->ended) {
		upto = c->marks[r->at].end;
		pass_frame(r, c);
		amk_metric_add(AMK_METRIC_DELIVERIES, 1);
	}
	if (upto == from) {
		upto = from + max;
		r->skip += max;
	}
	memcpy(to, c->bytes.s + from, upto - from);
	amk_metric_add(AMK_METRIC_STREAM_BYTES, (int64_t)(upto - from));
	return upto - from;
}

enum amk_pull amk_reader_pull(struct amk_reader *r, char *to, size_t max, size_t *n)
{
	const struct amk_chunk *c = NULL;

	if (r->spec.notices && r->skip == 0 && r->own.n == 0)
		say_gap(r);
	if (r->own.n == 0 && !r->ended)
		c = chunk_here(r);
	if (r->spec.notices && r->own.n == 0 && !r->ended && !c)
		say_state(r);
	if (r->own.n) {
		*n = own_give(r, to, max);
		return AMK_PULL_BYTES;
	}
	if (c) {
		*n = frames_give(r, c, to, max);
		return AMK_PULL_BYTES;
	}
	if (r->session && r->d->sessions && !session_of(r))
		r->ended = true;
	return r->ended ? AMK_PULL_END : AMK_PULL_WAIT;
}

bool amk_reader_between(const struct amk_reader *r)
{
	return r->skip == 0 && r->own_sent == 0;
}

uint64_t amk_reader_cursor(const struct amk_reader *r)
{
	return r->spec.after;
}

bool amk_reader_failed(const struct amk_reader *r, struct amk_err *e)
{
	if (r->failed.code == AMK_OK)
		return false;
	*e = r->failed;
	return true;
}

bool amk_reader_has_more(struct amk_reader *r)
{
	return chunk_here(r) != NULL;
}

static void woken(void *arg)
{
	struct amk_reader *r = arg;

	r->woken = amk_log_newest(r->d->store);
	if (r->wake)
		r->wake(r->arg);
}

struct amk_reader *amk_reader_open(struct amk_daemon *d, const struct amk_reader_spec *spec,
				   void (*wake)(void *arg), void *arg, struct amk_err *e)
{
	struct amk_session *s = spec->session_id ? amk_session_find(d->sessions, spec->session_id, e) : NULL;
	struct amk_reader *r;

	if (spec->session_id && !s)
		return NULL;
	r = amk_calloc(1, sizeof *r);
	r->d = d;
	r->spec = *spec;
	r->limited = spec->limit > 0;
	r->session = s ? amk_session_row(s) : 0;
	r->session_id = s ? amk_strdup(spec->session_id) : NULL;
	r->turn_of = spec->turn_of ? amk_strdup(spec->turn_of) : NULL;
	r->spec.session_id = r->spec.turn_of = NULL;
	r->wake = wake;
	r->arg = arg;
	r->woken = amk_log_newest(d->store);
	amk_buf_init(&r->own, OWN_MAX);
	if (spec->notices)
		say_hello(r, s);
	r->sub = (struct amk_log_sub){ .session = r->session, .wake = woken, .arg = r };
	amk_log_subscribe(d->store, &r->sub);
	return r;
}

void amk_reader_close(struct amk_reader *r)
{
	amk_log_unsubscribe(r->d->store, &r->sub);
	amk_buf_release(&r->own);
	free(r->session_id);
	free(r->turn_of);
	free(r);
}
