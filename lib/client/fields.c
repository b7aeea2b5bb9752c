/* SPDX-License-Identifier: Apache-2.0 */
/* The one table between the API's names and the lines' names. */
#include "client/fields.h"

#include <ctype.h>
#include <string.h>

#include "core/jw.h"
#include "core/time.h"

enum how { SAME, TIME, DEEP };

/* In the order of the line. What is not here passes through behind it, its key rewritten. */
static const struct field {
	const char *type, *api, *line;
	enum how how; /* TIME: from ms to RFC 3339. DEEP: keys inside are the API's too */
} fields[] = {
	{ "session", "sessionId", "session_id", SAME },
	{ "session", "agent", "agent", SAME },
	{ "session", "state", "state", SAME },
	{ "session", "stateReason", "state_reason", SAME },
	{ "session", "stateSince", "state_since", TIME },
	{ "session", "resident", "resident", SAME },
	{ "session", "after", "after", SAME },
	{ "session", "createdAt", "created_at", TIME },
	{ "session", "updatedAt", "updated_at", TIME },
	{ "receipt", "sessionId", "session_id", SAME },
	{ "receipt", "messageId", "message_id", SAME },
	{ "receipt", "after", "after", SAME },
	{ "receipt", "state", "state", SAME },
	{ "message", "sessionId", "session_id", SAME },
	{ "message", "messageId", "message_id", SAME },
	{ "message", "position", "position", SAME },
	{ "message", "queuedAt", "queued_at", TIME },
	{ "message", "state", "state", SAME },
	{ "message", "text", "text", SAME },
	{ "decision", "decisionId", "decision_id", SAME },
	{ "decision", "sessionId", "session_id", SAME },
	{ "decision", "kind", "kind", SAME },
	{ "decision", "state", "state", SAME },
	{ "decision", "action", "action", SAME },
	{ "decision", "createdAt", "created_at", TIME },
	{ "decision", "closedAt", "closed_at", TIME },
	{ "decision", "deliveredAt", "delivered_at", TIME },
	{ "decision", "deadline", "deadline", TIME },
	{ "delivery", "deliveryId", "delivery_id", SAME },
	{ "delivery", "hook", "hook", SAME },
	{ "delivery", "event", "event", SAME },
	{ "delivery", "sessionId", "session_id", SAME },
	{ "delivery", "sequence", "sequence", SAME },
	{ "delivery", "state", "state", SAME },
	{ "delivery", "attempts", "attempts", SAME },
	{ "delivery", "createdAt", "created_at", TIME },
	{ "delivery", "dueAt", "due_at", TIME },
	{ "rule", "ruleId", "rule_id", SAME },
	{ "rule", "scope", "scope", SAME },
	{ "rule", "sessionId", "session_id", SAME },
	{ "rule", "action", "action", SAME },
	{ "rule", "createdAt", "created_at", TIME },
	{ "ruling", "decisionId", "decision_id", SAME },
	{ "ruling", "action", "action", SAME },
	{ "agent", "id", "agent", SAME },
	{ "agent", "installed", "installed", SAME },
	{ "agent", "path", "path", SAME },
	{ "agent", "capabilities", "capabilities", DEEP },
};

static void snake(struct amk_buf *out, const char *key)
{
	for (; *key; key++) {
		if (isupper((unsigned char)*key) && out->n)
			amk_buf_addc(out, '_');
		amk_buf_addc(out, (char)tolower((unsigned char)*key));
	}
}

static void put_renamed(struct amk_buf *out, const struct amk_json *member)
{
	struct amk_buf key AMK_AUTO(buf) = AMK_BUF_INIT(512);

	snake(&key, amk_json_key(member));
	amk_json_print(out, key.s, member);
}

static void put_deep(struct amk_buf *out, const char *key, const struct amk_json *object)
{
	if (!amk_json_is_object(object)) {
		amk_json_print(out, key, object);
		return;
	}
	amk_jw_open(out, key, '{');
	for (const struct amk_json *m = amk_json_first(object); m; m = amk_json_next(m))
		put_renamed(out, m);
	amk_jw_close(out, '}');
}

static void put_time(struct amk_buf *out, const char *key, const struct amk_json *ms)
{
	char when[AMK_TIME_TEXT];
	int64_t v;

	if (amk_json_int(ms, &v))
		amk_jw_cstr(out, key, amk_time_format(when, v * 1000000));
	else
		amk_json_print(out, key, ms);
}

static void put_field(struct amk_buf *out, const struct field *f, const struct amk_json *value)
{
	switch (f->how) {
	case SAME:
		amk_json_print(out, f->line, value);
		break;
	case TIME:
		put_time(out, f->line, value);
		break;
	case DEEP:
		put_deep(out, f->line, value);
		break;
	}
}

static const struct field *field_find(const char *type, const char *api)
{
	for (size_t i = 0; i < AMK_COUNT(fields); i++)
		if (strcmp(fields[i].type, type) == 0 && strcmp(fields[i].api, api) == 0)
			return &fields[i];
	return NULL;
}

void amk_fields_line(struct amk_buf *out, const char *type, const struct amk_json *record)
{
	amk_jw_open(out, NULL, '{');
	amk_jw_cstr(out, "type", type);
	for (size_t i = 0; i < AMK_COUNT(fields); i++) {
		const struct amk_json *value = amk_json_get(record, fields[i].api);

		if (value && strcmp(fields[i].type, type) == 0)
			put_field(out, &fields[i], value);
	}
	for (const struct amk_json *m = amk_json_first(record); m; m = amk_json_next(m))
		if (!field_find(type, amk_json_key(m)) && strcmp(amk_json_key(m), "type") != 0)
			put_renamed(out, m);
	amk_jw_close(out, '}');
}
