/* SPDX-License-Identifier: Apache-2.0 */
/* The token: files that may hold one, and every way to spell it in a header. */
#include "daemon/token.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lines.h"
#include "scratch.h"
#include "tap.h"

static struct amk_token token;

static void test_headers(void)
{
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{ "Bearer se:cr?t>", true }, { "bearer se:cr?t>", true }, { "BEARER   se:cr?t> \t", true },
		{ "Token se:cr?t>", true }, { "tOkEn se:cr?t>", true },
		/* "user:se:cr?t>", "se:cr?t>" after the first colon, in both alphabets, padded and not */
		{ "Basic dXNlcjpzZTpjcj90Pg==", true }, { "basic dXNlcjpzZTpjcj90Pg", true },
		{ "Basic OnNlOmNyP3Q+", true }, { "Basic OnNlOmNyP3Q-", true },
		{ "Bearer se:cr?t", false }, { "Bearer se:cr?t>>", false }, { "Bearer", false }, { "Bearer ", false },
		{ "se:cr?t>", false }, { "", false }, { NULL, false }, { "Digest se:cr?t>", false },
		{ "Bearer\xa0se:cr?t>", false }, { "Basic", false }, { "Basic ", false }, { "Basic =", false },
		{ "Basic dXNlcjpzZTpjcj90Pg=", false }, { "Basic dXNlcjpzZTpjcj90Pg===", false },
		{ "Basic dXNlcjpzZTpjcj90P!", false }, { "Basic d", false }, { "Basic se:cr?t>", false },
		{ "Basic OnNlOmNyP3Q", false }, /* cut */
		{ "Basic c2U6Y3I/dD4=", false }, /* "se:cr?t>": what is before the first colon is the user */
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		ok(amk_token_allows(&token, rows[i].value) == rows[i].good, "%s: %s",
		   rows[i].good ? "carries it" : "does not", rows[i].value ? rows[i].value : "no header");
}

/* Without a colon the whole is the token. */
static void test_whole(void)
{
	struct amk_err e;
	char *name;

	amk_token_set(&token, "plain", &e);
	ok(amk_token_allows(&token, "Basic cGxhaW4="), "basic without a colon");
	ok(!amk_token_allows(&token, "Basic cGxhaW46"), "its password is empty with one behind it");
	ok(amk_token_allows(&token, "Basic dTpwbGFpbg"), "basic with one");
	name = amk_malloc(4u << 20);
	memset(name, 'A', 4u << 20);
	memcpy(name, "Basic ", 6);
	name[(4u << 20) - 1] = '\0';
	ok(!amk_token_allows(&token, name), "a very long one");
	free(name);
}

static void test_texts(void)
{
	struct amk_token t;
	struct amk_err e;
	char longest[AMK_TOKEN_MAX + 2];

	memset(longest, 'x', sizeof longest);
	longest[AMK_TOKEN_MAX + 1] = '\0';
	ok(amk_token_set(&t, longest, &e) < 0 && e.code == AMK_EUSAGE, "a token has at most %d characters", AMK_TOKEN_MAX);
	longest[AMK_TOKEN_MAX] = '\0';
	ok(amk_token_set(&t, longest, &e) == 0, "and may have them");
	ok(amk_token_set(&t, "", &e) < 0, "it is not empty");
	ok(amk_token_set(&t, "a b", &e) < 0 && amk_token_set(&t, "a\n", &e) < 0 && amk_token_set(&t, "\xc3\xa4", &e) < 0,
	   "it can be sent in a header");
}

static const char *at(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", scratch, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || amk_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0 || close(fd) < 0)
		abort();
}

static void refused(const char *name, enum amk_code code, const char *why)
{
	struct amk_err e = { 0 };

	ok(amk_token_load(&token, at(name), &e) < 0 && e.code == code, "%s: %s", why, e.msg);
}

static void test_files(void)
{
	char long_one[AMK_TOKEN_MAX + 100];
	struct amk_err e = { 0 };

	put("good", "plain\r\n", 0600);
	ok(amk_token_load(&token, at("good"), &e) == 0 && amk_token_allows(&token, "Bearer plain"), "one line: %s", e.msg);
	put("bare", "plain2", 0400);
	ok(amk_token_load(&token, at("bare"), &e) == 0 && amk_token_allows(&token, "Bearer plain2"), "its newline may be left out");
	put("group", "plain", 0640);
	refused("group", AMK_EDENIED, "others may not read it");
	ok(amk_token_allows(&token, "Bearer plain2"), "what was refused changes nothing");
	put("others", "plain", 0604);
	refused("others", AMK_EDENIED, "nobody else");
	put("writable", "plain", 0620);
	refused("writable", AMK_EDENIED, "nor write it");
	put("empty", "", 0600);
	refused("empty", AMK_EINVALID, "an empty file");
	put("line", "\n", 0600);
	refused("line", AMK_EINVALID, "an empty line");
	put("two", "one\ntwo\n", 0600);
	refused("two", AMK_EINVALID, "two lines");
	memset(long_one, 'x', sizeof long_one);
	long_one[sizeof long_one - 1] = '\0';
	put("long", long_one, 0600);
	refused("long", AMK_EINVALID, "too long a line");
	refused(".", AMK_EINVALID, "a folder");
	refused("no/such", AMK_ENOTFOUND, "a file in no folder");
	if (mkfifo(at("fifo"), 0600) < 0)
		abort();
	refused("fifo", AMK_EINVALID, "a pipe, which is not waited for");
}

static void test_made(void)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(4096), header AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_token again;
	struct amk_err e = { 0 };
	struct stat st;
	int fd AMK_AUTO(fd) = -1;

	ok(amk_token_load(&token, at("made"), &e) == 0, "a token is made where there is none: %s", e.msg);
	fd = open(at("made"), O_RDONLY | O_CLOEXEC);
	ok(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600, "for nobody else to read");
	amk_lines_all(fd, &text, &e);
	ok(text.n == 65 && strspn(text.s, "0123456789abcdef") == 64 && text.s[64] == '\n', "256 bits in a line");
	amk_buf_addf(&header, "Bearer %.64s", text.s);
	ok(amk_token_allows(&token, header.s), "that is the token");
	ok(amk_token_load(&again, at("made"), &e) == 0 && amk_sha256_equal(again.digest, token.digest), "and stays it");
	ok(amk_token_load(&again, at("other"), &e) == 0 && !amk_sha256_equal(again.digest, token.digest),
	   "another file gets another one");
}

int main(void)
{
	struct amk_err e;

	close(scratch_make());
	amk_token_set(&token, "se:cr?t>", &e);
	test_headers();
	test_whole();
	test_texts();
	test_files();
	test_made();
	return tap_done();
}
