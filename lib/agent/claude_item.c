/* SPDX-License-Identifier: Apache-2.0 */
/* Claude Code's content blocks, streamed and finished, as items. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/claude.h"
#include "core/jw.h"

#define NATIVE_MAX 600

/* ---- messages in the making ---- */

static void stream_clear(struct amk_claude_stream *s)
{
	free(s->parent);
	free(s->message);
	*s = (struct amk_claude_stream){ .open = -1 };
}

void amk_claude_item_reset(struct amk_claude *c)
{
	for (size_t i = 0; i < c->nstreams; i++)
		stream_clear(&c->streams[i]);
	c->nstreams = 0;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The one of that agent, made if need be; the oldest gives way. */
static struct amk_claude_stream *stream_of(struct amk_claude *c, const struct amk_json *line)
{
	const char *parent = amk_json_get_str(line, "parent_tool_use_id");
	struct amk_claude_stream *s;

	for (size_t i = 0; i < c->nstreams; i++)
		if (same(c->streams[i].parent, parent))
			return &c->streams[i];
	if (c->nstreams == AMK_CLAUDE_STREAMS) {
		stream_clear(&c->streams[0]);
		memmove(&c->streams[0], &c->streams[1], --c->nstreams * sizeof *s);
	}
	s = &c->streams[c->nstreams++];
	*s = (struct amk_claude_stream){ .parent = parent ? amk_strdup(parent) : NULL, .open = -1 };
	return s;
}

static const char *block_id(char to[NATIVE_MAX], const struct amk_claude_stream *s, int64_t index)
{
	snprintf(to, NATIVE_MAX, "%.400s/%lld", s->message, (long long)index);
	return to;
}

/* A text still open in the message before was given up by the agent. */
static void stream_begin(struct amk_claude *c, struct amk_claude_stream *s, const char *message)
{
	char native[NATIVE_MAX];

	if (s->open >= 0)
		amk_track_fail(&c->track, block_id(native, s, s->open));
	free(s->message);
	s->message = amk_strdup(message);
	s->next = 0;
	s->open = -1;
}

/* The index of the block that an "assistant" line finishes. */
static int64_t stream_finish(struct amk_claude *c, struct amk_claude_stream *s, const char *message)
{
	int64_t index = s->open;

	if (!same(s->message, message)) {
		stream_begin(c, s, message);
		index = -1;
	}
	s->open = -1;
	return index >= 0 ? index : s->next++;
}

/* ---- blocks ---- */

static struct amk_item message_item(const char *native, const char *parent, const char *text, bool is_private)
{
	return (struct amk_item){
		.native = native, .parent = parent, .kind = "message", .role = "assistant",
		.text = text, .is_private = is_private,
	};
}

static bool is_thinking(const struct amk_json *block)
{
	return amk_json_is(block, "type", "thinking") || amk_json_is(block, "type", "redacted_thinking");
}

static bool block_call(struct amk_claude *c, const struct amk_json *block, const char *parent)
{
	struct amk_buf arguments AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	struct amk_buf content AMK_AUTO(buf) = AMK_BUF_INIT(2 * AMK_CLAUDE_PART);
	const char *id = amk_json_get_str(block, "id"), *name = amk_json_get_str(block, "name");
	struct amk_item item = { .native = id, .parent = parent, .kind = "tool_call", .role = "assistant" };

	if (!id || !name)
		return false;
	amk_json_print(&arguments, NULL, amk_json_get(block, "input"));
	amk_jw_open(&content, NULL, '[');
	amk_jw_open(&content, NULL, '{');
	amk_jw_cstr(&content, "type", "tool_call");
	amk_jw_cstr(&content, "name", name);
	amk_jw_str(&content, "arguments", arguments.s, arguments.n);
	amk_jw_cstr(&content, "call_id", id);
	amk_jw_close(&content, '}');
	amk_jw_close(&content, ']');
	item.content = content.s;
	amk_track_complete(&c->track, &item);
	return true;
}

/* A kind of block this codec does not know is still content of the conversation. */
static bool block_other(struct amk_claude *c, const struct amk_json *block, const char *native, const char *parent)
{
	struct amk_buf content AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	struct amk_item item = message_item(native, parent, NULL, false);

	if (!amk_json_get_str(block, "type"))
		return false;
	amk_buf_adds(&content, "[{\"type\":\"json\"");
	amk_track_print(&content, "json", block);
	amk_buf_adds(&content, "}]");
	if (!amk_buf_ok(&content))
		return false;
	item.content = content.s;
	amk_track_complete(&c->track, &item);
	return true;
}

static bool block_finished(struct amk_claude *c, struct amk_claude_stream *s, const struct amk_json *line,
			   const struct amk_json *block)
{
	const char *message = amk_json_get_str(amk_json_get(line, "message"), "id");
	const char *text = amk_json_get_str(block, is_thinking(block) ? "thinking" : "text");
	const char *parent = s->parent;
	char native[NATIVE_MAX];
	struct amk_item item;

	block_id(native, s, stream_finish(c, s, message));
	if (amk_json_is(block, "type", "tool_use") || amk_json_is(block, "type", "server_tool_use"))
		return block_call(c, block, parent);
	if (!is_thinking(block) && !amk_json_is(block, "type", "text"))
		return block_other(c, block, native, parent);
	item = message_item(native, parent, text ? text : "", is_thinking(block));
	item.failed = amk_json_true(amk_json_get(line, "aborted"));
	amk_track_complete(&c->track, &item);
	return true;
}

/* The text of a failed request has been said as an item; the failure itself is an event. */
static void api_error(struct amk_claude *c, const struct amk_json *line, const struct amk_json *block)
{
	static const char *const from[] = { "api_error_status", "error", "api_error_type", "request_id" };
	static const char *const to[] = { "status", "kind", "type", "request_id" };
	struct amk_buf details AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	const char *text = amk_json_get_str(block, "text");

	amk_jw_open(&details, NULL, '{');
	for (size_t i = 0; i < AMK_COUNT(from); i++)
		amk_json_print(&details, to[i], amk_json_get(line, from[i]));
	amk_jw_close(&details, '}');
	amk_track_error(&c->track, "api_error", text ? text : "the model could not be asked", details.s);
	c->error_said = true;
}

bool amk_claude_item_assistant(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *message = amk_json_get(j, "message");
	const struct amk_json *content = amk_json_get(message, "content");
	struct amk_claude_stream *s;
	bool known = true;

	if (!amk_json_get_str(message, "id") || !amk_json_is_array(content))
		return false;
	s = stream_of(c, j);
	for (const struct amk_json *block = amk_json_first(content); block; block = amk_json_next(block))
		known &= block_finished(c, s, j, block);
	if (amk_json_true(amk_json_get(j, "is_api_error_message")) && !s->parent)
		api_error(c, j, amk_json_first(content));
	return known;
}

/* ---- streamed ---- */

static void block_started(struct amk_claude *c, struct amk_claude_stream *s, const struct amk_json *event)
{
	const struct amk_json *block = amk_json_get(event, "content_block");
	int64_t index = amk_json_get_int(event, "index", s->next);
	char native[NATIVE_MAX];
	struct amk_item item = message_item(block_id(native, s, index), s->parent, "", is_thinking(block));

	s->open = index;
	s->next = index + 1;
	if (is_thinking(block) || amk_json_is(block, "type", "text"))
		amk_track_start(&c->track, &item, false);
}

static void block_delta(struct amk_claude *c, const struct amk_claude_stream *s, const struct amk_json *event)
{
	const struct amk_json *delta = amk_json_get(event, "delta");
	const char *text = NULL;
	char native[NATIVE_MAX];

	if (amk_json_is(delta, "type", "text_delta"))
		text = amk_json_get_str(delta, "text");
	else if (amk_json_is(delta, "type", "thinking_delta"))
		text = amk_json_get_str(delta, "thinking");
	if (text)
		amk_track_delta(&c->track, block_id(native, s, amk_json_get_int(event, "index", s->open)), text);
}

/*
 * Only message_start, content_block_start and text deltas matter. The rest is repeated by the line
 * "assistant", which comes before the block's stop: signatures, the input of tools, stop reasons.
 */
bool amk_claude_item_stream(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *event = amk_json_get(j, "event");
	const char *message = amk_json_get_str(amk_json_get(event, "message"), "id");
	struct amk_claude_stream *s;

	if (!amk_json_get_str(event, "type"))
		return false;
	s = stream_of(c, j);
	if (amk_json_is(event, "type", "message_start") && message)
		stream_begin(c, s, message);
	else if (s->message && amk_json_is(event, "type", "content_block_start"))
		block_started(c, s, event);
	else if (s->message && amk_json_is(event, "type", "content_block_delta"))
		block_delta(c, s, event);
	return true;
}

/* ---- what comes back to the model ---- */

static bool tool_result(struct amk_claude *c, const struct amk_json *line, const struct amk_json *block)
{
	struct amk_buf content AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	const char *call = amk_json_get_str(block, "tool_use_id");
	bool failed = amk_json_true(amk_json_get(block, "is_error"));
	const struct amk_json *extra = failed ? NULL : amk_json_get(line, "tool_use_result");
	char native[NATIVE_MAX];
	struct amk_item item = {
		.native = native, .parent = call, .kind = "tool_result", .role = "tool", .failed = failed,
	};

	if (!call || !amk_track_has(&c->track, call))
		return false;
	snprintf(native, sizeof native, "%.400s/result", call);
	if (!amk_claude_result_content(&content, block, extra))
		return false;
	item.content = content.s;
	amk_track_complete(&c->track, &item);
	return true;
}

/* What the host or a hook put before the model; the marks of an interrupt are told by the turn's outcome. */
static bool user_text(struct amk_claude *c, const char *text, const char *parent)
{
	struct amk_item item = {
		.parent = parent, .text = text,
		.kind = parent ? "message" : "system", .role = parent ? "user" : "system",
	};

	if (strncmp(text, "[Request interrupted by user", 28) != 0)
		amk_track_complete(&c->track, &item);
	return true;
}

static bool user_block(struct amk_claude *c, const struct amk_json *line, const struct amk_json *block)
{
	const char *text = amk_json_get_str(block, "text");

	if (amk_json_is(block, "type", "tool_result"))
		return tool_result(c, line, block);
	if (amk_json_is(block, "type", "text") && text)
		return user_text(c, text, amk_json_get_str(line, "parent_tool_use_id"));
	return false;
}

bool amk_claude_item_user(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *content = amk_json_get(amk_json_get(j, "message"), "content");
	bool known = true;

	/* Echoes of what was sent, and the summary a compaction leaves for the model. */
	if (amk_json_true(amk_json_get(j, "isReplay")) || amk_json_true(amk_json_get(j, "isSynthetic")))
		return true;
	if (amk_json_str(content))
		return user_text(c, amk_json_str(content), amk_json_get_str(j, "parent_tool_use_id"));
	if (!amk_json_is_array(content))
		return false;
	for (const struct amk_json *block = amk_json_first(content); block; block = amk_json_next(block))
		known &= user_block(c, j, block);
	return known;
}

void amk_claude_item_status_of(struct amk_claude *c, const char *label, const char *detail, const char *parent)
{
	struct amk_buf content AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	struct amk_item item = { .kind = "status", .role = "assistant", .parent = parent };

	amk_jw_open(&content, NULL, '[');
	amk_jw_open(&content, NULL, '{');
	amk_jw_cstr(&content, "type", "status");
	amk_jw_cstr(&content, "label", label);
	amk_jw_cstr(&content, "detail", detail);
	amk_jw_close(&content, '}');
	amk_jw_close(&content, ']');
	item.content = content.s;
	amk_track_complete(&c->track, &item);
}

void amk_claude_item_status(struct amk_claude *c, const char *label, const char *detail)
{
	amk_claude_item_status_of(c, label, detail, NULL);
}

/* ---- saving ---- */

void amk_claude_item_save(const struct amk_claude *c, struct amk_buf *b)
{
	amk_jw_open(b, "streams", '[');
	for (size_t i = 0; i < c->nstreams; i++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_cstr(b, "parent", c->streams[i].parent);
		amk_jw_cstr(b, "message", c->streams[i].message);
		amk_jw_int(b, "next", c->streams[i].next);
		amk_jw_int(b, "open", c->streams[i].open);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
}

int amk_claude_item_load(struct amk_claude *c, const struct amk_json *list, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_claude_stream, parent, "parent", STR, false),
		AMK_JSON_FIELD(amk_claude_stream, message, "message", STR, false),
		AMK_JSON_FIELD(amk_claude_stream, next, "next", INT, true),
		AMK_JSON_FIELD(amk_claude_stream, open, "open", INT, true),
	};

	for (const struct amk_json *j = amk_json_first(list); j; j = amk_json_next(j)) {
		struct amk_claude_stream s = { .open = -1 };

		if (c->nstreams == AMK_CLAUDE_STREAMS)
			return amk_err_set(e, AMK_EINVALID, "too many streams");
		if (amk_json_read(j, fields, AMK_COUNT(fields), &s, e) < 0)
			return -1;
		s.parent = s.parent ? amk_strdup(s.parent) : NULL;
		s.message = s.message ? amk_strdup(s.message) : NULL;
		c->streams[c->nstreams++] = s;
	}
	return 0;
}
