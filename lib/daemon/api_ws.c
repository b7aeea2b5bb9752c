/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebSockets: one connection to read a session (or all) from a cursor, to send messages and to answer
 * decisions. What comes is a line with a type; each type is a row of the table at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/jw.h"
#include "daemon/api.h"
#include "daemon/reader.h"
#include "http/ws.h"
#include "store/log.h"

#define WAITING 64 /* answers to one client that wait for the disk; then its next line does, too */
#define ID_MAX 128 /* bytes of a request_id */
#define LINE_MAX (1u << 20)

struct socket {
	struct amk_daemon *d;
	struct amk_ws *ws;
	struct amk_reader *reader, *next; /* what is read; what replaces it at the next frame */
	bool replaced;			  /* `next`, which may be NULL, is to be the reader */
	char session_id[129];			  /* "": all */
	char peer[64];
	LIST_HEAD(, later) waiting;
	unsigned n_waiting;
};

/* A line that came, taken apart. */
struct asked {
	const char *type, *session_id, *decision_id, *profile;
	struct amk_post post;
	bool raw, all;
	const struct amk_json *line;
	struct amk_buf id; /* the client's request_id as JSON, or empty */
};

/* ---- out ---- */

static void line_open(struct amk_buf *b, const char *type, const struct amk_buf *id)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", type);
	if (id->n)
		amk_jw_raw(b, "request_id", id->s, id->n);
}

static void say(struct socket *so, struct amk_buf *b)
{
	amk_jw_close(b, '}');
	if (amk_buf_ok(b))
		amk_ws_send(so->ws, AMK_WS_TEXT, b->s, b->n);
	else
		amk_ws_close(so->ws, AMK_WS_INTERNAL, "an answer is too long");
}

/* `extension`: further members, or NULL. */
static void say_problem(struct socket *so, const struct amk_buf *id, const struct amk_err *e, const char *extension)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);

	line_open(&b, "problem", id);
	amk_jw_cstr(&b, "code", amk_codes[e->code].name);
	amk_jw_int(&b, "status", amk_codes[e->code].http);
	amk_jw_cstr(&b, "detail", e->msg);
	if (extension)
		amk_jw_members(&b, extension, strlen(extension));
	if (e->hint[0])
		amk_jw_cstr(&b, "hint", e->hint);
	say(so, &b);
}

static void say_done(struct socket *so, const struct amk_buf *id)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);

	if (id->n == 0)
		return;
	line_open(&b, "done", id);
	say(so, &b);
}

/* An answer that leaves once everything written so far is on disk. */
struct later {
	LIST_ENTRY(later) list;
	struct socket *so; /* NULL: gone */
	struct amk_buf line, id;
};

static void flushed(void *arg, bool ok)
{
	struct later *l = arg;
	struct amk_err e;

	if (l->so) {
		LIST_REMOVE(l, list);
		l->so->n_waiting--;
		amk_err_set(&e, AMK_EUNAVAILABLE, "the state could not be written");
		amk_err_hint(&e, "nothing was accepted; try again");
		if (!ok)
			say_problem(l->so, &l->id, &e, NULL);
		else if (l->line.n)
			say(l->so, &l->line);
		else
			say_done(l->so, &l->id);
		amk_ws_wake(l->so->ws);
	}
	amk_buf_release(&l->line);
	amk_buf_release(&l->id);
	free(l);
}

/* `line` without its closing brace; NULL: only that it is done. */
static void say_flushed(struct socket *so, const struct amk_buf *id, const struct amk_buf *line)
{
	struct later *l = amk_calloc(1, sizeof *l);

	l->so = so;
	amk_buf_init(&l->line, AMK_API_REPLY_MAX);
	amk_buf_init(&l->id, LINE_MAX);
	amk_buf_add(&l->id, id->s, id->n);
	if (line)
		amk_buf_add(&l->line, line->s, line->n);
	LIST_INSERT_HEAD(&so->waiting, l, list);
	so->n_waiting++;
	amk_store_flush(so->d->store, flushed, l);
}

