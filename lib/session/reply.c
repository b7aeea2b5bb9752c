/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer fits what was asked: as many answers as questions, and nothing the agent would not understand. */
#include "session/reply.h"

#include <string.h>

#include "agent/track.h"
#include "core/json.h"

static size_t count(const struct amk_json *list)
{
	size_t n = 0;

	for (const struct amk_json *j = amk_json_first(list); j; j = amk_json_next(j))
		n++;
	return n;
}

/* ---- a question's answers ---- */

/* The answer to a form's number must be one. */
static bool is_of_type(const char *type, const char *text)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(text, strlen(text), NULL);
	int64_t integer;
	double number;
	bool b;

	if (strcmp(type, "integer") == 0)
		return amk_json_int(j, &integer);
	if (strcmp(type, "number") == 0)
		return amk_json_num(j, &number);
	return strcmp(type, "boolean") != 0 || amk_json_bool(j, &b);
}

static int check_one(const struct amk_json *question, const struct amk_json *list, struct amk_err *e)
{
	const char *text = amk_json_get_str(question, "question"), *type = amk_json_get_str(question, "type");
	size_t n = count(list);
	bool needed = true;

	amk_json_bool(amk_json_get(question, "required"), &needed);
	if (n == 0 && needed)
		return amk_err_set(e, AMK_EINVALID, "\"%.100s\" has no answer", text);
	if (n > 1 && !amk_json_true(amk_json_get(question, "multiSelect")))
		return amk_err_set(e, AMK_EINVALID, "\"%.100s\" takes one answer, not %zu", text, n);
	if (n && type && !is_of_type(type, amk_json_str(amk_json_first(list))))
		return amk_err_set(e, AMK_EINVALID, "\"%.100s\" takes %s %s, not \"%.40s\"", text,
				   type[0] == 'i' ? "an" : "a", type, amk_json_str(amk_json_first(list)));
	return 0;
}

/* Without a list of its own a request is one question. */
static int check_answers(const struct amk_json *request, const struct amk_json *answers, struct amk_err *e)
{
	const struct amk_json *questions = amk_json_get(request, "questions"), *list = amk_json_first(answers);
	size_t want = amk_json_is_array(questions) ? count(questions) : 1, n = count(answers);

	if (n != want)
		return amk_err_set(e, AMK_EINVALID, "%zu %s asked: %zu %s of answers, not %zu", want,
				   want == 1 ? "question is" : "questions are", want, want == 1 ? "list" : "lists", n);
	if (!amk_json_is_array(questions))
		return amk_json_first(list) ? 0 : amk_err_set(e, AMK_EINVALID, "the question has no answer");
	for (const struct amk_json *q = amk_json_first(questions); q; q = amk_json_next(q)) {
		if (check_one(q, list, e) < 0)
			return -1;
		list = amk_json_next(list);
	}
	return 0;
}

/* ---- more than yes and no ---- */

static int check_input(const struct amk_decision_answer *a, const struct amk_codec *c, struct amk_err *e)
{
	struct amk_json *input AMK_AUTO(json) = amk_json_parse(a->input, strlen(a->input), NULL);

	if (strcmp(a->reply, "once") != 0)
		return amk_err_set(e, AMK_EINVALID, "input goes with reply once only");
	if (!c->takes_input)
		return amk_err_set(e, AMK_EINVALID, "%s takes no changed input: allow or deny it as it is", c->title);
	if (!amk_json_is_object(input) || amk_track_is_deep(input))
		return amk_err_set(e, AMK_EINVALID, "input must be an object, not nested too deeply");
	return 0;
}

static int check_stop(const struct amk_decision_answer *a, const struct amk_codec *c, struct amk_err *e)
{
	if (strcmp(a->reply, "reject") != 0)
		return amk_err_set(e, AMK_EINVALID, "stop goes with reply reject only");
	if (c->takes_stop)
		return 0;
	amk_err_set(e, AMK_EINVALID, "%s cannot be denied and stopped at once", c->title);
	return amk_err_hint(e, "deny it, then cancel the turn");
}

int amk_reply_check(const struct amk_decision *d, const struct amk_decision_answer *a, const struct amk_codec *c,
		    struct amk_err *e)
{
	struct amk_json *request AMK_AUTO(json) = amk_json_parse(d->request, strlen(d->request), e);
	struct amk_json *answers AMK_AUTO(json) = NULL;

	if (!request)
		return amk_err_wrap(e, "the request");
	if ((a->input && check_input(a, c, e) < 0) || (a->stop && check_stop(a, c, e) < 0))
		return -1;
	if (strcmp(a->reply, "answer") != 0)
		return 0;
	if (a->answers)
		answers = amk_json_parse(a->answers, strlen(a->answers), NULL);
	return check_answers(request, answers, e);
}
