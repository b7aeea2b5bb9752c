/* SPDX-License-Identifier: Apache-2.0 */
/* amika-events: what happened in sessions, and what happens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/follow.h"
#include "client/show.h"
#include "client/signals.h"
#include "client/talk.h"
#include "core/lines.h"
#include "event/render.h"

#define TEXT_MAX (4 * AMK_LINE_MAX)

static bool opt_follow;

/* What one operand or line asks for. */
struct target {
	char session[129];
	char message[AMK_MESSAGE_ID]; /* of a receipt, else "" */
	uint64_t after;
};

/* A reader of text needs a state for each session. */
struct view {
	struct view *next;
	char session[129];
	struct amk_render render;
};

struct printer {
	struct view *views;
	const struct view *shown; /* printed last */
	bool records;
	bool many; /* say whose lines follow */
};

static struct view *view_of(struct printer *p, const char *session)
{
	struct view *v = p->views;

	while (v && strcmp(v->session, session) != 0)
		v = v->next;
	if (v)
		return v;
	v = amk_calloc(1, sizeof *v);
	amk_render_init(&v->render);
	snprintf(v->session, sizeof v->session, "%s", session);
	v->next = p->views;
	p->views = v;
	return v;
}

/* Ends the last line, if text left it open. */
static void printer_release(struct printer *p)
{
	if (p->shown && p->shown->render.mid_line)
		amk_show_bytes("\n", 1, NULL);
	while (p->views) {
		struct view *v = p->views;

		p->views = v->next;
		free(v);
	}
}

static int print_text(struct printer *p, const struct amk_follow_line *line, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX), out AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	struct amk_json *event AMK_AUTO(json) = amk_json_parse(line->line, line->n, e);
	struct view *v = view_of(p, line->session);

	if (!event)
		return amk_err_wrap(e, "event %llu of session %s", (unsigned long long)line->sequence, line->session);
	amk_render_event(&v->render, event, &text);
	if (text.n == 0)
		return 0;
	if (p->many && p->shown != v)
		amk_buf_addf(&out, "%s== %s ==\n", p->shown && p->shown->render.mid_line ? "\n" : "", v->session);
	p->shown = v;
	amk_buf_add(&out, text.s, text.n);
	return amk_show_bytes(out.s, out.n, e);
}

static int print_line(struct printer *p, const struct amk_follow_line *line, struct amk_err *e)
{
	return p->records ? amk_out_record(line->line, line->n, e) : print_text(p, line, e);
}

/* "tau" or "tau@41". */
static int target_of_operand(struct target *t, const char *word, struct amk_err *e)
{
	const char *at = strrchr(word, '@');
	size_t n = at ? (size_t)(at - word) : strlen(word);
	char *end;

	*t = (struct target){ 0 };
	if (at) {
		t->after = strtoull(at + 1, &end, 10);
		if (at[1] < '0' || at[1] > '9' || *end || t->after > INT64_MAX)
			return amk_err_set(e, AMK_EUSAGE, "\"%.100s\" is not SESSION@N, with N the number of an event", word);
	}
	snprintf(t->session, sizeof t->session, "%.*s", (int)(n < 128 ? n : 128), word);
	if (n > 128)
		return amk_err_set(e, AMK_EINVALID, "a session's name has at most 128 characters");
	return amk_client_id("session", t->session, e);
}

static int target_of_line(struct target *t, const char *line, size_t n, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, e);
	const char *type = amk_json_get_str(j, "type"), *session = amk_json_get_str(j, "session_id");
	const char *message = amk_json_get_str(j, "message_id");
	bool receipt = type ? strcmp(type, "receipt") == 0 : message != NULL;

	if (!j)
		return -1;
	*t = (struct target){ 0 };
	if (!session || (type && !receipt && strcmp(type, "session") != 0))
		return amk_err_set(e, AMK_EINVALID, "a session or receipt line is needed");
	if (amk_client_id("session", session, e) < 0)
		return -1;
	snprintf(t->session, sizeof t->session, "%s", session);
	if (!receipt)
		return 0;
	if (!message || amk_client_id("message", message, e) < 0)
		return amk_err_set(e, AMK_EINVALID, "the receipt has no message_id");
	snprintf(t->message, sizeof t->message, "%s", message);
	t->after = (uint64_t)amk_json_get_int(j, "after", 0);
	return 0;
}

