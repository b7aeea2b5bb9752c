/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers with a maximum, owned memory, lists of strings. */
#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/strv.h"
#include "tap.h"

static void test_adding(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	is_str(b.s, "", "a new buffer is a string");
	amk_buf_adds(&b, "one");
	amk_buf_addc(&b, ' ');
	amk_buf_addf(&b, "%s %d", "two", 3);
	amk_buf_add(&b, "xyz", 0);
	is_str(b.s, "one two 3", "added in order");
	amk_buf_add(&b, "a\0b", 3);
	ok(b.n == 12 && memcmp(b.s, "one two 3a\0b", 13) == 0, "NULs are kept, one follows");
	amk_buf_drop(&b, 4);
	ok(b.n == 8 && memcmp(b.s, "two 3a\0b", 9) == 0, "dropped from the front");
	amk_buf_drop(&b, 0);
	amk_buf_drop(&b, 8);
	ok(b.n == 0 && b.s[0] == '\0', "all of it");
	amk_buf_adds(&b, "again");
	is_str(b.s, "again", "and used again");
}

static void test_maximum(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10);

	amk_buf_adds(&b, "0123456789");
	ok(amk_buf_ok(&b) && b.n == 10, "filled to its maximum");
	amk_buf_addc(&b, 'x');
	ok(!amk_buf_ok(&b), "not beyond");
	is_str(b.s, "0123456789", "what does not fit is not added in part");
	amk_buf_drop(&b, 5);
	amk_buf_addc(&b, 'x');
	is_str(b.s, "56789", "nothing is added after it, even where there is room");
	ok(!amk_buf_ok(&b), "it is still noticed");
	amk_buf_clear(&b);
	ok(amk_buf_ok(&b) && b.n == 0, "until it is cleared");
	amk_buf_addf(&b, "%s", "0123456789a");
	ok(!amk_buf_ok(&b) && b.n == 0, "formatted text too");
	amk_buf_clear(&b);
	ok(!amk_buf_room(&b, 11) && !amk_buf_ok(&b), "and room");
	amk_buf_clear(&b);
	ok(!amk_buf_room(&b, (size_t)-1), "a size that would wrap around");
}

static void test_formatting(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(2000);
	char text[1001];

	memset(text, 'x', 1000);
	text[1000] = '\0';
	amk_buf_addf(&b, "<%s>", text);
	ok(b.n == 1002 && b.s[0] == '<' && strcmp(b.s + 1001, ">") == 0, "longer than the small one inside");
	amk_buf_addf(&b, "<%s>", text);
	ok(!amk_buf_ok(&b) && b.n == 1002, "too long");
}

static void test_room_and_take(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(100);
	char *s;

	memcpy(amk_buf_room(&b, 5), "hello", 5);
	b.n += 5;
	amk_buf_addc(&b, '!');
	is_str(b.s, "hello!", "written into room");
	s = amk_buf_take(&b);
	is_str(s, "hello!", "taken out");
	ok(b.n == 0 && b.s[0] == '\0' && b.max == 100, "the buffer is empty, its maximum the same");
	free(s);
	s = amk_buf_take(&b);
	is_str(s, "", "taken out of an empty one");
	free(s);
	amk_buf_adds(&b, "x");
	amk_buf_release(&b);
	amk_buf_release(&b);
	amk_buf_adds(&b, "y");
	is_str(b.s, "y", "used after release");
}

static int owned(int fd)
{
	int mine AMK_AUTO(fd) = fd;
	char *p AMK_AUTO(mem) = amk_strf("%d", mine);

	return (int)strlen(p);
}

static void test_ownership(void)
{
	int fd AMK_AUTO(fd) = open("/dev/null", O_RDONLY), taken;
	int other = open("/dev/null", O_RDONLY);

	ok(owned(other) > 0 && fcntl(other, F_GETFD) < 0 && errno == EBADF, "closed at the end of its scope");
	taken = amk_take_fd(&fd);
	ok(taken >= 0 && fd == -1, "moved out");
	close(taken);
}

static void test_memory(void)
{
	char *a = amk_malloc(0), *b = amk_calloc(0, 5), *c = amk_calloc(3, 4), *d = amk_strndup("abcdef", 3);

	ok(a && b && c && memcmp(c, "\0\0\0\0\0\0\0\0\0\0\0", 12) == 0, "nothing is something; calloc clears");
	is_str(d, "abc", "part of a string");
	a = amk_realloc(a, 0);
	ok(a, "resized to nothing");
	free(a);
	free(b);
	free(c);
	free(d);
}

static void test_strv(void)
{
	struct amk_strv v = { 0 };
	char word[] = "one";

	amk_strv_release(&v);
	amk_strv_add(&v, word);
	word[0] = 'X';
	amk_strv_addf(&v, "%s=%d", "two", 2);
	ok(v.n == 2 && strcmp(v.v[0], "one") == 0 && strcmp(v.v[1], "two=2") == 0 && !v.v[2],
	   "a list of strings: copied, ended by NULL");
	amk_strv_release(&v);
	ok(v.n == 0 && !v.v, "released");
}

int main(void)
{
	test_adding();
	test_maximum();
	test_formatting();
	test_room_and_take();
	test_ownership();
	test_memory();
	test_strv();
	return tap_done();
}
