/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts on stderr, answers by the line on stdin. */
#include "client/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client/answer.h"
#include "core/jw.h"
#include "core/lines.h"
#include "event/render.h"

#define TYPED_MAX 65536
#define SCREEN_MAX 65536

struct amk_prompt_item {
	struct amk_prompt_item *next;
	char id[40];
	bool question;
	char *what; /* safe for the screen */
	struct amk_strv options;
};

bool amk_prompt_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && !amk_cmd_json;
}

void amk_prompt_init(struct amk_prompt *p, struct amk_client *c)
{
	*p = (struct amk_prompt){ .client = c, .typed = AMK_BUF_INIT(TYPED_MAX) };
	p->last = &p->first;
	amk_caller_name(p->by, "amika", true);
}

static void first_free(struct amk_prompt *p)
{
	struct amk_prompt_item *it = p->first;

	p->first = it->next;
	if (!p->first)
		p->last = &p->first;
	free(it->what);
	amk_strv_release(&it->options);
	free(it);
}

void amk_prompt_release(struct amk_prompt *p)
{
	while (p->first)
		first_free(p);
	amk_buf_release(&p->typed);
}

bool amk_prompt_listens(const struct amk_prompt *p)
{
	return p->first && !p->deaf;
}

static void put(const struct amk_buf *b)
{
	if (amk_write_all(STDERR_FILENO, b->s, b->n) < 0)
		return; /* the terminal has gone; SIGHUP says so */
}

static void put_keys(struct amk_buf *b, const struct amk_prompt_item *it)
{
	if (!it->question)
		amk_buf_adds(b, "  y once, a always, n deny: ");
	else if (it->options.n)
		amk_buf_adds(b, "  a number, your own words, or - to decline: ");
	else
		amk_buf_adds(b, "  your answer, or - to decline: ");
}

void amk_prompt_again(const struct amk_prompt *p)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(SCREEN_MAX);

	if (!amk_prompt_listens(p))
		return;
	amk_buf_addf(&b, "%s %s: %s\n", p->first->question ? "question" : "permission", p->first->id,
		     p->first->what);
	for (size_t i = 0; i < p->first->options.n; i++)
		amk_buf_addf(&b, "  %zu %s\n", i + 1, p->first->options.v[i]);
	put_keys(&b, p->first);
	put(&b);
}

/* What was typed before a question is no answer to it. */
static void first_show(struct amk_prompt *p)
{
	if (!amk_prompt_listens(p))
		return;
	tcflush(STDIN_FILENO, TCIFLUSH);
	amk_buf_clear(&p->typed);
	amk_prompt_again(p);
}

static const char *decision_id(const struct amk_json *event)
{
	return amk_json_get_str(amk_json_get(amk_json_get(event, "amika"), "decision"), "id");
}

static void take_options(struct amk_prompt_item *it, const struct amk_json *event)
{
	const struct amk_json *o = amk_json_first(amk_json_get(amk_json_get(event, "data"), "options"));

	for (; o; o = amk_json_next(o))
		if (amk_json_str(o))
			amk_strv_add(&it->options, amk_json_str(o));
}

void amk_prompt_asked(struct amk_prompt *p, const struct amk_json *event)
{
	struct amk_buf what AMK_AUTO(buf) = AMK_BUF_INIT(SCREEN_MAX);
	const char *id = decision_id(event);
	struct amk_prompt_item *it;

	if (!id)
		return;
	it = amk_calloc(1, sizeof *it);
	snprintf(it->id, sizeof it->id, "%s", id);
	it->question = amk_json_is(event, "type", "question.requested");
	amk_render_request(&what, event);
	it->what = amk_strdup(what.s);
	if (it->question)
		take_options(it, event);
	*p->last = it;
	p->last = &it->next;
	if (p->first == it)
		first_show(p);
}

/* Where the terminal can, the question disappears. */
static void take_back(struct amk_buf *b)
{
	const char *term = getenv("TERM");

	amk_buf_adds(b, term && term[0] && strcmp(term, "dumb") != 0 ? "\r\033[K" : "\n");
}

