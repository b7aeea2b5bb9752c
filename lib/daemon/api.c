/* SPDX-License-Identifier: Apache-2.0 */
/* The route table, and what its functions share. */
#include "daemon/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/jw.h"

static void health(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(256);

	(void)arg;
	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "status", "ok");
	amk_jw_cstr(&b, "version", PACKAGE_VERSION);
	amk_jw_int(&b, "pid", getpid());
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

#define S "/v1/sessions"
const struct amk_route amk_api_routes[] = {
	{ "GET", "/v1/health", AMK_ROUTE_OPEN, health },
	{ "GET", "/v1/metrics", 0, amk_api_metric_list },
	{ "GET", "/v1/agents", 0, amk_api_agent_list },
	{ "GET", "/v1/agents/{}/modes", 0, amk_api_agent_modes },
	{ "GET", "/v1/agents/{}/models", 0, amk_api_agent_models },
	{ "POST", "/v1/agents/{}/install", AMK_ROUTE_JSON, amk_api_agent_install },
	{ "GET", "/v1/hooks", 0, amk_api_hook_list },
	{ "GET", "/v1/hooks/deliveries", 0, amk_api_hook_deliveries },
	{ "DELETE", "/v1/hooks/deliveries", 0, amk_api_hook_drop },
	{ "DELETE", "/v1/hooks/deliveries/{}", 0, amk_api_hook_drop },
	{ "POST", "/v1/hooks/deliveries/retry", 0, amk_api_hook_retry },
	{ "POST", "/v1/hooks/deliveries/{}/retry", 0, amk_api_hook_retry },
	{ "GET", S, 0, amk_api_session_list },
	{ "POST", S "/{}", AMK_ROUTE_JSON, amk_api_session_create },
	{ "GET", S "/{}", 0, amk_api_session_get },
	{ "PATCH", S "/{}", AMK_ROUTE_JSON, amk_api_session_set },
	{ "DELETE", S "/{}", 0, amk_api_session_forget },
	{ "POST", S "/{}/messages", AMK_ROUTE_JSON, amk_api_session_post },
	{ "POST", S "/{}/messages/stream", AMK_ROUTE_JSON, amk_api_event_turn },
	{ "GET", S "/{}/queue", 0, amk_api_queue_list },
	{ "DELETE", S "/{}/queue", 0, amk_api_queue_clear },
	{ "DELETE", S "/{}/queue/{}", 0, amk_api_queue_cancel },
	{ "GET", S "/{}/events", 0, amk_api_event_list },
	{ "GET", S "/{}/events/sse", 0, amk_api_event_sse },
	{ "GET", "/v1/events", 0, amk_api_event_list_all },
	{ "GET", "/v1/events/sse", 0, amk_api_event_sse_all },
	{ "GET", S "/{}/ws", 0, amk_api_ws },
	{ "GET", "/v1/ws", 0, amk_api_ws_all },
	{ "POST", S "/{}/terminate", 0, amk_api_session_terminate },
	{ "POST", S "/{}/cancel", 0, amk_api_session_cancel },
	{ "POST", S "/{}/sleep", 0, amk_api_session_sleep },
	{ "POST", S "/{}/warm", 0, amk_api_session_warm },
	{ "POST", S "/{}/permissions/{}/reply", AMK_ROUTE_JSON, amk_api_decision_permission_reply },
	{ "POST", S "/{}/questions/{}/reply", AMK_ROUTE_JSON, amk_api_decision_question_reply },
	{ "POST", S "/{}/questions/{}/reject", 0, amk_api_decision_question_reject },
	{ "GET", "/v1/decisions", 0, amk_api_decision_list },
	{ "GET", "/v1/decisions/{}", 0, amk_api_decision_get },
	{ "POST", "/v1/decisions/{}", AMK_ROUTE_JSON, amk_api_decision_answer },
	{ "GET", "/v1/rules", 0, amk_api_rule_list },
	{ "POST", "/v1/rules", AMK_ROUTE_JSON, amk_api_rule_add },
	{ "POST", "/v1/rules/test", AMK_ROUTE_JSON, amk_api_rule_test },
	{ "DELETE", "/v1/rules/{}", 0, amk_api_rule_remove },
	{ NULL, NULL, 0, NULL },
};
#undef S

