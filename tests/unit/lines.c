/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and records on descriptors: pipes that are slow, full, closed or non-blocking. */
#include "core/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/time.h"
#include "tap.h"

static struct amk_err err;
static pid_t child;

/* Forks a child whose writes come out of the descriptor returned. */
static int from_child(void (*feed)(int to))
{
	int p[2];

	fflush(stdout);
	if (pipe(p) < 0 || (child = fork()) < 0)
		return -1;
	if (child == 0) {
		close(p[0]);
		feed(p[1]);
		_exit(0);
	}
	close(p[1]);
	return p[0];
}

/* The exit status of the child. */
static int ended(void)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A pipe that holds n bytes and its end. */
static int holding(const char *s, size_t n)
{
	int p[2];

	if (pipe(p) < 0 || amk_write_all(p[1], s, n) < 0)
		return -1;
	close(p[1]);
	return p[0];
}

/* All lines, each behind a '<', and what came last: "<a<b 0". */
static const char *lines_of(struct amk_buf *b, int fd)
{
	struct amk_lines l;
	char *line;
	size_t n, count = 0;
	int r;

	amk_buf_clear(b);
	amk_lines_init(&l, fd);
	while ((r = amk_lines_next(&l, &line, &n, &err)) > 0) {
		count++;
		amk_buf_addc(b, '<');
		amk_buf_add(b, line, n);
		if (line[n] != '\0' || l.number != count)
			amk_buf_adds(b, "?");
	}
	amk_buf_addf(b, " %d", r);
	amk_lines_release(&l);
	close(fd);
	return b->s;
}

static void test_lines(void)
{
	static const char *const rows[][2] = {
		{ "", " 0" }, { "a", "<a 0" }, { "a\n", "<a 0" }, { "\n", "< 0" }, { "a\nb", "<a<b 0" },
		{ "a\n\nb\n", "<a<<b 0" }, { "\n\n", "<< 0" }, { "a\r\nb\n", "<a\r<b 0" },
	};
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		is_str(lines_of(&b, holding(rows[i][0], strlen(rows[i][0]))), rows[i][1], "lines");
	lines_of(&b, holding("a\0b\nc\n", 6));
	ok(b.n == 8 && memcmp(b.s, "<a\0b<c 0", 8) == 0, "a NUL is a byte as any");
}

static void feed_bytes(int to)
{
	const char *s = "slow\nbytes\n\nend";

	for (; *s; s++)
		if (write(to, s, 1) != 1)
			_exit(1);
}

static void test_slow(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);

	is_str(lines_of(&b, from_child(feed_bytes)), "<slow<bytes<<end 0", "byte by byte");
	is_int(ended(), 0, "the writer is well");
}

/* A first line, and a second before the first was read: nothing waits for more than it needs. */
static void test_no_waiting(void)
{
	struct amk_lines l;
	char *line = NULL;
	size_t n = 0;
	int p[2];

	if (pipe(p) < 0)
		return;
	amk_lines_init(&l, p[0]);
	ok(amk_write_all(p[1], "one\ntwo\nthr", 11) == 0 && amk_lines_next(&l, &line, &n, &err) == 1, "a line is there");
	is_str(line, "one", "the first");
	is_int(amk_lines_next(&l, &line, &n, &err), 1, "the next, without reading");
	is_str(line, "two", "as it is");
	amk_write_all(p[1], "ee\n", 3);
	is_int(amk_lines_next(&l, &line, &n, &err), 1, "one that came in two parts");
	is_str(line, "three", "put together");
	close(p[1]);
	is_int(amk_lines_next(&l, &line, &n, &err), 0, "the end");
	is_int(amk_lines_next(&l, &line, &n, &err), 0, "again the end");
	amk_lines_release(&l);
	close(p[0]);
}

/* A short line, then one of n letters and one more line. */
static void feed_long(int to, size_t n)
{
	char *s = amk_malloc(n);

	memset(s, 'x', n);
	if (amk_write_all(to, "short\n", 6) < 0 || amk_write_all(to, s, n) < 0 || amk_write_all(to, "\nafter\n", 7) < 0)
		_exit(1);
	_exit(0);
}

