/* SPDX-License-Identifier: Apache-2.0 */
/* check-stream [--universal] [--open] FILE|-: says the first rule an event stream breaks, with its line. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cmd.h"
#include "core/lines.h"
#include "event/check.h"

static bool universal, open_ended;

static int check_fd(int fd, struct amk_check *c, struct amk_err *e)
{
	struct amk_lines lines;
	char *line;
	size_t n;
	int r;

	amk_lines_init(&lines, fd);
	do
		r = amk_lines_next(&lines, &line, &n, e);
	while (r == 1 && (r = amk_check_line(c, line, n, e)) == 0);
	amk_lines_release(&lines);
	return r < 0 ? -1 : amk_check_finish(c, open_ended, e);
}

static int check_run(const struct amk_args *a, struct amk_err *e)
{
	bool input = strcmp(a->argv[0], "-") == 0;
	int fd AMK_AUTO(fd) = input ? dup(STDIN_FILENO) : open(a->argv[0], O_RDONLY | O_CLOEXEC);
	struct amk_check *c;
	int r;

	if (fd < 0)
		return amk_err_sys(e, "%s", a->argv[0]);
	c = amk_check_new(universal);
	r = check_fd(fd, c, e);
	amk_check_free(c);
	return r < 0 ? amk_err_wrap(e, "%s", a->argv[0]) : 0;
}

static const struct amk_opt options[] = {
	{ 0, "universal", AMK_OPT_FLAG, &universal, NULL, "a stream without profile=amika: sequences may have holes" },
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
