/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments: what is refused, what is read, when bytes go along. */
#include "session/attach.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "scratch.h"
#include "tap.h"

#define PNG "\x89PNG\r\n\x1a\n"

static struct amk_json *parse(const char *s)
{
	return amk_json_parse(s, strlen(s), NULL);
}

static void put_file(int dir, const char *name, const char *head, size_t head_n, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || pwrite(fd, head, head_n, 0) != (ssize_t)head_n || ftruncate(fd, (off_t)size) < 0) {
		perror(name);
		exit(1);
	}
	close(fd);
}

static void check_is(const char *list, const char *want)
{
	struct amk_json *j AMK_AUTO(json) = parse(list);
	struct amk_err e = { 0 };

	if (amk_attach_check(j, &e) == 0)
		e.msg[0] = '\0';
	ok(strncmp(e.msg, want, strlen(want)) == 0 && !e.msg[0] == !want[0], "%.60s: %s", list, e.msg[0] ? e.msg : "fine");
}

static void test_check(void)
{
	check_is("[]", "");
	check_is("[{\"path\":\"a/..b/c..\",\"mime\":null}]", "");
	check_is("[{\"path\":\"/a/../b\"}]", "");
	check_is("[7]", "attachments: ");
	check_is("[{}]", "attachments: ");
	check_is("[{\"path\":\"a\",\"mime\":1}]", "attachments: ");
	check_is("[{\"path\":\"\"}]", "attachments: a path is empty");
	check_is("[{\"path\":\"..\"}]", "attachments: .. leads out");
	check_is("[{\"path\":\"a/../../b\"}]", "attachments: a/../../b leads out");
	check_is("[{\"path\":\"a\\nb\"}]", "attachments: a path holds a control character");
	check_is("[{\"path\":\"a\",\"filename\":\"\\u0007\"}]", "attachments: a name holds a control character");
	check_is("[{\"path\":\"a\",\"mime\":\"\\t\"}]", "attachments: a type holds a control character");
}

static void test_limits(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10000);

	amk_buf_adds(&b, "[");
	for (int i = 0; i < AMK_ATTACH_MAX; i++)
		amk_buf_addf(&b, "%s{\"path\":\"a\"}", i ? "," : "");
	amk_buf_adds(&b, "]");
	check_is(b.s, "");
	b.n--;
	amk_buf_adds(&b, ",{\"path\":\"a\"}]");
	check_is(b.s, "attachments: more than 20");
	amk_buf_clear(&b);
	amk_buf_adds(&b, "[{\"path\":\"");
	for (int i = 0; i < 4096; i++)
		amk_buf_addc(&b, 'a');
	amk_buf_adds(&b, "\"}]");
	check_is(b.s, "attachments: a path of more than 4095 bytes");
}

/* The media types of what was read, in order: "image/png - image/gif", '-' for what goes by its path. */
static void read_is(const char *list, const char *want)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(20u << 20);
	struct amk_buf got AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	struct amk_json *j AMK_AUTO(json) = parse(list), *back AMK_AUTO(json) = NULL;
	struct amk_err e = { 0 };

	if (amk_attach_read(&b, scratch, j, &e) < 0)
		amk_buf_adds(&got, e.msg);
	else
		back = amk_json_parse(b.s, b.n, &e);
	for (const struct amk_json *a = amk_json_first(back); a; a = amk_json_next(a)) {
		const char *type = amk_json_get_str(a, "media_type");

		amk_buf_addf(&got, "%s%s", got.n ? " " : "", type ? type : "-");
		ok(!type == !amk_json_get_str(a, "data"), "bytes go with their type");
	}
	is_str(got.s, want, list);
	ok(!back || (amk_attach_same(b.s, j) && !amk_attach_same(b.s, NULL)), "the same list is known again");
}

static void test_read(int dir)
{
	put_file(dir, "a.png", PNG, 8, 100);
	put_file(dir, "liar.png", "\xff\xd8\xff\xe0", 4, 100);
	put_file(dir, "b.gif", "GIF89a", 6, 6);
	put_file(dir, "c.webp", "RIFF\1\2\3\4WEBP", 12, 40);
	put_file(dir, "text.txt", "hello", 5, 5);
	put_file(dir, "empty", "", 0, 0);
	put_file(dir, "largest.png", PNG, 8, AMK_ATTACH_IMAGE_MAX);
	put_file(dir, "larger.png", PNG, 8, AMK_ATTACH_IMAGE_MAX + 1);
	read_is("[{\"path\":\"a.png\"},{\"path\":\"liar.png\",\"mime\":\"image/png\"},{\"path\":\"b.gif\"},{\"path\":\"c.webp\"}]",
		"image/png image/jpeg image/gif image/webp");
	read_is("[{\"path\":\"text.txt\"},{\"path\":\"empty\"},{\"path\":\"a.png\",\"mime\":\"text/plain\"}]", "- - -");
	read_is("[{\"path\":\"largest.png\"},{\"path\":\"larger.png\"}]", "image/png -");
	read_is("[{\"path\":\"largest.png\"},{\"path\":\"largest.png\"},{\"path\":\"a.png\"}]", "image/png image/png -");
	is_int(amk_attach_read(&(struct amk_buf)AMK_BUF_INIT(10), scratch, NULL, NULL), 0, "nothing is fine");
}

static void test_trouble(int dir)
{
	char list[500];

	mkfifoat(dir, "pipe", 0600);
	mkdirat(dir, "folder", 0700);
	if (symlinkat("loop", dir, "loop") < 0)
		perror("loop");
	read_is("[{\"path\":\"none/such\"}]", "no such file to attach: none/such");
	read_is("[{\"path\":\"a.png/x\"}]", "no such file to attach: a.png/x");
	read_is("[{\"path\":\"pipe\"}]", "cannot attach pipe: it is no file");
	read_is("[{\"path\":\"folder\"}]", "cannot attach folder: it is no file");
	read_is("[{\"path\":\"/dev/zero\"}]", "cannot attach /dev/zero: it is no file");
	snprintf(list, sizeof list, "cannot attach loop: %s", strerror(ELOOP));
	read_is("[{\"path\":\"loop\"}]", list);
	snprintf(list, sizeof list, "[{\"path\":\"%s/a.png\"}]", scratch);
	read_is(list, "image/png");
}

static void test_same(void)
{
	static const char stored[] = "[{\"path\":\"a\",\"mime\":null,\"filename\":\"n\",\"data\":\"AA==\"}]";
	struct amk_json *same AMK_AUTO(json) = parse("[{\"path\":\"a\",\"filename\":\"n\"}]");
	struct amk_json *more AMK_AUTO(json) = parse("[{\"path\":\"a\",\"filename\":\"n\"},{\"path\":\"b\"}]");
	struct amk_json *other AMK_AUTO(json) = parse("[{\"path\":\"a\",\"mime\":\"x\",\"filename\":\"n\"}]");
	struct amk_json *none AMK_AUTO(json) = parse("[]");

	ok(amk_attach_same(stored, same), "the same");
	ok(!amk_attach_same(stored, more) && !amk_attach_same(stored, other) && !amk_attach_same(stored, none),
	   "one more, another type, none");
	ok(amk_attach_same(NULL, none) && amk_attach_same(NULL, NULL) && !amk_attach_same(NULL, same), "none and none");
}

int main(void)
{
	int dir = scratch_make();

	test_check();
	test_limits();
	test_read(dir);
	test_trouble(dir);
	test_same();
	close(dir);
	return tap_done();
}
