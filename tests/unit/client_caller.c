/* SPDX-License-Identifier: Apache-2.0 */
/* What a session gets from its caller's environment, and what never. */
#include "client/caller.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static void environment(const char *const *pairs)
{
	clearenv();
	for (; *pairs; pairs++)
		putenv((char *)*pairs);
}

static const char *joined(const struct amk_strv *v)
{
	static char s[4096];
	size_t n = 0;

	s[0] = '\0';
	for (size_t i = 0; i < v->n; i++)
		n += (size_t)snprintf(s + n, sizeof s - n, "%s;", v->v[i]);
	return s;
}

static void test_usual(void)
{
	static const char *const env[] = { "PATH=/bin",	   "HOME=/h",	    "LANG=C",	"LC_ALL=C",	"LC_=x",
					   "TZ=UTC",	   "NO_PROXY=*",    "SECRET=1", "AMIKA_LOG=debug", "ANTHROPIC_API_KEY=k",
					   "ANTHROPIC=no", "IS_SANDBOX=1",  "TERM=dumb", NULL };
	static const char patterns[] = "[\"ANTHROPIC_*\",\"IS_SANDBOX\",\"AMIKA_*\"]";
	struct amk_json *p AMK_AUTO(json) = amk_json_parse(patterns, sizeof patterns - 1, NULL);
	struct amk_strv none = { 0 }, to AMK_AUTO(strv) = { 0 }, bare AMK_AUTO(strv) = { 0 };

	environment(env);
	is_int(amk_caller_environment(&to, p, &none, NULL), 0, "taken");
	is_str(joined(&to),
	       "PATH=/bin;HOME=/h;LANG=C;LC_ALL=C;LC_=x;TZ=UTC;NO_PROXY=*;ANTHROPIC_API_KEY=k;IS_SANDBOX=1;",
	       "the usual ones, the agent's, no others, never AMIKA_*");
	is_int(amk_caller_environment(&bare, NULL, &none, NULL), 0, "without an agent's row");
	is_str(joined(&bare), "PATH=/bin;HOME=/h;LANG=C;LC_ALL=C;LC_=x;TZ=UTC;NO_PROXY=*;", "the usual ones alone");
}

static void given_is(const char *given, enum amk_code code, const char *words)
{
	struct amk_strv list AMK_AUTO(strv) = { 0 }, to AMK_AUTO(strv) = { 0 };
	struct amk_err e = { 0 };

	amk_strv_add(&list, given);
	is_int(amk_caller_environment(&to, NULL, &list, &e), -1, given);
	is_int(e.code, code, "with the right code");
	ok(strstr(e.msg, words) != NULL, "and words: %s", e.msg);
}

static void test_given(void)
{
	static const char *const env[] = { "PATH=/bin", "MINE=from here", "BAD=\xff", NULL };
	struct amk_strv list AMK_AUTO(strv) = { 0 }, to AMK_AUTO(strv) = { 0 };
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	environment(env);
	amk_strv_add(&list, "MINE");
	amk_strv_add(&list, "PATH=/opt/bin");
	amk_strv_add(&list, "EMPTY=");
	amk_strv_add(&list, "TWICE=1");
	amk_strv_add(&list, "TWICE=a=b");
	is_int(amk_caller_environment(&to, NULL, &list, NULL), 0, "given ones are taken");
	is_str(joined(&to), "PATH=/opt/bin;MINE=from here;EMPTY=;TWICE=a=b;", "and win, the last of a name too");
	amk_caller_write(&b, NULL, &to);
	is_str(b.s, "{\"PATH\":\"/opt/bin\",\"MINE\":\"from here\",\"EMPTY\":\"\",\"TWICE\":\"a=b\"}", "as JSON");
	given_is("UNSET", AMK_EUSAGE, "not set");
	given_is("AMIKA_X=1", AMK_EUSAGE, "amika's own");
	given_is("1X=1", AMK_EUSAGE, "not a variable's name");
	given_is("=x", AMK_EUSAGE, "not a variable's name");
	given_is("", AMK_EUSAGE, "not a variable's name");
	given_is("BAD", AMK_EINVALID, "not UTF-8");
}

static void test_far(void)
{
	static const char *const env[] = { "PATH=/bin", "HOME=/h", "MINE=from here", NULL };
	struct amk_strv list AMK_AUTO(strv) = { 0 }, to AMK_AUTO(strv) = { 0 };
	struct amk_err e = { 0 };
	char path[AMK_PATH_MAX + 1];

	environment(env);
	amk_strv_add(&list, "MINE");
	amk_strv_add(&list, "OTHER=1");
	is_int(amk_caller_given(&to, &list, NULL), 0, "for another machine");
	is_str(joined(&to), "MINE=from here;OTHER=1;", "only what was named is taken");
	is_int(amk_caller_far_directory("/nowhere/here", &e), 0, "a folder there need not be here");
	is_int(amk_caller_far_directory(".", &e), -1, "but a path is absolute");
	is_int(e.code, AMK_EUSAGE, "or a mistake");
	is_int(amk_caller_far_directory("/\xff", &e), -1, "and UTF-8");
	memset(path, '/', sizeof path);
	path[AMK_PATH_MAX] = '\0';
	is_int(amk_caller_far_directory(path, &e), -1, "and not too long");
	is_int(amk_caller_far_directory(path + 1, &e), 0, "by one byte");
}

static void test_directory(void)
{
	char dir[] = "/tmp/amika-caller-XXXXXX", to[AMK_PATH_MAX], was[AMK_PATH_MAX], *file;
	struct amk_err e = { 0 };

	if (!getcwd(was, sizeof was) || !mkdtemp(dir) || chdir(dir) < 0)
		return (void)ok(false, "no folder to try it in");
	is_int(amk_caller_directory(to, NULL, &e), 0, "the current directory");
	is_str(to, dir, "is the default");
	mkdir("sub", 0700);
	is_int(amk_caller_directory(to, "./sub/../sub", &e), 0, "a relative path");
	file = amk_strf("%s/sub", dir);
	is_str(to, file, "becomes absolute");
	is_int(amk_caller_directory(to, "nosuch", &e), -1, "one that is not there");
	is_int(e.code, AMK_ENOTFOUND, "is not found");
	is_int(amk_caller_directory(to, "/dev/null", &e), -1, "no directory");
	is_int(e.code, AMK_EINVALID, "is bad input");
	rmdir("sub");
	rmdir(dir);
	is_int(amk_caller_directory(to, NULL, &e), -1, "a current directory that is gone");
	ok(strstr(e.hint, "-C") != NULL, "has a remedy");
	free(file);
	if (chdir(was) < 0)
		printf("# cannot go back\n");
}

int main(void)
{
	test_usual();
	test_given();
	test_far();
	test_directory();
	return tap_done();
}
