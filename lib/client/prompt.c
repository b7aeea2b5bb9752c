/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts on stderr, answers by the line on stdin. */
#include "client/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client/answer.h"
#include "client/choice.h"
#include "core/jw.h"
#include "core/lines.h"
#include "event/render.h"

#define TYPED_MAX 65536
#define SCREEN_MAX 65536

struct amk_prompt_item {
	struct amk_prompt_item *next;
	char id[40];
	bool question;
	char *plan;		   /* to be approved, safe for the screen; or NULL */
	struct amk_choice *choice; /* one for each question it holds; one for a permission */
	size_t n, at;		   /* how many, and which is asked */
	struct amk_buf answers;	   /* to those before, as JSON */
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

static void item_free(struct amk_prompt_item *it)
{
	for (size_t i = 0; i < it->n; i++)
		amk_choice_release(&it->choice[i]);
	free(it->choice);
	free(it->plan);
	amk_buf_release(&it->answers);
	free(it);
}

static void first_free(struct amk_prompt *p)
{
	struct amk_prompt_item *it = p->first;

	p->first = it->next;
	if (!p->first)
		p->last = &p->first;
	item_free(it);
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

void amk_prompt_again(const struct amk_prompt *p)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(2 * SCREEN_MAX);
	const struct amk_prompt_item *it = p->first;

	if (!amk_prompt_listens(p))
		return;
	if (it->plan)
		amk_buf_adds(&b, it->plan);
	amk_buf_addf(&b, "%s %s", it->question ? "question" : "permission", it->id);
	if (it->n > 1)
		amk_buf_addf(&b, " (%zu of %zu)", it->at + 1, it->n);
	amk_buf_addf(&b, ": %s\n", it->choice[it->at].what);
	if (it->question)
		amk_choice_show(&it->choice[it->at], &b);
	else
		amk_buf_adds(&b, "  y once, a always, n deny: ");
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

/* The whole of it, unless it is longer than a screen can be. */
static char *plan_of(const struct amk_json *decision)
{
	const char *plan = amk_json_get_str(decision, "plan");
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(SCREEN_MAX);

	if (!plan)
		return NULL;
	amk_render_text(&b, plan, strnlen(plan, SCREEN_MAX / 8));
	amk_buf_addc(&b, '\n');
	return amk_strdup(b.s);
}

static void take_choices(struct amk_prompt_item *it, const struct amk_json *event)
{
	const struct amk_json *decision = amk_json_get(amk_json_get(event, "amika"), "decision");
	const struct amk_json *q = amk_json_first(amk_json_get(decision, "questions"));

	for (; it->question && q; q = amk_json_next(q)) {
		it->choice = amk_realloc(it->choice, (it->n + 1) * sizeof *it->choice);
		amk_choice_of_question(&it->choice[it->n++], q);
	}
	it->plan = plan_of(decision);
	if (it->n)
		return;
	it->choice = amk_calloc(1, sizeof *it->choice);
	it->n = 1;
	amk_choice_of_event(it->choice, event);
}

void amk_prompt_asked(struct amk_prompt *p, const struct amk_json *event)
{
	const char *id = decision_id(event);
	struct amk_prompt_item *it;

	if (!id)
		return;
	it = amk_calloc(1, sizeof *it);
	snprintf(it->id, sizeof it->id, "%s", id);
	it->question = amk_json_is(event, "type", "question.requested");
	it->answers = (struct amk_buf)AMK_BUF_INIT(8 * TYPED_MAX);
	take_choices(it, event);
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
	item_free(it);
	if (shown)
		first_show(p);
}

/* NULL when the line is no answer, or not yet the last. */
static const char *reply_of(struct amk_prompt_item *it, const char *line)
{
	static const char *const words[][2] = {
		{ "y", "once" },    { "yes", "once" },	{ "a", "always" }, { "always", "always" },
		{ "n", "reject" },  { "no", "reject" },
	};

	if (it->question) {
		if (strcmp(line, "-") == 0)
			return "reject";
		it->at += amk_choice_take(&it->choice[it->at], line, &it->answers);
		return it->at == it->n ? "answer" : NULL;
	}
	for (size_t i = 0; i < AMK_COUNT(words); i++)
		if (strcmp(line, words[i][0]) == 0)
			return words[i][1];
	return NULL;
}

static int tell(struct amk_prompt *p, const char *reply, struct amk_err *e)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(16 * TYPED_MAX);

	amk_jw_open(&body, NULL, '{');
	amk_jw_cstr(&body, "reply", reply);
	if (strcmp(reply, "answer") == 0) {
		amk_jw_open(&body, "answers", '[');
		amk_buf_add(&body, p->first->answers.s, p->first->answers.n);
		amk_jw_close(&body, ']');
	}
	amk_jw_cstr(&body, "by", p->by);
	amk_jw_close(&body, '}');
	return amk_answer_send(p->client, p->first->id, &body, NULL, e);
}

static int line_taken(struct amk_prompt *p, char *line, struct amk_err *e)
{
	const char *reply;
	size_t n = strlen(line);

	while (n && (line[n - 1] == ' ' || line[n - 1] == '\r'))
		line[--n] = '\0';
	reply = reply_of(p->first, line);
	if (!reply) {
		amk_prompt_again(p);
		return 0;
	}
	if (tell(p, reply, e) < 0) {
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
