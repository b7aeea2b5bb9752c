/* SPDX-License-Identifier: Apache-2.0 */
/* From a decision's request to what rules look at. */
#include "decision/subject.h"

#include <string.h>

#include "core/jw.h"
#include "decision/resolve.h"

/* The member with the smallest key above `after`: the agents do not keep the order of members. */
static const struct amk_json *next_member(const struct amk_json *object, const char *after)
{
	const struct amk_json *least = NULL;

	for (const struct amk_json *m = amk_json_first(object); m; m = amk_json_next(m))
		if ((!after || strcmp(amk_json_key(m), after) > 0) &&
		    (!least || strcmp(amk_json_key(m), amk_json_key(least)) < 0))
			least = m;
	return least;
}

/* As deep as the gate lets anything nest. */
static void write_sorted(struct amk_buf *b, const char *key, const struct amk_json *j, const char *without)
{
	if (amk_json_is_object(j)) {
		amk_jw_open(b, key, '{');
		for (const struct amk_json *m = next_member(j, NULL); m; m = next_member(j, amk_json_key(m)))
			if (!without || strcmp(amk_json_key(m), without) != 0)
				write_sorted(b, amk_json_key(m), m, NULL);
		amk_jw_close(b, '}');
	} else if (amk_json_is_array(j)) {
		amk_jw_open(b, key, '[');
		for (const struct amk_json *v = amk_json_first(j); v; v = amk_json_next(v))
			write_sorted(b, NULL, v, NULL);
		amk_jw_close(b, ']');
	} else {
		amk_json_print(b, key, j);
	}
}

void amk_subject_write_input(struct amk_buf *b, const struct amk_json *input)
{
	if (input)
		write_sorted(b, NULL, input, amk_json_get_str(input, "command") ? "description" : NULL);
	else
		amk_jw_null(b, NULL);
}

void amk_subject_init(struct amk_subject *s, const struct amk_subject_from *from)
{
	const struct amk_json *rq = from->request;

	memset(s, 0, sizeof *s);
	s->from = *from;
	s->is_question = strcmp(from->kind, "question") == 0 || amk_json_true(amk_json_get(rq, "personal"));
	s->tool = amk_json_get_str(rq, "tool");
	if (!s->tool)
		s->tool = amk_json_get_str(rq, "action");
	s->text = amk_json_get_str(rq, "command");
	s->path = amk_json_get_str(rq, "path");
	if (s->text)
		amk_command_read(&s->command, s->text, &s->command_err);
	if (s->path) {
		amk_resolve(s->home, "/", from->directory, &s->path_err);
		amk_resolve(s->resolved, from->directory, s->path, &s->path_err);
	}
	amk_buf_init(&s->input, AMK_SUBJECT_INPUT_MAX);
	amk_subject_write_input(&s->input, amk_json_get(rq, "input"));
}

void amk_subject_release(struct amk_subject *s)
{
	amk_command_release(&s->command);
	amk_buf_release(&s->input);
}
