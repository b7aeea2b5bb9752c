/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was allowed "always": for the session, and only the very same thing again. The original remembers
 * the tool alone; then who allowed one command has allowed them all.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/track.h"
#include "core/jw.h"

#define ALWAYS_MAX 256 /* one more and the oldest is asked about again */
#define BY_MAX 200

void amk_always_release(struct amk_track *t)
{
	for (size_t i = 0; i < t->nalways; i++) {
		free(t->always[i].scope);
		free(t->always[i].by);
	}
	free(t->always);
	t->always = NULL;
	t->nalways = 0;
}

/* The member with the smallest key above `after`: the agents do not keep the order of members. */
static const struct amk_json *next_member(const struct amk_json *object, const char *after)
{
	const struct amk_json *least = NULL;

	for (const struct amk_json *m = amk_json_first(object); m; m = amk_json_next(m))
		if (strcmp(amk_json_key(m), after) > 0 && (!least || strcmp(amk_json_key(m), amk_json_key(least)) < 0))
			least = m;
	return least;
}

/* A description is the agent's comment on what it is about to do, in new words each time. */
static void write_members(struct amk_buf *b, const struct amk_json *input)
{
	amk_jw_open(b, NULL, '{');
	for (const struct amk_json *m = next_member(input, ""); m; m = next_member(input, amk_json_key(m)))
		if (strcmp(amk_json_key(m), "description") != 0)
			amk_json_print(b, amk_json_key(m), m);
	amk_jw_close(b, '}');
}

bool amk_always_scope(struct amk_buf *b, const char *action, const struct amk_json *input)
{
	const char *file = amk_json_get_str(input, "file_path");

	if (!file)
		file = amk_json_get_str(input, "notebook_path");
	amk_jw_open(b, NULL, '[');
	amk_jw_cstr(b, NULL, action);
	if (file)
		amk_jw_cstr(b, NULL, file);
	else
		write_members(b, input);
	amk_jw_close(b, ']');
	return amk_buf_ok(b);
}

const struct amk_track_always *amk_always_find(const struct amk_track *t, const char *scope)
{
	for (size_t i = 0; scope && i < t->nalways; i++)
		if (strcmp(t->always[i].scope, scope) == 0)
			return &t->always[i];
	return NULL;
}

void amk_always_add(struct amk_track *t, const char *scope, const char *by)
{
	if (!scope || amk_always_find(t, scope))
		return;
	if (t->nalways == ALWAYS_MAX) {
		free(t->always[0].scope);
		free(t->always[0].by);
		memmove(&t->always[0], &t->always[1], --t->nalways * sizeof *t->always);
	}
	t->always = amk_realloc(t->always, (t->nalways + 1) * sizeof *t->always);
	t->always[t->nalways++] = (struct amk_track_always){
		amk_strdup(scope), by ? amk_strndup(by, strnlen(by, BY_MAX)) : NULL,
	};
}

void amk_always_save(const struct amk_track *t, struct amk_buf *b)
{
	amk_jw_open(b, "always", '[');
	for (size_t i = 0; i < t->nalways; i++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_cstr(b, "scope", t->always[i].scope);
		amk_jw_cstr(b, "by", t->always[i].by);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
}

int amk_always_load(struct amk_track *t, const struct amk_json *list, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_track_always, scope, "scope", STR, true),
		AMK_JSON_FIELD(amk_track_always, by, "by", STR, false),
	};

	for (const struct amk_json *c = amk_json_first(list); c; c = amk_json_next(c)) {
		struct amk_track_always a = { 0 };

		if (amk_json_read(c, fields, AMK_COUNT(fields), &a, e) < 0)
			return -1;
		amk_always_add(t, a.scope, a.by);
	}
	return 0;
}
