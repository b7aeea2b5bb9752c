/* SPDX-License-Identifier: Apache-2.0 */
/* What a message brings besides its text, as parts of an item and in words. */
#include "agent/attached.h"

#include <string.h>

#include "core/jw.h"

struct amk_json *amk_attached_list(const struct amk_input *in)
{
	return in->attachments ? amk_json_parse(in->attachments, strlen(in->attachments), NULL) : NULL;
}

const char *amk_attached_mime(const struct amk_json *a)
{
	const char *found = amk_json_get_str(a, "media_type");

	return found ? found : amk_json_get_str(a, "mime");
}

static void write_part(struct amk_buf *b, const struct amk_json *a)
{
	const char *mime = amk_attached_mime(a);
	bool image = mime && strncmp(mime, "image/", 6) == 0;

	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", image ? "image" : "file_ref");
	amk_jw_cstr(b, "path", amk_json_get_str(a, "path"));
	if (image) {
		amk_jw_cstr(b, "mime", mime);
	} else {
		amk_jw_cstr(b, "action", "read");
		amk_jw_null(b, "diff");
	}
	amk_jw_close(b, '}');
}

void amk_attached_parts(struct amk_buf *b, const struct amk_json *list)
{
	for (const struct amk_json *a = amk_json_first(list); a; a = amk_json_next(a))
		write_part(b, a);
}

void amk_attached_names(struct amk_buf *b, const struct amk_json *list)
{
	amk_buf_adds(b, "\n\nAttached files:");
	for (const struct amk_json *a = amk_json_first(list); a; a = amk_json_next(a)) {
		const char *name = amk_json_get_str(a, "filename"), *mime = amk_attached_mime(a);

		amk_buf_addf(b, "\n- %s", amk_json_get_str(a, "path"));
		if (name || mime)
			amk_buf_addf(b, " (%s%s%s)", name ? name : "", name && mime ? ", " : "", mime ? mime : "");
	}
}
