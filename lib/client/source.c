/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer that ends is begun again from behind what was given out. */
#include "client/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/place.h"
#include "core/json.h"
#include "core/time.h"

#define BUFFER 262144L
#define PROBLEM_MAX 65536
#define BARREN_MAX 5 /* connections in a row that brought nothing */
#define PAUSE INT64_C(50000000) /* ns between two looks for a daemon at a URL, at first */
#define PAUSE_MOST INT64_C(1000000000)
#define STEADY INT64_C(5000000000) /* ns a connection stands before its end is a new matter */

static long status_of(const struct amk_source *s)
{
	long status = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct amk_source *s = arg;

	n *= size;
	if (status_of(s) >= 300) {
		amk_buf_add(&s->problem, bytes, n);
		return n;
	}
	s->dismissed = false;
	amk_client_meet(s->client);
	if (amk_frames_full(&s->feed)) {
		s->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	return amk_frames_add(&s->feed, bytes, n, &s->error) < 0 ? 0 : n;
}

/* Starts the transfer from behind what was given out. */
static void begin(struct amk_source *s)
{
	char path[512], from[24] = "now";

	if (s->after != AMK_FOLLOW_NOW)
		snprintf(from, sizeof from, "%llu", (unsigned long long)s->after);
	snprintf(path, sizeof path, "/v1/%s%s%sevents/sse?profile=amika&offset=%s", s->session ? "sessions/" : "",
		 s->session ? s->session : "", s->session ? "/" : "", from);
	amk_frames_clear(&s->feed);
	amk_buf_clear(&s->problem);
	s->paused = false;
	s->again = 0;
	s->opened = amk_time_monotonic();
	amk_place_set_up(amk_client_place(s->client), s->curl, path);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(s->curl, CURLOPT_FORBID_REUSE, 1L); /* the next stream may be another daemon's */
	curl_easy_setopt(s->curl, CURLOPT_BUFFERSIZE, BUFFER);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
	curl_multi_add_handle(s->multi, s->curl);
}

struct amk_source *amk_source_new(struct amk_client *c, CURLM *multi, const char *session, uint64_t after)
{
	struct amk_source *s = amk_calloc(1, sizeof *s);

	s->client = c;
	s->multi = multi;
	s->session = session ? amk_strdup(session) : NULL;
	s->after = after;
	s->headers = amk_place_headers(amk_client_place(c));
	amk_frames_init(&s->feed);
	amk_buf_init(&s->problem, PROBLEM_MAX);
	s->curl = curl_easy_init();
	if (!s->curl)
		AMK_BUG("no memory for a connection");
	begin(s);
	return s;
}

void amk_source_free(struct amk_source *s)
{
	curl_multi_remove_handle(s->multi, s->curl);
	curl_easy_cleanup(s->curl);
	curl_slist_free_all(s->headers);
	amk_frames_release(&s->feed);
	amk_buf_release(&s->problem);
	free(s->session);
	free(s);
}

struct amk_source *amk_source_of(CURL *curl)
{
	char *arg = NULL;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &arg);
	return (struct amk_source *)(void *)arg;
}

/*
 * In a session nothing is kept before the end of a gap: what is gone is not asked for again. Of all
 * sessions it is only said up to where something is missing, and each connection says it anew.
 */
static bool gap_taken(struct amk_source *s, const struct amk_json *gap)
{
	uint64_t before = (uint64_t)amk_json_get_int(gap, "before", 0);

	if (before == 0 || before <= s->gap)
		return false;
	s->gap = before;
	if (s->session && before - 1 > s->after)
		s->after = before - 1;
	return true;
}

/* Lines without a number are about the stream. True when one is for the reader. */
static bool notice_taken(struct amk_source *s, const char *data, size_t n)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(data, n, NULL);

	if (amk_json_is(j, "type", "gap"))
		return gap_taken(s, j);
	if (amk_json_is(j, "type", "hello") && s->after == AMK_FOLLOW_NOW)
		s->after = (uint64_t)amk_json_get_int(j, "after", 0);
	return s->notices && j;
}

