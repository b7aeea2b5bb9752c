/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An MCP server behind Claude Code wants to know something (elicitation): a form with one question for each property of
 * its schema, or a page to be opened.
 */
#include <string.h>
#include <strings.h>

#include "agent/claude.h"
#include "core/jw.h"

#define PROPERTIES_MAX 64

/* ---- asked ---- */

static void write_label(struct amk_buf *b, const char *label, const char *description)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "label", label);
	if (description)
		amk_jw_cstr(b, "description", description);
	amk_jw_close(b, '}');
}

/* The values a property may have: {"enum":[…]}, or {"oneOf":[{"const","title"}]}, or those of an array's items. */
static void write_choices(struct amk_buf *b, const struct amk_json *property)
{
	const struct amk_json *items = amk_json_get(property, "items"), *of = items ? items : property;
	const struct amk_json *titled = amk_json_get(of, items ? "anyOf" : "oneOf");
	const struct amk_json *v;

	amk_jw_open(b, "options", '[');
	if (amk_json_is(property, "type", "boolean")) {
		write_label(b, "true", NULL);
		write_label(b, "false", NULL);
	}
	for (v = amk_json_first(amk_json_get(of, "enum")); v; v = amk_json_next(v))
		if (amk_json_str(v))
			write_label(b, amk_json_str(v), NULL);
	for (v = amk_json_first(titled); v; v = amk_json_next(v))
		if (amk_json_get_str(v, "const"))
			write_label(b, amk_json_get_str(v, "const"), amk_json_get_str(v, "title"));
	amk_jw_close(b, ']');
}

static bool is_listed(const struct amk_json *list, const char *word)
{
	for (const struct amk_json *s = amk_json_first(list); s; s = amk_json_next(s))
		if (amk_json_str(s) && strcmp(amk_json_str(s), word) == 0)
			return true;
	return false;
}

static bool is_named_before(const struct amk_json *order, const struct amk_json *name)
{
	for (const struct amk_json *p = amk_json_first(order); p != name; p = amk_json_next(p))
		if (amk_json_str(p) && strcmp(amk_json_str(p), amk_json_str(name)) == 0)
			return true;
	return false;
}

static void write_property(struct amk_buf *b, const struct amk_json *property, bool required)
{
	const char *name = amk_json_key(property), *title = amk_json_get_str(property, "title");
	const char *description = amk_json_get_str(property, "description");
	const char *type = amk_json_get_str(property, "type");

	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "question", description ? description : title ? title : name);
	amk_jw_cstr(b, "header", title ? title : name);
	write_choices(b, property);
	amk_jw_bool(b, "multiSelect", type && strcmp(type, "array") == 0);
	amk_jw_cstr(b, "name", name);
	amk_jw_cstr(b, "type", type ? type : "string");
	amk_jw_bool(b, "required", required);
	amk_jw_close(b, '}');
}

/* JSON does not keep the order of members; the program tells it beside the schema. */
static size_t write_properties(struct amk_buf *b, const struct amk_json *request)
{
	const struct amk_json *schema = amk_json_get(request, "requested_schema");
	const struct amk_json *properties = amk_json_get(schema, "properties"), *order, *p;
	size_t n = 0;

	amk_jw_open(b, NULL, '[');
	order = amk_json_get(request, "property_order");
	for (p = amk_json_first(order); p && n < PROPERTIES_MAX; p = amk_json_next(p)) {
		const struct amk_json *named = amk_json_str(p) ? amk_json_get(properties, amk_json_str(p)) : NULL;

		if (!amk_json_is_object(named) || is_named_before(order, p))
			continue;
		write_property(b, named, is_listed(amk_json_get(schema, "required"), amk_json_str(p)));
		n++;
	}
	for (p = amk_json_first(properties); p && !order && n < PROPERTIES_MAX; p = amk_json_next(p), n++)
		write_property(b, p, is_listed(amk_json_get(schema, "required"), amk_json_key(p)));
	amk_jw_close(b, ']');
	return n;
}

static void write_labels(struct amk_buf *b, const struct amk_buf *questions)
{
	struct amk_json *all AMK_AUTO(json) = amk_json_parse(questions->s, questions->n, NULL);

	amk_claude_question_labels(b, amk_json_first(all));
}

bool amk_claude_form_request(struct amk_claude *c, const char *id, const struct amk_json *request)
{
	struct amk_buf questions AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 8);
	struct amk_buf options AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 8);
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 8);
	struct amk_claude_question q = {
		.action = "elicitation",
		.prompt = amk_json_get_str(request, "message"),
		.options = "[\"accept\",\"decline\"]",
	};

	if (!q.prompt)
		return false;
	if (!amk_json_is(request, "mode", "url") && write_properties(&questions, request) > 0) {
		write_labels(&options, &questions);
		q.questions = questions.s;
		q.options = options.s;
	}
	if (amk_json_get_str(request, "url"))
		amk_jw_cstr(&more, "url", amk_json_get_str(request, "url"));
	q.more = more.s;
	return amk_buf_ok(&questions) && amk_buf_ok(&options) && amk_buf_ok(&more) &&
	       amk_claude_question_open(c, id, request, &q);
}

/* ---- answered ---- */

/* What does not read as the type that was asked for goes as the text it is: the server says what is wrong with it. */
static void write_value(struct amk_buf *b, const char *name, const char *type, const char *text)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(text, strlen(text), NULL);
	bool is_bool;
	double number;

	if (strcmp(type, "boolean") == 0 && amk_json_bool(j, &is_bool))
		amk_jw_bool(b, name, is_bool);
	else if ((strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) && amk_json_num(j, &number))
		amk_json_print(b, name, j);
	else
		amk_jw_cstr(b, name, text);
}

static void write_answer(struct amk_buf *b, const struct amk_json *question, const struct amk_json *list)
{
	const char *name = amk_json_get_str(question, "name"), *type = amk_json_get_str(question, "type");
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);

	if (!name || !type || !amk_json_first(list))
		return;
	if (strcmp(type, "array") == 0) {
		amk_json_print(b, name, list);
		return;
	}
	amk_claude_question_join(&text, list);
	write_value(b, name, type, text.s);
}

static void write_content(struct amk_buf *b, const struct amk_json *questions, const struct amk_json *answers)
{
	const struct amk_json *list = amk_json_first(answers);

	amk_jw_cstr(b, "action", "accept");
	amk_jw_open(b, "content", '{');
	for (const struct amk_json *q = amk_json_first(questions); q && list; q = amk_json_next(q)) {
		write_answer(b, q, list);
		list = amk_json_next(list);
	}
	amk_jw_close(b, '}');
}

void amk_claude_form_answer(struct amk_buf *b, const struct amk_input *in, const struct amk_json *about)
{
	struct amk_buf word AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);
	const struct amk_json *questions = amk_json_get(about, "questions");
	struct amk_json *answers AMK_AUTO(json) = NULL;

	if (in->answers)
		answers = amk_json_parse(in->answers, strlen(in->answers), NULL);
	amk_claude_question_join(&word, amk_json_first(answers));
	if (strcmp(in->reply, "reject") == 0)
		amk_jw_cstr(b, "action", in->stop ? "cancel" : "decline");
	else if (questions)
		write_content(b, questions, answers);
	else
		amk_jw_cstr(b, "action", strcasecmp(word.s, "accept") == 0 ? "accept" : "decline");
}
