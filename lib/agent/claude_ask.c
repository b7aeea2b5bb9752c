/* SPDX-License-Identifier: Apache-2.0 */
/* What Claude Code asks: whether it may use a tool, and everything else that waits for an answer. */
#include <string.h>

#include "agent/claude.h"
#include "core/jw.h"

static void write_metadata(struct amk_buf *b, const struct amk_json *request)
{
	static const char *const from[] = { "tool_name", "display_name", "description", "input",
					    "permission_suggestions", "blocked_path", "tool_use_id", "agent_id",
					    "mcp_server", "requires_user_interaction" };
	static const char *const to[] = { "toolName", "displayName", "description", "input",
					  "permissionSuggestions", "blockedPath", "toolUseId", "agentId",
					  "mcpServer", "requiresUserInteraction" };

	amk_jw_open(b, NULL, '{');
	for (size_t i = 0; i < AMK_COUNT(from); i++) {
		const struct amk_json *j = amk_json_get(request, from[i]);

		if (j)
			amk_track_print(b, to[i], j);
	}
	amk_jw_close(b, '}');
}

static void copy_str(struct amk_buf *b, const char *key, const char *s)
{
	if (s)
		amk_jw_cstr(b, key, s);
}

void amk_claude_ask_origin(const struct amk_claude *c, struct amk_buf *b, const struct amk_json *request)
{
	const char *call = amk_json_get_str(request, "tool_use_id");

	copy_str(b, "server", amk_json_get_str(request, "mcp_server_name"));
	copy_str(b, "call_id", call);
	amk_track_write_id(b, &c->track, call);
	copy_str(b, "agent_id", amk_json_get_str(request, "agent_id"));
}

static void write_about(const struct amk_claude *c, struct amk_buf *b, const struct amk_json *request)
{
	const struct amk_json *input = amk_json_get(request, "input");
	const char *path = amk_json_get_str(input, "file_path");

	if (!path)
		path = amk_json_get_str(input, "notebook_path");
	if (!path)
		path = amk_json_get_str(request, "blocked_path");
	amk_jw_cstr(b, "action", amk_json_get_str(request, "tool_name"));
	amk_jw_cstr(b, "tool", amk_json_get_str(request, "tool_name"));
	copy_str(b, "command", amk_json_get_str(input, "command"));
	copy_str(b, "path", path);
	copy_str(b, "url", amk_json_get_str(input, "url"));
	copy_str(b, "description", amk_json_get_str(request, "description"));
	amk_claude_ask_origin(c, b, request);
}

static void begin_response(struct amk_buf *b, const char *subtype, const char *id)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "control_response");
	amk_jw_open(b, "response", '{');
	amk_jw_cstr(b, "subtype", subtype);
	amk_jw_cstr(b, "request_id", id);
}

/* Ends the line and sends it. */
static void end_response(struct amk_claude *c, struct amk_buf *b)
{
	amk_jw_close(b, '}');
	amk_jw_close(b, '}');
	amk_jw_close(b, '}');
	amk_claude_turn_send(c, b);
}

void amk_claude_ask_deny(struct amk_buf *b, const char *message, bool stop)
{
	amk_jw_cstr(b, "behavior", "deny");
	amk_jw_cstr(b, "message", message);
	if (stop)
		amk_jw_bool(b, "interrupt", true);
}

/*
 * Always, too: what the agent suggests with it could reach further than what was shown; rules remember instead.
 * `changed`: what to do instead, or NULL.
 */
static void write_allow(struct amk_buf *b, const struct amk_json *asked, const char *changed)
{
	const struct amk_json *input = amk_json_get(asked, "input");

	amk_jw_cstr(b, "behavior", "allow");
	if (changed)
		amk_jw_raw(b, "updatedInput", changed, strlen(changed));
	else if (amk_json_is_object(input))
		amk_json_print(b, "updatedInput", input);
}

static void write_reply(struct amk_buf *b, const struct amk_track_asked *a, const struct amk_input *in)
{
	struct amk_json *asked AMK_AUTO(json) = amk_json_parse(a->details, strlen(a->details), NULL);

	if (strcmp(in->reply, "reject") == 0)
		amk_claude_ask_deny(b, in->text ? in->text : "The user does not want this.", in->stop);
	else
		write_allow(b, asked, in->input);
}

