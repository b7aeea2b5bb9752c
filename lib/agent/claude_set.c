/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of Claude Code, and told by it, beside its turns: control requests of ours and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/claude.h"
#include "core/jw.h"

#define SETTINGS_MAX 16 /* not answered yet */

/* Our permission modes in its words. */
static const struct {
	const char *ours, *its;
} modes[] = { { "default", "default" }, { "plan", "plan" }, { "acceptEdits", "acceptEdits" },
	      { "bypass", "bypassPermissions" } };

static void request(struct amk_claude *c, const char *subtype, const char *key, const char *value)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(64u << 10);
	char id[40];

	snprintf(id, sizeof id, "amika_%lld", (long long)++c->requests);
	amk_jw_open(&line, NULL, '{');
	amk_jw_cstr(&line, "type", "control_request");
	amk_jw_cstr(&line, "request_id", id);
	amk_jw_open(&line, "request", '{');
	amk_jw_cstr(&line, "subtype", subtype);
	if (key)
		amk_jw_cstr(&line, key, value);
	amk_jw_close(&line, '}');
	amk_jw_close(&line, '}');
	amk_claude_turn_send(c, &line);
}

/* It says nothing by itself before the first message: this it answers. */
void amk_claude_set_start(struct amk_claude *c, bool warm)
{
	amk_claude_set_reset(c);
	if (warm)
		request(c, "initialize", NULL, NULL);
}

void amk_claude_set_reset(struct amk_claude *c)
{
	for (size_t i = 0; i < c->nsettings; i++)
		free(c->settings[i].input);
	free(c->settings);
	c->settings = NULL;
	c->nsettings = 0;
}

static void tell(struct amk_claude *c, const char *what, const char *value)
{
	const struct amk_sink *sink = c->track.sink;

	if (sink->setting)
		sink->setting(sink->arg, what, value);
}

/* What became of one: an input as it is recorded. */
static void settle(struct amk_claude *c, const char *input, const char *how, const char *error)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(input, strlen(input), NULL);
	struct amk_input in;

	if (!j || amk_input_read(&in, j, NULL) < 0)
		return;
	amk_track_changed(&c->track, &in, how, error);
	if (error)
		tell(c, in.id, NULL);
}

void amk_claude_set_take(struct amk_claude *c, const struct amk_input *in)
{
	bool model = strcmp(in->id, "model") == 0;
	struct amk_buf input AMK_AUTO(buf) = AMK_BUF_INIT(64u << 10);
	const char *value = in->text;

	for (size_t i = 0; !model && i < AMK_COUNT(modes); i++)
		if (strcmp(modes[i].ours, in->text) == 0)
			value = modes[i].its;
	amk_input_write(&input, in);
	if (c->nsettings == SETTINGS_MAX || !amk_buf_ok(&input)) {
		settle(c, input.s, "restart", "too much is being set");
		return;
	}
	request(c, model ? "set_model" : "set_permission_mode", model ? "model" : "mode", value);
	c->settings = amk_realloc(c->settings, (c->nsettings + 1) * sizeof *c->settings);
	c->settings[c->nsettings++] = (struct amk_claude_setting){ c->requests, amk_strdup(input.s) };
}

static size_t setting_of(const struct amk_claude *c, const char *id)
{
	size_t i = 0;

	while (i < c->nsettings && !(id && strncmp(id, "amika_", 6) == 0 &&
				     strtoll(id + 6, NULL, 10) == c->settings[i].request))
		i++;
	return i;
}

/* Of our interrupts the turn's result tells what became of them. What else is refused tells nothing later. */
bool amk_claude_set_response(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *response = amk_json_get(j, "response");
	bool failed = amk_json_is(response, "subtype", "error");
	size_t i = setting_of(c, amk_json_get_str(response, "request_id"));
	const char *error = amk_json_get_str(response, "error");

	if (i == c->nsettings) {
		if (failed)
			amk_claude_item_status(c, "request.refused", error);
		return true;
	}
	settle(c, c->settings[i].input, failed ? "restart" : "live", failed ? error ? error : "refused" : NULL);
	free(c->settings[i].input);
	c->nsettings--;
	memmove(c->settings + i, c->settings + i + 1, (c->nsettings - i) * sizeof *c->settings);
	return true;
}

/* The next program is started with what this one did not come to. */
void amk_claude_set_exit(struct amk_claude *c)
{
	for (size_t i = 0; i < c->nsettings; i++)
		settle(c, c->settings[i].input, "start", NULL);
	amk_claude_set_reset(c);
}

void amk_claude_set_mode(struct amk_claude *c, const char *its)
{
	for (size_t i = 0; its && i < AMK_COUNT(modes); i++)
		if (strcmp(modes[i].its, its) == 0)
			tell(c, "permission_mode", modes[i].ours);
}

void amk_claude_set_save(const struct amk_claude *c, struct amk_buf *b)
{
	amk_jw_open(b, "settings", '[');
	for (size_t i = 0; i < c->nsettings; i++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_int(b, "request", c->settings[i].request);
		amk_jw_cstr(b, "input", c->settings[i].input);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
}

int amk_claude_set_load(struct amk_claude *c, const struct amk_json *saved, struct amk_err *e)
{
	const struct amk_json *list = amk_json_get(saved, "settings");

	for (const struct amk_json *j = amk_json_first(list); j; j = amk_json_next(j)) {
		const char *input = amk_json_get_str(j, "input");

		if (!input || c->nsettings == SETTINGS_MAX)
			return amk_err_set(e, AMK_EINVALID, "\"settings\" is not as it was saved");
		c->settings = amk_realloc(c->settings, (c->nsettings + 1) * sizeof *c->settings);
		c->settings[c->nsettings++] = (struct amk_claude_setting){ amk_json_get_int(j, "request", 0),
									   amk_strdup(input) };
	}
	return 0;
}
