/* SPDX-License-Identifier: Apache-2.0 */
/* Routes below /v1/sessions. */
#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "daemon/api.h"
#include "daemon/owner.h"

void amk_api_session_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	uint64_t before = 0, limit = UINT64_MAX;
	struct amk_daemon *d = arg;
	struct amk_err e;
	int64_t at;

	if (!amk_api_ready(d, rq) || !amk_api_number(rq, "before", &before) || !amk_api_number(rq, "limit", &limit))
		return;
	at = (int64_t)before;
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "sessions", '[');
	if (amk_session_list(d->sessions, &at, limit, &b, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_close(&b, ']');
	amk_jw_bool(&b, "hasMore", at != 0);
	if (at)
		amk_jw_int(&b, "before", at);
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

void amk_api_session_get(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_session *s = amk_api_session(arg, rq);

	if (!s)
		return;
	amk_session_write(&b, s);
	amk_request_reply_json(rq, 200, &b);
}

/* The members the original has beside its errors of this route. */
static void write_refusal(struct amk_buf *b, const struct amk_err *e, const char *id, const struct amk_json *body)
{
	const char *agent = amk_json_get_str(body, "agent"), *mode = amk_json_get_str(body, "agentMode");
	const struct amk_codec *codec = agent ? amk_agent_find(agent) : NULL;

	if (e->code == AMK_EEXISTS)
		amk_jw_cstr(b, "sessionId", id);
	if (e->code != AMK_EUNKNOWNAGENT && e->code != AMK_ENOTINSTALLED && e->code != AMK_EMODE)
		return;
	amk_jw_cstr(b, "agent", agent);
	if (e->code != AMK_EMODE)
		return;
	if (!mode || amk_agent_mode(codec, mode))
		mode = amk_json_get_str(body, "permissionMode");
	amk_jw_open(b, "details", '{');
	amk_jw_cstr(b, "mode", mode);
	amk_jw_close(b, '}');
}

void amk_api_session_create(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_buf ext AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_daemon *d = arg;
	const char *id = amk_request_param(rq, 0);
	struct amk_json *lent AMK_AUTO(json) = NULL;
	struct amk_session *s;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	if (amk_owner_serves(d, rq))
		lent = amk_owner_request(amk_request_json(rq));
	if (amk_session_create(d->sessions, id, lent ? lent : amk_request_json(rq), &s, &e) < 0) {
		write_refusal(&ext, &e, id, amk_request_json(rq));
		amk_request_problem(rq, &e, amk_buf_ok(&ext) && ext.n ? ext.s : NULL);
		return;
	}
	if (amk_api_wants_representation(rq)) {
		amk_session_write(&b, s);
	} else {
		amk_jw_open(&b, NULL, '{');
		amk_jw_bool(&b, "healthy", true);
		amk_jw_null(&b, "error");
		amk_jw_cstr(&b, "nativeSessionId", amk_session_native_id(s));
		amk_jw_close(&b, '}');
	}
	amk_api_reply_flushed(d, rq, 200, &b);
}

const char *amk_api_session_receipt_state(const struct amk_receipt *r)
{
	static const char *const states[] = {
		[AMK_RECEIPT_ACCEPTED] = "accepted",
		[AMK_RECEIPT_QUEUED] = "queued",
		[AMK_RECEIPT_STEERED] = "steered",
		[AMK_RECEIPT_DUPLICATE] = "duplicate",
	};

	return states[r->state];
}

static void write_receipt(struct amk_buf *b, const struct amk_session *s, const struct amk_receipt *r)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "sessionId", amk_session_id(s));
	amk_jw_cstr(b, "messageId", r->message_id);
	amk_jw_int(b, "after", (int64_t)r->after);
	amk_jw_cstr(b, "state", amk_api_session_receipt_state(r));
	amk_jw_close(b, '}');
}

int amk_api_session_message(struct amk_request *rq, struct amk_session *s, struct amk_receipt *r, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_post, text, "message", STR, true),
		AMK_JSON_FIELD(amk_post, id, "messageId", STR, false),
		AMK_JSON_FIELD(amk_post, attachments, "attachments", ARRAY, false),
		AMK_JSON_FIELD(amk_post, steer, "steer", BOOL, false),
	};
	struct amk_post p = { 0 };

	if (amk_json_read(amk_request_json(rq), fields, AMK_COUNT(fields), &p, e) < 0)
		return -1;
	return amk_session_post(s, &p, r, e);
}

void amk_api_session_post(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_receipt r;
	struct amk_err e;

	if (!s)
		return;
	if (amk_api_session_message(rq, s, &r, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	if (!amk_api_wants_representation(rq)) {
		amk_api_reply_flushed(arg, rq, 204, NULL);
		return;
	}
	write_receipt(&b, s, &r);
	amk_api_reply_flushed(arg, rq, 200, &b);
}

struct ending {
	struct amk_daemon *d;
	struct amk_request *rq; /* NULL: the client has gone */
};

static void ending_gone(void *arg)
{
	struct ending *end = arg;

	end->rq = NULL;
}

static void ending_flushed(void *arg, bool ok)
{
	struct ending *end = arg;

	if (end->rq && ok)
		amk_request_reply(end->rq, 204, NULL, NULL, 0);
	else if (end->rq)
		amk_api_reply_unwritten(end->d, end->rq);
	free(end);
}

static void ending_done(void *arg, bool ok)
{
	struct ending *end = arg;

	if (ok)
		amk_store_flush(end->d->store, ending_flushed, end);
	else
		ending_flushed(end, false);
}

static struct ending *ending_new(struct amk_daemon *d, struct amk_request *rq)
{
	struct ending *end = amk_calloc(1, sizeof *end);

	*end = (struct ending){ d, rq };
	amk_request_later(rq, ending_gone, end);
	return end;
}

/* The reply comes when the program and all it started are gone and session.ended is on disk. */
void amk_api_session_terminate(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);

	if (s)
		amk_session_terminate(s, ending_done, ending_new(arg, rq));
}

/* The reply comes when nothing is left of it. */
void amk_api_session_forget(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);

	if (s)
		amk_session_forget(s, ending_flushed, ending_new(arg, rq));
}

void amk_api_session_cancel(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	char peer[64];

	if (!s)
		return;
	amk_api_peer(rq, peer);
	if (amk_api_flag(rq, "all", NULL))
		amk_session_queue_clear(s, peer);
	amk_session_cancel(s, peer);
	amk_api_reply_flushed(arg, rq, 204, NULL);
}

/* The reply comes when the program is gone and that is on disk. */
void amk_api_session_sleep(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_err e;

	if (s && amk_session_may_sleep(s, &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else if (s)
		amk_session_sleep(s, ending_done, ending_new(arg, rq));
}

void amk_api_session_warm(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_err e;

	if (s && amk_session_warm(s, &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else if (s)
		amk_api_reply_flushed(arg, rq, 204, NULL);
}

void amk_api_session_set(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_err e;
	char peer[64];

	if (!s)
		return;
	if (amk_session_set(s, amk_request_json(rq), amk_api_peer(rq, peer), &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_session_write(&b, s);
	amk_api_reply_flushed(arg, rq, 200, &b);
}
