/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions: each is sent one message after another, read all the time, and answered what it asks. What
 * is looked at: numbers without holes, the same event under the same number whenever it is read, the rules
 * of check-stream, and that every message that was acknowledged ends exactly once.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

#define SECOND INT64_C(1000000000)
#define STUCK (120 * SECOND) /* a turn that lasts so long has been forgotten */
#define HANG (2 * SECOND)    /* a script that waits for ever is cancelled after that */

static const char *const scripts[] = {
	"echo hello",  "tool",	   "status",	   "markdown",	   "image",   "flood 200 40", "flood 50 400", "permission",
	"permissions", "question", "error",	   "unparsed",	   "garbage", "exit 3",	      "hang",	      "stderr oh",
	"echo again",  "markdown", "flood 300 20", "a long answer",
};

static uint32_t hash_of(const char *s, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h ? h : 1;
}

/* Keeps the event's hash, or compares it with what was said under that number before. */
static void compare(struct soak_session *s, uint64_t number, const char *event, size_t n)
{
	if (number >= s->hash_max) {
		size_t max = number < 512 ? 1024 : (size_t)number * 2;

		s->hash = amk_realloc(s->hash, max * sizeof *s->hash);
		memset(s->hash + s->hash_max, 0, (max - s->hash_max) * sizeof *s->hash);
		s->hash_max = max;
	}
	if (s->hash[number] == 0)
		s->hash[number] = hash_of(event, n);
	else if (s->hash[number] != hash_of(event, n))
		soak_failed("%s: event %llu has changed: %.200s", s->id, (unsigned long long)number, event);
}

/* The text between `before` and the next quote; false when it is not there. */
static bool quoted(const char *event, const char *before, char *to, size_t max)
{
	const char *at = strstr(event, before);
	size_t n;

	if (!at)
		return false;
	at += strlen(before);
	n = strcspn(at, "\"");
	if (n >= max)
		return false;
	memcpy(to, at, n);
	to[n] = '\0';
	return true;
}

static void message_ended(struct soak_session *s, const char *event)
{
	char id[160], own[48];

	snprintf(own, sizeof own, "%s-%u", s->id, s->message);
	if (!quoted(event, "\"message\":\"", id, sizeof id) && !quoted(event, "\"message_id\":\"", id, sizeof id))
		return;
	if (strncmp(id, "m_", 2) == 0)
		return; /* of the first round, which gives no ids */
	if (!s->running || strcmp(id, own) != 0) {
		soak_failed("%s: the end of %s comes while %s is %s", s->id, id, own, s->running ? "running" : "over");
		return;
	}
	s->running = false;
	s->next_at = bench_now() + SECOND + (int64_t)soak_random((uint64_t)(24 * SECOND));
}

static void decision_asked(struct soak_session *s, const char *event, bool question)
{
	for (size_t i = 0; i < SOAK_DECISIONS; i++) {
		struct soak_decision *d = &s->decisions[i];

		if (d->id[0])
			continue;
		if (quoted(event, question ? "\"question_id\":\"" : "\"permission_id\":\"", d->id, sizeof d->id))
			d->at = bench_now() + (int64_t)soak_random((uint64_t)SECOND);
		d->question = question;
		return;
	}
}

static void take_event(struct soak_session *s, uint64_t number, const char *event, size_t n)
{
	struct amk_err e = { 0 };

	if (number != s->last + 1)
		soak_failed("%s: %llu follows %llu", s->id, (unsigned long long)number, (unsigned long long)s->last);
	s->last = number;
	soak.events++;
	compare(s, number, event, n);
	if (amk_check_line(s->check, event, n, &e) < 0)
		soak_failed("%s: %s", s->id, e.msg);
	if (strstr(event, "\"type\":\"turn.ended\"") || strstr(event, "\"type\":\"message.cancelled\""))
		message_ended(s, event);
	else if (strstr(event, "\"type\":\"permission.requested\""))
		decision_asked(s, event, false);
	else if (strstr(event, "\"type\":\"question.requested\""))
		decision_asked(s, event, true);
}

