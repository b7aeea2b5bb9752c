/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered choices, and the numbers or words that come back. */
#include "client/choice.h"

#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "event/render.h"

#define LINE_WIDTH 400

static void label_add(struct amk_choice *c, const char *label, const char *description)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(8 * LINE_WIDTH);

	amk_render_word(&line, label, LINE_WIDTH);
	if (description && description[0]) {
		amk_buf_adds(&line, " - ");
		amk_render_word(&line, description, LINE_WIDTH);
	}
	amk_strv_add(&c->labels, label);
	amk_strv_add(&c->shown, line.s);
}

void amk_choice_of_question(struct amk_choice *c, const struct amk_json *question)
{
	const struct amk_json *o = amk_json_first(amk_json_get(question, "options"));
	const char *text = amk_json_get_str(question, "question");
	struct amk_buf what AMK_AUTO(buf) = AMK_BUF_INIT(8 * LINE_WIDTH);
	bool required = true;

	amk_json_bool(amk_json_get(question, "required"), &required);
	*c = (struct amk_choice){ .several = amk_json_true(amk_json_get(question, "multiSelect")), .optional = !required };
	amk_render_word(&what, text ? text : "a question", LINE_WIDTH);
	c->what = amk_strdup(what.s);
	for (; o; o = amk_json_next(o))
		if (amk_json_get_str(o, "label"))
			label_add(c, amk_json_get_str(o, "label"), amk_json_get_str(o, "description"));
}

void amk_choice_of_event(struct amk_choice *c, const struct amk_json *event)
{
	const struct amk_json *o = amk_json_first(amk_json_get(amk_json_get(event, "data"), "options"));
	struct amk_buf what AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	*c = (struct amk_choice){ 0 };
	amk_render_request(&what, event);
	c->what = amk_strdup(what.s);
	for (; o; o = amk_json_next(o))
		if (amk_json_str(o))
			label_add(c, amk_json_str(o), NULL);
}

void amk_choice_release(struct amk_choice *c)
{
	free(c->what);
	amk_strv_release(&c->labels);
	amk_strv_release(&c->shown);
}

void amk_choice_show(const struct amk_choice *c, struct amk_buf *screen)
{
	for (size_t i = 0; i < c->shown.n; i++)
		amk_buf_addf(screen, "  %zu %s\n", i + 1, c->shown.v[i]);
	if (c->labels.n && c->several)
		amk_buf_adds(screen, "  numbers (1,2), your own words, or - to decline: ");
	else if (c->labels.n)
		amk_buf_adds(screen, "  a number, your own words, or - to decline: ");
	else
		amk_buf_adds(screen, "  your answer, or - to decline: ");
}

/* The next number of a line, 0 at its end or when it is none of a choice. */
static size_t number(const struct amk_choice *c, const char **line)
{
	char *end;
	unsigned long n;

	*line += strspn(*line, " ,");
	n = strtoul(*line, &end, 10);
	if (end == *line || !strchr(" ,", *end) || n > c->labels.n)
		return 0;
	*line = end;
	return n;
}

/* Whether the line holds nothing but numbers of choices, one or, where that is asked, several. */
static bool is_numbers(const struct amk_choice *c, const char *line)
{
	size_t n = 0;

	while (number(c, &line))
		n++;
	return !*line && (n == 1 || (n > 1 && c->several));
}

bool amk_choice_take(const struct amk_choice *c, const char *line, struct amk_buf *json)
{
	size_t n;

	if (!line[0] && !c->optional)
		return false;
	amk_jw_open(json, NULL, '[');
	if (!is_numbers(c, line)) {
		if (line[0])
			amk_jw_cstr(json, NULL, line);
	} else {
		while ((n = number(c, &line)))
			amk_jw_cstr(json, NULL, c->labels.v[n - 1]);
	}
	amk_jw_close(json, ']');
	return true;
}
