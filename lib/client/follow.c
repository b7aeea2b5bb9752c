/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over libcurl's multi interface, a source for each session or one for all. */
#include "client/follow.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <curl/curl.h>

#include "client/source.h"
#include "core/time.h"

#define LOOK_EVERY 256 /* lines, after which a flood lets the clock and the watched descriptors be seen */

struct amk_follow {
	struct amk_client *client;
	CURLM *multi;
	struct amk_source *first, **last, *turn; /* whose turn it is */
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

void amk_follow_free(struct amk_follow *f)
{
	if (!f)
		return;
	while (f->first) {
		struct amk_source *s = f->first;

		f->first = s->next;
		amk_source_free(s);
	}
	curl_multi_cleanup(f->multi);
	amk_auto_fd(&f->reader);
	free(f);
}

void amk_auto_follow(struct amk_follow **f)
{
	amk_follow_free(*f);
}

static struct amk_source *add(struct amk_follow *f, const char *session, uint64_t after)
{
	struct amk_source *s = amk_source_new(f->client, f->multi, session, after);

	*f->last = s;
	f->last = &s->next;
	return s;
}

void amk_follow_add(struct amk_follow *f, const char *session, uint64_t after)
{
	add(f, session, after);
}

void amk_follow_add_states(struct amk_follow *f)
{
	add(f, NULL, AMK_FOLLOW_NOW)->notices = true;
}

void amk_follow_watch(struct amk_follow *f, unsigned slot, int fd)
{
	f->watched[slot] = (struct curl_waitfd){ .fd = fd, .events = CURL_WAIT_POLLIN };
}

/* Sources take turns, so that a flood in one does not silence another. */
static bool next_line(struct amk_follow *f, struct amk_follow_line *line)
{
	struct amk_source *start = f->turn ? f->turn : f->first, *s = start;

	if (!s)
		return false;
	do {
		f->turn = s->next ? s->next : f->first;
		if (amk_source_next(s, line))
			return true;
		s = f->turn;
	} while (s != start);
	return false;
}

static int finished(struct amk_follow *f, struct amk_err *e)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left))) {
		CURLcode result = m->data.result;

		if (m->msg == CURLMSG_DONE && amk_source_ended(amk_source_of(m->easy_handle), result, e) < 0)
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

/* Begins the transfers whose time has come. When the next one is due, or `deadline` if that is earlier. */
static int64_t look_again(struct amk_follow *f, int64_t deadline)
{
	int64_t now = amk_time_monotonic(), due = deadline;

	for (struct amk_source *s = f->first; s; s = s->next) {
		amk_source_look(s, now);
		if (s->again && (!due || s->again < due))
			due = s->again;
	}
	return due;
}

/* Waits for bytes, a watched descriptor or the time `due`, 0 for none. */
static void wait_more(struct amk_follow *f, int64_t due)
{
	struct curl_waitfd fds[3];
	int64_t left = INT_MAX;
	unsigned n = 0;

	if (due) {
		left = (due - amk_time_monotonic() + 999999) / 1000000;
		if (left < 0)
			left = 0;
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
		if (deadline && amk_time_monotonic() >= deadline)
			return AMK_FOLLOW_TIMEOUT;
		wait_more(f, look_again(f, deadline));
		if (watched_ready(f))
			return AMK_FOLLOW_WATCHED;
	}
}