/* True when it was a form. */
static bool respond(struct amk_claude *c, const struct amk_track_asked *a, const struct amk_input *in)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	struct amk_json *about AMK_AUTO(json) = NULL;
	bool form;

	amk_buf_addf(&text, "{%s}", a->about);
	about = amk_json_parse(text.s, text.n, NULL);
	begin_response(&line, "success", a->native);
	amk_jw_open(&line, "response", '{');
	form = amk_json_is(about, "action", "elicitation");
	if (form)
		amk_claude_form_answer(&line, in, about);
	else if (strcmp(a->kind, "question") == 0)
		amk_claude_question_answer(&line, in, about);
	else
		write_reply(&line, a, in);
	end_response(c, &line);
	return form;
}

/*
 * What asks the person something has a new answer each time, whatever it is called; and a command that is to leave the
 * agent's own sandbox is more than that command.
 */
static bool is_personal(const struct amk_json *request)
{
	if (amk_json_true(amk_json_get(amk_json_get(request, "input"), "dangerouslyDisableSandbox")))
		return true;
	return amk_json_true(amk_json_get(request, "requires_user_interaction")) ||
	       amk_json_is(request, "tool_name", "AskUserQuestion") || amk_json_is(request, "tool_name", "ExitPlanMode");
}

static bool can_use_tool(struct amk_claude *c, const char *id, const struct amk_json *request)
{
	struct amk_buf metadata AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 2);
	struct amk_buf about AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 2);
	struct amk_ask ask = {
		.native = id, .kind = "permission", .subject = amk_json_get_str(request, "tool_name"),
		.background = amk_json_get_str(request, "agent_id") != NULL,
	};

	if (!ask.subject)
		return false;
	write_metadata(&metadata, request);
	write_about(c, &about, request);
	amk_track_print(&more, "input", amk_json_get(request, "input"));
	if (amk_json_is_array(amk_json_get(request, "permission_suggestions")))
		amk_track_print(&more, "suggestions", amk_json_get(request, "permission_suggestions"));
	if (is_personal(request))
		amk_jw_bool(&more, "personal", true);
	if (!amk_buf_ok(&metadata) || !amk_buf_ok(&about) || !amk_buf_ok(&more))
		return false;
	ask.details = metadata.s;
	ask.about = about.s;
	ask.more = more.s;
	amk_ask_open(&c->track, &ask);
	return true;
}

/* Whoever asks gets an answer: a request left open would hold the turn for ever. */
static void refuse(struct amk_claude *c, const char *id)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(8192);

	begin_response(&line, "error", id);
	amk_jw_cstr(&line, "error", "this host does not support that request");
	amk_jw_close(&line, '}');
	amk_jw_close(&line, '}');
	amk_claude_turn_send(c, &line);
}

/* Hooks are registered by a host that wants them called; whoever did, it was not this one. */
static void hook_callback(struct amk_claude *c, const char *id, const struct amk_json *request)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(8192);
	const struct amk_json *input = amk_json_get(request, "input");

	begin_response(&line, "success", id);
	amk_jw_open(&line, "response", '{');
	end_response(c, &line);
	amk_claude_item_status(c, "hook.callback", amk_json_get_str(input, "hook_event_name"));
}

bool amk_claude_ask_request(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *request = amk_json_get(j, "request");
	const char *id = amk_json_get_str(j, "request_id");
	bool tool = amk_json_is(request, "subtype", "can_use_tool");

	if (!id || strlen(id) >= AMK_TRACK_ID_MAX)
		return false;
	if (tool && (amk_claude_question_request(c, id, request) || can_use_tool(c, id, request)))
		return true;
	if (amk_json_is(request, "subtype", "elicitation") && amk_claude_form_request(c, id, request))
		return true;
	if (!amk_json_is(request, "subtype", "hook_callback")) {
		refuse(c, id);
		return false;
	}
	hook_callback(c, id, request);
	return true;
}

bool amk_claude_ask_withdraw(struct amk_claude *c, const struct amk_json *j)
{
	const char *id = amk_json_get_str(j, "request_id");

	if (id)
		amk_ask_void(&c->track, id, AMK_REASON_WITHDRAWN);
	return id != NULL;
}

void amk_claude_ask_answer(struct amk_claude *c, const struct amk_input *in)
{
	const struct amk_track_asked *a = amk_ask_find(&c->track, in->id);
	bool form;

	if (!a)
		return;
	/* Declining a form does not end a turn; denying a tool can. */
	form = respond(c, a, in);
	if (in->stop && form)
		amk_claude_interrupt(c);
	else if (in->stop && !a->background)
		c->cancelling = true;
	amk_ask_answer(&c->track, in);
}
