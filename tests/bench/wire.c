/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP as far as the bench needs it: single calls, and many connections that ask without a pause. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/lines.h"

#include "bench.h"

int bench_free_port(struct bench_at *at)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	socklen_t n = sizeof in;

	if (s >= 0)
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (s < 0 || bind(s, (struct sockaddr *)&in, sizeof in) < 0 || getsockname(s, (struct sockaddr *)&in, &n) < 0)
		bench_give_up("no free port: %s", strerror(errno));
	close(s);
	memcpy(&at->sa, &in, sizeof in);
	at->n = sizeof in;
	return ntohs(in.sin_port);
}

int bench_connect(const struct bench_at *at)
{
	int s = socket(at->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s >= 0 && connect(s, (const struct sockaddr *)&at->sa, at->n) == 0)
		return s;
	if (s >= 0)
		close(s);
	return -1;
}

static void put_request(struct amk_buf *b, const struct bench_at *at, const char *method, const char *path,
			const char *body)
{
	amk_buf_addf(b, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, path, at->headers ? at->headers : "");
	if (body)
		amk_buf_addf(b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	amk_buf_adds(b, "\r\n");
	amk_buf_adds(b, body ? body : "");
}

int bench_ask(const struct bench_at *at, const char *method, const char *path, const char *body)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);
	int s = bench_connect(at);

	if (s < 0)
		return -1;
	put_request(&b, at, method, path, body);
	if (amk_write_all(s, b.s, b.n) == 0)
		return s;
	close(s);
	return -1;
}

/* The length of the whole answer, 0 while its head is not complete. */
static size_t answer_length(const char *s, size_t n)
{
	const char *end = memmem(s, n, "\r\n\r\n", 4), *line = s;

	if (!end)
		return 0;
	while (line < end) {
		const char *nl = memchr(line, '\n', (size_t)(end + 2 - line));

		if (strncasecmp(line, "content-length:", 15) == 0)
			return (size_t)(end + 4 - s) + strtoul(line + 15, NULL, 10);
		line = nl + 1;
	}
	return (size_t)(end + 4 - s);
}

int bench_answer(int fd, struct amk_buf *body)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64 << 20);
	size_t want = 0;
	const char *end;

	while (want == 0 || b.n < want) {
		char *to = amk_buf_room(&b, 65536);
		ssize_t n = to ? read(fd, to, 65536) : -1;

		if (n <= 0)
			return -1;
		b.n += (size_t)n;
		b.s[b.n] = '\0';
		want = answer_length(b.s, b.n);
	}
	end = strstr(b.s, "\r\n\r\n");
	if (body && end)
		amk_buf_adds(body, end + 4);
	return b.n > 12 ? (int)strtol(b.s + 9, NULL, 10) : -1;
}

int bench_try(const struct bench_at *at, const char *method, const char *path, const char *body)
{
	int s = bench_ask(at, method, path, body);
	int status = s < 0 ? -1 : bench_answer(s, NULL);

	if (s >= 0)
		close(s);
	return status;
}

void bench_call(const struct bench_at *at, const char *method, const char *path, const char *body)
{
	int status = bench_try(at, method, path, body);

	if (status < 200 || status > 299)
		bench_give_up("%s %s was answered by %d", method, path, status);
}

/* ---- load ---- */

struct client {
	int fd;
	char data[2048];
	size_t n;
};

struct load {
	const struct bench_at *at;
	struct amk_buf request;
	struct client *c;
	unsigned n;
	int epoll;
};

static void client_connect(struct load *l, struct client *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->n = 0;
	c->fd = bench_connect(l->at);
	if (c->fd < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0 ||
	    amk_write_all(c->fd, l->request.s, l->request.n) < 0)
		bench_give_up("connecting for a load: %s", strerror(errno));
}

/*
 * Takes what came. True when the answer is whole, and the next request may be sent. A server may close a
 * connection after so many requests: then another one takes its place.
 */
static bool client_read(struct load *l, struct client *c)
{
	ssize_t n = read(c->fd, c->data + c->n, sizeof c->data - c->n);
	size_t want;

	if (n <= 0 && c->n == 0) {
		close(c->fd);
		client_connect(l, c);
		return false;
	}
	if (n <= 0)
		bench_give_up("a connection under load was closed within an answer");
	c->n += (size_t)n;
	want = answer_length(c->data, c->n);
	if (want == 0 || c->n < want)
		return false;
	if (strncmp(c->data, "HTTP/1.1 200", 12) != 0)
		bench_give_up("a request under load was answered by %.12s", c->data);
	c->n = 0;
	return true;
}

/* Answers until the deadline. */
static uint64_t load_until(struct load *l, int64_t deadline)
{
	struct epoll_event ready[64];
	uint64_t answers = 0;

	while (bench_now() < deadline) {
		int n = epoll_wait(l->epoll, ready, AMK_COUNT(ready), 1000);

		for (int i = 0; i < n; i++) {
			struct client *c = ready[i].data.ptr;

			if (!client_read(l, c))
				continue;
			answers++;
			/* Where the server has closed it, the next read says so. */
			if (write(c->fd, l->request.s, l->request.n) != (ssize_t)l->request.n && errno != EPIPE &&
			    errno != ECONNRESET)
				bench_give_up("writing under load: %s", strerror(errno));
		}
	}
	return answers;
}

double bench_load(const struct bench_at *at, const char *path, unsigned n, double seconds)
{
	struct load l = { .at = at, .request = AMK_BUF_INIT(4096), .c = amk_calloc(n, sizeof *l.c), .n = n,
			  .epoll = epoll_create1(EPOLL_CLOEXEC) };
	uint64_t answers;
	int64_t began;
	double took;

	put_request(&l.request, at, "GET", path, NULL);
	for (unsigned i = 0; i < n; i++)
		client_connect(&l, &l.c[i]);
	load_until(&l, bench_now() + 200000000);
	began = bench_now();
	answers = load_until(&l, began + (int64_t)(seconds * 1e9));
	took = (double)(bench_now() - began) / 1e9;
	for (unsigned i = 0; i < n; i++)
		close(l.c[i].fd);
	close(l.epoll);
	free(l.c);
	amk_buf_release(&l.request);
	return (double)answers / took;
}
