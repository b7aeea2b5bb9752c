/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a decision, from rows of the store. */
#include "decision/decision.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/jw.h"
#include "core/time.h"
#include "decision/content.h"
#include "store/state.h"

#define REQUEST_MAX (32u << 20)

const char *amk_decision_id(char to[AMK_DECISION_ID], int64_t row)
{
	return amk_id_of_row(to, 'd', row);
}

int64_t amk_decision_row(const char *id)
{
	return amk_id_row(id, 'd');
}

static void write_time(struct amk_buf *b, const char *key, int64_t ns)
{
	char when[AMK_TIME_TEXT];

	/* The API's milliseconds, so that the tools' line of it is the same. */
	amk_jw_cstr(b, key, ns ? amk_time_format(when, ns / 1000000 * 1000000) : NULL);
}

void amk_decision_members(struct amk_buf *b, const struct amk_decision_place *at)
{
	char id[AMK_DECISION_ID];

	if (at->deadline)
		write_time(b, "deadline", at->deadline);
	if (at->previous)
		amk_jw_cstr(b, "previous", amk_decision_id(id, at->previous));
}

int amk_decision_open(struct amk_store *s, const struct amk_decision_asker *asker, const struct amk_said *said,
		      struct amk_decision_place *at, struct amk_err *e)
{
	struct amk_buf request AMK_AUTO(buf) = AMK_BUF_INIT(REQUEST_MAX);
	char content[AMK_CONTENT];
	struct amk_state_decision r = {
		.session = asker->session,
		.run = asker->run,
		.native_id = said->decision_native,
		.kind = said->decision_kind,
		.state = "open",
		.content = content,
		.deadline = asker->deadline,
		.created = amk_time_now(),
	};

	amk_jw_open(&request, NULL, '{');
	if (said->decision)
		amk_jw_members(&request, said->decision, strlen(said->decision));
	amk_jw_close(&request, '}');
	if (!amk_buf_ok(&request))
		return amk_err_set(e, AMK_ETOOBIG, "a request of more than %u bytes", REQUEST_MAX);
	r.request = request.s;
	amk_content_of(content, said->decision_kind, request.s);
	if (amk_state_decision_left(s, asker->session, content, &r.previous, e) < 0 ||
	    amk_state_decision_add(s, &r, e) < 0)
		return -1;
	*at = (struct amk_decision_place){ r.row, r.deadline, r.previous };
	return 0;
}

static void place_of(void *arg, const struct amk_state_decision *r)
{
	*(struct amk_decision_place *)arg = (struct amk_decision_place){ r->row, r->deadline, r->previous };
}

static void write_answer(struct amk_buf *b, const struct amk_decision_answer *a)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "reply", a->reply);
	if (a->message)
		amk_jw_cstr(b, "message", a->message);
	if (a->answers)
		amk_jw_raw(b, "answers", a->answers, strlen(a->answers));
	if (a->input)
		amk_jw_raw(b, "input", a->input, strlen(a->input));
	if (a->stop)
		amk_jw_bool(b, "stop", true);
	if (a->made)
		amk_jw_raw(b, "rule_made", a->made, strlen(a->made));
	amk_jw_close(b, '}');
}

int amk_decision_close(struct amk_store *s, const struct amk_decision_asker *asker, const struct amk_said *said,
		       const struct amk_decision_answer *answer, struct amk_decision_place *at, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(REQUEST_MAX);
	struct amk_state_decision r = {
		.state = amk_event_decision_state(said->decision_state),
		.reason = said->decision_reason,
		.closed = amk_time_now(),
	};

	at->row = 0;
	if (amk_state_decision_find(s, 0, asker->run, said->decision_native, place_of, at, e) < 0)
		return -1;
	if (at->row == 0)
		return amk_err_set(e, AMK_EINTERNAL, "\"%.100s\" was never asked", said->decision_native);
	r.row = at->row;
	if (answer) {
		write_answer(&text, answer);
		r.answer = text.s;
		r.by = answer->by;
		r.rule = answer->rule;
	}
	return amk_state_decision_close(s, &r, e);
}

static char *copy(const char *s)
{
	return s ? amk_strdup(s) : NULL;
}

static void take(void *arg, const struct amk_state_decision *r)
{
	*(struct amk_decision *)arg = (struct amk_decision){
		.row = r->row,
		.session = r->session,
		.run = r->run,
		.session_id = copy(r->session_id),
		.native_id = copy(r->native_id),
		.kind = copy(r->kind),
		.state = copy(r->state),
		.request = copy(r->request),
		.reason = copy(r->reason),
		.answer = copy(r->answer),
		.by = copy(r->by),
		.rule = copy(r->rule),
		.previous = r->previous,
		.created = r->created,
		.closed = r->closed,
		.deadline = r->deadline,
		.delivered = r->delivered,
	};
}

