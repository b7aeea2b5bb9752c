/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much the database grows for each byte an agent writes. Claude Code's part is played by this program,
 * by a symbolic link named claude: it answers each message with what the real one wrote in a capture.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/path.h"

#include "bench.h"

#define TURNS 1000
#define FLOOD 200000

/* ---- the program named claude ---- */

/* What it wrote after the first message, with the number of the message id at "msg_fake". */
static void load_answer(struct amk_buf *b, const char *path)
{
	char *line = NULL;
	size_t cap = 0;
	FILE *f = fopen(path, "re");

	while (f && getline(&line, &cap, f) > 0) {
		struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, strlen(line), NULL);
		const struct amk_json *msg = amk_json_get(j, "msg");

		if (!amk_json_is(j, "dir", "out") || amk_json_is(msg, "type", "control_response"))
			continue;
		/* As it came: reading and writing it again would change numbers with a point. */
		line[strlen(line) - 2] = '\n';
		line[strlen(line) - 1] = '\0';
		amk_buf_adds(b, strstr(line, "\"msg\":") + 6);
	}
	if (f)
		fclose(f);
	free(line);
}

/* A message has an id of its own; another turn's would be that of a known item. */
static void number_messages(struct amk_buf *b, unsigned n)
{
	char digits[8];

	snprintf(digits, sizeof digits, "%06u", n % 1000000);
	for (char *at = b->s; (at = strstr(at, "msg_fake")); at += 8)
		memcpy(at + 8, digits, 6);
}

int bench_claude_main(void)
{
	struct amk_buf answer = AMK_BUF_INIT(1 << 20);
	struct amk_lines in;
	struct amk_err e;
	unsigned turns = 0;
	char *line;
	size_t n;

	load_answer(&answer, getenv("BENCH_CAPTURE") ? getenv("BENCH_CAPTURE") : "");
	amk_lines_init(&in, STDIN_FILENO);
	while (answer.n && amk_lines_next(&in, &line, &n, &e) == 1) {
		struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, NULL);

		if (!amk_json_is(j, "type", "user"))
			continue;
		number_messages(&answer, ++turns);
		if (amk_write_all(STDOUT_FILENO, answer.s, answer.n) < 0)
			break;
	}
	amk_lines_release(&in);
	amk_buf_release(&answer);
	return turns ? 0 : 1;
}

/* ---- measuring ---- */

static void claude_session(const char *id)
{
	char path[AMK_PATH_MAX], self[AMK_PATH_MAX], capture[AMK_PATH_MAX];
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof path, "%s/claude", bench_conf.scratch);
	if (symlink(self, path) < 0 && errno != EEXIST)
		bench_give_up("%s: %s", path, strerror(errno));
	if (!realpath(bench_conf.capture, capture))
		bench_give_up("%s: %s", bench_conf.capture, strerror(errno));
	amk_jw_open(&body, NULL, '{');
	amk_jw_cstr(&body, "agent", "claude");
	amk_jw_cstr(&body, "directory", bench_conf.scratch);
	amk_jw_open(&body, "environment", '{');
	amk_jw_cstr(&body, "PATH", bench_conf.scratch);
	amk_jw_cstr(&body, "BENCH_CAPTURE", capture);
	amk_jw_close(&body, '}');
	amk_jw_close(&body, '}');
	snprintf(path, sizeof path, "/v1/sessions/%s", id);
	bench_call(&bench_ours_unix, "POST", path, body.s);
}

/* After the daemon has stopped, so after a checkpoint. */
static void measure(const char *what, const char *state, double empty)
{
	double db, out;

	bench_ours_stop();
	db = bench_file_size("%s/%s/amika.db", bench_conf.scratch, state) - empty;
	out = bench_file_size("%s/%s/run/1/out", bench_conf.scratch, state);
	bench_row(what, "≤ 1.5 × the agent's output", BENCH_AT_MOST, 1.5, db / out, "%.2f (%.1f MB for %.1f MB)", db / out,
		  db / 1e6, out / 1e6);
}

void bench_growth(void)
{
	char text[32];
	double empty;

	bench_ours_start("empty");
	bench_ours_stop();
	empty = bench_file_size("%s/empty/amika.db", bench_conf.scratch);
	bench_ours_start("capture");
	claude_session("capture");
	for (int i = 0; i < TURNS; i++)
		bench_ours_turn("capture", "Say it again.", NULL);
	measure("growth of the database, Claude Code's capture 02 a thousand times", "capture", empty);
	bench_ours_start("bare");
	bench_ours_session("flood");
	snprintf(text, sizeof text, "flood %d", FLOOD);
	bench_ours_turn("flood", text, NULL);
	measure("growth of the database, a flood of pieces of 16 bytes", "bare", empty);
	bench_ours_start("flood100");
	bench_ours_session("flood");
	snprintf(text, sizeof text, "flood %d 100", FLOOD);
	bench_ours_turn("flood", text, NULL);
	measure("growth of the database, a flood of pieces of 100 bytes", "flood100", empty);
}
