/* SPDX-License-Identifier: Apache-2.0 */
/* What is tracked as JSON and back. Every member is saved: replay from it must say the same. */
#include <string.h>

#include "agent/steer.h"
#include "agent/track.h"
#include "core/jw.h"

static char *own(const char *s)
{
	return s ? amk_strdup(s) : NULL;
}

static void save_open(const struct amk_track_open *o, struct amk_buf *b)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "native", o->native);
	amk_jw_int(b, "number", o->number);
	amk_jw_int(b, "parent", o->parent);
	amk_jw_cstr(b, "kind", o->kind);
	amk_jw_cstr(b, "role", o->role);
	amk_jw_cstr(b, "content", o->content);
	amk_jw_bool(b, "private", o->is_private);
	amk_jw_bool(b, "has_text", o->has_text);
	amk_jw_bool(b, "full", o->full);
	amk_jw_str(b, "text", o->text.s, o->text.n);
	amk_jw_close(b, '}');
}

void amk_track_state_save(const struct amk_track *t, struct amk_buf *b, const char *key)
{
	amk_jw_open(b, key, '{');
	amk_jw_int(b, "items", t->items);
	amk_jw_int(b, "turns", t->turns);
	amk_jw_bool(b, "running", t->running);
	amk_jw_cstr(b, "message", t->message);
	amk_jw_bool(b, "resent", t->resent);
	amk_jw_bool(b, "cancelled", t->cancelled);
	amk_jw_int(b, "last_cancelled", t->last_cancelled);
	amk_jw_open(b, "open", '[');
	for (size_t i = 0; i < t->nopen; i++)
		save_open(&t->open[i], b);
	amk_jw_close(b, ']');
	amk_jw_open(b, "known", '[');
	for (size_t i = 0; i < t->nknown; i++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_cstr(b, "native", t->known[i].native);
		amk_jw_int(b, "number", t->known[i].number);
		amk_jw_bool(b, "named", t->known[i].named);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
	amk_ask_save(t, b);
	amk_steer_save(t, b);
	amk_jw_close(b, '}');
}

struct saved_open {
	const char *native, *kind, *role, *content, *text;
	int64_t number, parent;
	bool is_private, has_text, full;
};

static int load_open(struct amk_track *t, const struct amk_json *j, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(saved_open, native, "native", STR, true),
		AMK_JSON_FIELD(saved_open, number, "number", INT, true),
		AMK_JSON_FIELD(saved_open, parent, "parent", INT, true),
		AMK_JSON_FIELD(saved_open, kind, "kind", STR, true),
		AMK_JSON_FIELD(saved_open, role, "role", STR, false),
		AMK_JSON_FIELD(saved_open, content, "content", STR, false),
		AMK_JSON_FIELD(saved_open, is_private, "private", BOOL, true),
		AMK_JSON_FIELD(saved_open, has_text, "has_text", BOOL, true),
		AMK_JSON_FIELD(saved_open, full, "full", BOOL, true),
		AMK_JSON_FIELD(saved_open, text, "text", STR, true),
	};
	struct saved_open s = { 0 };
	struct amk_track_open *o;

	if (amk_json_read(j, fields, AMK_COUNT(fields), &s, e) < 0)
		return -1;
	t->open = amk_realloc(t->open, (t->nopen + 1) * sizeof *t->open);
	o = &t->open[t->nopen++];
	*o = (struct amk_track_open){
		own(s.native), s.number, s.parent, own(s.kind), own(s.role), own(s.content),
		s.is_private, s.has_text, s.full, AMK_BUF_INIT(AMK_TRACK_TEXT_MAX),
	};
	amk_buf_adds(&o->text, s.text);
	return 0;
}

static int load_known(struct amk_track *t, const struct amk_json *j, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_track_known, native, "native", STR, true),
		AMK_JSON_FIELD(amk_track_known, number, "number", INT, true),
		AMK_JSON_FIELD(amk_track_known, named, "named", BOOL, true),
	};
	struct amk_track_known k = { 0 };

	if (amk_json_read(j, fields, AMK_COUNT(fields), &k, e) < 0)
		return -1;
	t->known = amk_realloc(t->known, (t->nknown + 1) * sizeof k);
	k.native = amk_strdup(k.native);
	t->known[t->nknown++] = k;
	return 0;
}

struct saved_track {
	int64_t items, turns, last_cancelled;
	bool running, resent, cancelled;
	const char *message;
	const struct amk_json *open, *known, *asked, *steered;
};

int amk_track_state_load(struct amk_track *t, const struct amk_json *j, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(saved_track, items, "items", INT, true),
		AMK_JSON_FIELD(saved_track, turns, "turns", INT, true),
		AMK_JSON_FIELD(saved_track, running, "running", BOOL, true),
		AMK_JSON_FIELD(saved_track, message, "message", STR, false),
		AMK_JSON_FIELD(saved_track, resent, "resent", BOOL, false), /* not in older states */
		AMK_JSON_FIELD(saved_track, cancelled, "cancelled", BOOL, false),
		AMK_JSON_FIELD(saved_track, last_cancelled, "last_cancelled", INT, false),
		AMK_JSON_FIELD(saved_track, open, "open", ARRAY, true),
		AMK_JSON_FIELD(saved_track, known, "known", ARRAY, true),
		AMK_JSON_FIELD(saved_track, asked, "asked", ARRAY, true),
		AMK_JSON_FIELD(saved_track, steered, "steered", ARRAY, false),
	};
	struct saved_track s = { 0 };

	if (amk_json_read(j, fields, AMK_COUNT(fields), &s, e) < 0)
		return -1;
	t->items = s.items;
	t->turns = s.turns;
	t->running = s.running;
	t->resent = s.resent;
	t->cancelled = s.cancelled;
	t->last_cancelled = s.last_cancelled;
	t->message = own(s.message);
	for (const struct amk_json *c = amk_json_first(s.open); c; c = amk_json_next(c))
		if (load_open(t, c, e) < 0)
			return -1;
	for (const struct amk_json *c = amk_json_first(s.known); c; c = amk_json_next(c))
		if (load_known(t, c, e) < 0)
			return -1;
	if (amk_steer_load(t, s.steered, e) < 0)
		return -1;
	return amk_ask_load(t, s.asked, e);
}
