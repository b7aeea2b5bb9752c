/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages put into a running turn. The agent takes one up where it can, mostly between two tools, and says so: then
 * it is said as an item of the turn that runs, or of one of its own when the turn was over before that.
 */
#include "agent/steer.h"

#include <stdlib.h>
#include <string.h>

#include "core/jw.h"

static char *own(const char *s)
{
	return s ? amk_strdup(s) : NULL;
}

static void add(struct amk_track *t, const char *id, const char *text, const char *attachments)
{
	t->steered = amk_realloc(t->steered, (t->nsteered + 1) * sizeof *t->steered);
	t->steered[t->nsteered++] = (struct amk_track_steered){ own(id), own(text), own(attachments) };
}

static void clear(struct amk_track_steered *st)
{
	free(st->id);
	free(st->text);
	free(st->attachments);
}

static void take_out(struct amk_track *t, size_t i)
{
	t->nsteered--;
	memmove(&t->steered[i], &t->steered[i + 1], (t->nsteered - i) * sizeof *t->steered);
}

bool amk_steer_fits(const struct amk_track *t, size_t n)
{
	for (size_t i = 0; i < t->nsteered; i++) {
		const struct amk_track_steered *st = &t->steered[i];

		n += strlen(st->text) + (st->attachments ? strlen(st->attachments) : 0);
	}
	return t->nsteered < AMK_STEER_MOST && n <= AMK_STEER_BYTES;
}

void amk_steer_add(struct amk_track *t, const struct amk_input *in)
{
	add(t, in->id, in->text, in->attachments);
}

/* The item names its own message, not the one its turn began with. */
static void say_item(struct amk_track *t, const struct amk_track_steered *st, const char *native)
{
	struct amk_json *list AMK_AUTO(json) =
		st->attachments ? amk_json_parse(st->attachments, strlen(st->attachments), NULL) : NULL;
	char *turns = t->message;

	t->message = st->id;
	amk_track_user(t, native, st->text, list, true);
	t->message = turns;
}

bool amk_steer_taken(struct amk_track *t, size_t i, const char *native)
{
	struct amk_track_steered st;

	if (i >= t->nsteered)
		return false;
	st = t->steered[i];
	take_out(t, i);
	if (!t->running)
		amk_turn_start(t, st.id);
	say_item(t, &st, native);
	clear(&st);
	return true;
}

size_t amk_steer_find(const struct amk_track *t, const char *id)
{
	size_t i = 0;

	while (i < t->nsteered && (!id || strcmp(t->steered[i].id, id) != 0))
		i++;
	return i;
}

char *amk_steer_unread(struct amk_track *t)
{
	struct amk_track_steered st;
	char *id;

	if (t->nsteered == 0)
		return NULL;
	st = t->steered[0];
	take_out(t, 0);
	id = st.id;
	st.id = NULL;
	clear(&st);
	return id;
}

void amk_steer_release(struct amk_track *t)
{
	for (size_t i = 0; i < t->nsteered; i++)
		clear(&t->steered[i]);
	free(t->steered);
	t->steered = NULL;
	t->nsteered = 0;
}

void amk_steer_save(const struct amk_track *t, struct amk_buf *b)
{
	if (t->nsteered == 0)
		return;
	amk_jw_open(b, "steered", '[');
	for (size_t i = 0; i < t->nsteered; i++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_cstr(b, "id", t->steered[i].id);
		amk_jw_cstr(b, "text", t->steered[i].text);
		amk_jw_cstr(b, "attachments", t->steered[i].attachments);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
}

int amk_steer_load(struct amk_track *t, const struct amk_json *list, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_track_steered, id, "id", STR, true),
		AMK_JSON_FIELD(amk_track_steered, text, "text", STR, true),
		AMK_JSON_FIELD(amk_track_steered, attachments, "attachments", STR, false),
	};

	for (const struct amk_json *j = amk_json_first(list); j; j = amk_json_next(j)) {
		struct amk_track_steered st = { 0 };

		if (amk_json_read(j, fields, AMK_COUNT(fields), &st, e) < 0)
			return amk_err_wrap(e, "steered");
		add(t, st.id, st.text, st.attachments);
	}
	return 0;
}
