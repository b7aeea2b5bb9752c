/* SPDX-License-Identifier: Apache-2.0 */
/* The form of an event: every key of the schema, in its order, with a value that may stand there. */
#include <string.h>

#include "event/check.h"

/*
 * A form is "key:type key:type …". Types: s string, n string or null, b bool, i integer, o object, a array,
 * * anything; or words separated by '|', of which the string must be one ("null" allows null). A key
 * with '?' at its end may be missing.
 */
#define EVENT \
	"event_id:s sequence:i time:s session_id:s native_session_id:n synthetic:b source:agent|daemon " \
	"type:s data:o raw:* amika?:o cursor?:i"
#define ITEM \
	"item_id:s native_item_id:n parent_id:n kind:message|tool_call|tool_result|system|status|unknown " \
	"role:user|assistant|system|tool|null content:a status:in_progress|completed|failed"
#define PERMISSION(status) "permission_id:s action:s status:" status " metadata:*"
#define QUESTION(status) "question_id:s prompt:s options:a response:n status:" status

struct form {
	const char *type, *keys;
};

static const struct form types[] = {
	{ "session.started", "metadata:*" },
	{ "session.ended", "reason:completed|error|terminated terminated_by:agent|daemon message?:s exit_code?:i "
			   "stderr?:o" },
	{ "turn.started", "phase:started turn_id?:s metadata?:*" },
	{ "turn.ended", "phase:ended turn_id?:s metadata?:*" },
	{ "item.started", "item:o" },
	{ "item.completed", "item:o" },
	{ "item.delta", "item_id:s native_item_id:n delta:s" },
	{ "error", "message:s code:n details:*" },
	{ "permission.requested", PERMISSION("requested") },
	{ "permission.resolved", PERMISSION("accept|accept_for_session|reject") },
	{ "question.requested", QUESTION("requested") },
	{ "question.resolved", QUESTION("answered|rejected") },
	{ "agent.unparsed", "error:s location:s raw_hash:n" },
	{ "message.queued", NULL },
	{ "message.cancelled", NULL },
	{ "message.steered", NULL },
	{ "decision.changed", "decision_id:s state:void reason:s" },
	{ "session.changed", NULL },
};

static const struct form parts[] = {
	{ "text", "type:text text:s" },
	{ "json", "type:json json:*" },
	{ "tool_call", "type:tool_call name:s arguments:s call_id:s" },
	{ "tool_result", "type:tool_result call_id:s output:s" },
	{ "file_ref", "type:file_ref path:s action:read|write|patch diff:n" },
	{ "reasoning", "type:reasoning text:s visibility:public|private" },
	{ "image", "type:image path:s mime:n" },
	{ "status", "type:status label:s detail:n" },
};

static bool is_word(const char *words, size_t n, const char *s)
{
	size_t len = strlen(s);

	for (const char *end = words + n; words < end; words++) {
		const char *bar = memchr(words, '|', (size_t)(end - words));
		size_t word = (size_t)((bar ? bar : end) - words);

		if (word == len && memcmp(words, s, len) == 0)
			return true;
		words += word;
	}
	return false;
}

static bool is_of_type(const struct amk_json *j, const char *type, size_t n)
{
	int64_t i;
	bool b;

	if (n > 1)
		return is_word(type, n, amk_json_str(j) ? amk_json_str(j) : amk_json_is_null(j) ? "null" : "");
	switch (*type) {
	case 's':
		return amk_json_str(j) != NULL;
	case 'n':
		return amk_json_str(j) || amk_json_is_null(j);
	case 'b':
		return amk_json_bool(j, &b);
	case 'i':
		return amk_json_int(j, &i);
	case 'o':
		return amk_json_is_object(j);
	case 'a':
		return amk_json_is_array(j);
	default:
		return true;
	}
}

static int check_form(const struct amk_json *object, const char *form, const char *where, struct amk_err *e)
{
	const struct amk_json *member = amk_json_first(object);

	while (*form) {
		size_t key_n = strcspn(form, ":?"), n;
		bool optional = form[key_n] == '?';
		const char *type = form + key_n + 1 + optional;
		bool here = member && strlen(amk_json_key(member)) == key_n &&
			    memcmp(amk_json_key(member), form, key_n) == 0;

		n = strcspn(type, " ");
		if (!here && !optional)
			return amk_err_set(e, AMK_EINVALID, "%s: \"%.*s\" should stand where \"%.60s\" does", where,
					   (int)key_n, form, member ? amk_json_key(member) : "nothing");
		if (here && !is_of_type(member, type, n))
			return amk_err_set(e, AMK_EINVALID, "%s: \"%.*s\" is not %.*s", where, (int)key_n, form,
					   (int)n, type);
		if (here)
			member = amk_json_next(member);
		form = type + n + (type[n] == ' ');
	}
	if (member)
		return amk_err_set(e, AMK_EINVALID, "%s: \"%.60s\" does not belong here", where, amk_json_key(member));
	return 0;
}

static const struct form *form_find(const struct form *forms, size_t n, const char *type)
{
	for (size_t i = 0; type && i < n; i++)
		if (strcmp(forms[i].type, type) == 0)
			return &forms[i];
	return NULL;
}

static int check_item(const struct amk_json *item, const char *type, struct amk_err *e)
{
	if (check_form(item, ITEM, "item", e) < 0)
		return -1;
	if (strcmp(type, "item.started") == 0 && !amk_json_is(item, "status", "in_progress"))
		return amk_err_set(e, AMK_EINVALID, "a started item is in_progress");
	if (strcmp(type, "item.completed") == 0 && amk_json_is(item, "status", "in_progress"))
		return amk_err_set(e, AMK_EINVALID, "a completed item is not in_progress");
	for (const struct amk_json *part = amk_json_first(amk_json_get(item, "content")); part;
	     part = amk_json_next(part)) {
		const char *kind = amk_json_get_str(part, "type");
		const struct form *f = form_find(parts, AMK_COUNT(parts), kind);

		if (!f)
			return amk_err_set(e, AMK_EINVALID, "content part of unknown type \"%.60s\"", kind ? kind : "");
		if (check_form(part, f->keys, kind, e) < 0)
			return -1;
	}
	return 0;
}

static int check_time(const char *s, struct amk_err *e)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	size_t n = strlen(s);

	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return amk_err_set(e, AMK_EINVALID, "\"%.40s\" is no time", s);
	if (s[n - 1] != 'Z')
		return amk_err_set(e, AMK_EINVALID, "\"%.40s\" is not in UTC", s);
	return 0;
}

int amk_check_shape(const struct amk_json *event, struct amk_err *e)
{
	const char *type = amk_json_get_str(event, "type");
	const struct form *f = form_find(types, AMK_COUNT(types), type);

	if (check_form(event, EVENT, "event", e) < 0)
		return -1;
	if (!f)
		return amk_err_set(e, AMK_EINVALID, "unknown type \"%.60s\"", type);
	if (amk_json_is(event, "source", "daemon") != amk_json_true(amk_json_get(event, "synthetic")))
		return amk_err_set(e, AMK_EINVALID, "the source is daemon exactly when the event is synthetic");
	if (check_time(amk_json_get_str(event, "time"), e) < 0)
		return -1;
	if (f->keys && check_form(amk_json_get(event, "data"), f->keys, type, e) < 0)
		return -1;
	if (strncmp(type, "item.", 5) == 0 && strcmp(type, "item.delta") != 0)
		return check_item(amk_json_get(amk_json_get(event, "data"), "item"), type, e);
	return 0;
}
