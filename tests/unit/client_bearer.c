/* SPDX-License-Identifier: Apache-2.0 */
/* Which token is shown: the nearest to the command line wins, and none that cannot be one. */
#include "client/bearer.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/lines.h"
#include "scratch.h"
#include "tap.h"

static char given[300], own[300], env_file[300];

static void put(const char *path, const char *text)
{
	int fd AMK_AUTO(fd) = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || amk_write_all(fd, text, strlen(text)) < 0)
		printf("# cannot write %s\n", path);
}

/* The token, "none", or the sentence of a refusal. */
static const char *found(const char *file, bool loopback)
{
	static char seen[AMK_BEARER_MAX + 1];
	struct amk_err e = { 0 };
	char *token;

	if (amk_bearer_find(&token, file, loopback, &e) < 0)
		snprintf(seen, sizeof seen, "%s", e.msg);
	else
		snprintf(seen, sizeof seen, "%s", token ? token : "none");
	amk_bearer_free(token);
	return seen;
}

static void test_order(void)
{
	put(given, "given\n");
	put(env_file, "env-file\r\n");
	put(own, "own");
	setenv("AMIKA_TOKEN", "env", 1);
	setenv("AMIKA_TOKEN_FILE", env_file, 1);
	is_str(found(given, true), "given", "--token-file first");
	is_str(found(NULL, true), "env", "AMIKA_TOKEN second");
	setenv("AMIKA_TOKEN", "", 1);
	is_str(found(NULL, true), "env-file", "AMIKA_TOKEN_FILE third; an empty AMIKA_TOKEN is none");
	unsetenv("AMIKA_TOKEN_FILE");
	is_str(found(NULL, true), "own", "the daemon's own file last");
	is_str(found(NULL, false), "none", "which goes nowhere else");
	unlink(own);
	is_str(found(NULL, true), "none", "and need not be there");
}

static void test_refused(void)
{
	char long_one[AMK_BEARER_MAX + 2];

	unsetenv("AMIKA_TOKEN_FILE");
	setenv("AMIKA_TOKEN", "a b", 1);
	is_str(found(NULL, false), "AMIKA_TOKEN holds a byte that no token has: only ASCII without spaces", "a space");
	setenv("AMIKA_TOKEN", "a\r\nX-Other: b", 1);
	ok(strncmp(found(NULL, false), "AMIKA_TOKEN holds a byte", 24) == 0, "a line break");
	memset(long_one, 'x', sizeof long_one);
	long_one[AMK_BEARER_MAX] = '\0';
	setenv("AMIKA_TOKEN", long_one, 1);
	is_int(strlen(found(NULL, false)), AMK_BEARER_MAX, "the longest one");
	memcpy(long_one + AMK_BEARER_MAX, "x", 2);
	setenv("AMIKA_TOKEN", long_one, 1);
	is_str(found(NULL, false), "AMIKA_TOKEN holds more than a token's 4096 bytes", "a longer one");
	unsetenv("AMIKA_TOKEN");
	put(given, "\n");
	is_str(found(given, false), "--token-file holds no token", "an empty file");
	put(given, "one\ntwo\n");
	ok(strncmp(found(given, false), "--token-file holds a byte", 25) == 0, "two lines");
	put(given, "\303\244\n");
	ok(strncmp(found(given, false), "--token-file holds a byte", 25) == 0, "a letter that is not ASCII");
	unlink(given);
	ok(strstr(found(given, false), "No such file") != NULL, "a file that is not there");
}

/* What the daemon did not write is not taken for its own. */
static void test_own(void)
{
	put(given, "elsewhere");
	if (symlink(given, own) < 0)
		printf("# no links\n");
	is_str(found(NULL, true), "none", "a link in the daemon's place");
	unlink(own);
	put(own, "not a token");
	is_str(found(NULL, true), "none", "something else there");
}

int main(void)
{
	close(scratch_make());
	snprintf(given, sizeof given, "%s/given", scratch);
	snprintf(own, sizeof own, "%s/token", scratch);
	snprintf(env_file, sizeof env_file, "%s/env", scratch);
	setenv("AMIKA_STATE_DIRECTORY", scratch, 1);
	test_order();
	test_refused();
	test_own();
	return tap_done();
}
