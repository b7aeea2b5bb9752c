/* SPDX-License-Identifier: Apache-2.0 */
/* The rules between events: numbers, items, texts, calls, turns, decisions. */
#include "event/check.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 4096	      /* open at a time */
#define DECISIONS_MAX 4096    /* open at a time */
#define CALLS_MAX 65536	      /* remembered; a result comes soon after its call */
#define NUMBERS_MAX (1 << 24) /* items of a stream */
#define ID_MAX 128

struct open_item {
	int64_t number;
	uint64_t hash; /* of its deltas */
	size_t length, deltas;
};

struct open_decision {
	char id[ID_MAX];
	bool background;
};

struct amk_check {
	bool universal;
	size_t lines;
	int64_t sequence, cursor;
	char session[ID_MAX + 1];
	bool torn;	/* there was a gap: what is not known may have begun in it */
	bool turn_lost; /* it is not known which turn runs */
	bool running;
	int64_t turn;
	struct open_item *items;
	size_t nitems;
	struct open_decision *decisions;
	size_t ndecisions;
	uint64_t *calls; /* hashes, a ring */
	size_t ncalls;
	unsigned char *started; /* a bit per item number */
	size_t nstarted;	/* bytes */
};

struct amk_check *amk_check_new(bool universal)
{
	struct amk_check *c = amk_calloc(1, sizeof *c);

	c->universal = universal;
	return c;
}

void amk_check_free(struct amk_check *c)
{
	free(c->items);
	free(c->decisions);
	free(c->calls);
	free(c->started);
	free(c);
}

/* ---- texts and ids ---- */

#define HASH_START 0xcbf29ce484222325u

static uint64_t hash_add(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h;
}

static int64_t item_number(const char *id)
{
	int64_t n = 0;

	if (!id || strncmp(id, "itm_", 4) != 0 || id[4] < '1' || id[4] > '9')
		return 0;
	for (id += 4; *id >= '0' && *id <= '9' && n < NUMBERS_MAX; id++)
		n = n * 10 + (*id - '0');
	return *id ? 0 : n;
}

static bool was_started(const struct amk_check *c, int64_t number)
{
	size_t byte = (size_t)number / 8;

	return byte < c->nstarted && (c->started[byte] >> (number % 8)) & 1;
}

/* An item whose beginning may lie in a gap. */
static bool may_be_torn(const struct amk_check *c, int64_t number)
{
	return c->torn && number > 0 && !was_started(c, number);
}

static int mark_started(struct amk_check *c, int64_t number, struct amk_err *e)
{
	size_t byte = (size_t)number / 8, size = c->nstarted;

	if (number >= NUMBERS_MAX)
		return amk_err_set(e, AMK_EINVALID, "more items than this checker can follow");
	while (byte >= size)
		size = size ? size * 2 : 1024;
	if (size > c->nstarted) {
		c->started = amk_realloc(c->started, size);
		memset(c->started + c->nstarted, 0, size - c->nstarted);
		c->nstarted = size;
	}
	c->started[byte] |= (unsigned char)(1u << (number % 8));
	return 0;
}

static void call_add(struct amk_check *c, const char *id)
{
	uint64_t h = hash_add(HASH_START, id, strlen(id));

	if (c->ncalls < CALLS_MAX)
		c->calls = amk_realloc(c->calls, (c->ncalls + 1) * sizeof h);
	c->calls[c->ncalls++ % CALLS_MAX] = h;
}

static bool call_seen(const struct amk_check *c, const char *id)
{
	uint64_t h = hash_add(HASH_START, id, strlen(id));
	size_t n = c->ncalls < CALLS_MAX ? c->ncalls : CALLS_MAX;

	for (size_t i = 0; i < n; i++)
		if (c->calls[i] == h)
			return true;
	return false;
}

/* ---- items ---- */

static struct open_item *item_find(const struct amk_check *c, int64_t number)
{
	for (size_t i = 0; i < c->nitems; i++)
		if (c->items[i].number == number)
			return &c->items[i];
	return NULL;
}

static int item_started(struct amk_check *c, const struct amk_json *item, struct amk_err *e)
{
	const char *id = amk_json_get_str(item, "item_id"), *parent = amk_json_get_str(item, "parent_id");
	int64_t number = item_number(id);

	if (number == 0)
		return amk_err_set(e, AMK_EINVALID, "\"%.60s\" is no item id", id);
	if (was_started(c, number))
		return amk_err_set(e, AMK_EINVALID, "%s is started again", id);
	if (parent && (item_number(parent) == 0 || item_number(parent) == number))
		return amk_err_set(e, AMK_EINVALID, "%s cannot belong to %.60s", id, parent);
	if (c->nitems == ITEMS_MAX)
		return amk_err_set(e, AMK_EINVALID, "more than %d items are open", ITEMS_MAX);
	c->items = amk_realloc(c->items, (c->nitems + 1) * sizeof *c->items);
	c->items[c->nitems++] = (struct open_item){ .number = number, .hash = HASH_START };
	return mark_started(c, number, e);
}