bool amk_api_ready(struct amk_daemon *d, struct amk_request *rq)
{
	struct amk_err e;

	if (d->sessions && (!d->frozen || amk_request_is_read(rq)))
		return true;
	amk_err_set(&e, AMK_EUNAVAILABLE, "the state cannot be written: %.300s", d->why.msg);
	amk_err_hint(&e, "%s", d->why.hint[0] ? d->why.hint : "see the daemon's log");
	amk_request_problem(rq, &e, NULL);
	return false;
}

struct amk_session *amk_api_session(struct amk_daemon *d, struct amk_request *rq)
{
	const char *id = amk_request_param(rq, 0);
	struct amk_buf ext AMK_AUTO(buf) = AMK_BUF_INIT(2048);
	struct amk_session *s;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return NULL;
	s = amk_session_find(d->sessions, id, &e);
	if (s)
		return s;
	amk_jw_cstr(&ext, "sessionId", id);
	amk_request_problem(rq, &e, amk_buf_ok(&ext) ? ext.s : NULL);
	return NULL;
}

void amk_api_reply_unwritten(struct amk_daemon *d, struct amk_request *rq)
{
	struct amk_err e;

	if (amk_store_is_sound(d->store)) {
		amk_err_set(&e, AMK_EUNAVAILABLE, "nothing was accepted, the state cannot be written: %.300s", d->why.msg);
		amk_err_hint(&e, "%s", d->why.hint[0] ? d->why.hint : "try again");
	} else {
		amk_err_set(&e, AMK_EUNAVAILABLE, "a flush to the disk has failed; this may have been accepted or not");
		amk_err_hint(&e, "look, or try again with the same messageId");
	}
	amk_request_problem(rq, &e, NULL);
}

struct flushed {
	struct amk_daemon *d;
	struct amk_request *rq; /* NULL: the client has gone */
	int status;
	bool has_body;
	struct amk_buf body;
};

static void flushed_gone(void *arg)
{
	struct flushed *f = arg;

	f->rq = NULL;
}

static void flushed_reply(void *arg, bool ok)
{
	struct flushed *f = arg;

	AMK_CRASH("reply.before");
	if (f->rq && !ok) {
		amk_api_reply_unwritten(f->d, f->rq);
	} else if (f->rq && f->has_body) {
		amk_request_reply_json(f->rq, f->status, &f->body);
	} else if (f->rq) {
		amk_request_reply(f->rq, f->status, NULL, NULL, 0);
	}
	AMK_CRASH("reply.after");
	amk_buf_release(&f->body);
	free(f);
}

void amk_api_reply_flushed(struct amk_daemon *d, struct amk_request *rq, int status, const struct amk_buf *body)
{
	struct flushed *f = amk_calloc(1, sizeof *f);

	f->d = d;
	f->rq = rq;
	f->status = status;
	f->has_body = body != NULL;
	amk_buf_init(&f->body, AMK_API_REPLY_MAX);
	if (body)
		amk_buf_add(&f->body, body->s, body->n);
	amk_request_later(rq, flushed_gone, f);
	amk_store_flush(d->store, flushed_reply, f);
}

bool amk_api_flag(const struct amk_request *rq, const char *name, const char *other)
{
	const char *v = amk_request_query(rq, name);

	if (!v && other)
		v = amk_request_query(rq, other);
	return v && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

bool amk_api_number(struct amk_request *rq, const char *name, uint64_t *v)
{
	const char *s = amk_request_query(rq, name);
	struct amk_err e;
	char *end;

	if (!s)
		return true;
	errno = 0;
	*v = strtoull(s, &end, 10);
	if (errno == 0 && *end == '\0' && s[0] >= '0' && s[0] <= '9' && *v <= INT64_MAX)
		return true;
	amk_err_set(&e, AMK_EINVALID, "%s is not a whole number: %.60s", name, s);
	amk_request_problem(rq, &e, NULL);
	return false;
}

bool amk_api_wants_representation(const struct amk_request *rq)
{
	const char *v = amk_request_header(rq, "Prefer");

	return v && strcasecmp(v, "return=representation") == 0;
}

const char *amk_api_peer(const struct amk_request *rq, char to[64])
{
	char address[AMK_HTTP_ADDRESS];

	if (amk_request_address(rq, address))
		snprintf(to, 64, "address %s", address);
	else
		snprintf(to, 64, "uid %u, pid %d", (unsigned)amk_request_uid(rq), (int)amk_request_pid(rq));
	return to;
}
