/* SPDX-License-Identifier: Apache-2.0 */
/* Items: their numbers, what is open, and how everything that was started is completed. */
#include "agent/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/attached.h"
#include "agent/steer.h"
#include "core/jw.h"

#define EVENT_MAX (15u << 20) /* of an event's data: a record's limit less the frame around it */
#define OPEN_MAX 256	      /* open items; one more and the oldest is closed */
#define DEPTH_MAX 40	      /* of a value of the agent's inside our records */
#define KNOWN_MAX 128	      /* items kept only to be named as parents */

static char *own(const char *s)
{
	return s ? amk_strdup(s) : NULL;
}

static char *own_id(const char *s)
{
	return s ? amk_strndup(s, strnlen(s, AMK_TRACK_ID_MAX)) : NULL;
}

static bool same_id(const char *mine, const char *theirs)
{
	return mine && theirs && strncmp(mine, theirs, AMK_TRACK_ID_MAX) == 0;
}

void amk_track_open_release(struct amk_track_open *o)
{
	free(o->native);
	free(o->kind);
	free(o->role);
	free(o->content);
	amk_buf_release(&o->text);
}

static void known_remove(struct amk_track *t, size_t i)
{
	free(t->known[i].native);
	t->nknown--;
	memmove(&t->known[i], &t->known[i + 1], (t->nknown - i) * sizeof *t->known);
}

void amk_track_init(struct amk_track *t)
{
	*t = (struct amk_track){ 0 };
}

void amk_track_release(struct amk_track *t)
{
	for (size_t i = 0; i < t->nopen; i++)
		amk_track_open_release(&t->open[i]);
	for (size_t i = 0; i < t->nknown; i++)
		free(t->known[i].native);
	free(t->open);
	free(t->known);
	free(t->message);
	amk_ask_release(t);
	amk_steer_release(t);
	amk_track_init(t);
}

bool amk_track_quiet(const struct amk_track *t)
{
	return !t->running && t->nopen == 0 && t->nasked == 0 && t->nsteered == 0;
}

bool amk_track_busy(const struct amk_track *t)
{
	return t->running || t->nsteered > 0;
}

/* ---- saying ---- */

void amk_track_say(struct amk_track *t, const char *type, bool synthetic, const char *data, const char *more)
{
	struct amk_buf amika AMK_AUTO(buf) = AMK_BUF_INIT(8192);
	struct amk_said said = { .type = type, .synthetic = synthetic, .data = data };

	if (t->running)
		amk_jw_int(&amika, "turn", t->turns);
	if (more)
		amk_jw_members(&amika, more, strlen(more));
	said.amika = amika.n ? amika.s : NULL;
	t->sink->say(t->sink->arg, &said);
}

void amk_track_error(struct amk_track *t, const char *code, const char *message, const char *details)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);

	amk_jw_cstr(&data, "message", message);
	amk_jw_cstr(&data, "code", code);
	amk_jw_raw(&data, "details", details ? details : "null", details ? strlen(details) : 4);
	if (amk_buf_ok(&data))
		amk_track_say(t, "error", true, data.s, NULL);
}

void amk_track_unparsed(struct amk_track *t, const char *location, const char *error)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	amk_jw_str(&data, "error", error, strnlen(error, 400));
	amk_jw_cstr(&data, "location", location);
	amk_jw_null(&data, "raw_hash");
	amk_track_say(t, "agent.unparsed", true, data.s, NULL);
}

/* Recursion is bounded by AMK_JSON_DEPTH: the value was parsed. */
static int depth(const struct amk_json *j)
{
	int deepest = 0;

	for (const struct amk_json *c = amk_json_first(j); c; c = amk_json_next(c)) {
		int d = depth(c);

		if (d > deepest)
			deepest = d;
	}
	return deepest + 1;
}

bool amk_track_is_deep(const struct amk_json *j)
{
	return depth(j) > DEPTH_MAX;
}

void amk_track_print(struct amk_buf *b, const char *key, const struct amk_json *j)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);

	if (!amk_track_is_deep(j)) {
		amk_json_print(b, key, j);
		return;
	}
	amk_json_print(&text, NULL, j);
	amk_jw_str(b, key, text.s, text.n);
}

/* ---- numbers ---- */

static struct amk_track_open *open_find(const struct amk_track *t, const char *native)
{
	for (size_t i = t->nopen; i > 0; i--)
		if (same_id(t->open[i - 1].native, native))
			return &t->open[i - 1];
	return NULL;
}

/* What is used moves to the end: the front is forgotten first. */
static struct amk_track_known *known_find(struct amk_track *t, const char *native)
{
	for (size_t i = t->nknown; native && i > 0; i--) {
		struct amk_track_known k = t->known[i - 1];

		if (!same_id(k.native, native))
			continue;
		memmove(&t->known[i - 1], &t->known[i], (t->nknown - i) * sizeof k);
		t->known[t->nknown - 1] = k;
		return &t->known[t->nknown - 1];
	}
	return NULL;
}

