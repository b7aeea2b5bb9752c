/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the table of codes, and the sentences. */
#include "core/err.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "core/lines.h"
#include "tap.h"

static void test_table(void)
{
	int bad = 0, same = 0;

	for (int i = 0; i < AMK_CODE_COUNT; i++) {
		const struct amk_code_info *c = &amk_codes[i];

		bad += !c->name || !c->title || c->exit >= AMK_EXIT_COUNT || (i > 0) != (c->exit != AMK_EXIT_DONE) ||
		       c->http < 200 || c->http > 599 || (i > 0) != (c->http >= 400);
		bad += c->name && (int)amk_err_code(c->name) != i;
		for (int j = 0; j < i; j++)
			same += strcmp(amk_codes[j].name, c->name) == 0;
	}
	is_int(bad, 0, "every code has a name, a title, an exit status and an HTTP status");
	is_int(same, 0, "no name twice");
	is_int(amk_err_code("no such name"), AMK_EFAILED, "a name of somebody else's");
	for (int i = 0; i < AMK_EXIT_COUNT; i++)
		bad += !amk_exits[i].name || !amk_exits[i].text;
	is_int(bad, 0, "every exit status has a name and a text");
}

static void test_statuses(void)
{
	static const struct {
		enum amk_code code;
		int status, http;
		const char *name;
	} rows[] = {
		{ AMK_EUSAGE, 2, 400, "usage" }, { AMK_EINVALID, 3, 400, "invalid_request" }, { AMK_ETOOBIG, 3, 413, "too_large" },
		{ AMK_ENOSESSION, 4, 404, "session_not_found" }, { AMK_EEXISTS, 5, 409, "session_already_exists" },
		{ AMK_EANSWERED, 5, 409, "decision_answered" }, { AMK_EDENIED, 6, 403, "permission_denied" },
		{ AMK_ETIMEOUT, 7, 504, "timeout" }, { AMK_EUNREACHABLE, 8, 502, "unreachable" },
		{ AMK_EWAITING, 9, 409, "waiting" }, { AMK_EFAILED, 1, 500, "failed" },
		{ AMK_ETOKEN, 6, 401, "token_invalid" },
		{ AMK_EHEADER, 3, 431, "header_too_large" },
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		struct amk_err e = { .code = rows[i].code };

		ok((int)amk_err_exit(&e) == rows[i].status && amk_codes[e.code].http == rows[i].http &&
		   strcmp(amk_codes[e.code].name, rows[i].name) == 0, "%s is %d and %d", rows[i].name, rows[i].status,
		   rows[i].http);
	}
}

static void test_sentences(void)
{
	struct amk_err e = { 0 };
	char text[1000];

	is_int(amk_err_set(&e, AMK_ENOSESSION, "no session \"%s\"", "tau"), -1, "returns -1");
	ok(e.code == AMK_ENOSESSION && e.sys == 0 && !e.hint[0], "code set");
	is_str(e.msg, "no session \"tau\"", "message set");
	amk_err_hint(&e, "see: %s", "amika session list");
	amk_err_wrap(&e, "line %d", 3);
	is_str(e.msg, "line 3: no session \"tau\"", "wrapped");
	ok(e.code == AMK_ENOSESSION && strcmp(e.hint, "see: amika session list") == 0, "code and hint are kept");
	amk_err_set(&e, AMK_EFAILED, "other");
	ok(!e.hint[0], "a new error has no old hint");
	amk_err_set(&e, AMK_EFAILED, "a\nb\x1b[31m\x7f");
	is_str(e.msg, "a b [31m ", "one line, no control characters");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	amk_err_set(&e, AMK_EFAILED, "%s", text);
	is_int(strlen(e.msg), AMK_ERR_MSG - 1, "cut where it is too long");
	amk_err_wrap(&e, "outer");
	ok(strlen(e.msg) == AMK_ERR_MSG - 1 && strncmp(e.msg, "outer: xxx", 10) == 0, "wrapped: the cause is cut");
	amk_err_wrap(&e, "%s", text);
	is_int(strlen(e.msg), AMK_ERR_MSG - 1, "wrapped by too much");
	amk_err_hint(&e, "%s", text);
	is_int(strlen(e.hint), sizeof e.hint - 1, "a hint is cut too");
	ok(amk_err_set(NULL, AMK_EFAILED, "x") == -1 && amk_err_sys(NULL, "x") == -1 && amk_err_wrap(NULL, "x") == -1 &&
	   amk_err_hint(NULL, "x") == -1, "nobody to tell");
}

