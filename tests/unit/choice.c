/* SPDX-License-Identifier: Apache-2.0 */
/* Questions on a terminal: what is shown, and what a typed line answers. */
#include "client/choice.h"

#include <string.h>

#include "tap.h"

static struct amk_choice choice;

static void ask(const char *question)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(question, strlen(question), NULL);

	amk_choice_release(&choice);
	amk_choice_of_question(&choice, j);
}

static void shows(const char *want)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	amk_choice_show(&choice, &b);
	is_str(b.s, want, choice.what);
}

/* want: the list, or NULL for no answer. */
static void takes(const char *line, const char *want)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	bool taken = amk_choice_take(&choice, line, &b);

	ok(taken == (want != NULL) && strcmp(b.s, want ? want : "") == 0, "\"%s\" answers %s", line, want ? want : "nothing");
}

static void test_one(void)
{
	ask("{\"question\":\"Which colour?\",\"options\":[{\"label\":\"Red\",\"description\":\"warm\"},{\"label\":\"\\u001b[2J\"}]}");
	shows("  1 Red - warm\n  2 \\x1b[2J\n  a number, your own words, or - to decline: ");
	takes("1", "[\"Red\"]");
	takes("2", "[\"\\u001b[2J\"]");
	takes("3", "[\"3\"]");
	takes("1,2", "[\"1,2\"]");
	takes("0", "[\"0\"]");
	takes("red", "[\"red\"]");
	takes("", NULL);
}

static void test_several(void)
{
	ask("{\"question\":\"Which sizes?\",\"multiSelect\":true,\"options\":[{\"label\":\"S\"},{\"label\":\"L\"}]}");
	shows("  1 S\n  2 L\n  numbers (1,2), your own words, or - to decline: ");
	takes("1,2", "[\"S\",\"L\"]");
	takes("2 1", "[\"L\",\"S\"]");
	takes(" 2 ", "[\"L\"]");
	takes("1,7", "[\"1,7\"]");
	takes("1 of them", "[\"1 of them\"]");
}

static void test_open(void)
{
	ask("{\"question\":\"How old?\",\"required\":false}");
	shows("  your answer, or - to decline: ");
	takes("7", "[\"7\"]");
	takes("", "[]");
}

static void test_event(void)
{
	static const char event[] = "{\"type\":\"question.requested\",\"data\":{\"prompt\":\"Go?\",\"options\":[\"Yes\"]}}";
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(event, sizeof event - 1, NULL);

	amk_choice_release(&choice);
	amk_choice_of_event(&choice, j);
	is_str(choice.what, "Go?", "an event's prompt");
	takes("1", "[\"Yes\"]");
	amk_choice_release(&choice);
}

int main(void)
{
	test_one();
	test_several();
	test_open();
	test_event();
	return tap_done();
}
