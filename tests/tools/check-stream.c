/* SPDX-License-Identifier: Apache-2.0 */
/* check-stream [--universal] [--open] [--all] FILE|-: says the first rule an event stream breaks, with its line. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cmd.h"
#include "core/lines.h"
#include "event/check.h"

static bool universal, open_ended, all;

/* With --all each session is a stream of its own. */
struct part {
	struct part *next;
	char *session;
	struct amk_check *check;
};

struct parts {
	struct part *first;
	int64_t cursor;
	size_t lines;
};

static struct part *part_of(struct parts *ps, const char *session)
{
	struct part *p = ps->first;

	while (p && strcmp(p->session, session) != 0)
		p = p->next;
	if (p)
		return p;
	p = amk_calloc(1, sizeof *p);
	p->session = amk_strdup(session);
	p->check = amk_check_new(universal);
	p->next = ps->first;
	ps->first = p;
	return p;
}

static void parts_free(struct parts *ps)
{
	while (ps->first) {
		struct part *p = ps->first;

		ps->first = p->next;
		amk_check_free(p->check);
		free(p->session);
		free(p);
	}
}

/* The order of all of them is that of their cursors. */
static int check_cursor(struct parts *ps, const struct amk_json *line, struct amk_err *e)
{
	int64_t cursor = amk_json_get_int(line, "cursor", 0);

	if (!amk_json_get(line, "event_id"))
		return 0;
	if (cursor <= ps->cursor)
		return amk_err_set(e, AMK_EINVALID, "line %zu: cursor %lld follows %lld", ps->lines, (long long)cursor,
				   (long long)ps->cursor);
	ps->cursor = cursor;
	return 0;
}

static int check_line(struct parts *ps, const char *line, size_t n, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = all ? amk_json_parse(line, n, NULL) : NULL;
	const char *session = amk_json_get_str(j, "session_id");

	ps->lines++;
	if (j && check_cursor(ps, j, e) < 0)
		return -1;
	return amk_check_line(part_of(ps, session ? session : "")->check, line, n, e);
}

static int check_fd(int fd, struct parts *ps, struct amk_err *e)
{
	struct amk_lines lines;
	char *line;
	size_t n;
	int r;

	amk_lines_init(&lines, fd);
	do
		r = amk_lines_next(&lines, &line, &n, e);
	while (r == 1 && (r = check_line(ps, line, n, e)) == 0);
	amk_lines_release(&lines);
	for (struct part *p = ps->first; r == 0 && p; p = p->next)
		r = amk_check_finish(p->check, open_ended, e);
	return r;
}

static int check_run(const struct amk_args *a, struct amk_err *e)
{
	bool input = strcmp(a->argv[0], "-") == 0;
	int fd AMK_AUTO(fd) = input ? dup(STDIN_FILENO) : open(a->argv[0], O_RDONLY | O_CLOEXEC);
	struct parts ps = { 0 };
	int r;

	if (fd < 0)
		return amk_err_sys(e, "%s", a->argv[0]);
	r = check_fd(fd, &ps, e);
	parts_free(&ps);
	return r < 0 ? amk_err_wrap(e, "%s", a->argv[0]) : 0;
}

static const struct amk_opt options[] = {
	{ 0, "universal", AMK_OPT_FLAG, &universal, NULL, "a stream without profile=amika: sequences may have holes" },
	{ 0, "all", AMK_OPT_FLAG, &all, NULL, "the stream of all sessions: each one by itself, cursors over all" },
	{ 0, "open", AMK_OPT_FLAG, &open_ended, NULL, "the stream may stop in the middle of a turn" },
	AMK_OPT_END,
};
static const struct amk_cmd cmd = {
	.name = "check-stream",
	.summary = "Check an event stream",
	.operands = "FILE|-",
	.min = 1,
	.max = 1,
	.reads = "event",
	.opts = options,
	.run = check_run,
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
