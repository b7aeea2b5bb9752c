/* SPDX-License-Identifier: Apache-2.0 */
/* Routes below /v1/sessions/{id}/queue: the messages that wait. */
#include "core/jw.h"
#include "daemon/api.h"

void amk_api_queue_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	uint64_t after = 0, limit = UINT64_MAX;
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_err e;
	int64_t at;

	if (!s || !amk_api_number(rq, "after", &after) || !amk_api_number(rq, "limit", &limit))
		return;
	at = (int64_t)after;
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "messages", '[');
	if (amk_session_queue(s, &at, limit, &b, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_close(&b, ']');
	amk_jw_bool(&b, "hasMore", at != 0);
	if (at)
		amk_jw_int(&b, "after", at);
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

void amk_api_queue_cancel(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	struct amk_err e;
	char peer[64];

	if (!s)
		return;
	if (amk_session_queue_cancel(s, amk_request_param(rq, 1), amk_api_peer(rq, peer), &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else
		amk_api_reply_flushed(arg, rq, 204, NULL);
}

void amk_api_queue_clear(struct amk_request *rq, void *arg)
{
	struct amk_session *s = amk_api_session(arg, rq);
	char peer[64];

	if (!s)
		return;
	amk_session_queue_clear(s, amk_api_peer(rq, peer));
	amk_api_reply_flushed(arg, rq, 204, NULL);
}