static void feed_longest(int to)
{
	feed_long(to, AMK_LINE_MAX);
}

static void feed_too_long(int to)
{
	signal(SIGPIPE, SIG_IGN);
	feed_long(to, AMK_LINE_MAX + 1);
}

static void feed_without_end(int to)
{
	char s[4096];

	signal(SIGPIPE, SIG_IGN);
	memset(s, 'x', sizeof s);
	while (amk_write_all(to, s, sizeof s) == 0)
		continue;
}

static void test_long(void)
{
	struct amk_lines l;
	char *line;
	size_t n;
	int fd = from_child(feed_longest);

	amk_lines_init(&l, fd);
	ok(amk_lines_next(&l, &line, &n, &err) == 1 && n == 5, "a short line");
	ok(amk_lines_next(&l, &line, &n, &err) == 1 && n == AMK_LINE_MAX && line[0] == 'x' && line[n - 1] == 'x' &&
	   line[n] == '\0', "a line of 16 MiB");
	ok(amk_lines_next(&l, &line, &n, &err) == 1 && n == 5 && strcmp(line, "after") == 0, "the line after it");
	is_int(amk_lines_next(&l, &line, &n, &err), 0, "the end");
	is_int(ended(), 0, "all was read");
	amk_lines_release(&l);
	close(fd);

	fd = from_child(feed_too_long);
	amk_lines_init(&l, fd);
	ok(amk_lines_next(&l, &line, &n, &err) == 1, "a short line");
	ok(amk_lines_next(&l, &line, &n, &err) == -1 && err.code == AMK_EINVALID, "one byte more is refused");
	is_str(err.msg, "line 2: more than 16777216 bytes", "with its number");
	amk_lines_release(&l);
	close(fd);
	ended();

	fd = from_child(feed_without_end);
	amk_lines_init(&l, fd);
	ok(amk_lines_next(&l, &line, &n, &err) == -1 && err.code == AMK_EINVALID, "a line without end is refused");
	ok(l.buf.cap <= 64 << 20, "with bounded memory");
	amk_lines_release(&l);
	close(fd);
	ended();
}

static void feed_many(int to)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);

	for (int i = 0; i < 1000; i++)
		amk_buf_adds(&b, "{\"type\":\"item.delta\"}\n");
	for (int i = 0; i < 1000; i++)
		if (amk_write_all(to, b.s, b.n) < 0)
			_exit(1);
}

static void test_many(void)
{
	int fd = from_child(feed_many);
	int64_t started = amk_time_monotonic();
	struct amk_lines l;
	size_t n, count = 0, bytes = 0;
	char *line;

	amk_lines_init(&l, fd);
	while (amk_lines_next(&l, &line, &n, &err) == 1) {
		count++;
		bytes += n;
	}
	amk_lines_release(&l);
	close(fd);
	ok(count == 1000000 && bytes == 21000000 && ended() == 0, "a million lines");
	ok(amk_time_monotonic() - started < INT64_C(10000000000), "in a time that grows with their bytes only");
}

static void test_one(void)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(8);
	char rest[10] = "";
	int fd = holding("first\nsecond", 12);

	ok(amk_lines_one(fd, &line, &err) == 1 && strcmp(line.s, "first") == 0, "one line");
	ok(read(fd, rest, sizeof rest - 1) == 6 && strcmp(rest, "second") == 0, "what follows is unread");
	is_int(amk_lines_one(fd, &line, &err), 0, "the end");
	close(fd);
	fd = holding("cut", 3);
	ok(amk_lines_one(fd, &line, &err) == 1 && strcmp(line.s, "cut") == 0, "a last line without newline");
	close(fd);
	fd = holding("\n", 1);
	ok(amk_lines_one(fd, &line, &err) == 1 && line.n == 0, "an empty line is a line");
	close(fd);
	fd = holding("123456789\n", 10);
	ok(amk_lines_one(fd, &line, &err) == -1 && err.code == AMK_ETOOBIG, "one too long");
	close(fd);
	ok(amk_lines_one(-1, &line, &err) == -1 && err.sys == EBADF, "no descriptor");
}

