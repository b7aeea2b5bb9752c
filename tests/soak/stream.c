/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of events as lines, without waiting. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/lines.h"

#include "soak.h"

/* Where a stream is in its answer. In HEAD, `left` counts the bytes of CR LF CR LF seen. */
enum { HEAD, SIZE, DATA, AFTER_DATA };

bool soak_stream_open(struct soak_stream *st, const char *session, uint64_t after)
{
	char path[128];

	snprintf(path, sizeof path, "/v1/sessions/%s/events/sse?profile=amika&offset=%llu", session,
		 (unsigned long long)after);
	*st = (struct soak_stream){ .fd = bench_ask(&bench_ours_unix, "GET", path, NULL),
				    .line = AMK_BUF_INIT(AMK_LINE_MAX) };
	return st->fd >= 0;
}

void soak_stream_close(struct soak_stream *st)
{
	if (st->fd >= 0)
		close(st->fd);
	st->fd = -1;
	amk_buf_release(&st->line);
}

static void take_data(struct soak_stream *st, const char *s, size_t n,
		      void (*each)(void *arg, const char *line, size_t n), void *arg)
{
	const char *nl;

	while ((nl = memchr(s, '\n', n))) {
		amk_buf_add(&st->line, s, (size_t)(nl - s));
		each(arg, st->line.s, st->line.n);
		amk_buf_clear(&st->line);
		n -= (size_t)(nl + 1 - s);
		s = nl + 1;
	}
	amk_buf_add(&st->line, s, n);
}

/* One byte of what is not data. */
static void take_frame(struct soak_stream *st, char c)
{
	if (st->state == HEAD) {
		st->left = c == "\r\n\r\n"[st->left] ? st->left + 1 : c == '\r';
		if (st->left < 4)
			return;
		st->state = SIZE;
		st->left = 0;
	} else if (st->state == AFTER_DATA) {
		st->state = c == '\n' ? SIZE : AFTER_DATA;
	} else if (c == '\n') {
		st->state = DATA;
	} else if (c != '\r') {
		st->left = st->left * 16 + (size_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
}

bool soak_stream_read(struct soak_stream *st, void (*each)(void *arg, const char *line, size_t n), void *arg)
{
	char data[65536];
	ssize_t n = recv(st->fd, data, sizeof data, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	for (size_t i = 0; i < (size_t)n;) {
		size_t len = (size_t)n - i < st->left ? (size_t)n - i : st->left;

		if (st->state != DATA) {
			take_frame(st, data[i++]);
			continue;
		}
		take_data(st, data + i, len, each, arg);
		i += len;
		st->left -= len;
		if (st->left == 0)
			st->state = AFTER_DATA;
	}
	return true;
}
