/* SPDX-License-Identifier: Apache-2.0 */
/* amika-events: what happened in sessions, and what happens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/follow.h"
#include "client/offer.h"
#include "client/page.h"
#include "client/show.h"
#include "client/signals.h"
#include "client/talk.h"
#include "client/views.h"
#include "core/lines.h"

static bool opt_follow, opt_all;
static const char *opt_after;

/* What one operand or line asks for. */
struct target {
	char session[129];
	char message[AMK_MESSAGE_ID]; /* of a receipt, else "" */
	uint64_t after;
};

struct printer {
	struct amk_views views;
	bool records;
};

static int print_line(struct printer *p, const char *line, size_t n, struct amk_err *e)
{
	return p->records ? amk_out_record(line, n, e) : amk_views_print(&p->views, line, n, e);
}

/* What SESSION@N and --after count with. */
static bool number_read(const char *s, uint64_t *n)
{
	char *end;

	*n = strtoull(s, &end, 10);
	return s[0] >= '0' && s[0] <= '9' && !*end && *n <= INT64_MAX;
}

/* "tau" or "tau@41". */
static int target_of_operand(struct target *t, const char *word, struct amk_err *e)
{
	const char *at = strrchr(word, '@');
	size_t n = at ? (size_t)(at - word) : strlen(word);

	*t = (struct target){ 0 };
	if (at && !number_read(at + 1, &t->after))
		return amk_err_set(e, AMK_EUSAGE, "\"%.100s\" is not SESSION@N, with N the number of an event", word);
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
		if (amk_follow_next(f, 0, &line, e) < 0 || print_line(p, line.line, line.n, e) < 0)
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
	p->views.headed = true;
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

	p->views.headed = a->argc > 1;
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
			if (print_line(p, line.line, line.n, e) < 0)
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

/* One page after the other, to where the log ended when this began. */
static int print_pages(struct amk_client *c, struct printer *p, uint64_t after, struct amk_err *e)
{
	struct amk_page page = AMK_PAGE_INIT;
	const char *line;
	uint64_t newest;
	size_t n;
	int r = amk_page_newest(c, &newest, e);

	page.cursor = after;
	page.more = r == 0;
	while (r == 0 && page.more && page.cursor < newest) {
		r = amk_page_fetch(&page, c, page.cursor, e);
		while (r == 0 && (r = amk_page_next(&page, &line, &n, e)) > 0)
			r = print_line(p, line, n, e);
	}
	amk_page_release(&page);
	return r;
}

/* All sessions in one stream. */
static int take_all(struct amk_client *c, struct amk_follow *f, struct printer *p, struct amk_err *e)
{
	uint64_t after = 0;

	if (opt_after && strcmp(opt_after, "now") == 0)
		after = AMK_FOLLOW_NOW;
	else if (opt_after && !number_read(opt_after, &after))
		return amk_err_set(e, AMK_EUSAGE, "--after: \"%.60s\" is neither the cursor of a line nor now", opt_after);
	p->views.lined = true;
	if (!opt_follow)
		return print_pages(c, p, after, e);
	amk_follow_add(f, NULL, after);
	return 0;
}

static int check_options(const struct amk_args *a, struct amk_err *e)
{
	if (opt_all && a->argc)
		return amk_err_set(e, AMK_EUSAGE, "with --all no SESSION is named");
	if (opt_all || !opt_after)
		return 0;
	amk_err_set(e, AMK_EUSAGE, "--after goes with --all");
	return amk_err_hint(e, "of one session: amika events SESSION@N");
}

static int run(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_follow *f AMK_AUTO(follow) = NULL;
	struct printer p = { .records = amk_cmd_records() };
	int r;

	if (check_options(a, e) < 0 || amk_client_open(&c, e) < 0)
		return -1;
	f = amk_follow_new(c);
	if (opt_all)
		r = take_all(c, f, &p, e);
	else
		r = a->argc ? take_operands(c, f, &p, a, e) : take_lines(c, f, &p, e);
	if (r == 0 && opt_follow)
		r = follow_all(f, &p, e);
	amk_views_end(&p.views);
	return r;
}

static const struct amk_opt options[] = {
	{ 'f', "follow", AMK_OPT_FLAG, &opt_follow, NULL, "go on with what happens, until a signal" },
	{ 0, "all", AMK_OPT_FLAG, &opt_all, NULL, "all sessions in one stream, in the order of commits" },
	{ 0, "after", AMK_OPT_STR, &opt_after, "CURSOR", "with --all: from behind that line, or now" },
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
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika events --follow tau",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