/* The event in a line of a stream, and its number. */
static const char *event_of(const char *line, size_t *n, uint64_t *number)
{
	static const char begin[] = "data: {\"event_id\":\"evt_";

	if (*n < sizeof begin || memcmp(line, begin, sizeof begin - 1) != 0)
		return NULL;
	*number = strtoull(line + sizeof begin - 1, NULL, 10);
	*n -= 6;
	return line + 6;
}

static void live_line(void *arg, const char *line, size_t n)
{
	struct soak_session *s = arg;
	uint64_t number;
	const char *event = event_of(line, &n, &number);

	if (event)
		take_event(s, number, event, n);
	else if (strstr(line, "\"type\":\"gap\""))
		soak_failed("%s: %s", s->id, line);
}

void soak_talk_create(void)
{
	for (size_t i = 0; i < SOAK_SESSIONS; i++) {
		struct soak_session *s = &soak.s[i];
		char path[64], body[AMK_COUNT(s->id) + 1024];

		snprintf(s->id, sizeof s->id, "s%zu", i);
		snprintf(path, sizeof path, "/v1/sessions/%s", s->id);
		snprintf(body, sizeof body, "{\"agent\":\"mock\",\"directory\":\"/\",\"arguments\":[\"--pace\",\"5\"],"
					    "\"environment\":{\"SOAK\":\"%s\"}}", bench_conf.scratch);
		bench_call(&bench_ours_unix, "POST", path, body);
		s->live.fd = -1;
		s->check = amk_check_new(false);
		s->next_at = bench_now() + (int64_t)soak_random((uint64_t)(5 * SECOND));
	}
}

static void post_message(struct soak_session *s, int64_t now)
{
	char path[64], body[256];
	int status;

	snprintf(path, sizeof path, "/v1/sessions/%s/messages", s->id);
	snprintf(body, sizeof body, "{\"message\":\"%s\",\"messageId\":\"%s-%u\"}", s->text, s->id, s->message);
	status = bench_try(&bench_ours_unix, "POST", path, body);
	if (status == 204)
		s->accepted = true;
	else if (status != -1 && status != 503)
		soak_failed("%s: message %u was answered by %d", s->id, s->message, status);
	s->next_at = now + SECOND / 5; /* to be sent again */
}

static void start_message(struct soak_session *s, int64_t now)
{
	s->message++;
	s->text = scripts[soak_random(AMK_COUNT(scripts))];
	s->running = true;
	s->accepted = false;
	s->sent_at = now;
	soak.messages++;
	post_message(s, now);
}

static void cancel_message(struct soak_session *s, int64_t now)
{
	char path[64];

	snprintf(path, sizeof path, "/v1/sessions/%s/cancel", s->id);
	bench_try(&bench_ours_unix, "POST", path, "{}");
	s->next_at = now + SECOND;
}

static void answer_decision(struct soak_decision *d, int64_t now)
{
	static const char *const replies[] = { "{\"reply\":\"once\"}", "{\"reply\":\"reject\"}",
					       "{\"reply\":\"answer\",\"answers\":[[\"Red\"]]}" };
	char path[64];
	int status;

	snprintf(path, sizeof path, "/v1/decisions/%s", d->id);
	status = bench_try(&bench_ours_unix, "POST", path, replies[d->question + soak_random(2)]);
	/* 409: void, for its agent was killed. */
	if (status == 200 || status == 409)
		d->id[0] = '\0';
	else if (status != -1 && status != 503)
		soak_failed("decision %s was answered by %d", d->id, status);
	d->at = now + SECOND / 5;
}

