/* SPDX-License-Identifier: Apache-2.0 */
/* The user's message to Claude Code: its text; images as they are; other files by their paths, for it to read. */
#include <string.h>

#include "agent/attached.h"
#include "agent/claude.h"
#include "agent/steer.h"
#include "core/id.h"
#include "core/jw.h"

static void write_image(struct amk_buf *b, const struct amk_json *a)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "image");
	amk_jw_open(b, "source", '{');
	amk_jw_cstr(b, "type", "base64");
	amk_jw_cstr(b, "media_type", amk_json_get_str(a, "media_type"));
	amk_json_print(b, "data", amk_json_get(a, "data"));
	amk_jw_close(b, '}');
	amk_jw_close(b, '}');
}

static void write_blocks(struct amk_buf *b, const char *text, const struct amk_json *list)
{
	struct amk_buf whole AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);

	amk_buf_adds(&whole, text);
	amk_attached_names(&whole, list);
	amk_jw_open(b, "content", '[');
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "text");
	amk_jw_cstr(b, "text", whole.s);
	amk_jw_close(b, '}');
	for (const struct amk_json *a = amk_json_first(list); a; a = amk_json_next(a))
		if (amk_json_get_str(a, "data"))
			write_image(b, a);
	amk_jw_close(b, ']');
}

/* The line's uuid comes back in what the program says of it: that is how its echoes find their message. */
void amk_claude_message_write(struct amk_buf *b, const struct amk_input *in, const struct amk_json *list)
{
	char uuid[AMK_ID_UUID];

	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "user");
	amk_jw_open(b, "message", '{');
	amk_jw_cstr(b, "role", "user");
	if (list)
		write_blocks(b, in->text, list);
	else
		amk_jw_cstr(b, "content", in->text);
	amk_jw_close(b, '}');
	if (in->id)
		amk_jw_cstr(b, "uuid", amk_id_uuid(uuid, in->id));
	amk_jw_close(b, '}');
}

static size_t steered_as(const struct amk_track *t, const char *uuid)
{
	char own[AMK_ID_UUID];
	size_t i = 0;

	while (i < t->nsteered && strcmp(amk_id_uuid(own, t->steered[i].id), uuid) != 0)
		i++;
	return i;
}

/*
 * "queued" once it is read, "started" when it is put before the model: in the running turn at the next tool's result,
 * or as the first of a turn of its own. Of messages that were not put into a turn our own events say more.
 */
bool amk_claude_message_lifecycle(struct amk_claude *c, const struct amk_json *j)
{
	const char *uuid = amk_json_get_str(j, "command_uuid");
	char *native AMK_AUTO(mem) = NULL;
	size_t i = steered_as(&c->track, uuid ? uuid : "");

	if (i == c->track.nsteered || !amk_json_is(j, "state", "started"))
		return uuid != NULL;
	native = amk_strf("user_%lld", (long long)++c->users);
	return amk_steer_taken(&c->track, i, native);
}