int amk_decision_find(struct amk_store *s, int64_t row, struct amk_decision *d, struct amk_err *e)
{
	char id[AMK_DECISION_ID];

	memset(d, 0, sizeof *d);
	if (row && amk_state_decision_find(s, row, 0, NULL, take, d, e) < 0)
		return -1;
	if (d->row)
		return 0;
	amk_err_set(e, AMK_ENODECISION, "no decision %s", amk_decision_id(id, row));
	return amk_err_hint(e, "see: amika decision list");
}

void amk_decision_release(struct amk_decision *d)
{
	free(d->session_id);
	free(d->native_id);
	free(d->kind);
	free(d->state);
	free(d->request);
	free(d->reason);
	free(d->answer);
	free(d->by);
	free(d->rule);
	memset(d, 0, sizeof *d);
}

int amk_decision_check_open(const struct amk_decision *d, struct amk_err *e)
{
	struct amk_json *answer AMK_AUTO(json) = d->answer ? amk_json_parse(d->answer, strlen(d->answer), NULL) : NULL;
	const char *reply = amk_json_get_str(answer, "reply");
	char id[AMK_DECISION_ID], when[AMK_TIME_TEXT];

	amk_decision_id(id, d->row);
	amk_time_format(when, d->closed / 1000000 * 1000000);
	if (strcmp(d->state, "open") == 0)
		return 0;
	if (strcmp(d->state, "void") == 0)
		return amk_err_set(e, AMK_EANSWERED, "%s is void (%s) since %s", id, d->reason ? d->reason : "withdrawn",
				   when);
	if (strcmp(d->state, "expired") == 0)
		return amk_err_set(e, AMK_EANSWERED, "%s expired at %s: %s", id, when, reply ? reply : "reject");
	return amk_err_set(e, AMK_EANSWERED, "%s was answered by %.200s at %s: %s", id, d->by ? d->by : "someone", when,
			   reply ? reply : "");
}

static void write_raw(struct amk_buf *b, const char *key, const char *json)
{
	if (json)
		amk_jw_raw(b, key, json, strlen(json));
	else
		amk_jw_null(b, key);
}

static void write_ms(struct amk_buf *b, const char *key, int64_t ns)
{
	if (ns)
		amk_jw_int(b, key, ns / 1000000);
	else
		amk_jw_null(b, key);
}

/* What has one name in the API and in lines. */
static void write_rest(struct amk_buf *b, const struct amk_decision *d)
{
	char id[AMK_DECISION_ID];

	amk_jw_cstr(b, "by", d->by);
	amk_jw_cstr(b, "rule", d->rule);
	amk_jw_cstr(b, "reason", d->reason);
	amk_jw_cstr(b, "previous", d->previous ? amk_decision_id(id, d->previous) : NULL);
}

void amk_decision_write(struct amk_buf *b, const struct amk_decision *d)
{
	struct amk_json *request AMK_AUTO(json) = amk_json_parse(d->request, strlen(d->request), NULL);
	char id[AMK_DECISION_ID];

	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "decisionId", amk_decision_id(id, d->row));
	amk_jw_cstr(b, "sessionId", d->session_id);
	amk_jw_cstr(b, "kind", d->kind);
	amk_jw_cstr(b, "state", d->state);
	amk_jw_cstr(b, "action", amk_json_get_str(request, "action"));
	write_raw(b, "request", d->request);
	write_raw(b, "answer", d->answer);
	write_rest(b, d);
	amk_jw_int(b, "createdAt", d->created / 1000000);
	write_ms(b, "closedAt", d->closed);
	write_ms(b, "deliveredAt", d->delivered);
	write_ms(b, "deadline", d->deadline);
	amk_jw_close(b, '}');
}

void amk_decision_write_line(struct amk_buf *b, const struct amk_decision *d)
{
	struct amk_json *request AMK_AUTO(json) = amk_json_parse(d->request, strlen(d->request), NULL);
	char id[AMK_DECISION_ID];

	amk_jw_cstr(b, "decision_id", amk_decision_id(id, d->row));
	amk_jw_cstr(b, "session_id", d->session_id);
	amk_jw_cstr(b, "kind", d->kind);
	amk_jw_cstr(b, "state", d->state);
	amk_jw_cstr(b, "action", amk_json_get_str(request, "action"));
	write_time(b, "created_at", d->created);
	write_time(b, "closed_at", d->closed);
	write_time(b, "delivered_at", d->delivered);
	write_time(b, "deadline", d->deadline);
	write_raw(b, "request", d->request);
	write_raw(b, "answer", d->answer);
	write_rest(b, d);
}

static bool write_one(void *arg, const struct amk_state_decision *r)
{
	struct amk_decision d;

	take(&d, r);
	amk_decision_write(arg, &d);
	amk_decision_release(&d);
	return amk_buf_ok(arg);
}

int amk_decision_list(struct amk_store *s, int64_t session, bool open_only, struct amk_buf *b, struct amk_err *e)
{
	amk_jw_open(b, "decisions", '[');
	if (amk_state_decisions(s, session, open_only, write_one, b, e) < 0)
		return -1;
	amk_jw_close(b, ']');
	return 0;
}