/* All there is now. */
static int print_present(struct amk_client *c, struct printer *p, const struct target *t, struct amk_err *e)
{
	struct amk_follow *f AMK_AUTO(follow) = NULL;
	struct amk_json *info AMK_AUTO(json) = NULL;
	struct amk_follow_line line = { .sequence = t->after };
	uint64_t end;

	if (amk_client_get(c, &info, e, "/v1/sessions/%s", t->session) < 0)
		return -1;
	end = (uint64_t)amk_json_get_int(info, "after", 0);
	f = amk_follow_new(c);
	if (t->after < end)
		amk_follow_add(f, t->session, t->after);
	while (line.sequence < end)
		if (amk_follow_next(f, 0, &line, e) < 0 || print_line(p, &line, e) < 0)
			return -1;
	return 0;
}

static int print_target(struct amk_client *c, struct printer *p, const struct target *t, struct amk_err *e)
{
	struct amk_talk talk = {
		.client = c,
		.session = t->session,
		.message = t->message,
		.after = t->after,
		.looks_on = true,
	};

	return t->message[0] ? amk_talk_print(&talk, e) : print_present(c, p, t, e);
}

static int follow_add(struct amk_client *c, struct amk_follow *f, const struct target *t, struct amk_err *e)
{
	if (amk_client_get(c, NULL, e, "/v1/sessions/%s", t->session) < 0)
		return -1;
	amk_follow_add(f, t->session, t->after);
	return 0;
}

/* With --follow the targets are gathered here, else each is printed in its turn. */
static int take(struct amk_client *c, struct amk_follow *f, struct printer *p, const struct target *t,
		struct amk_err *e)
{
	return opt_follow ? follow_add(c, f, t, e) : print_target(c, p, t, e);
}

static int take_lines(struct amk_client *c, struct amk_follow *f, struct printer *p, struct amk_err *e)
{
	struct target t;
	struct amk_lines in;
	char *line;
	size_t n;
	int r;

	amk_show_awaits("amika-events", "session or receipt lines");
	p->many = true;
	amk_lines_init(&in, STDIN_FILENO);
	while ((r = amk_lines_next(&in, &line, &n, e)) > 0) {
		r = target_of_line(&t, line, n, e);
		if (r < 0)
			amk_err_wrap(e, "line %zu", in.number);
		if (r < 0 || (r = take(c, f, p, &t, e)) != 0)
			break;
	}
	amk_lines_release(&in);
	return r;
}

static int take_operands(struct amk_client *c, struct amk_follow *f, struct printer *p, const struct amk_args *a,
			 struct amk_err *e)
{
	struct target t;
	int r = 0;

	p->many = a->argc > 1;
	for (int i = 0; i < a->argc && r == 0; i++) {
		r = target_of_operand(&t, a->argv[i], e);
		if (r == 0)
			r = take(c, f, p, &t, e);
	}
	return r;
}

/* Until a signal, which is the way to end it and no failure. */
static int follow_all(struct amk_follow *f, struct printer *p, struct amk_err *e)
{
	struct amk_signals signals AMK_AUTO(signals) = { .fd = -1 };
	struct amk_follow_line line;

	amk_signals_open(&signals);
	amk_follow_watch(f, 0, signals.fd);
	for (;;)
		switch (amk_follow_next(f, 0, &line, e)) {
		case AMK_FOLLOW_LINE:
			if (print_line(p, &line, e) < 0)
				return -1;
			break;
		case AMK_FOLLOW_WATCHED:
			amk_signals_read(&signals); /* or it would still strike when they are let through again */
			return AMK_EXIT_DONE;
		case AMK_FOLLOW_TIMEOUT:
			break;
		case AMK_FOLLOW_ERROR:
			return -1;
		}
}

static int run(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_follow *f AMK_AUTO(follow) = NULL;
	struct printer p = { .records = amk_cmd_records() };
	int r;

	if (amk_client_open(&c, e) < 0)
		return -1;
	f = amk_follow_new(c);
	r = a->argc ? take_operands(c, f, &p, a, e) : take_lines(c, f, &p, e);
	if (r == 0 && opt_follow)
		r = follow_all(f, &p, e);
	printer_release(&p);
	return r;
}

static const struct amk_opt options[] = {
	{ 'f', "follow", AMK_OPT_FLAG, &opt_follow, NULL, "go on with what happens, until a signal" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

static const struct amk_cmd cmd = {
	.name = "amika-events",
	.summary = "Print the events of sessions, or of the turns of receipts",
	.operands = "[SESSION[@N]…]",
	.max = -1,
	.reads = "session, receipt",
	.writes = "event",
	.opts = options,
	.run = run,
	.example = "amika events --follow tau",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
