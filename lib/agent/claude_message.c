/* SPDX-License-Identifier: Apache-2.0 */
/* The user's message to Claude Code: its text; images as they are; other files by their paths, for it to read. */
#include "agent/attached.h"
#include "agent/claude.h"
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

void amk_claude_message_write(struct amk_buf *b, const char *text, const struct amk_json *list)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "user");
	amk_jw_open(b, "message", '{');
	amk_jw_cstr(b, "role", "user");
	if (list)
		write_blocks(b, text, list);
	else
		amk_jw_cstr(b, "content", text);
	amk_jw_close(b, '}');
	amk_jw_close(b, '}');
}
