/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: /v1/decisions, and the original's reply routes below a session. One way in for all. */
#include <string.h>

#include "core/jw.h"
#include "core/time.h"
#include "daemon/api.h"
#include "decision/decision.h"

#define ANSWERS_MAX (1u << 20)

void amk_api_decision_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const char *id = amk_request_query(rq, "session");
	struct amk_daemon *d = arg;
	struct amk_session *s = NULL;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	if (id)
		s = amk_session_find(d->sessions, id, &e);
	amk_jw_open(&b, NULL, '{');
	if ((id && !s) || amk_decision_list(d->store, s ? amk_session_row(s) : 0, !amk_api_flag(rq, "all", NULL), &b,
					    &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

/* flushed: it was changed. */
static void reply_decision(struct amk_daemon *d, struct amk_request *rq, int64_t row, bool flushed)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_decision found;
	struct amk_err e;

	if (amk_decision_find(d->store, row, &found, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_decision_write(&b, &found);
	amk_decision_release(&found);
	if (flushed)
		amk_api_reply_flushed(d, rq, 200, &b);
	else
		amk_request_reply_json(rq, 200, &b);
}

void amk_api_decision_get(struct amk_request *rq, void *arg)
{
	if (amk_api_ready(arg, rq))
		reply_decision(arg, rq, amk_decision_row(amk_request_param(rq, 0)), false);
}

void amk_api_decision_conflict(struct amk_buf *b, const struct amk_decision *found, bool line, const struct amk_err *e)
{
	char when[AMK_TIME_TEXT];

	if (e->code != AMK_EANSWERED)
		return;
	amk_jw_cstr(b, "state", found->state);
	amk_jw_cstr(b, "reason", found->reason);
	amk_jw_cstr(b, "by", found->by);
	if (found->answer)
		amk_jw_raw(b, "answer", found->answer, strlen(found->answer));
	if (found->closed && line)
		amk_jw_cstr(b, "closed_at", amk_time_format(when, found->closed / 1000000 * 1000000));
	else if (found->closed)
		amk_jw_int(b, "closedAt", found->closed / 1000000);
}

static int check_reply(const struct amk_decision *found, const struct amk_decision_answer *a, struct amk_err *e)
{
	static const char *const allowed[][4] = { { "once", "always", "reject", NULL }, { "answer", "reject", NULL } };
	bool question = strcmp(found->kind, "question") == 0;

	for (const char *const *p = allowed[question]; *p; p++)
		if (strcmp(*p, a->reply) == 0)
			return 0;
	return amk_err_set(e, AMK_EINVALID, "reply to a %s must be %s, not \"%.40s\"", found->kind,
			   question ? "answer or reject" : "once, always or reject", a->reply);
}

static int check_answers(const struct amk_json *answers, struct amk_err *e)
{
	for (const struct amk_json *q = amk_json_first(answers); q; q = amk_json_next(q)) {
		if (!amk_json_is_array(q))
			return amk_err_set(e, AMK_EINVALID, "answers must be a list of lists of strings");
		for (const struct amk_json *a = amk_json_first(q); a; a = amk_json_next(a))
			if (!amk_json_str(a))
				return amk_err_set(e, AMK_EINVALID, "answers must be a list of lists of strings");
	}
	return 0;
}

struct reply {
	const char *reply, *message, *by;
	const struct amk_json *answers, *input, *rule;
	bool stop;
};
static const struct amk_json_field fields[] = {
	AMK_JSON_FIELD(reply, reply, "reply", STR, false),
	AMK_JSON_FIELD(reply, message, "message", STR, false),
	AMK_JSON_FIELD(reply, by, "by", STR, false),
	AMK_JSON_FIELD(reply, answers, "answers", ARRAY, false),
	AMK_JSON_FIELD(reply, input, "input", OBJECT, false),
	AMK_JSON_FIELD(reply, stop, "stop", BOOL, false),
	AMK_JSON_FIELD(reply, rule, "rule", OBJECT, false),
};

int amk_api_decision_take(struct amk_daemon *d, const struct amk_decision *found, const struct amk_api_answer *how,
			  struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(ANSWERS_MAX);
	struct amk_buf input AMK_AUTO(buf) = AMK_BUF_INIT(ANSWERS_MAX);
	struct amk_decision_answer a = { .reply = how->reply };
	struct amk_session *s;
	struct reply r = { 0 };

	if (how->body && (amk_json_read(how->body, fields, AMK_COUNT(fields), &r, e) < 0 ||
			  check_answers(r.answers, e) < 0))
		return -1;
	if (r.answers) {
		amk_json_print(&text, NULL, r.answers);
		a.answers = text.s;
	}
	if (r.input) {
		amk_json_print(&input, NULL, r.input);
		a.input = input.s;
	}
	if (!amk_buf_ok(&text) || !amk_buf_ok(&input))
		return amk_err_set(e, AMK_ETOOBIG, "the answer is longer than %u bytes", ANSWERS_MAX);
	if (!a.reply)
		a.reply = r.reply ? r.reply : r.answers ? "answer" : "";
	a.message = r.message;
	a.stop = r.stop;
	a.wanted = r.rule;
	a.by = r.by ? r.by : how->by;
	s = amk_session_find(d->sessions, found->session_id, e);
	return s && check_reply(found, &a, e) == 0 ? amk_session_answer(s, found, &a, e) : -1;
}

/* Reads the body, answers, and replies with `status` (200: the decision). `reply` overrides the body's. */
static void answer_body(struct amk_daemon *d, struct amk_request *rq, const struct amk_decision *found,
			const char *reply, int status)
{
	struct amk_buf ext AMK_AUTO(buf) = AMK_BUF_INIT(ANSWERS_MAX);
	struct amk_api_answer how = { amk_request_json(rq), reply, NULL };
	struct amk_err e;
	char peer[64];

	how.by = amk_api_peer(rq, peer);
	if (amk_api_decision_take(d, found, &how, &e) < 0) {
		amk_api_decision_conflict(&ext, found, false, &e);
		amk_request_problem(rq, &e, amk_buf_ok(&ext) && ext.n ? ext.s : NULL);
	} else if (status == 200) {
		reply_decision(d, rq, found->row, true);
	} else {
		amk_api_reply_flushed(d, rq, status, NULL);
	}
}

void amk_api_decision_answer(struct amk_request *rq, void *arg)
{
	struct amk_daemon *d = arg;
	struct amk_decision found;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	if (amk_decision_find(d->store, amk_decision_row(amk_request_param(rq, 0)), &found, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	answer_body(d, rq, &found, NULL, 200);
	amk_decision_release(&found);
}

/* The original's routes: an unknown id is 400 there. */
static void answer_of_session(struct amk_request *rq, struct amk_daemon *d, const char *kind, const char *reply)
{
	struct amk_session *s = amk_api_session(d, rq);
	const char *id = amk_request_param(rq, 1);
	struct amk_decision found;
	struct amk_err e;

	if (!s)
		return;
	if (amk_decision_find(d->store, amk_decision_row(id), &found, &e) < 0 ||
	    found.session != amk_session_row(s) || strcmp(found.kind, kind) != 0) {
		amk_decision_release(&found);
		amk_err_set(&e, AMK_EINVALID, "unknown %s id: %s", kind, id);
		amk_request_problem(rq, &e, NULL);
		return;
	}
	answer_body(d, rq, &found, reply, 204);
	amk_decision_release(&found);
}

void amk_api_decision_permission_reply(struct amk_request *rq, void *arg)
{
	answer_of_session(rq, arg, "permission", NULL);
}

void amk_api_decision_question_reply(struct amk_request *rq, void *arg)
{
	answer_of_session(rq, arg, "question", "answer");
}

void amk_api_decision_question_reject(struct amk_request *rq, void *arg)
{
	answer_of_session(rq, arg, "question", "reject");
}