static int item_delta(struct amk_check *c, const struct amk_json *data, struct amk_err *e)
{
	const char *id = amk_json_get_str(data, "item_id"), *delta = amk_json_get_str(data, "delta");
	struct open_item *o = item_find(c, item_number(id));

	if (!o && may_be_torn(c, item_number(id)))
		return 0;
	if (!o)
		return amk_err_set(e, AMK_EINVALID, "a delta of %.60s, which is not open", id);
	o->hash = hash_add(o->hash, delta, strlen(delta));
	o->length += strlen(delta);
	o->deltas++;
	return 0;
}

static bool has_part(const struct amk_json *item, const char *type)
{
	const struct amk_json *part = amk_json_first(amk_json_get(item, "content"));

	while (part && !amk_json_is(part, "type", type))
		part = amk_json_next(part);
	return part != NULL;
}

/* The text an item's deltas must join to: its text parts by newlines, or, having none, its reasoning. */
static bool item_text(const struct amk_json *item, uint64_t *hash, size_t *length)
{
	const char *type = has_part(item, "text") ? "text" : "reasoning";
	bool any = false;

	*hash = HASH_START;
	*length = 0;
	for (const struct amk_json *part = amk_json_first(amk_json_get(item, "content")); part;
	     part = amk_json_next(part)) {
		const char *text = amk_json_is(part, "type", type) ? amk_json_get_str(part, "text") : NULL;

		if (!text)
			continue;
		if (any) {
			*hash = hash_add(*hash, "\n", 1);
			*length += 1;
		}
		*hash = hash_add(*hash, text, strlen(text));
		*length += strlen(text);
		any = true;
	}
	return any;
}

static int check_text(const struct open_item *o, const struct amk_json *item, struct amk_err *e)
{
	const char *id = amk_json_get_str(item, "item_id");
	bool failed = amk_json_is(item, "status", "failed"), has;
	uint64_t hash;
	size_t length;

	if (!amk_json_is(item, "kind", "message") || amk_json_is(item, "role", "user"))
		return o->deltas == 0 ? 0 : amk_err_set(e, AMK_EINVALID, "%s is no message and had deltas", id);
	has = item_text(item, &hash, &length);
	if (failed && (!has || o->deltas == 0))
		return 0;
	if (o->deltas == 0 && length > 0)
		return amk_err_set(e, AMK_EINVALID, "%s has text and had no delta", id);
	if (o->length != length || (o->deltas && o->hash != hash))
		return amk_err_set(e, AMK_EINVALID, "the deltas of %s (%zu bytes) are not its text (%zu bytes)", id,
				   o->length, length);
	return 0;
}

static int check_calls(struct amk_check *c, const struct amk_json *item, struct amk_err *e)
{
	for (const struct amk_json *part = amk_json_first(amk_json_get(item, "content")); part;
	     part = amk_json_next(part)) {
		const char *call = amk_json_get_str(part, "call_id");

		if (call && amk_json_is(part, "type", "tool_call"))
			call_add(c, call);
		else if (call && !c->torn && !call_seen(c, call))
			return amk_err_set(e, AMK_EINVALID, "a result of %.80s, which was never called", call);
	}
	return 0;
}

static int item_completed(struct amk_check *c, const struct amk_json *item, struct amk_err *e)
{
	const char *id = amk_json_get_str(item, "item_id");
	int64_t number = item_number(id);
	struct open_item *o = item_find(c, number);

	if (!o && may_be_torn(c, number))
		return mark_started(c, number, e) < 0 ? -1 : check_calls(c, item, e);
	if (!o)
		return amk_err_set(e, AMK_EINVALID, "%.60s is completed and is not open", id);
	if (check_text(o, item, e) < 0 || check_calls(c, item, e) < 0)
		return -1;
	*o = c->items[--c->nitems];
	return 0;
}

/* ---- decisions ---- */

static const char *decision_id(const struct amk_json *data)
{
	const char *id = amk_json_get_str(data, "permission_id");

	return id ? id : amk_json_get_str(data, "question_id");
}

static struct open_decision *decision_find(const struct amk_check *c, const char *id)
{
	for (size_t i = 0; i < c->ndecisions; i++)
		if (strcmp(c->decisions[i].id, id) == 0)
			return &c->decisions[i];
	return NULL;
}