static void known_add(struct amk_track *t, const char *native, int64_t number, bool named)
{
	if (!native)
		return;
	if (t->nknown == KNOWN_MAX)
		known_remove(t, 0);
	t->known = amk_realloc(t->known, (t->nknown + 1) * sizeof *t->known);
	t->known[t->nknown++] = (struct amk_track_known){ own_id(native), number, named };
}

/* The number of an item that is started now: the one it got when it was named as a parent, or a new one. */
static int64_t number_for(struct amk_track *t, const char *native)
{
	const struct amk_track_known *k = known_find(t, native);
	int64_t number;

	if (!k)
		return ++t->items;
	number = k->named ? k->number : ++t->items;
	known_remove(t, t->nknown - 1);
	return number;
}

static int64_t number_of_parent(struct amk_track *t, const char *native)
{
	const struct amk_track_open *o = open_find(t, native);
	const struct amk_track_known *k;

	if (!native)
		return 0;
	if (o)
		return o->number;
	k = known_find(t, native);
	if (k)
		return k->number;
	known_add(t, native, ++t->items, true);
	return t->items;
}

bool amk_track_has(const struct amk_track *t, const char *native)
{
	if (open_find(t, native))
		return true;
	for (size_t i = 0; i < t->nknown; i++)
		if (same_id(t->known[i].native, native))
			return !t->known[i].named;
	return false;
}

/* ---- items ---- */

static void write_id(struct amk_buf *b, const char *key, int64_t number)
{
	char id[32];

	snprintf(id, sizeof id, "itm_%lld", (long long)number);
	amk_jw_cstr(b, key, number ? id : NULL);
}

void amk_track_write_id(struct amk_buf *b, const struct amk_track *t, const char *native)
{
	const struct amk_track_open *o = native ? open_find(t, native) : NULL;
	int64_t number = o ? o->number : 0;

	for (size_t i = 0; native && !number && i < t->nknown; i++)
		if (same_id(t->known[i].native, native) && !t->known[i].named)
			number = t->known[i].number;
	if (number)
		write_id(b, "item_id", number);
}

static void write_part(struct amk_buf *b, const char *text, bool is_private)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", is_private ? "reasoning" : "text");
	amk_jw_cstr(b, "text", text);
	if (is_private)
		amk_jw_cstr(b, "visibility", "private");
	amk_jw_close(b, '}');
}

static void write_text_content(struct amk_buf *b, const char *text, bool is_private)
{
	amk_jw_open(b, "content", '[');
	write_part(b, text, is_private);
	amk_jw_close(b, ']');
}

/* `text` stands for o->content where that is NULL. */
static void write_item(struct amk_buf *b, const struct amk_track_open *o, const char *text, const char *status)
{
	amk_jw_open(b, "item", '{');
	write_id(b, "item_id", o->number);
	amk_jw_cstr(b, "native_item_id", o->native);
	write_id(b, "parent_id", o->parent);
	amk_jw_cstr(b, "kind", o->kind);
	amk_jw_cstr(b, "role", o->role);
	if (o->content)
		amk_jw_raw(b, "content", o->content, strlen(o->content));
	else
		write_text_content(b, text ? text : "", o->is_private);
	amk_jw_cstr(b, "status", status);
	amk_jw_close(b, '}');
}

/* An item too large for a record goes without its content, and says so. */
static void say_item(struct amk_track *t, const struct amk_track_open *o, const char *text, const char *status,
		     bool synthetic)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(4 * AMK_TRACK_ID_MAX);
	bool start = strcmp(status, "in_progress") == 0;
	struct amk_track_open bare = *o;

	if (o->role && strcmp(o->role, "user") == 0 && !o->parent && t->message)
		amk_jw_cstr(&more, "message", t->message);
	write_item(&data, o, text, status);
	if (!amk_buf_ok(&data)) {
		bare.content = (char *)"[]";
		amk_buf_clear(&data);
		write_item(&data, &bare, NULL, start ? status : "failed");
		amk_track_unparsed(t, "item", "an item too large for one record is shown without its content");
	}
	amk_track_say(t, start ? "item.started" : "item.completed", synthetic, data.s, more.s);
}

/* False when it was too large for a record. */
static bool say_delta(struct amk_track *t, const struct amk_track_open *o, const char *delta, bool synthetic)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);

	write_id(&data, "item_id", o->number);
	amk_jw_cstr(&data, "native_item_id", o->native);
	amk_jw_cstr(&data, "delta", delta);
	if (amk_buf_ok(&data))
		amk_track_say(t, "item.delta", synthetic, data.s, NULL);
	return amk_buf_ok(&data);
}

