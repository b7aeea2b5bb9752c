/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session is started from and may be changed while it lives. The new value is kept first of all: whatever
 * becomes of the running program, the next one has it.
 */
#include "session/set.h"

#include <string.h>

#include "agent/track.h"
#include "core/jw.h"
#include "session/internal.h"

#define SPEC_MAX (4u << 20)
#define SLEEP_MAX (365LL * 24 * 3600 * 1000)

struct wanted {
	const char *model, *permission_mode, *title;
	int64_t sleep_ms; /* -1: not named */
};

static const struct amk_json_field fields[] = {
	AMK_JSON_FIELD(wanted, model, "model", STR, false),
	AMK_JSON_FIELD(wanted, permission_mode, "permissionMode", STR, false),
	AMK_JSON_FIELD(wanted, title, "title", STR, false),
	AMK_JSON_FIELD(wanted, sleep_ms, "sleepMs", INT, false),
};

/* The spec once more, with `json` under that key. */
static void write_spec(struct amk_buf *b, const struct amk_json *spec, const char *key, const struct amk_buf *json)
{
	bool there = false;

	amk_jw_open(b, NULL, '{');
	for (const struct amk_json *m = amk_json_first(spec); m; m = amk_json_next(m)) {
		if (strcmp(amk_json_key(m), key) != 0) {
			amk_json_print(b, amk_json_key(m), m);
			continue;
		}
		there = true;
		amk_jw_raw(b, key, json->s, json->n);
	}
	if (!there)
		amk_jw_raw(b, key, json->s, json->n);
	amk_jw_close(b, '}');
}

static int keep(struct amk_session *s, const char *key, const struct amk_buf *json, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(SPEC_MAX);
	struct amk_json *spec;

	write_spec(&b, s->spec, key, json);
	if (!amk_buf_ok(&b))
		return amk_err_set(e, AMK_ETOOBIG, "a session of more than %u bytes", SPEC_MAX);
	spec = amk_json_parse(b.s, b.n, e);
	if (!spec)
		return -1;
	if (amk_state_session_spec(s->all->conf.store, s->row, b.s, e) < 0) {
		amk_json_free(spec);
		return -1;
	}
	amk_json_free(s->spec);
	s->spec = spec;
	amk_sessions_make_ready(s);
	return 0;
}

static int keep_text(struct amk_session *s, const char *key, const char *value, struct amk_err *e)
{
	struct amk_buf json AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);

	amk_jw_cstr(&json, NULL, value);
	return keep(s, key, &json, e);
}

static void say_changed(struct amk_session *s, const struct amk_input *in, const char *how)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(64u << 10);
	struct amk_said said = { .type = "session.changed", .synthetic = true };

	amk_track_changed_write(&data, in, how, NULL);
	said.data = data.s;
	amk_said_own(s, &said);
}

static bool takes(const struct amk_codec *codec, const char *what)
{
	const char *const *name = codec->sets;

	while (name && *name && strcmp(*name, what) != 0)
		name++;
	return name && *name;
}

/* `key` is what it is called in the spec, `what` in an input. */
static int set_one(struct amk_session *s, const char *key, struct amk_input *in, struct amk_err *e)
{
	const char *is = amk_json_get_str(s->spec, key);
	char *was AMK_AUTO(mem) = is ? amk_strdup(is) : NULL;

	if (was && strcmp(was, in->text) == 0)
		return 0;
	in->kind = AMK_INPUT_SET;
	in->was = was;
	if (keep_text(s, key, in->text, e) < 0)
		return -1;
	if (s->live.row && !s->live.over && !s->stopping && takes(s->codec, in->id)) {
		amk_said_step(s, in);
		return 0;
	}
	amk_sleep_leave(s, "changed");
	say_changed(s, in, s->live.row ? "restart" : "start");
	return 0;
}

void amk_set_told(void *arg, const char *what, const char *value)
{
	struct amk_session *s = arg;
	struct amk_input in = { .id = what, .text = value, .by = "agent" };
	const char *is = amk_session_permission_mode(s);
	char *was AMK_AUTO(mem) = is ? amk_strdup(is) : NULL;
	struct amk_err e = { 0 };

	if (!value) {
		amk_sleep_leave(s, "changed");
		return;
	}
	/* A plan that was approved is not made anew by the next program. Nothing else an agent does makes that one freer. */
	if (strcmp(what, "permission_mode") != 0 || !was || strcmp(was, "plan") != 0 || strcmp(value, "plan") == 0 ||
	    strcmp(value, "bypass") == 0)
		return;
	in.was = was;
	if (keep_text(s, "permissionMode", value, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	say_changed(s, &in, "live");
}

static int check(const struct amk_session *s, const struct wanted *w, struct amk_err *e)
{
	if (amk_session_check_open(s, e) < 0)
		return -1;
	if (!w->model && !w->permission_mode && !w->title && w->sleep_ms == -1) {
		amk_err_set(e, AMK_EINVALID, "nothing is named that could be set");
		return amk_err_hint(e, "model, permissionMode, title, sleepMs");
	}
	if (w->model && !*w->model)
		return amk_err_set(e, AMK_EINVALID, "model: a name is needed");
	if (w->sleep_ms < -1 || w->sleep_ms > SLEEP_MAX)
		return amk_err_set(e, AMK_EINVALID, "sleepMs is out of range");
	return 0;
}

int amk_session_set(struct amk_session *s, const struct amk_json *request, const char *by, struct amk_err *e)
{
	struct wanted w = { .sleep_ms = -1 };
	const struct amk_agent_permission *p = NULL;
	struct amk_buf json AMK_AUTO(buf) = AMK_BUF_INIT(64);
	struct amk_input in = { .by = by };

	if (amk_json_read(request, fields, AMK_COUNT(fields), &w, e) < 0 || check(s, &w, e) < 0)
		return -1;
	if (w.permission_mode &&
	    !(p = amk_session_permission(s->codec, w.permission_mode, amk_json_get(s->spec, "environment"), e)))
		return -1;
	if (w.title && keep_text(s, "title", w.title, e) < 0)
		return -1;
	amk_jw_int(&json, NULL, w.sleep_ms);
	if (w.sleep_ms >= 0 && keep(s, "sleepMs", &json, e) < 0)
		return -1;
	in.id = "model";
	in.text = w.model;
	if (w.model && set_one(s, "model", &in, e) < 0)
		return -1;
	in.id = "permission_mode";
	in.text = p ? p->shown : NULL;
	return p ? set_one(s, "permissionMode", &in, e) : 0;
}
