/* SPDX-License-Identifier: Apache-2.0 */
/* A decision is answered once, so an answer that is sent twice is refused the second time: that may be a success. */
#include "client/answer.h"

#include <stdio.h>
#include <string.h>

#include "core/jw.h"

#define TEXT_MAX (2u << 20)

/* A missing member is as good as null. */
static bool same(const struct amk_json *a, const struct amk_json *b, const char *key)
{
	struct amk_buf left AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX), right AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	a = amk_json_get(a, key);
	b = amk_json_get(b, key);
	if (!a || !b)
		return (!a || amk_json_is_null(a)) && (!b || amk_json_is_null(b));
	amk_json_print(&left, NULL, a);
	amk_json_print(&right, NULL, b);
	return strcmp(left.s, right.s) == 0;
}

static bool is_ours(const struct amk_json *decision, const struct amk_json *sent)
{
	const struct amk_json *answer = amk_json_get(decision, "answer");

	return amk_json_is_object(answer) && same(decision, sent, "by") && same(answer, sent, "reply") &&
	       same(answer, sent, "message") && same(answer, sent, "answers") && same(answer, sent, "input") &&
	       same(answer, sent, "stop");
}

static int take_ours(struct amk_client *c, const char *id, const struct amk_buf *body, struct amk_json **record,
		     struct amk_err *e)
{
	struct amk_json *sent AMK_AUTO(json) = amk_json_parse(body->s, body->n, NULL);
	struct amk_json *found AMK_AUTO(json) = NULL;
	struct amk_err conflict = *e;

	if (amk_client_get(c, &found, e, "/v1/decisions/%s", id) < 0)
		return -1;
	if (!is_ours(found, sent)) {
		*e = conflict;
		return -1;
	}
	if (record) {
		*record = found;
		found = NULL;
	}
	return 0;
}

int amk_answer_send(struct amk_client *c, const char *id, const struct amk_buf *body, struct amk_json **record,
		    struct amk_err *e)
{
	bool twice = false;
	char path[256];
	struct amk_call call = {
		.method = "POST", .path = path, .body = body, .whole = record != NULL, .again = true, .twice = &twice
	};

	snprintf(path, sizeof path, "/v1/decisions/%s", id);
	if (amk_client_call(c, &call, record, e) == 0)
		return 0;
	return e->code == AMK_EANSWERED && twice ? take_ours(c, id, body, record, e) : -1;
}
