/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of a codec as JSON objects: members that are not set are left out. */
#include <string.h>

#include "agent/agent.h"
#include "core/jw.h"

static const char *const kinds[] = { "start", "line", "message", "answer", "cancel", "steer", "set", "exit" };

static void write_str(struct amk_buf *b, const char *key, const char *s)
{
	if (s)
		amk_jw_cstr(b, key, s);
}

static void write_int(struct amk_buf *b, const char *key, int v)
{
	if (v)
		amk_jw_int(b, key, v);
}

static void write_flag(struct amk_buf *b, const char *key, bool v)
{
	if (v)
		amk_jw_bool(b, key, true);
}

void amk_input_write(struct amk_buf *b, const struct amk_input *in)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "kind", kinds[in->kind]);
	if (in->kind == AMK_INPUT_LINE)
		amk_jw_str(b, "line", in->line, in->line_n);
	write_str(b, "id", in->id);
	write_str(b, "text", in->text);
	write_str(b, "attachments", in->attachments);
	write_str(b, "reply", in->reply);
	write_str(b, "answers", in->answers);
	write_str(b, "input", in->input);
	write_flag(b, "stop", in->stop);
	write_str(b, "was", in->was);
	write_str(b, "by", in->by);
	write_str(b, "native_id", in->native_id);
	write_str(b, "session_id", in->session_id);
	write_int(b, "incarnation", in->incarnation);
	write_int(b, "exit_code", in->exit_code);
	write_int(b, "exit_signal", in->exit_signal);
	write_str(b, "reason", in->reason);
	write_flag(b, "wanted", in->wanted);
	write_flag(b, "unread", in->unread);
	write_flag(b, "again", in->again);
	write_flag(b, "warm", in->warm);
	amk_jw_close(b, '}');
}

/* The table reads 64 bits; what an input holds is smaller and stands in int members. */
static int read_numbers(struct amk_input *in, const struct amk_json *j, struct amk_err *e)
{
	static const char *const keys[] = { "incarnation", "exit_code", "exit_signal" };
	int *const to[] = { &in->incarnation, &in->exit_code, &in->exit_signal };

	for (size_t i = 0; i < AMK_COUNT(keys); i++) {
		int64_t v = amk_json_get_int(j, keys[i], 0);

		if (v < -1 || v > INT32_MAX)
			return amk_err_set(e, AMK_EINVALID, "\"%s\" is out of range", keys[i]);
		*to[i] = (int)v;
	}
	return 0;
}

int amk_input_read(struct amk_input *in, const struct amk_json *j, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_input, line, "line", STR, false),
		AMK_JSON_FIELD(amk_input, id, "id", STR, false),
		AMK_JSON_FIELD(amk_input, text, "text", STR, false),
		AMK_JSON_FIELD(amk_input, attachments, "attachments", STR, false),
		AMK_JSON_FIELD(amk_input, reply, "reply", STR, false),
		AMK_JSON_FIELD(amk_input, answers, "answers", STR, false),
		AMK_JSON_FIELD(amk_input, input, "input", STR, false),
		AMK_JSON_FIELD(amk_input, stop, "stop", BOOL, false),
		AMK_JSON_FIELD(amk_input, was, "was", STR, false),
		AMK_JSON_FIELD(amk_input, by, "by", STR, false),
		AMK_JSON_FIELD(amk_input, native_id, "native_id", STR, false),
		AMK_JSON_FIELD(amk_input, session_id, "session_id", STR, false),
		AMK_JSON_FIELD(amk_input, reason, "reason", STR, false),
		AMK_JSON_FIELD(amk_input, wanted, "wanted", BOOL, false),
		AMK_JSON_FIELD(amk_input, unread, "unread", BOOL, false),
		AMK_JSON_FIELD(amk_input, again, "again", BOOL, false),
		AMK_JSON_FIELD(amk_input, warm, "warm", BOOL, false),
	};
	const char *kind = amk_json_get_str(j, "kind");

	*in = (struct amk_input){ 0 };
	for (size_t i = 0; kind && i < AMK_COUNT(kinds); i++) {
		if (strcmp(kind, kinds[i]) != 0)
			continue;
		in->kind = (enum amk_input_kind)i;
		if (amk_json_read(j, fields, AMK_COUNT(fields), in, e) < 0)
			return -1;
		in->line_n = in->line ? strlen(in->line) : 0;
		return read_numbers(in, j, e);
	}
	return amk_err_set(e, AMK_EINVALID, "input of unknown kind \"%s\"", kind ? kind : "");
}
