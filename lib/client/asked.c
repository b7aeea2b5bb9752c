/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent asks, in full: head, what it wants to do, its questions, what it suggests, what was answered. */
#include "client/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/diff.h"
#include "event/render.h"

#define TEXT_MAX (64u << 20)
#define KEY_MAX 60

struct asked {
	struct amk_buf *out;
	bool colour;
	bool shown; /* something stands before: a blank line comes next */
};

static const struct amk_json *request_of(const struct amk_json *decision)
{
	return amk_json_get(decision, "request");
}

/* What some agents put beside their input, and others into it. */
static const struct amk_json *asked_for(const struct amk_json *request, const char *key)
{
	const struct amk_json *j = amk_json_get(request, key);

	return j ? j : amk_json_get(amk_json_get(request, "input"), key);
}

/* ---- lines ---- */

static void put(struct amk_buf *out, const char *s)
{
	amk_render_text(out, s, strlen(s));
}

static void part(struct asked *a, const char *name)
{
	if (a->shown)
		amk_buf_addc(a->out, '\n');
	a->shown = true;
	amk_render_word(a->out, name, KEY_MAX);
	amk_buf_adds(a->out, ":\n");
}

static const char *colour_of(const struct asked *a, const char *line)
{
	if (!a->colour)
		return NULL;
	switch (*line) {
	case '-':
		return "\033[31m";
	case '+':
		return "\033[32m";
	case '@':
		return "\033[36m";
	default:
		return NULL;
	}
}

/* Each line of a text behind `lead`; with `diff` in the colours of one. */
static void block(struct asked *a, const char *lead, const char *s, bool diff)
{
	while (*s) {
		size_t n = strcspn(s, "\n");
		const char *colour = diff ? colour_of(a, s) : NULL;

		amk_buf_adds(a->out, lead);
		amk_buf_adds(a->out, colour ? colour : "");
		amk_render_text(a->out, s, n);
		amk_buf_adds(a->out, colour ? "\033[0m\n" : "\n");
		s += n + (s[n] == '\n');
	}
}

static void text_part(struct asked *a, const char *name, const char *s)
{
	if (!s || !*s)
		return;
	part(a, name);
	block(a, "  ", s, false);
}

/* A member of no name we know: text as it is, all else as JSON. */
static void value_part(struct asked *a, const char *name, const struct amk_json *j)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	if (!j || amk_json_is_null(j))
		return;
	if (!amk_json_str(j))
		amk_json_print(&text, NULL, j);
	text_part(a, name, amk_json_str(j) ? amk_json_str(j) : text.s);
}

/* ---- changes of files ---- */

static void diff_head(struct amk_buf *diff, const char *path, bool is_new)
{
	struct amk_buf word AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	amk_render_word(&word, path ? path : "file", SIZE_MAX);
	amk_buf_addf(diff, "--- %s\n+++ %s\n", is_new ? "/dev/null" : word.s, word.s);
}

static void diff_edit(struct amk_buf *diff, const struct amk_json *edit)
{
	const char *before = amk_json_get_str(edit, "old_string"), *after = amk_json_get_str(edit, "new_string");

	if (!before || !after)
		return;
	amk_diff_write(diff, before, after);
	if (amk_json_true(amk_json_get(edit, "replace_all")))
		amk_buf_adds(diff, "(everywhere in the file)\n");
}

/* From what an edit, several, or the writing of a whole file are given. False when it is none of these. */
static bool diff_of(struct amk_buf *diff, const struct amk_json *request)
{
	const struct amk_json *input = amk_json_get(request, "input"), *edits = amk_json_get(input, "edits");
	const char *path = amk_json_get_str(request, "path"), *content = amk_json_get_str(input, "content");
	const char *own = amk_json_get_str(request, "diff");

	if (!path)
		path = amk_json_get_str(input, "file_path");
	if (own) {
		amk_buf_adds(diff, own);
	} else if (amk_json_get_str(input, "old_string") && amk_json_get_str(input, "new_string")) {
		diff_head(diff, path, false);
		diff_edit(diff, input);
	} else if (amk_json_first(edits) && amk_json_get_str(amk_json_first(edits), "old_string")) {
		diff_head(diff, path, false);
		for (const struct amk_json *e = amk_json_first(edits); e; e = amk_json_next(e))
			diff_edit(diff, e);
	} else if (content && path) {
		diff_head(diff, path, true);
		amk_diff_write(diff, "", content);
	} else {
		return false;
	}
	return true;
}

