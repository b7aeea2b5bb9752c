/* SPDX-License-Identifier: Apache-2.0 */
/* What the stream of all sessions says is only that one has changed: how it is then, its own record tells. */
#include "client/watch.h"

#include <stdlib.h>
#include <string.h>

#include "client/follow.h"
#include "client/signals.h"
#include "core/cmd.h"

#define PAGE 500 /* sessions in one reply: there may be many that have ended */
#define BUCKETS 1024
#define HEAD 1024 /* bytes of a line in which its type stands */

/* A session that was given, and how. */
struct known {
	struct known *next;
	char *id;
	int64_t since;
};

struct watch {
	struct amk_client *client;
	amk_watch_each *each;
	int (*pause)(void *arg, struct amk_err *e);
	void *arg;
	struct known *bucket[BUCKETS];
};

static int list_page(struct amk_client *c, amk_watch_each *each, void *arg, int64_t *before, struct amk_err *e)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	if (amk_client_get(c, &reply, e, "/v1/sessions?limit=%d&before=%lld", PAGE, (long long)*before) < 0)
		return -1;
	for (const struct amk_json *s = amk_json_first(amk_json_get(reply, "sessions")); s; s = amk_json_next(s))
		if (each(arg, s, e) < 0)
			return -1;
	*before = amk_json_get_int(reply, "before", 0);
	return 0;
}

int amk_watch_list(struct amk_client *c, amk_watch_each *each, void *arg, struct amk_err *e)
{
	int64_t before = 0;

	do {
		if (list_page(c, each, arg, &before, e) < 0)
			return -1;
	} while (before);
	return 0;
}

static struct known **place_of(struct watch *w, const char *id)
{
	unsigned h = 2166136261u; /* FNV-1a */
	struct known **link;

	for (const char *c = id; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619u;
	link = &w->bucket[h % BUCKETS];
	while (*link && strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	return link;
}

static void forget(struct watch *w, const char *id)
{
	struct known **link = place_of(w, id), *k = *link;

	if (!k)
		return;
	*link = k->next;
	free(k->id);
	free(k);
}

static void forget_all(struct watch *w)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (w->bucket[i])
			forget(w, w->bucket[i]->id);
}

/* Notes how it is; false when it was given so before. */
static bool note(struct watch *w, const struct amk_json *session)
{
	const char *id = amk_json_get_str(session, "sessionId");
	int64_t since = amk_json_get_int(session, "stateSince", 0);
	struct known **link = place_of(w, id ? id : "");

	if (!*link) {
		*link = amk_calloc(1, sizeof **link);
		(*link)->id = amk_strdup(id ? id : "");
		(*link)->since = -1;
	}
	if ((*link)->since == since)
		return false;
	(*link)->since = since;
	return true;
}

static int give_changed(void *arg, const struct amk_json *session, struct amk_err *e)
{
	struct watch *w = arg;

	return note(w, session) ? w->each(w->arg, session, e) : 0;
}

/* `anyway`: more than its state has changed. */
static int give_one(struct watch *w, const char *id, bool anyway, struct amk_err *e)
{
	struct amk_json *session AMK_AUTO(json) = NULL;

	if (amk_client_id("session", id, e) < 0)
		return -1;
	if (amk_client_get(w->client, &session, e, "/v1/sessions/%s", id) < 0) {
		if (e->code != AMK_ENOSESSION)
			return -1;
		forget(w, id);
		return 0;
	}
	return note(w, session) || anyway ? w->each(w->arg, session, e) : 0;
}

static bool concerns_all(const struct amk_json *line)
{
	return amk_json_is(line, "type", "hello");
}

static bool concerns_one(const struct amk_json *line)
{
	static const char *const types[] = { "session.state", "session.started", "session.changed", "session.ended" };

	for (size_t i = 0; i < AMK_COUNT(types); i++)
		if (amk_json_is(line, "type", types[i]))
			return true;
	return false;
}

/* What cannot be one of ours is not read: a flood of another session's text passes by here, too. */
static bool may_concern(const char *line, size_t n)
{
	size_t head = n < HEAD ? n : HEAD;

	return memmem(line, head, "\"type\":\"session.", 16) || memmem(line, head, "\"type\":\"hello\"", 14);
}

static int take_line(struct watch *w, const struct amk_follow_line *line, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = NULL;
	const char *id;

	if (!may_concern(line->line, line->n))
		return 0;
	j = amk_json_parse(line->line, line->n, e);
	if (!j)
		return -1;
	id = amk_json_get_str(j, "session_id");
	if (concerns_all(j) && amk_watch_list(w->client, give_changed, w, e) < 0)
		return -1;
	if (concerns_one(j) && id && give_one(w, id, amk_json_is(j, "type", "session.changed"), e) < 0)
		return -1;
	return w->pause(w->arg, e);
}

static int follow(struct watch *w, struct amk_follow *f, struct amk_signals *signals, struct amk_err *e)
{
	struct amk_follow_line line;

	for (;;)
		switch (amk_follow_next(f, 0, &line, e)) {
		case AMK_FOLLOW_LINE:
			if (take_line(w, &line, e) < 0)
				return -1;
			break;
		case AMK_FOLLOW_WATCHED:
			amk_signals_read(signals); /* or it would still strike when they are let through again */
			return AMK_EXIT_DONE;
		case AMK_FOLLOW_TIMEOUT:
			break;
		case AMK_FOLLOW_ERROR:
			return -1;
		}
}

int amk_watch_follow(struct amk_client *c, amk_watch_each *each, int (*pause)(void *arg, struct amk_err *e), void *arg,
		     struct amk_err *e)
{
	struct watch w = { .client = c, .each = each, .pause = pause, .arg = arg };
	struct amk_signals signals AMK_AUTO(signals) = { .fd = -1 };
	struct amk_follow *f AMK_AUTO(follow) = amk_follow_new(c);
	int r;

	amk_signals_open(&signals);
	amk_follow_watch(f, 0, signals.fd);
	amk_follow_add_states(f);
	r = follow(&w, f, &signals, e);
	forget_all(&w);
	return r;
}