static int check_amika_decision(const struct amk_check *c, const struct amk_json *event, bool requested,
				struct amk_err *e)
{
	const struct amk_json *d = amk_json_get(amk_json_get(event, "amika"), "decision");
	const char *kind = strncmp(amk_json_get_str(event, "type"), "question", 8) == 0 ? "question" : "permission";

	if (!d && c->universal)
		return 0;
	if (!d || !amk_json_is(d, "id", decision_id(amk_json_get(event, "data"))) || !amk_json_is(d, "kind", kind) ||
	    !amk_json_get_str(d, "native_id"))
		return amk_err_set(e, AMK_EINVALID, "amika.decision does not fit the event");
	if (amk_json_is(d, "state", "open") != requested)
		return amk_err_set(e, AMK_EINVALID, "amika.decision.state does not fit the event");
	return 0;
}

static int decision_requested(struct amk_check *c, const struct amk_json *event, struct amk_err *e)
{
	const char *id = decision_id(amk_json_get(event, "data"));
	struct open_decision *d;

	if (strlen(id) >= ID_MAX)
		return amk_err_set(e, AMK_EINVALID, "\"%.40s…\" is too long for an id", id);
	if (decision_find(c, id))
		return amk_err_set(e, AMK_EINVALID, "%s is requested again", id);
	if (c->ndecisions == DECISIONS_MAX)
		return amk_err_set(e, AMK_EINVALID, "more than %d decisions are open", DECISIONS_MAX);
	c->decisions = amk_realloc(c->decisions, (c->ndecisions + 1) * sizeof *d);
	d = &c->decisions[c->ndecisions++];
	memcpy(d->id, id, strlen(id) + 1);
	d->background = amk_json_true(
		amk_json_get(amk_json_get(amk_json_get(event, "amika"), "decision"), "background"));
	return check_amika_decision(c, event, true, e);
}

static int decision_resolved(struct amk_check *c, const struct amk_json *event, struct amk_err *e)
{
	const char *id = decision_id(amk_json_get(event, "data"));
	struct open_decision *d = decision_find(c, id);

	if (!d && !c->torn)
		return amk_err_set(e, AMK_EINVALID, "%.80s is resolved and is not open", id);
	if (d)
		*d = c->decisions[--c->ndecisions];
	return check_amika_decision(c, event, false, e);
}

/* ---- turns ---- */

static int turn_started(struct amk_check *c, const struct amk_json *amika, struct amk_err *e)
{
	int64_t turn = amk_json_get_int(amika, "turn", 0);

	if (c->running)
		return amk_err_set(e, AMK_EINVALID, "a turn starts inside another");
	if (!c->universal && (c->turn_lost ? turn <= c->turn : turn != c->turn + 1))
		return amk_err_set(e, AMK_EINVALID, "turn %lld follows turn %lld", (long long)turn,
				   (long long)c->turn);
	c->turn = turn;
	c->turn_lost = false;
	c->running = true;
	return 0;
}

static int nothing_open(const struct amk_check *c, bool background_too, const char *when, struct amk_err *e)
{
	if (c->nitems)
		return amk_err_set(e, AMK_EINVALID, "itm_%lld is open at the end of %s",
				   (long long)c->items[0].number, when);
	for (size_t i = 0; i < c->ndecisions; i++)
		if (background_too || !c->decisions[i].background)
			return amk_err_set(e, AMK_EINVALID, "%s is open at the end of %s", c->decisions[i].id, when);
	return 0;
}

static int turn_ended(struct amk_check *c, const struct amk_json *amika, struct amk_err *e)
{
	static const char *const outcomes[] = { "completed", "failed", "cancelled", "lost" };
	const char *outcome = amk_json_get_str(amika, "outcome");
	bool known = c->universal && !amika;

	if (!c->running)
		return amk_err_set(e, AMK_EINVALID, "a turn ends and none runs");
	for (size_t i = 0; outcome && i < AMK_COUNT(outcomes); i++)
		known |= strcmp(outcome, outcomes[i]) == 0;
	if (!known)
		return amk_err_set(e, AMK_EINVALID, "\"%.60s\" is no outcome", outcome ? outcome : "");
	c->running = false;
	return nothing_open(c, false, "its turn", e);
}

/* What a background request leads to carries the turn it was asked in, which may be over. */
static int check_turn(struct amk_check *c, const struct amk_json *event, struct amk_err *e)
{
	const char *type = amk_json_get_str(event, "type");
	int64_t turn = amk_json_get_int(amk_json_get(event, "amika"), "turn", 0);

	if (turn == 0 || strcmp(type, "turn.started") == 0 || strstr(type, ".resolved"))
		return 0;
	if (c->turn_lost && turn >= c->turn) {
		c->turn = turn;
		c->turn_lost = false;
		c->running = true;
	}
	if (!c->running || turn != c->turn)
		return amk_err_set(e, AMK_EINVALID, "%s of turn %lld, which is not the running one", type,
				   (long long)turn);
	return 0;
}