/* ---- what is asked ---- */

static bool is_one_of(const char *const *words, const char *word)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/* What the parts above have shown is not shown again. */
static void rest(struct asked *a, const struct amk_json *object, const char *const *known)
{
	for (const struct amk_json *m = amk_json_first(object); m; m = amk_json_next(m))
		if (!is_one_of(known, amk_json_key(m)))
			value_part(a, amk_json_key(m), m);
}

static void show_option(struct asked *a, const struct amk_json *option)
{
	const char *label = amk_json_str(option) ? amk_json_str(option) : amk_json_get_str(option, "label");
	const char *description = amk_json_get_str(option, "description"), *preview = amk_json_get_str(option, "preview");

	amk_buf_adds(a->out, "  - ");
	put(a->out, label ? label : "");
	amk_buf_addc(a->out, '\n');
	if (description)
		block(a, "      ", description, false);
	if (preview)
		block(a, "      | ", preview, false);
}

static void show_question(struct asked *a, unsigned number, const struct amk_json *q)
{
	const char *text = amk_json_get_str(q, "question"), *header = amk_json_get_str(q, "header");
	bool many = amk_json_true(amk_json_get(q, "multiSelect")) || amk_json_true(amk_json_get(q, "multi_select"));
	char name[40];

	if (!text)
		text = amk_json_get_str(q, "prompt");
	snprintf(name, sizeof name, "question %u", number);
	part(a, name);
	if (header) {
		amk_buf_adds(a->out, "  [");
		put(a->out, header);
		amk_buf_adds(a->out, "]\n");
	}
	block(a, "  ", text ? text : "", false);
	for (const struct amk_json *o = amk_json_first(amk_json_get(q, "options")); o; o = amk_json_next(o))
		show_option(a, o);
	amk_buf_adds(a->out, many ? "  (any of these, or words of your own)\n" : "  (one of these, or words of your own)\n");
}

static void show_questions(struct asked *a, const struct amk_json *request)
{
	const struct amk_json *list = asked_for(request, "questions");
	unsigned n = 0;

	text_part(a, "plan", amk_json_str(asked_for(request, "plan")));
	for (const struct amk_json *q = amk_json_first(list); q; q = amk_json_next(q))
		show_question(a, ++n, q);
	if (!list && amk_json_get(request, "prompt"))
		show_question(a, 1, request);
}

/* That of the request, and that of what the tool is given, where it says something else. */
static void show_descriptions(struct asked *a, const struct amk_json *request)
{
	const char *one = amk_json_get_str(request, "description");
	const char *other = amk_json_get_str(amk_json_get(request, "input"), "description");

	text_part(a, "description", one);
	if (other && (!one || strcmp(one, other) != 0))
		text_part(a, "description", other);
}

static void show_request(struct asked *a, const struct amk_json *request)
{
	static const char *const known[] = { "action",	"tool",	 "command",	"path",	  "url",	 "description",
					     "input",	"plan",	 "questions",	"prompt", "options",	 "diff",
					     "call_id", "multi_select", "multiSelect", "header", "background", NULL };
	static const char *const given[] = { "command",	  "description", "file_path", "url",	   "old_string", "new_string",
					     "edits", "content", "replace_all", "questions", "plan", NULL };
	static const char *const some[] = { "command", "description", "file_path", "url", "questions", "plan", NULL };
	struct amk_buf diff AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	bool changes = diff_of(&diff, request);

	show_descriptions(a, request);
	text_part(a, "command", amk_json_str(asked_for(request, "command")));
	text_part(a, "path", amk_json_str(asked_for(request, amk_json_get(request, "path") ? "path" : "file_path")));
	text_part(a, "url", amk_json_str(asked_for(request, "url")));
	if (changes) {
		part(a, "change");
		block(a, "  ", diff.s ? diff.s : "", true);
	}
	show_questions(a, request);
	if (amk_json_is_object(amk_json_get(request, "input")))
		rest(a, amk_json_get(request, "input"), changes ? given : some);
	else
		value_part(a, "input", amk_json_get(request, "input"));
	rest(a, request, known);
}