/* A line that has arrived and was not given out yet. */
static bool next_arrived(struct amk_source *s, struct amk_follow_line *line)
{
	uint64_t id;
	char *data;
	size_t n;

	while (amk_frames_next(&s->feed, &id, &data, &n) > 0) {
		if (id != 0 ? id <= s->after : !notice_taken(s, data, n))
			continue;
		if (id != 0)
			s->after = id;
		s->barren = 0;
		s->missed = 0;
		*line = (struct amk_follow_line){ s->session, s->after, data, n };
		return true;
	}
	return false;
}

/* Bytes held back come inside curl_easy_pause. */
bool amk_source_next(struct amk_source *s, struct amk_follow_line *line)
{
	while (!next_arrived(s, line)) {
		if (!s->paused)
			return false;
		s->paused = false;
		curl_easy_pause(s->curl, CURLPAUSE_CONT);
	}
	return true;
}

static int keeps_breaking(const struct amk_source *s, CURLcode result, struct amk_err *e)
{
	amk_err_set(e, AMK_EUNREACHABLE, "%s%.130s: the connection to the daemon keeps breaking: %s",
		    s->session ? "session " : "all sessions", s->session ? s->session : "", curl_easy_strerror(result));
	return amk_err_hint(e, "see: amikad status");
}

/* The daemon of the state folder is started again, unless somebody stopped it. */
static int begin_again(struct amk_source *s, CURLcode result, struct amk_err *e)
{
	if (++s->barren > BARREN_MAX)
		return keeps_breaking(s, result, e);
	if (result == CURLE_OK)
		s->dismissed = true;
	if (amk_client_ensure(s->client, !s->dismissed, e) < 0) {
		if (!s->dismissed)
			return -1;
		amk_err_set(e, AMK_EUNREACHABLE, "the daemon was stopped; %s%.130s %s kept", s->session ? "session " : "",
			    s->session ? s->session : "all sessions", s->session ? "is" : "are");
		return amk_err_hint(e, "see: amika events %.120s", s->session ? s->session : "--all");
	}
	begin(s);
	return 0;
}

static int stayed_away(const struct amk_source *s, CURLcode result, struct amk_err *e)
{
	amk_place_unreachable(amk_client_place(s->client), result, e);
	if (s->after == AMK_FOLLOW_NOW)
		return -1;
	if (s->session)
		return amk_err_hint(e, "to go on: amika events --follow %.120s@%llu", s->session,
				    (unsigned long long)s->after);
	return amk_err_hint(e, "to go on: amika events --all --follow --after %llu", (unsigned long long)s->after);
}

/* A daemon at a URL is looked for at growing intervals, while everything else goes on. */
static int look_later(struct amk_source *s, CURLcode result, struct amk_err *e)
{
	int64_t now = amk_time_monotonic();

	if (!amk_client_met(s->client))
		return amk_place_unreachable(amk_client_place(s->client), result, e);
	if (!s->missed || (status_of(s) == 200 && now - s->opened > STEADY)) {
		s->missed = now;
		s->pause = PAUSE;
	}
	if (now - s->missed > AMK_PLACE_PATIENCE)
		return stayed_away(s, result ? result : CURLE_GOT_NOTHING, e);
	s->again = now + s->pause;
	s->pause = 2 * s->pause < PAUSE_MOST ? 2 * s->pause : PAUSE_MOST;
	return 0;
}

void amk_source_look(struct amk_source *s, int64_t now)
{
	if (s->again && now >= s->again)
		begin(s);
}

/* What stands between us and a daemon that comes back says these. */
static bool is_passing(long status)
{
	return status == 502 || status == 503 || status == 504;
}

static int refused(struct amk_source *s, long status, struct amk_err *e)
{
	amk_place_refused(amk_client_place(s->client), status, s->problem.s, s->problem.n, e);
	if (e->code == AMK_ENOSESSION && s->session)
		amk_client_near(s->client, s->session, e);
	return -1;
}

int amk_source_ended(struct amk_source *s, CURLcode result, struct amk_err *e)
{
	const struct amk_place *place = amk_client_place(s->client);
	long status = status_of(s);

	curl_multi_remove_handle(s->multi, s->curl);
	if (s->error.code) {
		*e = s->error;
		return -1;
	}
	if (status >= 300 && !(place->remote && amk_client_met(s->client) && is_passing(status)))
		return refused(s, status, e);
	return place->remote ? look_later(s, result, e) : begin_again(s, result, e);
}
