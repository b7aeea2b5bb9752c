/* SPDX-License-Identifier: Apache-2.0 */
/* The rule that "always" makes. */
#include "decision/always.h"

#include <string.h>

struct wanted {
	const char *scope, *command, *path;
	bool tool_wide;
};
static const struct amk_json_field fields[] = {
	AMK_JSON_FIELD(wanted, scope, "scope", STR, false),
	AMK_JSON_FIELD(wanted, command, "command", STR, false),
	AMK_JSON_FIELD(wanted, path, "path", STR, false),
	AMK_JSON_FIELD(wanted, tool_wide, "toolWide", BOOL, false),
};

/* The content of a suggestion that allows this very tool something; else NULL. */
static const char *content_of(const struct amk_json *suggestion, const char *tool)
{
	const struct amk_json *rules = amk_json_get(suggestion, "rules");
	const struct amk_json *first = amk_json_first(rules);

	if (!amk_json_is(suggestion, "type", "addRules") || !amk_json_is(suggestion, "behavior", "allow") || !first ||
	    amk_json_next(first) || !amk_json_is(first, "toolName", tool))
		return NULL;
	return amk_json_get_str(first, "ruleContent");
}

/* Whether those words are an exact command, and this one. */
static bool is_this(const char *content, const struct amk_command *command)
{
	struct amk_command read;
	bool same;

	if (strchr(content, '*') || amk_command_read(&read, content, NULL) < 0)
		return false;
	same = amk_command_match(&read, command) == AMK_MATCH_YES;
	amk_command_release(&read);
	return same;
}

/* A command the agent itself suggests; to read it as the agent means it, it must be this one. */
static const char *suggested(const struct amk_subject *s)
{
	const struct amk_json *list = amk_json_get(s->from.request, "suggestions");

	if (!s->tool || s->command.words.n == 0)
		return NULL;
	for (const struct amk_json *one = amk_json_first(list); one; one = amk_json_next(one)) {
		const char *content = content_of(one, s->tool);

		if (content && is_this(content, &s->command))
			return content;
	}
	return NULL;
}

static bool take_exact(struct amk_always *a, const struct amk_subject *s)
{
	const char *content = suggested(s);

	if (content) {
		a->rule.command = content;
	} else if (s->command.words.n && amk_command_quote(&a->text, &s->command)) {
		a->rule.command = a->text.s;
	} else if (!s->text && s->resolved[0] && !strpbrk(s->resolved, "*?[]")) {
		a->rule.path = s->resolved;
	} else if (amk_json_is_object(amk_json_get(s->from.request, "input")) && amk_buf_ok(&s->input)) {
		a->rule.input = s->input.s;
	} else {
		return false;
	}
	return true;
}

/* A rule that would not have answered this request is a mistake in writing. */
static int check_wanted(const struct amk_always *a, const struct amk_subject *s, struct amk_err *e)
{
	struct amk_buf why AMK_AUTO(buf) = AMK_BUF_INIT(AMK_ERR_MSG);

	if (amk_rule_check(&a->rule, e) < 0)
		return -1;
	if (amk_rule_match(&a->rule, s, &why) == AMK_MATCH_YES)
		return 0;
	return amk_err_set(e, AMK_EINVALID, "that rule would not allow this request: %.200s", why.s);
}

int amk_always_make(struct amk_always *a, const struct amk_subject *s, const struct amk_json *wanted, struct amk_err *e)
{
	struct wanted w = { 0 };
	bool made = true;

	*a = (struct amk_always){ .text = AMK_BUF_INIT(AMK_SUBJECT_INPUT_MAX) };
	if (wanted && amk_json_read(wanted, fields, AMK_COUNT(fields), &w, e) < 0)
		return -1;
	if (w.tool_wide && (w.command || w.path))
		return amk_err_set(e, AMK_EINVALID, "the whole tool, or a command or path of it: not both");
	a->rule = (struct amk_state_rule){
		.scope = w.scope ? w.scope : "session", .kind = "permission", .action = "allow",
		.tool = s->tool, .command = w.command, .path = w.path,
	};
	/* Until the session is known to whoever stores it; a rule of scope session names one. */
	a->rule.session = strcmp(a->rule.scope, "session") == 0 ? -1 : 0;
	if (strcmp(a->rule.scope, "agent") == 0)
		a->rule.agent = s->from.agent;
	if (s->is_question && wanted)
		return amk_err_set(e, AMK_EINVALID, "this is asked each time: no rule can answer it");
	if (!w.tool_wide && !w.command && !w.path)
		made = !s->is_question && s->tool && take_exact(a, s);
	if (!made && wanted)
		return amk_err_set(e, AMK_EINVALID, "this request has nothing a rule could be about");
	return made ? check_wanted(a, s, e) < 0 ? -1 : 1 : 0;
}

void amk_always_release(struct amk_always *a)
{
	amk_buf_release(&a->text);
}
