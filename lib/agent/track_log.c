/* SPDX-License-Identifier: Apache-2.0 */
/* What is tracked, from the events it has made: for when the steps that made them cannot be repeated. */
#include <stdlib.h>
#include <string.h>

#include "agent/track.h"
#include "core/jw.h"
#include "core/lines.h"

static char *own(const char *s)
{
	return s ? amk_strdup(s) : NULL;
}

static char *own_json(const struct amk_json *j)
{
	struct amk_buf b = AMK_BUF_INIT(AMK_LINE_MAX);

	if (j)
		amk_json_print(&b, NULL, j);
	return amk_buf_take(&b);
}

/* N of "itm_N", 0 when it is none. */
static int64_t number_of(const struct amk_json *object, const char *key)
{
	const char *id = amk_json_get_str(object, key);

	return id && strncmp(id, "itm_", 4) == 0 ? strtoll(id + 4, NULL, 10) : 0;
}

static struct amk_track_open *open_numbered(struct amk_track *t, int64_t number)
{
	for (size_t i = 0; i < t->nopen; i++)
		if (t->open[i].number == number)
			return &t->open[i];
	return NULL;
}

static void recall_started(struct amk_track *t, const struct amk_json *item)
{
	const struct amk_json *content = amk_json_get(item, "content"), *part = amk_json_first(content);
	const char *kind = amk_json_get_str(item, "kind");
	struct amk_track_open o = {
		.native = own(amk_json_get_str(item, "native_item_id")),
		.number = number_of(item, "item_id"),
		.parent = number_of(item, "parent_id"),
		.kind = own(kind ? kind : "unknown"),
		.role = own(amk_json_get_str(item, "role")),
		.content = own_json(content),
		.is_private = amk_json_is(part, "type", "reasoning"),
		.has_text = amk_json_get_str(part, "text") != NULL,
		.text = AMK_BUF_INIT(AMK_TRACK_TEXT_MAX),
	};

	t->open = amk_realloc(t->open, (t->nopen + 1) * sizeof o);
	t->open[t->nopen++] = o;
}

static void recall_delta(struct amk_track *t, const struct amk_json *data)
{
	struct amk_track_open *o = open_numbered(t, number_of(data, "item_id"));
	const char *delta = amk_json_get_str(data, "delta");

	if (o && delta)
		amk_buf_adds(&o->text, delta);
}

static void recall_completed(struct amk_track *t, const struct amk_json *item)
{
	struct amk_track_open *o = open_numbered(t, number_of(item, "item_id"));
	size_t i = o ? (size_t)(o - t->open) : 0;

	if (!o)
		return;
	amk_track_open_release(o);
	t->nopen--;
	memmove(&t->open[i], &t->open[i + 1], (t->nopen - i) * sizeof *o);
}

/* What the end of a decision repeats of its beginning. */
static char *about_of(const struct amk_json *decision)
{
	static const char *const others[] = { "id", "native_id", "kind", "state", "deadline", "previous", "input",
					      "background", "suggestions", "plan", "plan_path" };
	struct amk_buf b = AMK_BUF_INIT(AMK_LINE_MAX);

	for (const struct amk_json *m = amk_json_first(decision); m; m = amk_json_next(m)) {
		bool other = false;

		for (size_t i = 0; i < AMK_COUNT(others); i++)
			other = other || strcmp(amk_json_key(m), others[i]) == 0;
		if (!other)
			amk_json_print(&b, amk_json_key(m), m);
	}
	return amk_buf_take(&b);
}

static void recall_requested(struct amk_track *t, const struct amk_json *data, const struct amk_json *amika)
{
	const struct amk_json *decision = amk_json_get(amika, "decision");
	bool question = amk_json_is(decision, "kind", "question");
	const char *subject = amk_json_get_str(data, question ? "prompt" : "action");
	const char *native = amk_json_get_str(decision, "native_id");
	struct amk_track_asked a = {
		.native = own(native ? native : ""),
		.kind = own(question ? "question" : "permission"),
		.subject = own(subject ? subject : ""),
		.details = own_json(amk_json_get(data, question ? "options" : "metadata")),
		.about = about_of(decision),
		.turn = amk_json_get_int(amika, "turn", 0),
		.background = amk_json_true(amk_json_get(decision, "background")),
	};

	t->asked = amk_realloc(t->asked, (t->nasked + 1) * sizeof a);
	t->asked[t->nasked++] = a;
}

static void recall_turn(struct amk_track *t, bool begins, const struct amk_json *amika)
{
	int64_t turn;

	t->running = begins;
	turn = amk_json_get_int(amika, "turn", 0);
	t->turns = turn > t->turns ? turn : t->turns;
	free(t->message);
	t->message = begins ? own(amk_json_get_str(amika, "message")) : NULL;
}

void amk_track_recall_begin(struct amk_track *t)
{
	struct amk_track kept = { .items = t->items, .turns = t->turns, .steered = t->steered, .nsteered = t->nsteered };

	t->steered = NULL;
	t->nsteered = 0;
	amk_track_release(t);
	*t = kept;
}

void amk_track_recall(struct amk_track *t, const struct amk_json *event)
{
	const struct amk_json *data = amk_json_get(event, "data"), *amika = amk_json_get(event, "amika");
	const struct amk_json *item = amk_json_get(data, "item"), *decision = amk_json_get(amika, "decision");
	const char *type = amk_json_get_str(event, "type");
	int64_t number = number_of(item, "item_id"), parent = number_of(item, "parent_id");

	if (!type)
		return;
	/* A parent may have been named and never begun. */
	number = number > parent ? number : parent;
	t->items = number > t->items ? number : t->items;
	if (strcmp(type, "turn.started") == 0 || strcmp(type, "turn.ended") == 0)
		recall_turn(t, strcmp(type, "turn.started") == 0, amika);
	else if (strcmp(type, "item.started") == 0)
		recall_started(t, item);
	else if (strcmp(type, "item.delta") == 0)
		recall_delta(t, data);
	else if (strcmp(type, "item.completed") == 0)
		recall_completed(t, item);
	else if (strcmp(type, "permission.requested") == 0 || strcmp(type, "question.requested") == 0)
		recall_requested(t, data, amika);
	else if (strcmp(type, "permission.resolved") == 0 || strcmp(type, "question.resolved") == 0)
		amk_ask_forget(t, amk_json_get_str(decision, "native_id"));
}
