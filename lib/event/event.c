/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that writes an event's line. */
#include "event/event.h"

#include <string.h>

#include "core/err.h"
#include "core/jw.h"
#include "core/time.h"

static const char *const own_types[] = { "message.queued", "message.cancelled", "message.steered", "decision.changed",
					 "session.changed" };

bool amk_event_is_universal(const char *type)
{
	for (size_t i = 0; i < AMK_COUNT(own_types); i++)
		if (strcmp(type, own_types[i]) == 0)
			return false;
	return true;
}

static const char *const state_names[] = {
	[AMK_DECISION_OPEN] = "open",
	[AMK_DECISION_ANSWERED] = "answered",
	[AMK_DECISION_VOID] = "void",
	[AMK_DECISION_EXPIRED] = "expired",
};

const char *amk_event_decision_state(enum amk_decision_state state)
{
	return state_names[state];
}

static void members(struct amk_buf *b, const char *text)
{
	if (text)
		amk_jw_members(b, text, strlen(text));
}

static void write_data(struct amk_buf *b, const struct amk_said *said, const struct amk_event_place *place)
{
	amk_jw_open(b, "data", '{');
	if (said->decision_state)
		amk_jw_cstr(b, strcmp(said->decision_kind, "question") == 0 ? "question_id" : "permission_id",
			    place->decision_id);
	members(b, said->data);
	amk_jw_close(b, '}');
}

static void write_amika(struct amk_buf *b, const struct amk_said *said, const struct amk_event_place *place)
{
	if (!said->amika && !said->decision_state)
		return;
	amk_jw_open(b, "amika", '{');
	members(b, said->amika);
	if (said->decision_state) {
		amk_jw_open(b, "decision", '{');
		amk_jw_cstr(b, "id", place->decision_id);
		amk_jw_cstr(b, "native_id", said->decision_native);
		amk_jw_cstr(b, "kind", said->decision_kind);
		amk_jw_cstr(b, "state", state_names[said->decision_state]);
		if (said->decision_reason)
			amk_jw_cstr(b, "reason", said->decision_reason);
		members(b, place->decision_more);
		members(b, said->decision);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, '}');
}

static char *put(char *to, const char *s, size_t n)
{
	memcpy(to, s, n);
	return to + n;
}

/* By hand: it is written for every event, and again for every line that is read from the store. */
size_t amk_event_head(char to[AMK_EVENT_HEAD], uint64_t sequence, int64_t time)
{
	static const char id[] = "{\"event_id\":\"evt_", number[] = "\",\"sequence\":", when[] = ",\"time\":\"";
	char digits[20], *first = digits + sizeof digits, *at = to;
	size_t n;

	do
		*--first = (char)('0' + sequence % 10);
	while ((sequence /= 10));
	n = (size_t)(digits + sizeof digits - first);
	at = put(at, id, sizeof id - 1);
	at = put(at, first, n);
	at = put(at, number, sizeof number - 1);
	at = put(at, first, n);
	at = put(at, when, sizeof when - 1);
	amk_time_format(at, time);
	at += strlen(at);
	memcpy(at, "\"", 2);
	return (size_t)(at + 1 - to);
}

void amk_event_write(struct amk_buf *b, const struct amk_said *said, const struct amk_event_place *place,
		     size_t *raw_at)
{
	char head[AMK_EVENT_HEAD];
	size_t start = b->n;

	if (said->decision_state && !place->decision_id)
		AMK_BUG("%s without a decision id", said->type);
	amk_jw_raw(b, NULL, head, amk_event_head(head, place->sequence, place->time));
	amk_jw_cstr(b, "session_id", place->session_id);
	amk_jw_cstr(b, "native_session_id", place->native_id);
	amk_jw_bool(b, "synthetic", said->synthetic);
	amk_jw_cstr(b, "source", said->synthetic ? "daemon" : "agent");
	amk_jw_cstr(b, "type", said->type);
	write_data(b, said, place);
	amk_jw_null(b, "raw");
	if (raw_at)
		*raw_at = b->n - 4 - start;
	write_amika(b, said, place);
	amk_jw_close(b, '}');
}
