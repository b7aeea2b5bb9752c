/* SPDX-License-Identifier: Apache-2.0 */
/* What a tool of Claude Code gave back: its output as plain text, the files it read or changed. */
#include <string.h>

#include "agent/claude.h"
#include "core/jw.h"

static void output_text(struct amk_buf *b, const struct amk_json *content)
{
	const struct amk_json *part = amk_json_is_array(content) ? amk_json_first(content) : NULL;

	if (amk_json_str(content))
		amk_buf_adds(b, amk_json_str(content));
	for (; part; part = amk_json_next(part)) {
		const char *text = amk_json_get_str(part, "text"), *type = amk_json_get_str(part, "type");

		if (b->n)
			amk_buf_addc(b, '\n');
		if (text)
			amk_buf_adds(b, text);
		else
			amk_buf_addf(b, "[%s]", type ? type : "content");
	}
}

static void hunk(struct amk_buf *b, const struct amk_json *h)
{
	amk_buf_addf(b, "@@ -%lld,%lld +%lld,%lld @@\n", (long long)amk_json_get_int(h, "oldStart", 0),
		     (long long)amk_json_get_int(h, "oldLines", 0), (long long)amk_json_get_int(h, "newStart", 0),
		     (long long)amk_json_get_int(h, "newLines", 0));
	for (const struct amk_json *line = amk_json_first(amk_json_get(h, "lines")); line;
	     line = amk_json_next(line)) {
		amk_buf_adds(b, amk_json_str(line) ? amk_json_str(line) : "");
		amk_buf_addc(b, '\n');
	}
}

/* A new file's hunk: Claude gives none for it. */
static void hunk_of_new(struct amk_buf *b, const char *text)
{
	size_t lines = 0, n = strlen(text);

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	if (n && text[n - 1] != '\n')
		lines++;
	amk_buf_addf(b, "@@ -0,0 +%d,%zu @@\n", lines ? 1 : 0, lines);
	while (*text) {
		size_t len = strcspn(text, "\n");

		amk_buf_addc(b, '+');
		amk_buf_add(b, text, len);
		amk_buf_addc(b, '\n');
		if (!text[len])
			amk_buf_adds(b, "\\ No newline at end of file\n");
		text += len + (text[len] == '\n');
	}
}

static void file_ref(struct amk_buf *b, const char *path, const char *action, const struct amk_buf *diff)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "file_ref");
	amk_jw_cstr(b, "path", path);
	amk_jw_cstr(b, "action", action);
	if (diff)
		amk_jw_str(b, "diff", diff->s, diff->n);
	else
		amk_jw_null(b, "diff");
	amk_jw_close(b, '}');
}

static void changed_file(struct amk_buf *b, const struct amk_json *extra)
{
	struct amk_buf diff AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	const char *path = amk_json_get_str(extra, "filePath"), *text = amk_json_get_str(extra, "content");
	const struct amk_json *patch = amk_json_get(extra, "structuredPatch");
	bool create = amk_json_is(extra, "type", "create"), update = amk_json_is(extra, "type", "update");

	for (const struct amk_json *h = amk_json_first(patch); h; h = amk_json_next(h))
		hunk(&diff, h);
	if (create && text && diff.n == 0)
		hunk_of_new(&diff, text);
	file_ref(b, path, create || update ? "write" : "patch", &diff);
}

bool amk_claude_result_content(struct amk_buf *b, const struct amk_json *block, const struct amk_json *extra)
{
	struct amk_buf output AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CLAUDE_PART);
	const char *read = amk_json_get_str(amk_json_get(extra, "file"), "filePath");

	output_text(&output, amk_json_get(block, "content"));
	amk_jw_open(b, NULL, '[');
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "tool_result");
	amk_jw_cstr(b, "call_id", amk_json_get_str(block, "tool_use_id"));
	amk_jw_str(b, "output", output.s, output.n);
	amk_jw_close(b, '}');
	if (amk_json_get_str(extra, "filePath") && amk_json_is_array(amk_json_get(extra, "structuredPatch")))
		changed_file(b, extra);
	else if (read)
		file_ref(b, read, "read", NULL);
	amk_jw_close(b, ']');
	return amk_buf_ok(b) && amk_buf_ok(&output);
}
