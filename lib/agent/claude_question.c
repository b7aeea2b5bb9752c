/* SPDX-License-Identifier: Apache-2.0 */
/* Claude Code asks the person: questions with choices, and whether its plan is right. */
#include <string.h>
#include <strings.h>

#include "agent/claude.h"
#include "core/jw.h"

#define QUESTIONS_MAX 64
#define PLAN_PROMPT "Approve this plan?"

/* ---- asked ---- */

static bool is_question(const struct amk_json *q)
{
	const struct amk_json *options = amk_json_get(q, "options");

	if (!amk_json_get_str(q, "question") || (options && !amk_json_is_array(options)))
		return false;
	for (const struct amk_json *o = amk_json_first(options); o; o = amk_json_next(o))
		if (!amk_json_get_str(o, "label"))
			return false;
	return true;
}

/* Answers go back by the question's text, so two of the same text cannot be told apart. */
static bool is_repeated(const struct amk_json *questions, const struct amk_json *q)
{
	for (const struct amk_json *p = amk_json_first(questions); p != q; p = amk_json_next(p))
		if (amk_json_is(p, "question", amk_json_get_str(q, "question")))
			return true;
	return false;
}

static bool are_questions(const struct amk_json *questions)
{
	size_t n = 0;

	if (!amk_json_is_array(questions) || amk_track_is_deep(questions))
		return false;
	for (const struct amk_json *q = amk_json_first(questions); q; q = amk_json_next(q), n++)
		if (n == QUESTIONS_MAX || !is_question(q) || is_repeated(questions, q))
			return false;
	return n > 0;
}

void amk_claude_question_labels(struct amk_buf *b, const struct amk_json *question)
{
	const struct amk_json *o = amk_json_first(amk_json_get(question, "options"));

	amk_jw_open(b, NULL, '[');
	for (; o; o = amk_json_next(o))
		amk_jw_cstr(b, NULL, amk_json_get_str(o, "label"));
	amk_jw_close(b, ']');
}

bool amk_claude_question_open(struct amk_claude *c, const char *id, const struct amk_json *request,
			      const struct amk_claude_question *q)
{
	struct amk_buf about AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 2);
	struct amk_ask ask = {
		.native = id, .kind = "question", .subject = q->prompt, .details = q->options, .more = q->more,
		.background = amk_json_get_str(request, "agent_id") != NULL,
	};

	amk_jw_cstr(&about, "action", q->action);
	if (amk_json_get_str(request, "tool_name"))
		amk_jw_cstr(&about, "tool", amk_json_get_str(request, "tool_name"));
	amk_claude_ask_origin(c, &about, request);
	amk_jw_cstr(&about, "prompt", q->prompt);
	amk_jw_raw(&about, "options", q->options, strlen(q->options));
	if (q->questions)
		amk_jw_raw(&about, "questions", q->questions, strlen(q->questions));
	ask.about = about.s;
	if (!amk_buf_ok(&about))
		return false;
	amk_ask_open(&c->track, &ask);
	return true;
}

static bool ask_user(struct amk_claude *c, const char *id, const struct amk_json *request)
{
	const struct amk_json *questions = amk_json_get(amk_json_get(request, "input"), "questions");
	struct amk_buf all AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);
	struct amk_buf options AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 8);
	struct amk_claude_question q = { .action = "AskUserQuestion" };

	if (!are_questions(questions))
		return false;
	amk_json_print(&all, NULL, questions);
	amk_claude_question_labels(&options, amk_json_first(questions));
	q.prompt = amk_json_get_str(amk_json_first(questions), "question");
	q.options = options.s;
	q.questions = all.s;
	return amk_buf_ok(&all) && amk_buf_ok(&options) && amk_claude_question_open(c, id, request, &q);
}

/* Without a plan file the request has no plan: it may stand in the messages before. */
static bool ask_plan(struct amk_claude *c, const char *id, const struct amk_json *request)
{
	const struct amk_json *input = amk_json_get(request, "input");
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 2);
	struct amk_claude_question q = {
		.action = "ExitPlanMode", .prompt = PLAN_PROMPT, .options = "[\"approve\",\"reject\"]",
	};

	amk_jw_cstr(&more, "plan", amk_json_get_str(input, "plan"));
	amk_jw_cstr(&more, "plan_path", amk_json_get_str(input, "planFilePath"));
	q.more = more.s;
	return amk_buf_ok(&more) && amk_claude_question_open(c, id, request, &q);
}

bool amk_claude_question_request(struct amk_claude *c, const char *id, const struct amk_json *request)
{
	if (amk_json_is(request, "tool_name", "AskUserQuestion"))
		return ask_user(c, id, request);
	return amk_json_is(request, "tool_name", "ExitPlanMode") && ask_plan(c, id, request);
}

/* ---- answered ---- */

void amk_claude_question_join(struct amk_buf *b, const struct amk_json *list)
{
	for (const struct amk_json *s = amk_json_first(list); s; s = amk_json_next(s))
		if (amk_json_str(s))
			amk_buf_addf(b, "%s%s", b->n ? ", " : "", amk_json_str(s));
}

/* Each question's text with its answers; the labels of several choices are joined, as the program itself does it. */
static void write_answers(struct amk_buf *b, const struct amk_json *questions, const struct amk_json *answers)
{
	const struct amk_json *list = amk_json_first(answers);

	amk_jw_cstr(b, "behavior", "allow");
	amk_jw_open(b, "updatedInput", '{');
	amk_json_print(b, "questions", questions);
	amk_jw_open(b, "answers", '{');
	for (const struct amk_json *q = amk_json_first(questions); q && list; q = amk_json_next(q)) {
		struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);

		amk_claude_question_join(&text, list);
		amk_jw_str(b, amk_json_get_str(q, "question"), text.s, text.n);
		list = amk_json_next(list);
	}
	amk_jw_close(b, '}');
	amk_jw_close(b, '}');
}

/*
 * Approved, the program goes back to the mode it had before it planned: nothing is widened. Any other answer is what is
 * wrong with the plan.
 */
static void write_verdict(struct amk_buf *b, const struct amk_json *answers)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART / 4);

	amk_claude_question_join(&text, amk_json_first(answers));
	if (strcasecmp(text.s, "approve") == 0)
		amk_jw_cstr(b, "behavior", "allow");
	else if (strcasecmp(text.s, "reject") == 0)
		amk_claude_ask_deny(b, "The user rejects this plan.", false);
	else
		amk_claude_ask_deny(b, text.s, false);
}

void amk_claude_question_answer(struct amk_buf *b, const struct amk_input *in, const struct amk_json *about)
{
	struct amk_json *answers AMK_AUTO(json) = NULL;

	if (in->answers)
		answers = amk_json_parse(in->answers, strlen(in->answers), NULL);
	if (strcmp(in->reply, "reject") == 0)
		amk_claude_ask_deny(b, in->text ? in->text : "The user declined to answer.", in->stop);
	else if (amk_json_is(about, "action", "ExitPlanMode"))
		write_verdict(b, answers);
	else
		write_answers(b, amk_json_get(about, "questions"), answers);
}