/* ---- reading the log ---- */

static void reader_wake(void *arg)
{
	struct socket *so = arg;

	amk_ws_wake(so->ws);
}

static bool between(void *arg)
{
	const struct socket *so = arg;

	return !so->reader || amk_reader_between(so->reader);
}

static void reader_free(struct amk_reader **r)
{
	if (*r)
		amk_reader_close(*r);
	*r = NULL;
}

/* `r` NULL: nothing is read any more. */
static void reader_replace(struct socket *so, struct amk_reader *r)
{
	reader_free(&so->next);
	so->next = r;
	so->replaced = true;
	amk_ws_wake(so->ws);
}

/* The session is not there any more, or the log cannot be read; the reader has said which. */
static void reader_ended(struct socket *so)
{
	if (so->d->sessions && so->session_id[0] && !amk_session_find(so->d->sessions, so->session_id, NULL))
		amk_ws_close(so->ws, AMK_WS_NORMAL, "the session is no more");
	else
		amk_ws_close(so->ws, AMK_WS_INTERNAL, "the log cannot be read");
}

static enum amk_pull pull(void *arg, char *to, size_t max, size_t *n)
{
	struct socket *so = arg;
	enum amk_pull got;

	if (so->replaced && between(so)) {
		reader_free(&so->reader);
		so->reader = so->next;
		so->next = NULL;
		so->replaced = false;
	}
	if (!so->reader)
		return AMK_PULL_WAIT;
	got = amk_reader_pull(so->reader, to, max, n);
	if (got != AMK_PULL_END)
		return got;
	reader_ended(so);
	return AMK_PULL_WAIT;
}

/* ---- what is asked ---- */

static int ready(const struct socket *so, struct amk_err *e)
{
	if (so->d->sessions)
		return 0;
	amk_err_set(e, AMK_EUNAVAILABLE, "the state cannot be written");
	return amk_err_hint(e, "see the daemon's log, make room in %.80s", so->d->path);
}

static struct amk_session *session_of(const struct socket *so, const struct asked *a, struct amk_err *e)
{
	const char *own = so->session_id[0] ? so->session_id : NULL;

	if (own && a->session_id && strcmp(own, a->session_id) != 0) {
		amk_err_set(e, AMK_EINVALID, "this connection is for session \"%.140s\" only", own);
		return NULL;
	}
	if (!own && !a->session_id) {
		amk_err_set(e, AMK_EINVALID, "%.20s needs a session_id", a->type);
		return NULL;
	}
	return amk_session_find(so->d->sessions, own ? own : a->session_id, e);
}

static int cursor_read(const struct socket *so, const struct amk_json *after, const struct amk_session *s,
		       struct amk_reader_spec *spec, struct amk_err *e)
{
	const char *word = amk_json_str(after);
	int64_t v = 0;

	if (word && strcmp(word, "now") == 0)
		spec->after = s ? amk_session_sequence(s) : amk_log_newest(so->d->store);
	else if (after && (!amk_json_int(after, &v) || v < 0))
		return amk_err_set(e, AMK_EINVALID, "after must be a whole number or \"now\"");
	else
		spec->after = (uint64_t)v;
	return 0;
}

static int subscribe(struct socket *so, const struct asked *a, struct amk_err *e)
{
	struct amk_reader_spec spec = { .raw = a->raw, .frame = amk_ws_frame };
	struct amk_session *s = NULL;
	struct amk_reader *r;

	if ((so->session_id[0] || a->session_id) && !(s = session_of(so, a, e)))
		return -1;
	if (a->profile && strcmp(a->profile, "amika") != 0 && strcmp(a->profile, "universal") != 0)
		return amk_err_set(e, AMK_EINVALID, "profile must be amika or universal, not \"%.40s\"", a->profile);
	spec.hidden = spec.notices = !a->profile || strcmp(a->profile, "amika") == 0;
	spec.session_id = s ? amk_session_id(s) : NULL;
	if (cursor_read(so, amk_json_get(a->line, "after"), s, &spec, e) < 0)
		return -1;
	r = amk_reader_open(so->d, &spec, reader_wake, so, e);
	if (!r)
		return -1;
	reader_replace(so, r);
	say_done(so, &a->id);
	return 0;
}

