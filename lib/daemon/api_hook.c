/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks, as the settings define them, and their deliveries: those that wait, and those given up. */
#include <string.h>

#include "core/jw.h"
#include "daemon/api.h"
#include "outlet/attempt.h"
#include "outlet/deliver.h"
#include "store/delivery.h"

#define PAGE 500 /* deliveries */

static void write_on(struct amk_buf *b, unsigned on)
{
	const char *last = "";

	amk_jw_open(b, "on", '[');
	for (size_t i = 0; i < AMK_HOOK_EVENTS; i++) {
		const char *name = amk_hook_events[i].name;

		if (!(on & 1u << i) || strcmp(name, last) == 0)
			continue;
		amk_jw_cstr(b, NULL, name);
		last = name;
	}
	amk_jw_close(b, ']');
}

static int write_hook(struct amk_buf *b, const struct amk_daemon *d, const struct amk_hook *h, struct amk_err *e)
{
	struct amk_delivery_count n;
	struct amk_err why = { 0 };

	if (amk_delivery_count(d->store, h->name, &n, e) < 0)
		return -1;
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "name", h->name);
	write_on(b, h->on);
	amk_jw_open(b, "command", '[');
	for (size_t i = 0; i < h->command.n; i++)
		amk_jw_cstr(b, NULL, h->command.v[i]);
	amk_jw_close(b, ']');
	amk_jw_int(b, "deadlineMs", h->deadline_ms);
	amk_jw_int(b, "waiting", n.waiting);
	amk_jw_int(b, "retrying", n.retrying);
	amk_jw_int(b, "failed", n.failed);
	amk_jw_cstr(b, "problem", amk_hook_check(h, &why) < 0 ? why.msg : NULL);
	amk_jw_close(b, '}');
	return 0;
}

void amk_api_hook_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_daemon *d = arg;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "hooks", '[');
	for (size_t i = 0; i < d->settings.hooks.n; i++) {
		if (write_hook(&b, d, &d->settings.hooks.v[i], &e) < 0) {
			amk_request_problem(rq, &e, NULL);
			return;
		}
	}
	amk_jw_close(&b, ']');
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

struct page {
	struct amk_buf *b;
	unsigned n;
	bool more;
};

static bool write_delivery(void *arg, const struct amk_delivery *r)
{
	struct page *p = arg;
	char id[AMK_ATTEMPT_ID];

	p->more = p->n == PAGE;
	if (p->more)
		return false;
	p->n++;
	amk_jw_open(p->b, NULL, '{');
	amk_jw_cstr(p->b, "deliveryId", amk_attempt_id(id, r->row));
	amk_jw_cstr(p->b, "hook", r->hook);
	amk_jw_cstr(p->b, "event", r->event);
	amk_jw_cstr(p->b, "sessionId", r->session_id);
	amk_jw_int(p->b, "sequence", (int64_t)r->sequence);
	amk_jw_cstr(p->b, "state", r->failed ? "failed" : "waiting");
	amk_jw_int(p->b, "attempts", r->attempts);
	amk_jw_int(p->b, "createdAt", r->created / 1000000);
	if (r->failed)
		amk_jw_null(p->b, "dueAt");
	else
		amk_jw_int(p->b, "dueAt", r->due / 1000000);
	amk_jw_cstr(p->b, "error", r->error);
	amk_jw_close(p->b, '}');
	return true;
}

void amk_api_hook_deliveries(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const char *after = amk_request_query(rq, "after");
	struct page p = { &b, 0, false };
	struct amk_daemon *d = arg;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	if (after && !amk_attempt_row(after)) {
		amk_err_set(&e, AMK_EINVALID, "after is not a delivery: %.60s", after);
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "deliveries", '[');
	if (amk_delivery_list(d->store, after ? amk_attempt_row(after) : 0, PAGE + 1, write_delivery, &p, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_close(&b, ']');
	amk_jw_bool(&b, "more", p.more);
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

/* The one named in the path, 0 for all of them; false when a problem was sent. */
static bool find_row(struct amk_daemon *d, struct amk_request *rq, int64_t *row)
{
	const char *id = amk_request_param(rq, 0);
	struct amk_err e;

	*row = 0;
	if (!amk_api_ready(d, rq))
		return false;
	if (!id || (*row = amk_attempt_row(id)))
		return true;
	amk_err_set(&e, AMK_ENOTFOUND, "no delivery is called %.60s", id);
	amk_request_problem(rq, &e, NULL);
	return false;
}

static void reply_changed(struct amk_daemon *d, struct amk_request *rq, int64_t row, int n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(256);
	struct amk_err e;

	if (row && !n) {
		amk_err_set(&e, AMK_ENOTFOUND, "no failed delivery h_%lld", (long long)row);
		amk_err_hint(&e, "see: amika hook deliveries");
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_open(&b, NULL, '{');
	amk_jw_int(&b, "changed", n);
	amk_jw_close(&b, '}');
	amk_api_reply_flushed(d, rq, 200, &b);
}

void amk_api_hook_retry(struct amk_request *rq, void *arg)
{
	struct amk_daemon *d = arg;
	struct amk_err e;
	int64_t row;
	int n;

	if (!find_row(d, rq, &row))
		return;
	if (amk_deliver_retry(d->hooks, row, &n, &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else
		reply_changed(d, rq, row, n);
}

void amk_api_hook_drop(struct amk_request *rq, void *arg)
{
	struct amk_daemon *d = arg;
	struct amk_err e;
	int64_t row;
	int n;

	if (!find_row(d, rq, &row))
		return;
	if (amk_delivery_drop(d->store, row, &n, &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else
		reply_changed(d, rq, row, n);
}
