/* SPDX-License-Identifier: Apache-2.0 */
/* From a decision's request to what rules look at. */
#include "decision/subject.h"

#include <string.h>

#include "core/jw.h"
#include "decision/content.h"
#include "decision/resolve.h"

void amk_subject_write_input(struct amk_buf *b, const struct amk_json *input)
{
	if (input)
		amk_content_write(b, NULL, input, amk_json_get_str(input, "command") ? "description" : NULL);
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