static int unsubscribe(struct socket *so, const struct asked *a, struct amk_err *e)
{
	(void)e;
	reader_replace(so, NULL);
	say_done(so, &a->id);
	return 0;
}

static int message(struct socket *so, const struct asked *a, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	struct amk_session *s = session_of(so, a, e);
	struct amk_receipt r;

	if (!s)
		return -1;
	if (!a->post.text)
		return amk_err_set(e, AMK_EINVALID, "message needs a text");
	if (amk_session_post(s, &a->post, &r, e) < 0)
		return -1;
	line_open(&b, "receipt", &a->id);
	amk_jw_cstr(&b, "session_id", amk_session_id(s));
	amk_jw_cstr(&b, "message_id", r.message_id);
	amk_jw_int(&b, "after", (int64_t)r.after);
	amk_jw_cstr(&b, "state", amk_api_session_receipt_state(&r));
	say_flushed(so, &a->id, &b);
	return 0;
}

static int cancel(struct socket *so, const struct asked *a, struct amk_err *e)
{
	struct amk_session *s = session_of(so, a, e);

	if (!s)
		return -1;
	if (a->post.id) {
		if (amk_session_queue_cancel(s, a->post.id, so->peer, e) < 0)
			return -1;
		say_flushed(so, &a->id, NULL);
		return 0;
	}
	if (a->all)
		amk_session_queue_clear(s, so->peer);
	amk_session_cancel(s, so->peer);
	say_flushed(so, &a->id, NULL);
	return 0;
}

static void decision_say(struct socket *so, const struct asked *a, int64_t row)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_decision found;
	struct amk_err e;

	if (amk_decision_find(so->d->store, row, &found, &e) < 0) {
		say_problem(so, &a->id, &e, NULL);
		return;
	}
	line_open(&b, "decision", &a->id);
	amk_decision_write_line(&b, &found);
	amk_decision_release(&found);
	say_flushed(so, &a->id, &b);
}

static int decision_find(const struct socket *so, const struct asked *a, struct amk_decision *found, struct amk_err *e)
{
	if (!a->decision_id)
		return amk_err_set(e, AMK_EINVALID, "answer needs a decision_id");
	if (amk_decision_find(so->d->store, amk_decision_row(a->decision_id), found, e) < 0)
		return -1;
	if (!so->session_id[0] || strcmp(so->session_id, found->session_id) == 0)
		return 0;
	amk_decision_release(found);
	return amk_err_set(e, AMK_ENODECISION, "no decision \"%.40s\" in session \"%.140s\"", a->decision_id,
			   so->session_id);
}

static int answer(struct socket *so, const struct asked *a, struct amk_err *e)
{
	struct amk_buf ext AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	struct amk_api_answer how = { .body = a->line, .by = so->peer };
	struct amk_decision found;

	if (decision_find(so, a, &found, e) < 0)
		return -1;
	if (amk_api_decision_take(so->d, &found, &how, e) == 0) {
		decision_say(so, a, found.row);
	} else {
		amk_api_decision_conflict(&ext, &found, true, e);
		say_problem(so, &a->id, e, amk_buf_ok(&ext) && ext.n ? ext.s : NULL);
	}
	amk_decision_release(&found);
	return 0;
}

static const struct {
	const char *type;
	/* -1: refused, e says why. Otherwise it has answered, or will. */
	int (*fn)(struct socket *so, const struct asked *a, struct amk_err *e);
} types[] = {
	{ "subscribe", subscribe }, { "unsubscribe", unsubscribe }, { "message", message },
	{ "answer", answer },	    { "cancel", cancel },
};

