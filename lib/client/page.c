/* SPDX-License-Identifier: Apache-2.0 */
/*
 * {"events":[…],"hasMore":…,"cursor":…}: the events are passed on as the bytes they are, so only their
 * ends are looked for.
 */
#include "client/page.h"

#include <stdio.h>
#include <string.h>

#define EVENTS 10000 /* of a page */

static const char head[] = "{\"events\":[";

static int malformed(struct amk_err *e)
{
	return amk_err_set(e, AMK_EINTERNAL, "the daemon's page of events has another form than ours");
}

/* Behind the value that starts at s: at the comma or bracket after it. NULL when it does not end. */
static const char *value_end(const char *s, const char *end)
{
	bool in_string = false;
	size_t depth = 0;

	for (; s < end; s++) {
		if ((unsigned char)*s < ' ')
			return NULL; /* a line would not be one */
		if (in_string) {
			if (*s == '\\')
				s++;
			else if (*s == '"')
				in_string = false;
		} else if (*s == '"') {
			in_string = true;
		} else if (*s == '{' || *s == '[') {
			depth++;
		} else if (*s == '}' || *s == ']') {
			if (depth == 0)
				return s;
			depth--;
		} else if (*s == ',' && depth == 0) {
			return s;
		}
	}
	return NULL;
}

/* What stands behind the events. */
static int tail_read(struct amk_page *p, const char *s, struct amk_err *e)
{
	char *text AMK_AUTO(mem) = amk_strf("{%s", s);
	struct amk_json *tail AMK_AUTO(json) = amk_json_parse(text, strlen(text), NULL);
	int64_t cursor = amk_json_get_int(tail, "cursor", -1);

	if (cursor < 0)
		return malformed(e);
	p->cursor = (uint64_t)cursor;
	p->more = amk_json_true(amk_json_get(tail, "hasMore"));
	return 0;
}

int amk_page_open(struct amk_page *p, struct amk_err *e)
{
	const char *at = p->body.s + p->body.n;

	p->at = sizeof head - 1;
	if (p->body.n < p->at || memcmp(p->body.s, head, p->at) != 0)
		return malformed(e);
	/* Its members are numbers and words: the last "],"" is the end of the events. */
	while (at > p->body.s + p->at && !(at[-1] == ']' && *at == ','))
		at--;
	return *at == ',' ? tail_read(p, at + 1, e) : malformed(e);
}

int amk_page_fetch(struct amk_page *p, struct amk_client *c, uint64_t after, struct amk_err *e)
{
	char path[128];

	snprintf(path, sizeof path, "/v1/events?profile=amika&limit=%d&offset=%llu", EVENTS, (unsigned long long)after);
	amk_buf_clear(&p->body);
	return amk_client_text(c, path, &p->body, e) < 0 ? -1 : amk_page_open(p, e);
}

int amk_page_next(struct amk_page *p, const char **line, size_t *n, struct amk_err *e)
{
	const char *s = p->body.s + p->at, *end;

	if (*s == ']')
		return 0;
	end = value_end(s, p->body.s + p->body.n);
	if (!end || *end == '}')
		return malformed(e);
	p->at = (size_t)(end - p->body.s) + (*end == ',');
	*line = s;
	*n = (size_t)(end - s);
	return 1;
}

int amk_page_newest(struct amk_client *c, uint64_t *cursor, struct amk_err *e)
{
	struct amk_json *page AMK_AUTO(json) = NULL;
	int64_t newest;

	if (amk_client_get(c, &page, e, "/v1/events?profile=amika&limit=0&offset=now") < 0)
		return -1;
	newest = amk_json_get_int(page, "cursor", -1);
	if (newest < 0)
		return malformed(e);
	*cursor = (uint64_t)newest;
	return 0;
}

void amk_page_release(struct amk_page *p)
{
	amk_buf_release(&p->body);
}
