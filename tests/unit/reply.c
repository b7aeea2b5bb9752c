/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: those that fit what was asked, and the sentence that refuses the others. */
#include "session/reply.h"

#include <string.h>

#include "tap.h"

#define TWO "{\"questions\":[{\"question\":\"Which colour?\",\"multiSelect\":false}," \
	    "{\"question\":\"Which sizes?\",\"multiSelect\":true}]}"
#define FORM "{\"questions\":[{\"question\":\"How old?\",\"name\":\"age\",\"type\":\"integer\",\"required\":true}," \
	     "{\"question\":\"How heavy?\",\"name\":\"kg\",\"type\":\"number\",\"required\":false}," \
	     "{\"question\":\"Sure?\",\"name\":\"sure\",\"type\":\"boolean\",\"required\":false}]}"
#define PLAN "{\"prompt\":\"Approve this plan?\",\"options\":[\"approve\",\"reject\"]}"

static void check(const char *agent, const char *request, struct amk_decision_answer a, const char *want)
{
	struct amk_decision d = { .kind = (char *)"question", .request = (char *)request };
	struct amk_err e = { 0 };
	int r = amk_reply_check(&d, &a, amk_agent_find(agent), &e);

	ok(r == (want[0] ? -1 : 0) && strcmp(e.msg, want) == 0, "%s %.60s: %s", a.reply, a.answers ? a.answers : "",
	   e.msg[0] ? e.msg : "fine");
}

static void answers(const char *request, const char *list, const char *want)
{
	check("claude", request, (struct amk_decision_answer){ .reply = "answer", .answers = list }, want);
}

static void test_questions(void)
{
	answers(TWO, "[[\"Red\"],[\"S\",\"L\"]]", "");
	answers(TWO, "[[\"something else\"],[\"S\"]]", "");
	answers(TWO, "[[\"Red\"]]", "2 questions are asked: 2 lists of answers, not 1");
	answers(TWO, "[[\"Red\"],[\"S\"],[\"L\"]]", "2 questions are asked: 2 lists of answers, not 3");
	answers(TWO, NULL, "2 questions are asked: 2 lists of answers, not 0");
	answers(TWO, "[[],[\"S\"]]", "\"Which colour?\" has no answer");
	answers(TWO, "[[\"Red\"],[]]", "\"Which sizes?\" has no answer");
	answers(TWO, "[[\"Red\",\"Blue\"],[\"S\"]]", "\"Which colour?\" takes one answer, not 2");
	answers(PLAN, "[[\"approve\"]]", "");
	answers(PLAN, "[[\"not before the tests\"]]", "");
	answers(PLAN, "[[]]", "the question has no answer");
	answers(PLAN, "[]", "1 question is asked: 1 list of answers, not 0");
}

static void test_form(void)
{
	answers(FORM, "[[\"7\"],[\"70.5\"],[\"true\"]]", "");
	answers(FORM, "[[\"7\"],[],[]]", "");
	answers(FORM, "[[],[],[]]", "\"How old?\" has no answer");
	answers(FORM, "[[\"seven\"],[],[]]", "\"How old?\" takes an integer, not \"seven\"");
	answers(FORM, "[[\"7.5\"],[],[]]", "\"How old?\" takes an integer, not \"7.5\"");
	answers(FORM, "[[\"7\"],[\"\"],[]]", "\"How heavy?\" takes a number, not \"\"");
	answers(FORM, "[[\"7\"],[],[\"perhaps\"]]", "\"Sure?\" takes a boolean, not \"perhaps\"");
}

static void test_more(void)
{
	const struct amk_decision_answer input = { .reply = "once", .input = "{\"command\":\"true\"}" };
	const struct amk_decision_answer stop = { .reply = "reject", .stop = true };

	check("claude", "{}", input, "");
	check("mock", "{}", input, "Mock agent takes no changed input: allow or deny it as it is");
	check("claude", "{}", (struct amk_decision_answer){ .reply = "always", .input = "{}" },
	      "input goes with reply once only");
	check("claude", "{}", (struct amk_decision_answer){ .reply = "once", .input = "[]" },
	      "input must be an object, not nested too deeply");
	check("claude", "{}", stop, "");
	check("claude", TWO, stop, "");
	check("mock", "{}", stop, "Mock agent cannot be denied and stopped at once");
	check("claude", "{}", (struct amk_decision_answer){ .reply = "once", .stop = true },
	      "stop goes with reply reject only");
}

int main(void)
{
	test_questions();
	test_form();
	test_more();
	return tap_done();
}
