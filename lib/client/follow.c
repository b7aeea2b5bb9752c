/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over libcurl's multi interface, a source for each session. */
#include "client/follow.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <curl/curl.h>

#include "client/frames.h"
#include "client/problem.h"
#include "core/time.h"

#define BUFFER 262144L
#define PROBLEM_MAX 65536
#define BARREN_MAX 5 /* connections in a row that brought nothing */
#define LOOK_EVERY 256 /* lines, after which a flood lets the clock and the watched descriptors be seen */

struct source {
	struct amk_follow *follow;
	struct source *next;
	CURL *curl;
	char *session;
	uint64_t sequence; /* given out */
	struct amk_frames feed;
	struct amk_buf problem; /* body of a refusal */
	unsigned barren;
	bool paused; /* libcurl holds bytes back until what is there was given out */
	bool dismissed; /* the daemon ended the stream in order: it is stopped or restarted by someone */
	struct amk_err error; /* of a callback */
};

struct amk_follow {
	struct amk_client *client;
	CURLM *multi;
	struct source *first, **last, *turn; /* whose turn it is */
	struct curl_waitfd watched[2];
	int reader; /* an epoll that can be read once nobody reads our stdout any more, or -1 */
	unsigned since; /* lines since the last look */
};

/* The far end of a pipe that closes is an error condition, which every epoll reports unasked. */
static int watch_reader(void)
{
	struct epoll_event ev = { .events = 0 };
	int fd AMK_AUTO(fd) = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, STDOUT_FILENO, &ev) < 0)
		return -1; /* a file has no far end */
	return amk_take_fd(&fd);
}

struct amk_follow *amk_follow_new(struct amk_client *c)
{
	struct amk_follow *f = amk_calloc(1, sizeof *f);

	f->client = c;
	f->multi = curl_multi_init();
	if (!f->multi)
		AMK_BUG("no memory for connections");
	f->last = &f->first;
	f->watched[0].fd = f->watched[1].fd = -1;
	f->reader = watch_reader();
	return f;
}

static void source_free(struct amk_follow *f, struct source *s)
{
	curl_multi_remove_handle(f->multi, s->curl);
	curl_easy_cleanup(s->curl);
	amk_frames_release(&s->feed);
	amk_buf_release(&s->problem);
	free(s->session);
	free(s);
}

void amk_follow_free(struct amk_follow *f)
{
	if (!f)
		return;
	while (f->first) {
		struct source *s = f->first;

		f->first = s->next;
		source_free(f, s);
	}
	curl_multi_cleanup(f->multi);
	amk_auto_fd(&f->reader);
	free(f);
}

void amk_auto_follow(struct amk_follow **f)
{
	amk_follow_free(*f);
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct source *s = arg;
	long status = 0;

	n *= size;
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 400) {
		amk_buf_add(&s->problem, bytes, n);
		return n;
	}
	s->dismissed = false;
	if (amk_frames_full(&s->feed)) {
		s->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	return amk_frames_add(&s->feed, bytes, n, &s->error) < 0 ? 0 : n;
}

/* Starts the transfer from behind what was given out. */
static void source_open(struct source *s)
{
	char url[512];

	snprintf(url, sizeof url, "http://localhost/v1/sessions/%s/events/sse?profile=amika&offset=%llu", s->session,
		 (unsigned long long)s->sequence);
	amk_frames_clear(&s->feed);
	amk_buf_clear(&s->problem);
	s->paused = false;
	curl_easy_reset(s->curl);
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_UNIX_SOCKET_PATH, amk_client_socket(s->follow->client));
	curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_FORBID_REUSE, 1L); /* the next stream may be another daemon's */
	curl_easy_setopt(s->curl, CURLOPT_BUFFERSIZE, BUFFER);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
	curl_multi_add_handle(s->follow->multi, s->curl);
}

void amk_follow_add(struct amk_follow *f, const char *session, uint64_t after)
{
	struct source *s = amk_calloc(1, sizeof *s);

	s->follow = f;
	s->session = amk_strdup(session);
	s->sequence = after;
	amk_frames_init(&s->feed);
	amk_buf_init(&s->problem, PROBLEM_MAX);
	s->curl = curl_easy_init();
	if (!s->curl)
		AMK_BUG("no memory for a connection");
	*f->last = s;
	f->last = &s->next;
	source_open(s);
}

void amk_follow_watch(struct amk_follow *f, unsigned slot, int fd)
{
	f->watched[slot] = (struct curl_waitfd){ .fd = fd, .events = CURL_WAIT_POLLIN };
}

/* What a stream says about itself: only what it cannot give any more concerns those who read events. */
static bool is_notice(const char *data, size_t n)
{
	static const char gap[] = "{\"type\":\"gap\"";

	return n < sizeof gap - 1 || memcmp(data, gap, sizeof gap - 1) != 0;
}

/* A line that has arrived and was not given out yet. */
static bool source_line(struct source *s, struct amk_follow_line *line)
{
	uint64_t id;
	char *data;
	size_t n;

	while (amk_frames_next(&s->feed, &id, &data, &n) > 0) {
		if (id == 0 ? is_notice(data, n) : id <= s->sequence)
			continue;
		if (id != 0)
			s->sequence = id;
		s->barren = 0;
		*line = (struct amk_follow_line){ s->session, s->sequence, data, n };
		return true;
	}
	return false;
}