static void session_turn(struct soak_session *s, int64_t now)
{
	if (s->live.fd < 0 && now >= s->connect_at && !soak_stream_open(&s->live, s->id, s->last))
		s->connect_at = now + SECOND / 10;
	for (size_t i = 0; i < SOAK_DECISIONS; i++)
		if (s->decisions[i].id[0] && now >= s->decisions[i].at)
			answer_decision(&s->decisions[i], now);
	if (s->running && now - s->sent_at > STUCK) {
		soak_failed("%s: message %u (%s) does not end", s->id, s->message, s->text);
		s->running = false;
	}
	if (now < s->next_at)
		return;
	if (!s->running && !soak.closing)
		start_message(s, now);
	else if (s->running && !s->accepted)
		post_message(s, now);
	else if (s->running && strcmp(s->text, "hang") == 0 && now - s->sent_at > HANG)
		cancel_message(s, now);
}

void soak_talk_turn(int64_t now)
{
	for (size_t i = 0; i < SOAK_SESSIONS; i++)
		session_turn(&soak.s[i], now);
}

void soak_talk_wait(int ms)
{
	static struct pollfd p[SOAK_SESSIONS];

	for (size_t i = 0; i < SOAK_SESSIONS; i++)
		p[i] = (struct pollfd){ .fd = soak.s[i].live.fd, .events = POLLIN };
	if (poll(p, SOAK_SESSIONS, ms) <= 0)
		return;
	for (size_t i = 0; i < SOAK_SESSIONS; i++)
		if (p[i].revents && !soak_stream_read(&soak.s[i].live, live_line, &soak.s[i]))
			soak_stream_close(&soak.s[i].live);
}

bool soak_talk_is_quiet(void)
{
	for (size_t i = 0; i < SOAK_SESSIONS; i++)
		if (soak.s[i].running)
			return false;
	return true;
}

void soak_talk_storm(int64_t now)
{
	for (size_t i = 0; i < SOAK_SESSIONS; i++) {
		soak_stream_close(&soak.s[i].live);
		soak.s[i].connect_at = now;
	}
	soak.storms++;
}

#define REPLAY_TRIES 10

struct replay {
	struct soak_session *s;
	struct amk_check *check;
	uint64_t last;
};

static void replay_line(void *arg, const char *line, size_t n)
{
	struct replay *r = arg;
	struct amk_err e = { 0 };
	uint64_t number;
	const char *event = event_of(line, &n, &number);

	if (!event || r->last >= r->s->last)
		return;
	if (number != r->last + 1)
		soak_failed("%s, read again: %llu follows %llu", r->s->id, (unsigned long long)number,
			    (unsigned long long)r->last);
	r->last = number;
	compare(r->s, number, event, n);
	if (amk_check_line(r->check, event, n, &e) < 0)
		soak_failed("%s, read again: %s", r->s->id, e.msg);
}

/* As much as one connection gives: a daemon that goes or comes back ends it early. False: there is none. */
static bool replay_more(struct replay *r)
{
	struct soak_stream st;
	struct pollfd p = { .events = POLLIN };

	if (!soak_stream_open(&st, r->s->id, r->last))
		return false;
	p.fd = st.fd;
	while (r->last < r->s->last && poll(&p, 1, 10000) == 1 && soak_stream_read(&st, replay_line, r))
		continue;
	soak_stream_close(&st);
	return true;
}

void soak_talk_replay(struct soak_session *s)
{
	struct replay r = { s, amk_check_new(false), 0 };
	struct amk_err e = { 0 };
	int tries = 0;

	while (r.last < s->last && tries < REPLAY_TRIES && replay_more(&r))
		tries++;
	if (tries == REPLAY_TRIES && r.last < s->last)
		soak_failed("%s, read again, ends at %llu of %llu", s->id, (unsigned long long)r.last,
			    (unsigned long long)s->last);
	if (r.last && r.last == s->last) {
		if (amk_check_finish(r.check, !soak.closing, &e) < 0)
			soak_failed("%s, read again: %s", s->id, e.msg);
		soak.replays++;
	}
	amk_check_free(r.check);
}