/* ---- its head, and its answer ---- */

static void row(struct asked *a, const char *name, const struct amk_json *v)
{
	const char *s = amk_json_str(v);

	if (!s || !*s)
		return;
	amk_buf_addf(a->out, "%-10s ", name);
	put(a->out, s);
	amk_buf_addc(a->out, '\n');
	a->shown = true;
}

static void show_head(struct asked *a, const struct amk_json *d)
{
	static const char *const rows[][2] = {
		{ "decision", "decision_id" }, { "session", "session_id" },   { "kind", "kind" },
		{ "state", "state" },	       { "reason", "reason" },	      { "asked", "created_at" },
		{ "deadline", "deadline" },    { "repeats", "previous" },     { "closed", "closed_at" },
		{ "delivered", "delivered_at" }, { "by", "by" },	      { "rule", "rule" },
	};
	const struct amk_json *request = request_of(d);

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		row(a, rows[i][0], amk_json_get(d, rows[i][1]));
	row(a, "tool", amk_json_get(request, amk_json_get(request, "tool") ? "tool" : "action"));
}

static void show_answer(struct asked *a, const struct amk_json *answer)
{
	static const char *const known[] = { "reply", "message", "answers", NULL };
	const struct amk_json *list = amk_json_first(amk_json_get(answer, "answers"));

	if (!amk_json_is_object(answer))
		return;
	text_part(a, "answer", amk_json_get_str(answer, "reply"));
	if (amk_json_get_str(answer, "message"))
		block(a, "  ", amk_json_get_str(answer, "message"), false);
	for (; list; list = amk_json_next(list))
		for (const struct amk_json *s = amk_json_first(list); s; s = amk_json_next(s))
			if (amk_json_str(s))
				block(a, "  - ", amk_json_str(s), false);
	rest(a, answer, known);
}

void amk_asked_show(struct amk_buf *out, const struct amk_json *decision, bool colour)
{
	struct asked a = { .out = out, .colour = colour };

	show_head(&a, decision);
	show_request(&a, request_of(decision));
	show_answer(&a, amk_json_get(decision, "answer"));
	amk_buf_addc(out, '\n');
}

/* ---- one line ---- */

static void question_word(struct amk_buf *out, const struct amk_json *request, size_t max)
{
	const struct amk_json *q = amk_json_first(asked_for(request, "questions"));
	const char *plan = amk_json_str(asked_for(request, "plan")), *text = amk_json_get_str(q, "question");
	unsigned more = 0;

	if (!text)
		text = amk_json_get_str(q ? q : request, "prompt");
	if (plan)
		amk_buf_adds(out, "plan: ");
	amk_render_word(out, plan ? plan : text ? text : "", max);
	for (q = q ? amk_json_next(q) : NULL; q; q = amk_json_next(q))
		more++;
	if (more)
		amk_buf_addf(out, " (and %u more)", more);
}

/* The one member that tells most of a request. */
static const char *main_member(const struct amk_json *request)
{
	static const char *const keys[] = { "command", "path", "url", "description" };
	const struct amk_json *input = amk_json_get(request, "input");

	for (size_t i = 0; i < AMK_COUNT(keys); i++)
		if (amk_json_get_str(request, keys[i]))
			return amk_json_get_str(request, keys[i]);
	for (const struct amk_json *m = amk_json_first(input); m; m = amk_json_next(m))
		if (amk_json_str(m))
			return amk_json_str(m);
	return NULL;
}

void amk_asked_word(struct amk_buf *out, const struct amk_json *decision, size_t max)
{
	const struct amk_json *request = request_of(decision);
	const char *action = amk_json_get_str(request, "action"), *what = main_member(request);

	if (amk_json_is(decision, "kind", "question")) {
		question_word(out, request, max);
		return;
	}
	amk_render_word(out, action ? action : "permission", KEY_MAX);
	if (what)
		amk_buf_adds(out, ": ");
	amk_render_word(out, what ? what : "", max);
}

bool amk_asked_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}
