/* SPDX-License-Identifier: Apache-2.0 */
/* The decisions there are, then the events that tell of one: for each its record, as it was then. */
#include "client/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "client/follow.h"
#include "client/page.h"
#include "client/signals.h"
#include "core/jw.h"

#define RECORD_MAX (64u << 20)

struct inbox {
	struct amk_client *client;
	const char *session;
	const struct amk_inbox_reader *to;
	int64_t listed; /* the number of the last one that was */
};

static int64_t number_of(const char *id)
{
	return id && strncmp(id, "d_", 2) == 0 ? strtoll(id + 2, NULL, 10) : 0;
}

static int list(struct inbox *in, bool all, struct amk_err *e)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	if (amk_client_get(in->client, &reply, e, "/v1/decisions?all=%s%s%s", all ? "true" : "false",
			   in->session ? "&session=" : "", in->session ? in->session : "") < 0)
		return -1;
	for (const struct amk_json *d = amk_json_first(amk_json_get(reply, "decisions")); d; d = amk_json_next(d)) {
		in->listed = number_of(amk_json_get_str(d, "decisionId"));
		if (in->to->take(in->to->arg, d, e) < 0)
			return -1;
	}
	return 0;
}

int amk_inbox_list(struct amk_client *c, const char *session, bool all, const struct amk_inbox_reader *to,
		   struct amk_err *e)
{
	struct inbox in = { .client = c, .session = session, .to = to };

	return list(&in, all, e);
}

/* Where the log ends: of the session, or of all. */
static int newest(const struct inbox *in, uint64_t *after, struct amk_err *e)
{
	struct amk_json *info AMK_AUTO(json) = NULL;

	if (!in->session)
		return amk_page_newest(in->client, after, e);
	if (amk_client_get(in->client, &info, e, "/v1/sessions/%s", in->session) < 0)
		return -1;
	*after = (uint64_t)amk_json_get_int(info, "after", 0);
	return 0;
}

/* What was not so yet when the decision was in that state. */
static bool is_later(const char *key, const char *state)
{
	static const char *const answers[] = { "answer", "by", "rule", "reason", "closedAt" };

	if (strcmp(key, "deliveredAt") == 0)
		return true;
	for (size_t i = 0; strcmp(state, "open") == 0 && i < AMK_COUNT(answers); i++)
		if (strcmp(key, answers[i]) == 0)
			return true;
	return false;
}

/* The record as it was when the event said so. */
static void write_then(struct amk_buf *b, const struct amk_json *record, const struct amk_json *decision)
{
	const char *state = amk_json_get_str(decision, "state"), *reason = amk_json_get_str(decision, "reason");

	amk_jw_open(b, NULL, '{');
	for (const struct amk_json *m = amk_json_first(record); m; m = amk_json_next(m)) {
		const char *key = amk_json_key(m);

		if (strcmp(key, "state") == 0)
			amk_jw_cstr(b, key, state);
		else if (strcmp(key, "reason") == 0)
			amk_jw_cstr(b, key, reason);
		else if (is_later(key, state))
			amk_jw_null(b, key);
		else
			amk_json_print(b, key, m);
	}
	amk_jw_close(b, '}');
}

static int take_change(struct inbox *in, const struct amk_json *decision, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(RECORD_MAX);
	struct amk_json *record AMK_AUTO(json) = NULL, *then AMK_AUTO(json) = NULL;
	const char *id = amk_json_get_str(decision, "id"), *state = amk_json_get_str(decision, "state");

	if (!id || !state || amk_client_id("decision", id, e) < 0)
		return id && state ? -1 : 0;
	if (strcmp(state, "open") == 0 && number_of(id) <= in->listed)
		return 0;
	if (amk_client_get(in->client, &record, e, "/v1/decisions/%s", id) < 0)
		return e->code == AMK_ENODECISION ? 0 : -1; /* forgotten with its session */
	write_then(&text, record, decision);
	then = amk_json_parse(text.s, text.n, e);
	return then ? in->to->take(in->to->arg, then, e) : -1;
}

/* Most lines are about something else: they are not taken apart. */
static int take_line(struct inbox *in, const struct amk_follow_line *line, struct amk_err *e)
{
	struct amk_json *event AMK_AUTO(json) = NULL;
	const char *type;

	if (!strstr(line->line, "\"decision\":{"))
		return 0;
	event = amk_json_parse(line->line, line->n, e);
	if (!event)
		return -1;
	type = amk_json_get_str(event, "type");
	if (!type || (strncmp(type, "permission.", 11) != 0 && strncmp(type, "question.", 9) != 0 &&
		      strcmp(type, "decision.changed") != 0))
		return 0;
	return take_change(in, amk_json_get(amk_json_get(event, "amika"), "decision"), e);
}

static int follow(struct inbox *in, struct amk_follow *f, struct amk_err *e)
{
	struct amk_signals signals AMK_AUTO(signals) = { .fd = -1 };
	struct amk_follow_line line;

	amk_signals_open(&signals);
	amk_follow_watch(f, 0, signals.fd);
	for (;;)
		switch (amk_follow_next(f, 0, &line, e)) {
		case AMK_FOLLOW_LINE:
			if (take_line(in, &line, e) < 0)
				return -1;
			break;
		case AMK_FOLLOW_WATCHED:
			amk_signals_read(&signals);
			return AMK_EXIT_DONE;
		case AMK_FOLLOW_TIMEOUT:
			break;
		case AMK_FOLLOW_ERROR:
			return -1;
		}
}

int amk_inbox_follow(struct amk_client *c, const char *session, bool all, const struct amk_inbox_reader *to,
		     struct amk_err *e)
{
	struct amk_follow *f AMK_AUTO(follow) = NULL;
	struct inbox in = { .client = c, .session = session, .to = to };
	uint64_t after;

	/* The cursor first: what is asked between the two is told twice, and once passed over. */
	if (newest(&in, &after, e) < 0 || list(&in, all, e) < 0)
		return -1;
	f = amk_follow_new(c);
	amk_follow_add(f, session, after);
	return follow(&in, f, e);
}
