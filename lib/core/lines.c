/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in and records out. */
#include "core/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 65536

void amk_lines_init(struct amk_lines *l, int fd)
{
	*l = (struct amk_lines){ .fd = fd, .buf = AMK_BUF_INIT(AMK_LINE_MAX + READ_SIZE) };
}

void amk_lines_release(struct amk_lines *l)
{
	amk_buf_release(&l->buf);
}

/* Whether the call that failed is to be made again: another program may have left fd non-blocking. */
static bool again(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EAGAIN)
		poll(&p, 1, -1);
	return errno == EAGAIN || errno == EINTR;
}

/* Bytes read, 0 at the end. */
static ssize_t more(int fd, struct amk_buf *b, size_t n, struct amk_err *e)
{
	char *to = amk_buf_room(b, n);
	ssize_t r;

	if (!to)
		return amk_err_set(e, AMK_ETOOBIG, "input of more than %zu bytes", b->max);
	do
		r = read(fd, to, n);
	while (r < 0 && again(fd, POLLIN));
	if (r < 0)
		return amk_err_sys(e, "reading input");
	b->n += (size_t)r;
	b->s[b->n] = '\0';
	return r;
}

/* Finds the end of the next line, or of the input; reads as far as it must. */
static int line_end(struct amk_lines *l, char **nl, struct amk_err *e)
{
	size_t searched = l->used;
	ssize_t r;

	for (;;) {
		*nl = memchr(l->buf.s + searched, '\n', l->buf.n - searched);
		if (*nl || l->eof)
			return 0;
		/* What was given out makes room only now, not at every line. */
		amk_buf_drop(&l->buf, l->used);
		l->used = 0;
		searched = l->buf.n;
		if (searched > AMK_LINE_MAX)
			return 0;
		r = more(l->fd, &l->buf, READ_SIZE, e);
		if (r < 0)
			return -1;
		l->eof = r == 0;
	}
}

int amk_lines_next(struct amk_lines *l, char **line, size_t *n, struct amk_err *e)
{
	char *nl;

	if (line_end(l, &nl, e) < 0)
		return -1;
	if (!nl && l->used == l->buf.n)
		return 0;
	*line = l->buf.s + l->used;
	*n = nl ? (size_t)(nl - *line) : l->buf.n - l->used;
	if (*n > AMK_LINE_MAX)
		return amk_err_set(e, AMK_EINVALID, "line %zu: more than %u bytes", l->number + 1, AMK_LINE_MAX);
	l->used += *n + (nl ? 1 : 0);
	if (nl)
		*nl = '\0';
	l->number++;
	return 1;
}

int amk_lines_one(int fd, struct amk_buf *line, struct amk_err *e)
{
	amk_buf_clear(line);
	for (;;) {
		ssize_t r = more(fd, line, 1, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return line->n > 0;
		if (line->s[line->n - 1] == '\n') {
			line->s[--line->n] = '\0';
			return 1;
		}
	}
}

int amk_lines_all(int fd, struct amk_buf *b, struct amk_err *e)
{
	struct amk_buf extra AMK_AUTO(buf) = AMK_BUF_INIT(1);
	ssize_t r;

	do {
		size_t left = b->max - b->n;

		r = left ? more(fd, b, left < READ_SIZE ? left : READ_SIZE, e) : more(fd, &extra, 1, e);
		if (extra.n)
			return amk_err_set(e, AMK_ETOOBIG, "input of more than %zu bytes", b->max);
	} while (r > 0);
	return (int)r;
}

int amk_write_all(int fd, const void *s, size_t n)
{
	const char *p = s;

	while (n) {
		ssize_t r = write(fd, p, n);

		if (r < 0 && again(fd, POLLOUT))
			continue;
		if (r < 0)
			return -1;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

int amk_out_record(const char *s, size_t n, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(n + 1);
	int r;

	amk_buf_add(&b, s, n);
	amk_buf_addc(&b, '\n');
	r = amk_write_all(STDOUT_FILENO, b.s, b.n);
	if (r < 0 && errno == EPIPE)
		return amk_err_set(e, AMK_OK, "the reader has gone");
	if (r < 0)
		return amk_err_sys(e, "writing to standard output");
	return 0;
}