static void test_all(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(8);
	int fd = holding("12345678", 8);

	ok(amk_lines_all(fd, &b, &err) == 0 && strcmp(b.s, "12345678") == 0, "as much as is allowed");
	close(fd);
	amk_buf_clear(&b);
	fd = holding("123456789", 9);
	ok(amk_lines_all(fd, &b, &err) < 0 && err.code == AMK_ETOOBIG, "one byte more");
	is_str(err.msg, "input of more than 8 bytes", "said");
	close(fd);
	amk_buf_clear(&b);
	fd = holding("", 0);
	ok(amk_lines_all(fd, &b, &err) == 0 && b.n == 0, "nothing");
	close(fd);
	ok(amk_lines_all(-1, &b, &err) < 0 && err.sys == EBADF, "no descriptor");
}

/* Reads all that comes and ends well if it was n times 'x'. */
static void drain(int from, size_t n)
{
	static char s[65536];
	ssize_t r;
	bool good = true;

	while ((r = read(from, s, sizeof s)) > 0)
		for (ssize_t i = 0; i < r; i++, n--)
			good = good && s[i] == 'x';
	_exit(good && n == 0 ? 0 : 1);
}

static void test_non_blocking(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	size_t n = 3 << 20;
	char *s = amk_malloc(n);
	int p[2], fd;

	memset(s, 'x', n);
	fflush(stdout);
	if (pipe(p) < 0 || (child = fork()) < 0)
		return;
	if (child == 0) {
		close(p[1]);
		drain(p[0], n);
	}
	close(p[0]);
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	is_int(amk_write_all(p[1], s, n), 0, "writing to a pipe somebody made non-blocking");
	close(p[1]);
	is_int(ended(), 0, "all of it came");
	free(s);

	fd = from_child(feed_bytes);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	is_str(lines_of(&b, fd), "<slow<bytes<<end 0", "reading from one");
	ended();
}

/* Runs amk_out_record with `fd` as stdout in a child; its status tells: 0 written, 1 failed, 2 reader gone. */
static int record_to(int fd, int *sys)
{
	int p[2], status = -1;

	fflush(stdout);
	if (pipe(p) < 0 || (child = fork()) < 0)
		return -1;
	if (child == 0) {
		signal(SIGPIPE, SIG_IGN);
		if (fd >= 0)
			dup2(fd, STDOUT_FILENO);
		else
			close(STDOUT_FILENO);
		status = amk_out_record("{}", 2, &err) == 0 ? 0 : err.code == AMK_OK ? 2 : 1;
		amk_write_all(p[1], &err.sys, sizeof err.sys);
		_exit(status);
	}
	close(p[1]);
	if (read(p[0], sys, sizeof *sys) != sizeof *sys)
		*sys = -1;
	close(p[0]);
	return ended();
}

static void test_records(void)
{
	char got[10] = "";
	int p[2], sys = 0, full = open("/dev/full", O_WRONLY);

	if (pipe(p) < 0)
		return;
	is_int(record_to(p[1], &sys), 0, "a record");
	ok(read(p[0], got, sizeof got - 1) == 3 && strcmp(got, "{}\n") == 0, "is a line");
	close(p[0]);
	is_int(record_to(p[1], &sys), 2, "nobody reads: a quiet end");
	close(p[1]);
	ok(record_to(full, &sys) == 1 && sys == ENOSPC, "a full disk is an error");
	close(full);
	ok(record_to(-1, &sys) == 1 && sys == EBADF, "so is a closed stdout");
}

int main(void)
{
	test_lines();
	test_slow();
	test_no_waiting();
	test_long();
	test_many();
	test_one();
	test_all();
	test_non_blocking();
	test_records();
	return tap_done();
}
