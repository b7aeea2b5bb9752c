/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of events come apart into the bytes they were made of. */
#include "client/page.h"

#include "tap.h"

/* "LINE;LINE; more CURSOR", or "refused". */
static const char *cut(const char *body)
{
	static char seen[4096];
	struct amk_page p = AMK_PAGE_INIT;
	const char *line;
	size_t n, used = 0;
	int r;

	amk_buf_adds(&p.body, body);
	r = amk_page_open(&p, NULL);
	while (r == 0 && (r = amk_page_next(&p, &line, &n, NULL)) > 0) {
		used += (size_t)snprintf(seen + used, sizeof seen - used, "%.*s;", (int)n, line);
		r = 0;
	}
	if (r == 0)
		snprintf(seen + used, sizeof seen - used, "%s %llu", p.more ? " more" : "",
			 (unsigned long long)p.cursor);
	else
		snprintf(seen, sizeof seen, "refused");
	amk_page_release(&p);
	return seen;
}

static void test_cut(void)
{
	is_str(cut("{\"events\":[],\"hasMore\":false,\"cursor\":0}"), " 0", "an empty page");
	is_str(cut("{\"events\":[{\"a\":1}],\"hasMore\":true,\"cursor\":7}"), "{\"a\":1}; more 7", "one event");
	is_str(cut("{\"events\":[{\"a\":[1,{}]},{\"b\":{\"c\":[]}}],\"hasMore\":false,\"cursor\":9}"),
	       "{\"a\":[1,{}]};{\"b\":{\"c\":[]}}; 9", "two, with lists and objects in them");
	is_str(cut("{\"events\":[{\"a\":\"]},{\\\"\\\\\"},{\"b\":\"],\"}],\"hasMore\":false,\"cursor\":2}"),
	       "{\"a\":\"]},{\\\"\\\\\"};{\"b\":\"],\"}; 2", "texts that look like ends");
	is_str(cut("{\"events\":[{\"a\":1.50,\"b\":9007199254740993}],\"hasMore\":false,\"cursor\":2}"),
	       "{\"a\":1.50,\"b\":9007199254740993}; 2", "numbers as they came");
}

static void test_refused(void)
{
	is_str(cut(""), "refused", "nothing");
	is_str(cut("{}"), "refused", "an object without events");
	is_str(cut("<html>"), "refused", "a web page");
	is_str(cut("{\"events\":["), "refused", "a page that is cut");
	is_str(cut("{\"events\":[{\"a\":1}]}"), "refused", "one without a cursor");
	is_str(cut("{\"events\":[{\"a\":1}],\"hasMore\":true}"), "refused", "one with half of its end");
	is_str(cut("{\"events\":[{\"a\":1],\"hasMore\":true,\"cursor\":1}"), "refused", "an event that does not end");
	is_str(cut("{\"events\":[{\"a\":\n1}],\"hasMore\":true,\"cursor\":1}"), "refused", "an event of two lines");
	is_str(cut("{\"events\":[{\"a\":\"x],\"hasMore\":true,\"cursor\":1}"), "refused", "a text that does not end");
}

int main(void)
{
	test_cut();
	test_refused();
	return tap_done();
}