/* Bytes held back come inside curl_easy_pause. */
static bool source_next(struct source *s, struct amk_follow_line *line)
{
	while (!source_line(s, line)) {
		if (!s->paused)
			return false;
		s->paused = false;
		curl_easy_pause(s->curl, CURLPAUSE_CONT);
	}
	return true;
}

/* Sources take turns, so that a flood in one does not silence another. */
static bool next_line(struct amk_follow *f, struct amk_follow_line *line)
{
	struct source *start = f->turn ? f->turn : f->first, *s = start;

	if (!s)
		return false;
	do {
		f->turn = s->next ? s->next : f->first;
		if (source_next(s, line))
			return true;
		s = f->turn;
	} while (s != start);
	return false;
}

static int source_failed(struct source *s, CURLcode result, struct amk_err *e)
{
	if (s->error.code) {
		*e = s->error;
		return -1;
	}
	amk_err_set(e, AMK_EUNREACHABLE, "session %.130s: the connection to the daemon keeps breaking: %s", s->session,
		    curl_easy_strerror(result));
	return amk_err_hint(e, "see: amikad status");
}

/* The transfer is over: the end of it says whether to try again, and how. */
static int source_ended(struct source *s, CURLcode result, struct amk_err *e)
{
	struct amk_follow *f = s->follow;
	long status = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(f->multi, s->curl);
	if (status >= 400)
		return amk_problem_read(status, s->problem.s, s->problem.n, e);
	if (s->error.code || ++s->barren > BARREN_MAX)
		return source_failed(s, result, e);
	if (result == CURLE_OK)
		s->dismissed = true;
	if (amk_client_ensure(f->client, !s->dismissed, e) < 0) {
		if (!s->dismissed)
			return -1;
		amk_err_set(e, AMK_EUNREACHABLE, "the daemon was stopped; session %.130s is kept", s->session);
		return amk_err_hint(e, "see: amika events %.120s", s->session);
	}
	source_open(s);
	return 0;
}

static int finished(struct amk_follow *f, struct amk_err *e)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left))) {
		CURLcode result = m->data.result;
		char *arg = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &arg);
		if (source_ended((struct source *)(void *)arg, result, e) < 0)
			return -1;
	}
	return 0;
}

/* A look that does not wait. LINE stands for nothing to tell. */
static enum amk_follow_got look(struct amk_follow *f, int64_t deadline)
{
	struct pollfd p[2] = { { .fd = f->watched[0].fd, .events = POLLIN },
			       { .fd = f->watched[1].fd, .events = POLLIN } };

	f->since = 0;
	if (deadline && amk_time_monotonic() >= deadline)
		return AMK_FOLLOW_TIMEOUT;
	return poll(p, 2, 0) > 0 ? AMK_FOLLOW_WATCHED : AMK_FOLLOW_LINE;
}

static bool watched_ready(const struct amk_follow *f)
{
	return (f->watched[0].fd >= 0 && f->watched[0].revents) || (f->watched[1].fd >= 0 && f->watched[1].revents);
}

static bool reader_gone(const struct amk_follow *f)
{
	struct pollfd p = { .fd = f->reader, .events = POLLIN };

	return f->reader >= 0 && poll(&p, 1, 0) > 0;
}

/* Waits for bytes, a watched descriptor or the deadline. False when the deadline has passed. */
static bool wait_more(struct amk_follow *f, int64_t deadline)
{
	struct curl_waitfd fds[3];
	int64_t left = INT_MAX;
	unsigned n = 0;

	if (deadline) {
		left = (deadline - amk_time_monotonic() + 999999) / 1000000;
		if (left <= 0)
			return false;
	}
	for (unsigned i = 0; i < 2; i++)
		if (f->watched[i].fd >= 0)
			fds[n++] = f->watched[i];
	if (f->reader >= 0)
		fds[n++] = (struct curl_waitfd){ .fd = f->reader, .events = CURL_WAIT_POLLIN };
	curl_multi_poll(f->multi, fds, n, left > INT_MAX ? INT_MAX : (int)left, NULL);
	for (unsigned i = 0, k = 0; i < 2; i++)
		if (f->watched[i].fd >= 0)
			f->watched[i].revents = fds[k++].revents;
	return true;
}

enum amk_follow_got amk_follow_next(struct amk_follow *f, int64_t deadline, struct amk_follow_line *line,
				    struct amk_err *e)
{
	enum amk_follow_got got;
	int running;

	for (;;) {
		if (++f->since >= LOOK_EVERY && (got = look(f, deadline)) != AMK_FOLLOW_LINE)
			return got;
		if (next_line(f, line))
			return AMK_FOLLOW_LINE;
		f->watched[0].revents = f->watched[1].revents = 0;
		curl_multi_perform(f->multi, &running);
		/* What a transfer brought before it ended comes first. */
		if (next_line(f, line))
			return AMK_FOLLOW_LINE;
		if (finished(f, e) < 0)
			return AMK_FOLLOW_ERROR;
		if (reader_gone(f)) {
			amk_err_set(e, AMK_OK, "the reader has gone");
			return AMK_FOLLOW_ERROR;
		}
		if (!wait_more(f, deadline))
			return AMK_FOLLOW_TIMEOUT;
		if (watched_ready(f))
			return AMK_FOLLOW_WATCHED;
	}
}