void amk_prompt_settled(struct amk_prompt *p, const struct amk_json *event)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(SCREEN_MAX);
	const char *id = decision_id(event), *by = amk_json_get_str(amk_json_get(event, "amika"), "by");
	struct amk_prompt_item **at = &p->first, *it;
	bool shown;

	while (id && *at && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	if (!id || !*at)
		return;
	it = *at;
	shown = it == p->first && !p->deaf;
	if (shown)
		take_back(&b);
	amk_buf_addf(&b, "  %s ", it->id);
	amk_render_answer(&b, event);
	amk_buf_adds(&b, " by ");
	amk_render_word(&b, by ? by : "the agent itself", AMK_CALLER_NAME);
	amk_buf_addc(&b, '\n');
	put(&b);
	*at = it->next;
	if (!*at)
		p->last = at;
	it->next = NULL;
	free(it->what);
	amk_strv_release(&it->options);
	free(it);
	if (shown)
		first_show(p);
}

/* The option of that number, or the words themselves. */
static const char *chosen(const struct amk_prompt_item *it, const char *line)
{
	char *end;
	unsigned long n = strtoul(line, &end, 10);

	return *end == '\0' && n >= 1 && n <= it->options.n ? it->options.v[n - 1] : line;
}

/* NULL when the line is no answer. *answer is set for a question's. */
static const char *reply_of(const struct amk_prompt_item *it, const char *line, const char **answer)
{
	static const char *const words[][2] = {
		{ "y", "once" },    { "yes", "once" },	{ "a", "always" }, { "always", "always" },
		{ "n", "reject" },  { "no", "reject" },
	};

	*answer = NULL;
	if (it->question) {
		if (strcmp(line, "-") == 0)
			return "reject";
		*answer = chosen(it, line);
		return line[0] ? "answer" : NULL;
	}
	for (size_t i = 0; i < AMK_COUNT(words); i++)
		if (strcmp(line, words[i][0]) == 0)
			return words[i][1];
	return NULL;
}

static int tell(struct amk_prompt *p, const char *reply, const char *answer, struct amk_err *e)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(8 * TYPED_MAX);

	amk_jw_open(&body, NULL, '{');
	amk_jw_cstr(&body, "reply", reply);
	if (answer) {
		amk_jw_open(&body, "answers", '[');
		amk_jw_open(&body, NULL, '[');
		amk_jw_cstr(&body, NULL, answer);
		amk_jw_close(&body, ']');
		amk_jw_close(&body, ']');
	}
	amk_jw_cstr(&body, "by", p->by);
	amk_jw_close(&body, '}');
	return amk_answer_send(p->client, p->first->id, &body, NULL, e);
}

static int line_taken(struct amk_prompt *p, char *line, struct amk_err *e)
{
	const char *answer, *reply;
	size_t n = strlen(line);

	while (n && (line[n - 1] == ' ' || line[n - 1] == '\r'))
		line[--n] = '\0';
	reply = reply_of(p->first, line, &answer);
	if (!reply) {
		amk_prompt_again(p);
		return 0;
	}
	if (tell(p, reply, answer, e) < 0) {
		if (e->code == AMK_EUNREACHABLE)
			return -1;
		/* Someone was first, or it is over: their event says the rest. */
		fprintf(stderr, "  %s\n", e->msg);
	}
	first_free(p);
	first_show(p);
	return 0;
}

int amk_prompt_typed(struct amk_prompt *p, struct amk_err *e)
{
	char *to = amk_buf_room(&p->typed, 1024), *nl;
	ssize_t n = to ? read(STDIN_FILENO, to, 1024) : 0;
	char *line AMK_AUTO(mem) = NULL;

	if (n <= 0) {
		p->deaf = true;
		fprintf(stderr, "\n  left open; see: amika decision list\n");
		return 0;
	}
	p->typed.n += (size_t)n;
	p->typed.s[p->typed.n] = '\0';
	nl = memchr(p->typed.s, '\n', p->typed.n);
	if (!nl || !p->first)
		return 0;
	line = amk_strndup(p->typed.s, (size_t)(nl - p->typed.s));
	amk_buf_clear(&p->typed);
	return line_taken(p, line, e);
}
