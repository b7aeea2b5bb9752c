/* SPDX-License-Identifier: Apache-2.0 */
/* Path patterns, and where paths lead. */
#include "decision/glob.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decision/resolve.h"
#include "scratch.h"
#include "tap.h"

static const char *match(const char *pattern, const char *path)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_GLOB_MAX);
	struct amk_err e = { 0 };

	if (amk_glob_path(&b, pattern, &e) < 0)
		return e.msg[0] ? "refused" : "silent";
	return amk_glob_match(b.s, path) ? "yes" : "no";
}

static void test_match(void)
{
	static const struct {
		const char *pattern, *path, *want;
	} cases[] = {
		{ "/a/b", "/a/b", "yes" },     { "/a/b", "/a/bc", "no" },	 { "/a//b", "/a/b", "yes" },
		{ "/a/*", "/a/b", "yes" },     { "/a/*", "/a/b/c", "no" },	 { "/a/*", "/a/.b", "yes" },
		{ "/a/*.c", "/a/x.c", "yes" }, { "/a/*.c", "/a/x.h", "no" },	 { "/a/?", "/a/b", "yes" },
		{ "/a/?", "/a/bc", "no" },     { "/a/?", "/a/\xc3\xa4", "yes" }, { "/a?b", "/a/b", "no" },
		{ "/a/**", "/a/b/c", "yes" },  { "/a/**", "/ab", "no" },	 { "/a/**", "/a", "no" },
		{ "/a/**/d", "/a/d", "yes" },  { "/a/**/d", "/a/b/c/d", "yes" }, { "/a/**/d", "/a/bd", "no" },
		{ "**/d", "d", "yes" },	       { "**/d", "a/b/d", "yes" },	 { "**/d", "ad", "no" },
		{ "src/**.c", "src/a/b.c", "yes" },
		{ "/a/../b", "/b", "refused" }, { "./a", "a", "refused" }, { "~/a", "a", "refused" },
		{ "/a[b]", "/ab", "refused" },	{ "", "", "refused" },	   { "/a\tb", "/a", "refused" },
	};
	char name[64];

	for (size_t i = 0; i < AMK_COUNT(cases); i++) {
		snprintf(name, sizeof name, "%s: %s", cases[i].pattern, cases[i].path);
		is_str(match(cases[i].pattern, cases[i].path), cases[i].want, name);
	}
}

static void test_bounds(void)
{
	char *text = amk_calloc(1, AMK_GLOB_MAX + 2), pattern[] = "\1a\1a\1a\1a\1a\1a\1a\1b";

	memset(text, 'a', AMK_GLOB_MAX);
	ok(!amk_glob_match(pattern, text), "many wildcards and a long text end soon");
	ok(amk_glob_match("\3", text), "the longest text");
	text[AMK_GLOB_MAX] = 'a';
	ok(!amk_glob_match("\3", text), "a longer one is never matched");
	free(text);
}

/* Below the scratch folder: "real" for DIR/real, "" when it cannot be said. */
static const char *resolve(const char *dir, const char *path)
{
	static char to[AMK_PATH_MAX];
	struct amk_err e = { 0 };

	if (amk_resolve(to, dir, path, &e) < 0)
		return e.msg[0] ? "" : "silent";
	return strncmp(to, dir, strlen(dir)) == 0 ? to + strlen(dir) : to;
}

static void test_resolve(void)
{
	char dir[PATH_MAX], longer[AMK_PATH_MAX + 8];
	int fd AMK_AUTO(fd) = scratch_make();

	ok(realpath(scratch, dir) && fchdir(fd) == 0, "a folder");
	ok(mkdir("a", 0700) == 0 && mkdir("a/b", 0700) == 0 && symlink("a/b", "in") == 0 && symlink("/etc", "out") == 0 &&
	   symlink("nowhere", "dangling") == 0 && symlink("loop", "loop") == 0, "and what is in it");
	is_str(resolve(dir, "a/b"), "/a/b", "what is there");
	is_str(resolve(dir, "a/b/../x"), "/a/x", "a new file, and ..");
	is_str(resolve(dir, "new/er"), "/new/er", "a new folder");
	is_str(resolve(dir, "in/new"), "/a/b/new", "through a link");
	is_str(resolve(dir, "out/x"), "/etc/x", "through a link that leaves");
	is_str(resolve(dir, "in/.."), "/a", ".. is that of where the link leads");
	is_str(resolve(dir, "/"), "/", "the root");
	is_str(resolve(dir, "/nothing-here"), "/nothing-here", "below the root");
	is_str(resolve(dir, "dangling"), "", "a link that leads nowhere");
	is_str(resolve(dir, "dangling/x"), "", "and what is behind it");
	is_str(resolve(dir, "loop"), "", "a link to itself");
	is_str(resolve(dir, "new/../x"), "", ".. behind what is not there");
	is_str(resolve(dir, "~/x"), "", "somebody's home");
	is_str(resolve(dir, ""), "", "nothing");
	is_str(resolve(dir, "a\nb"), "", "a control character");
	is_str(resolve("rel", "x"), "", "a directory that begins nowhere");
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	is_str(resolve(dir, longer), "", "a path too long");
}

int main(void)
{
	test_match();
	test_bounds();
	test_resolve();
	return tap_done();
}
