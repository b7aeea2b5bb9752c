/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's log: levels, one whole line a call whatever is said, and a file that stays short. */
#include "core/say.h"

#include <sys/stat.h>

#include "core/json.h"
#include "core/lines.h"
#include "scratch.h"
#include "tap.h"

static int dir, real_stderr;

static void stderr_is(const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* All of a file, NULL when it is not there. */
static char *content(const char *name)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	int fd AMK_AUTO(fd) = openat(dir, name, O_RDONLY);

	if (fd < 0 || amk_lines_all(fd, &b, NULL) < 0)
		return NULL;
	return amk_strndup(b.s, b.n);
}

static void begin(void)
{
	unlinkat(dir, "log", 0);
	unlinkat(dir, "log.1", 0);
	stderr_is("log");
}

static void test_line(void)
{
	char *text AMK_AUTO(mem) = NULL;
	struct amk_json *j AMK_AUTO(json) = NULL;

	begin();
	amk_say_of(AMK_SAY_INFO, "store", AMK_SAY_WITH(AMK_SAY_TEXT("session_id", "t\"a\nu"), AMK_SAY_INT("run", 7)),
		   "bad \"%s\"", "a\nb\x01\x1b[31m\xff");
	text = content("log");
	ok(text && strchr(text, '\n') == text + strlen(text) - 1, "one line");
	j = text ? amk_json_parse(text, strlen(text), NULL) : NULL;
	ok(j != NULL, "of JSON");
	ok(amk_json_is(j, "level", "info") && amk_json_is(j, "area", "store"), "level and area");
	is_str(amk_json_get_str(j, "message"), "bad \"a\nb\x01\x1b[31m\xef\xbf\xbd\"", "the message, whatever is in it");
	ok(amk_json_is(j, "session_id", "t\"a\nu") && amk_json_get_int(j, "run", 0) == 7, "what it is about");
	ok(amk_json_get_str(j, "time") != NULL, "when");
}

static void test_long_line(void)
{
	static char words[100000];
	char *text AMK_AUTO(mem) = NULL;

	begin();
	memset(words, 'x', sizeof words - 1);
	amk_say(AMK_SAY_ERROR, "store", "%s", words);
	text = content("log");
	ok(text && strlen(text) > 1000 && strlen(text) < 2000 && strstr(text, "x\"}\n"), "a long message is cut, the line whole");
	memset(words, 1, sizeof words - 1);
	amk_say(AMK_SAY_ERROR, "store", "%s", words);
	amk_auto_mem(&text);
	text = content("log");
	ok(text && strchr(text, '\n') < text + strlen(text) - 1, "one whose every byte is escaped, too");
}

/* Which of the levels are said in an area: "ewi..". */
static const char *said(const char *area)
{
	static char which[6];
	static const char letters[] = "ewidt";

	for (int l = AMK_SAY_ERROR; l <= AMK_SAY_TRACE; l++) {
		char *text AMK_AUTO(mem) = NULL;

		begin();
		amk_say((enum amk_say_level)l, area, "x");
		text = content("log");
		which[l] = text && *text ? letters[l] : '.';
	}
	return which;
}

static void test_levels(void)
{
	struct amk_err e;

	is_str(said("http"), "ewi..", "at first: info");
	ok(amk_say_levels("error", &e) == 0, "error");
	is_str(said("http"), "e....", "nothing else then");
	ok(amk_say_levels("warn,http=trace,store=error", &e) == 0, "an area can differ");
	is_str(said("http"), "ewidt", "more of one");
	is_str(said("store"), "e....", "less of another");
	is_str(said("daemon"), "ew...", "the others");
	ok(amk_say_levels("debug", &e) == 0, "anew");
	is_str(said("http"), "ewid.", "what was said before is forgotten");
	ok(amk_say_levels("loud", &e) < 0, "no level");
	is_str(e.msg, "the log's level is error, warn, info, debug or trace, not \"loud\"", "in a sentence");
	ok(amk_say_levels("info,http=", &e) < 0 && amk_say_levels("=info", &e) < 0 &&
	   amk_say_levels("averyveryverylongname=info", &e) < 0 &&
	   amk_say_levels("a=info,b=info,c=info,d=info,e=info,f=info,g=info,h=info,i=info", &e) < 0, "nor these");
	is_str(said("http"), "ewid.", "then it stays as it was");
	ok(amk_say_check("trace", &e) == 0 && amk_say_check("x=y", &e) < 0, "only asked");
	is_str(said("http"), "ewid.", "changes nothing");
	amk_say_levels("info", &e);
}

static int64_t size_of(const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) < 0 ? -1 : st.st_size;
}

static void test_kept_short(void)
{
	char *text AMK_AUTO(mem) = NULL;
	int64_t most = 0;
	struct stat st;

	begin();
	ok(!amk_say_keep(dir, "other", 4096), "a file that is not stderr is not ours");
	ok(amk_say_keep(dir, "log", 4096), "stderr is");
	for (int i = 0; i < 500; i++) {
		amk_say(AMK_SAY_INFO, "store", "line %d", i);
		most = size_of("log") > most ? size_of("log") : most;
	}
	ok(most > 3500 && most <= 4096 && size_of("log.1") > 3500 && size_of("log.1") <= 4096, "two files, both short");
	ok(fstatat(dir, "log", &st, 0) == 0 && (st.st_mode & 0777) == 0600, "and private");
	text = content("log");
	ok(text && strstr(text, "line 499\""), "the last line is in it");
	ok(text && strncmp(text, "{\"time\"", 7) == 0, "it begins with a whole one");
	amk_say_keep(-1, NULL, 0);
	for (int i = 0; i < 100; i++)
		amk_say(AMK_SAY_INFO, "store", "line %d", i);
	ok(size_of("log") > 4096, "until it is told not to be");
}

int main(void)
{
	dir = scratch_make();
	real_stderr = dup(STDERR_FILENO);
	test_line();
	test_long_line();
	test_levels();
	test_kept_short();
	dup2(real_stderr, STDERR_FILENO);
	return tap_done();
}