static void open_remove(struct amk_track *t, struct amk_track_open *o)
{
	size_t i = (size_t)(o - t->open);

	if (strcmp(o->kind, "tool_call") == 0)
		known_add(t, o->native, o->number, false);
	amk_track_open_release(o);
	t->nopen--;
	memmove(&t->open[i], &t->open[i + 1], (t->nopen - i) * sizeof *o);
}

/* What was streamed is what is left of a text; content that was not streamed stays as it was. */
static void open_fail(struct amk_track *t, struct amk_track_open *o)
{
	if (o->has_text && o->text.n) {
		free(o->content);
		o->content = NULL;
	}
	say_item(t, o, o->text.s, "failed", true);
	open_remove(t, o);
}

void amk_track_fail_all(struct amk_track *t)
{
	while (t->nopen)
		open_fail(t, &t->open[0]);
}

void amk_track_fail(struct amk_track *t, const char *native)
{
	struct amk_track_open *o = open_find(t, native);

	if (o)
		open_fail(t, o);
}

static struct amk_track_open *open_add(struct amk_track *t, const struct amk_item *item)
{
	struct amk_track_open o = {
		.native = own_id(item->native),
		.kind = own(item->kind),
		.role = own(item->role),
		.content = own(item->content),
		.is_private = item->is_private,
		.has_text = item->text != NULL,
		.text = AMK_BUF_INIT(AMK_TRACK_TEXT_MAX),
	};

	if (t->nopen == OPEN_MAX)
		open_fail(t, &t->open[0]);
	o.parent = number_of_parent(t, item->parent);
	o.number = number_for(t, item->native);
	t->open = amk_realloc(t->open, (t->nopen + 1) * sizeof o);
	t->open[t->nopen] = o;
	return &t->open[t->nopen++];
}

void amk_track_start(struct amk_track *t, const struct amk_item *item, bool synthetic)
{
	if (!open_find(t, item->native))
		say_item(t, open_add(t, item), item->text, "in_progress", synthetic);
}

void amk_track_delta(struct amk_track *t, const char *native, const char *delta)
{
	struct amk_track_open *o = open_find(t, native);
	size_t n = strlen(delta);

	if (!o || o->full || n == 0)
		return;
	if (n > AMK_TRACK_TEXT_MAX - o->text.n || !say_delta(t, o, delta, false))
		o->full = true;
	else
		amk_buf_add(&o->text, delta, n);
}

/* Whether what was started and streamed is the beginning of this item. */
static bool is_beginning(const struct amk_track_open *o, const struct amk_item *item)
{
	if (strcmp(o->kind, item->kind) != 0 || o->is_private != item->is_private)
		return false;
	return o->text.n == 0 || (item->text && strncmp(item->text, o->text.s, o->text.n) == 0);
}

void amk_track_complete(struct amk_track *t, const struct amk_item *item)
{
	struct amk_track_open *o = open_find(t, item->native);
	bool streams = strcmp(item->kind, "message") == 0 && item->role && strcmp(item->role, "user") != 0;

	if (o && !is_beginning(o, item)) {
		open_fail(t, o);
		o = NULL;
	}
	if (!o) {
		o = open_add(t, item);
		say_item(t, o, item->text, "in_progress", true);
	}
	if (streams && item->text && item->text[o->text.n])
		say_delta(t, o, item->text + o->text.n, true);
	free(o->content);
	o->content = own(item->content);
	say_item(t, o, item->text, item->failed ? "failed" : "completed", false);
	open_remove(t, o);
}

void amk_track_user(struct amk_track *t, const char *native, const char *text, const struct amk_json *list,
		    bool synthetic)
{
	struct amk_buf content AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);
	struct amk_item item = { .native = native, .kind = "message", .role = "user", .text = text };
	struct amk_track_open *o;

	if (list) {
		amk_jw_open(&content, NULL, '[');
		write_part(&content, text, false);
		amk_attached_parts(&content, list);
		amk_jw_close(&content, ']');
		item.content = content.s;
	}
	o = open_add(t, &item);
	say_item(t, o, text, "in_progress", synthetic);
	say_item(t, o, text, "completed", synthetic);
	open_remove(t, o);
}

void amk_track_changed_write(struct amk_buf *b, const struct amk_input *set, const char *how, const char *error)
{
	amk_jw_cstr(b, "what", set->id);
	amk_jw_cstr(b, "from", set->was);
	amk_jw_cstr(b, "to", set->text);
	amk_jw_cstr(b, "by", set->by);
	amk_jw_cstr(b, "how", how);
	if (error)
		amk_jw_str(b, "error", error, strnlen(error, 1000));
}

void amk_track_changed(struct amk_track *t, const struct amk_input *set, const char *how, const char *error)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(64u << 10);

	amk_track_changed_write(&data, set, how, error);
	amk_track_say(t, "session.changed", true, data.s, NULL);
}