static void test_system(void)
{
	static const struct {
		int sys;
		enum amk_code code;
	} rows[] = { { ENOENT, AMK_ENOTFOUND }, { EACCES, AMK_EDENIED }, { EPERM, AMK_EDENIED }, { EROFS, AMK_EDENIED },
		     { EEXIST, AMK_ECONFLICT }, { ETIMEDOUT, AMK_ETIMEOUT }, { EIO, AMK_EFAILED } };
	struct amk_err e;

	for (size_t i = 0; i < AMK_COUNT(rows); i++) {
		errno = rows[i].sys;
		amk_err_sys(&e, "doing it");
		ok(e.code == rows[i].code && e.sys == rows[i].sys && strncmp(e.msg, "doing it: ", 10) == 0, "%s", e.msg);
	}
}

/* What is printed on stderr by a child that runs `act`; its wait status in *status. */
static void captured(struct amk_buf *b, void (*act)(void), int *status)
{
	struct amk_err e;
	int p[2];
	pid_t pid;

	fflush(stdout);
	amk_buf_clear(b);
	if (pipe(p) < 0 || (pid = fork()) < 0)
		return;
	if (pid == 0) {
		dup2(p[1], STDERR_FILENO);
		act();
		_exit(0);
	}
	close(p[1]);
	amk_lines_all(p[0], b, &e);
	close(p[0]);
	waitpid(pid, status, 0);
}

static struct amk_err shown;

static void print_text(void)
{
	amk_err_print(&shown, "amika-send", false);
}

static void print_json(void)
{
	amk_err_print(&shown, "amika-send", true);
}

static void have_a_bug(void)
{
	signal(SIGABRT, SIG_DFL);
	AMK_BUG("number %d", 7);
}

static void test_printing(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10000);
	struct amk_json *j AMK_AUTO(json) = NULL;
	int status = -1;

	amk_err_set(&shown, AMK_ENOSESSION, "no session \"tau\"");
	captured(&b, print_text, &status);
	is_str(b.s, "amika-send: not_found: no session \"tau\"\n", "text without a hint");
	amk_err_hint(&shown, "see: amika session list");
	captured(&b, print_text, &status);
	is_str(b.s, "amika-send: not_found: no session \"tau\" (see: amika session list)\n", "text with a hint");
	captured(&b, print_json, &status);
	j = amk_json_parse(b.s, b.n, &shown);
	ok(amk_json_is(j, "type", "error") && amk_json_is(j, "code", "not_found") && amk_json_is(j, "program", "amika-send") &&
	   amk_json_is(j, "message", "no session \"tau\"") && amk_json_is(j, "hint", "see: amika session list") &&
	   b.s[b.n - 1] == '\n', "one JSON line");
	captured(&b, have_a_bug, &status);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(b.s, "err.c") && strstr(b.s, "number 7"),
	   "a bug says where and aborts");
}

/* A message cut in the middle of a character is still a JSON line. */
static void test_cut_character(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10000), text AMK_AUTO(buf) = AMK_BUF_INIT(2000);
	struct amk_json *j AMK_AUTO(json) = NULL;
	struct amk_err e = { 0 };
	int status;

	for (int i = 0; i < 300; i++)
		amk_buf_adds(&text, "\xe2\x82\xac");
	amk_err_set(&shown, AMK_EFAILED, "x%s", text.s);
	captured(&b, print_json, &status);
	j = amk_json_parse(b.s, b.n, &e);
	ok(amk_json_is_object(j), "a cut character spoils nothing");
}

int main(void)
{
	test_table();
	test_statuses();
	test_sentences();
	test_system();
	test_printing();
	test_cut_character();
	return tap_done();
}