/* ---- lines ---- */

static int check_number(struct amk_check *c, const struct amk_json *event, struct amk_err *e)
{
	int64_t sequence = amk_json_get_int(event, "sequence", 0), cursor = amk_json_get_int(event, "cursor", 0);
	const char *id = amk_json_get_str(event, "event_id"), *session = amk_json_get_str(event, "session_id");
	char *want AMK_AUTO(mem) = amk_strf("evt_%lld", (long long)sequence);

	if (c->universal ? sequence <= c->sequence : sequence != c->sequence + 1)
		return amk_err_set(e, AMK_EINVALID, "sequence %lld follows %lld", (long long)sequence,
				   (long long)c->sequence);
	if (strcmp(id, want) != 0)
		return amk_err_set(e, AMK_EINVALID, "event_id is %.60s and not %s", id, want);
	if (strlen(session) > ID_MAX || (c->session[0] && strcmp(session, c->session) != 0))
		return amk_err_set(e, AMK_EINVALID, "\"%.60s\" is another session", session);
	if (amk_json_get(event, "cursor") && cursor <= c->cursor)
		return amk_err_set(e, AMK_EINVALID, "cursor %lld follows %lld", (long long)cursor, (long long)c->cursor);
	memcpy(c->session, session, strlen(session) + 1);
	c->sequence = sequence;
	c->cursor = cursor;
	return 0;
}

static int check_event(struct amk_check *c, const struct amk_json *event, struct amk_err *e)
{
	const struct amk_json *data = amk_json_get(event, "data"), *amika = amk_json_get(event, "amika");
	const char *type = amk_json_get_str(event, "type");

	if (amk_check_shape(event, e) < 0 || check_number(c, event, e) < 0 || check_turn(c, event, e) < 0)
		return -1;
	if (strcmp(type, "item.started") == 0)
		return item_started(c, amk_json_get(data, "item"), e);
	if (strcmp(type, "item.delta") == 0)
		return item_delta(c, data, e);
	if (strcmp(type, "item.completed") == 0)
		return item_completed(c, amk_json_get(data, "item"), e);
	if (strcmp(type, "turn.started") == 0)
		return turn_started(c, amika, e);
	if (strcmp(type, "turn.ended") == 0)
		return turn_ended(c, amika, e);
	if (strcmp(type, "permission.requested") == 0 || strcmp(type, "question.requested") == 0)
		return decision_requested(c, event, e);
	if (strcmp(type, "permission.resolved") == 0 || strcmp(type, "question.resolved") == 0)
		return decision_resolved(c, event, e);
	return 0;
}

/* What was open may have ended in the gap, and what is open behind it may have begun there. */
static int check_gap(struct amk_check *c, const struct amk_json *gap, struct amk_err *e)
{
	int64_t after = amk_json_get_int(gap, "after", -1), before = amk_json_get_int(gap, "before", -1);

	if (!amk_json_get(gap, "session_id"))
		return 0; /* of all sessions: its numbers are cursors */
	if (after < c->sequence || before <= after + 1)
		return amk_err_set(e, AMK_EINVALID, "a gap from %lld to %lld follows %lld", (long long)after,
				   (long long)before, (long long)c->sequence);
	c->sequence = before - 1;
	c->torn = c->turn_lost = true;
	c->running = false;
	c->nitems = c->ndecisions = 0;
	if (c->nstarted)
		memset(c->started, 0, c->nstarted);
	return 0;
}

static bool is_passed_over(const struct amk_json *j)
{
	static const char *const types[] = { "session", "receipt", "session.state", "hello" };

	for (size_t i = 0; i < AMK_COUNT(types); i++)
		if (amk_json_is(j, "type", types[i]))
			return true;
	return false;
}

int amk_check_line(struct amk_check *c, const char *line, size_t n, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, e);
	int r = 0;

	c->lines++;
	if (!j)
		r = -1;
	else if (amk_json_is(j, "type", "gap"))
		r = check_gap(c, j, e);
	else if (!is_passed_over(j))
		r = check_event(c, j, e);
	return r < 0 ? amk_err_wrap(e, "line %zu", c->lines) : 0;
}

int amk_check_finish(struct amk_check *c, bool open, struct amk_err *e)
{
	if (open)
		return 0;
	if (c->running)
		return amk_err_set(e, AMK_EINVALID, "after line %zu: a turn was started and not ended", c->lines);
	return nothing_open(c, true, "the stream", e);
}