static const struct amk_json_field fields[] = {
	AMK_JSON_FIELD(asked, type, "type", STR, true),
	AMK_JSON_FIELD(asked, session_id, "session_id", STR, false),
	AMK_JSON_FIELD(asked, post.text, "text", STR, false),
	AMK_JSON_FIELD(asked, post.id, "message_id", STR, false),
	AMK_JSON_FIELD(asked, post.attachments, "attachments", ARRAY, false),
	AMK_JSON_FIELD(asked, post.steer, "steer", BOOL, false),
	AMK_JSON_FIELD(asked, decision_id, "decision_id", STR, false),
	AMK_JSON_FIELD(asked, profile, "profile", STR, false),
	AMK_JSON_FIELD(asked, raw, "raw", BOOL, false),
	AMK_JSON_FIELD(asked, all, "all", BOOL, false),
};

static int id_read(struct asked *a, struct amk_err *e)
{
	const struct amk_json *id = amk_json_get(a->line, "request_id");
	const char *word = amk_json_str(id);
	int64_t v;

	if (!id)
		return 0;
	if (!amk_json_int(id, &v) && (!word || strlen(word) > ID_MAX))
		return amk_err_set(e, AMK_EINVALID, "request_id must be a number or %d bytes of text", ID_MAX);
	amk_json_print(&a->id, NULL, id);
	return 0;
}

static int act(struct socket *so, struct asked *a, struct amk_err *e)
{
	if (!amk_json_is_object(a->line))
		return amk_err_set(e, AMK_EINVALID, "the line is not a JSON object");
	if (id_read(a, e) < 0 || amk_json_read(a->line, fields, AMK_COUNT(fields), a, e) < 0 || ready(so, e) < 0)
		return -1;
	for (size_t i = 0; i < AMK_COUNT(types); i++)
		if (strcmp(types[i].type, a->type) == 0)
			return types[i].fn(so, a, e);
	return amk_err_set(e, AMK_EINVALID, "unknown type \"%.40s\"", a->type);
}

static void line_take(void *arg, enum amk_ws_kind kind, const char *s, size_t n)
{
	struct asked a = { .id = AMK_BUF_INIT(LINE_MAX) };
	struct amk_json *line AMK_AUTO(json) = NULL;
	struct socket *so = arg;
	struct amk_err e;

	if (kind != AMK_WS_TEXT) {
		amk_ws_close(so->ws, AMK_WS_UNSUPPORTED, "lines are text");
		return;
	}
	a.line = line = amk_json_parse(s, n, &e);
	if (!line || act(so, &a, &e) < 0)
		say_problem(so, &a.id, &e, NULL);
	amk_buf_release(&a.id);
}

static bool busy(void *arg)
{
	return ((const struct socket *)arg)->n_waiting >= WAITING;
}

static void closed(void *arg)
{
	struct socket *so = arg;
	struct later *l;

	LIST_FOREACH(l, &so->waiting, list)
		l->so = NULL;
	reader_free(&so->reader);
	reader_free(&so->next);
	free(so);
}

static void socket_open(struct amk_daemon *d, struct amk_request *rq, const char *session_id)
{
	static const struct amk_ws_ops ops = { pull, between, line_take, busy, closed };
	struct socket *so = amk_calloc(1, sizeof *so);

	so->d = d;
	LIST_INIT(&so->waiting);
	snprintf(so->session_id, sizeof so->session_id, "%s", session_id);
	amk_api_peer(rq, so->peer);
	so->ws = amk_request_ws(rq, &ops, so);
	if (!so->ws)
		free(so);
}

void amk_api_ws(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);

	if (s)
		socket_open(arg, rq, amk_session_id(s));
}

void amk_api_ws_all(struct amk_request *rq, void *arg)
{
	if (amk_api_ready(arg, rq))
		socket_open(arg, rq, "");
}
