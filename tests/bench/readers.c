/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of server-sent events: every event's number is looked at, nothing else is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"

#define PIECE (256 << 10)

/* Where a reader is in its answer. */
enum { HEAD, SIZE, DATA, AFTER_DATA };

void bench_readers_open(struct bench_readers *rs, unsigned n, const struct bench_at *at, const char *path)
{
	*rs = (struct bench_readers){ .r = amk_calloc(n, sizeof *rs->r), .n = n, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &rs->r[i] };

		rs->r[i].fd = bench_ask(at, "GET", path, NULL);
		if (rs->r[i].fd < 0 || epoll_ctl(rs->epoll, EPOLL_CTL_ADD, rs->r[i].fd, &ev) < 0)
			bench_give_up("reader %u: %s", i, strerror(errno));
	}
}

static void take_number(struct bench_reader *r)
{
	uint64_t id;

	r->head[r->at < sizeof r->head ? r->at : sizeof r->head - 1] = '\0';
	if (strncmp(r->head, "id:", 3) != 0)
		return;
	id = strtoull(r->head + 3, NULL, 10);
	if (r->first == 0)
		r->first = id;
	else if (id > r->last + 1)
		r->missing += id - r->last - 1;
	r->last = id;
	r->events++;
}

/* The stream's bytes: of each line its beginning is kept. */
static void take_bytes(struct bench_reader *r, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((nl ? nl : end) - s), room = sizeof r->head - 1;

		if (r->at < room)
			memcpy(r->head + r->at, s, len < room - r->at ? len : room - r->at);
		r->at += len;
		if (!nl)
			return;
		take_number(r);
		r->at = 0;
		s = nl + 1;
	}
}

/* The answer's bytes: its head, then chunks. (Bench only: what it talks to is well-formed.) */
static void take_answer(struct bench_reader *r, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		size_t have = (size_t)(end - s);

		if (r->state == DATA) {
			size_t len = have < r->left ? have : r->left;

			take_bytes(r, s, len);
			s += len;
			r->left -= len;
			r->state = r->left ? DATA : AFTER_DATA;
		} else if (r->state == HEAD) { /* `left` counts the bytes of CR LF CR LF seen */
			r->left = *s == "\r\n\r\n"[r->left] ? r->left + 1 : *s == '\r';
			s++;
			if (r->left == 4) {
				r->state = SIZE;
				r->left = 0;
			}
		} else if (r->state == AFTER_DATA) {
			if (*s++ == '\n')
				r->state = SIZE;
		} else if (*s == '\n') {
			s++;
			r->state = DATA;
			r->chunks++;
		} else {
			char c = *s++;

			if (c != '\r')
				r->left = r->left * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
		}
	}
}

static void reader_read(struct bench_readers *rs, struct bench_reader *r)
{
	static char data[PIECE];
	ssize_t n = read(r->fd, data, sizeof data);

	if (n > 0) {
		take_answer(r, data, (size_t)n);
		return;
	}
	r->gone = true;
	epoll_ctl(rs->epoll, EPOLL_CTL_DEL, r->fd, NULL);
}

bool bench_readers_pump(struct bench_readers *rs, int ms)
{
	struct epoll_event ready[256];
	int n = epoll_wait(rs->epoll, ready, AMK_COUNT(ready), ms);

	for (int i = 0; i < n; i++)
		reader_read(rs, ready[i].data.ptr);
	return n > 0;
}

static bool all_have(const struct bench_readers *rs, uint64_t last)
{
	for (unsigned i = 0; i < rs->n; i++)
		if (rs->r[i].last < last && !rs->r[i].gone)
			return false;
	return true;
}

bool bench_readers_until(struct bench_readers *rs, uint64_t last, int quiet_ms)
{
	while (!all_have(rs, last))
		if (!bench_readers_pump(rs, quiet_ms))
			return false;
	return true;
}

uint64_t bench_readers_events(const struct bench_readers *rs, uint64_t *chunks)
{
	uint64_t events = 0;

	*chunks = 0;
	for (unsigned i = 0; i < rs->n; i++) {
		events += rs->r[i].events;
		*chunks += rs->r[i].chunks;
	}
	return events;
}

void bench_readers_close(struct bench_readers *rs)
{
	for (unsigned i = 0; i < rs->n; i++)
		close(rs->r[i].fd);
	close(rs->epoll);
	free(rs->r);
}
