/* SPDX-License-Identifier: Apache-2.0 */
/* Events as text: a row per event type, a row per kind of item. */
#include "event/render.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

#define WORD_MAX 120	/* characters of an argument on its line */
#define RESULT_LINES 8	/* of a tool's output */
#define RESULT_WIDTH 160
#define DIFF_LINES 20

void amk_render_init(struct amk_render *r)
{
	memset(r, 0, sizeof *r);
}

static uint32_t code_point(const char *str, size_t n)
{
	const unsigned char *s = (const unsigned char *)str;
	uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

/* Marks that reorder what follows can make a command look like another one. */
static bool is_unsafe(uint32_t c)
{
	return (c < ' ' && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
	       c == 0x061c || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void put_escaped(struct amk_buf *out, uint32_t c)
{
	amk_buf_addf(out, c < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)c);
}

void amk_render_text(struct amk_buf *out, const char *s, size_t n)
{
	const char *end = s + n, *run = s;

	while (s < end) {
		size_t len = amk_utf8_len(s, (size_t)(end - s));
		uint32_t c = len ? code_point(s, len) : 0;

		if (len && !is_unsafe(c)) {
			s += len;
			continue;
		}
		amk_buf_add(out, run, (size_t)(s - run));
		if (len)
			put_escaped(out, c);
		else
			amk_buf_addf(out, "\\x%02x", (unsigned char)*s);
		s += len ? len : 1;
		run = s;
	}
	amk_buf_add(out, run, (size_t)(s - run));
}

/* One line of n bytes, cut after `max` characters. */
static void put_line(struct amk_buf *out, const char *s, size_t n, size_t max)
{
	size_t at = 0, shown = 0;

	while (at < n && shown < max) {
		size_t len = amk_utf8_len(s + at, n - at);

		if (s[at] == '\n' || s[at] == '\t')
			amk_buf_addc(out, ' ');
		else
			amk_render_text(out, s + at, len ? len : 1);
		at += len ? len : 1;
		shown++;
	}
	if (at < n)
		amk_buf_adds(out, "...");
}

void amk_render_word(struct amk_buf *out, const char *s, size_t max)
{
	size_t n = strlen(s);

	while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
		n--;
	put_line(out, s, n, max);
}

void amk_render_fresh(struct amk_render *r, struct amk_buf *out)
{
	if (r->mid_line)
		amk_buf_addc(out, '\n');
	r->mid_line = false;
	r->last[0] = '\0';
}

static const struct amk_json *event_item(const struct amk_json *event)
{
	return amk_json_get(amk_json_get(event, "data"), "item");
}

static const struct amk_json *part_of(const struct amk_json *item, const char *type)
{
	const struct amk_json *p = amk_json_first(amk_json_get(item, "content"));

	while (p && !amk_json_is(p, "type", type))
		p = amk_json_next(p);
	return p;
}

static enum amk_render_kind item_kind(const struct amk_json *item)
{
	if (!amk_json_is(item, "kind", "message"))
		return AMK_RENDER_OTHER;
	if (amk_json_is(item, "role", "user"))
		return AMK_RENDER_USER;
	if (part_of(item, "reasoning") && !part_of(item, "text"))
		return AMK_RENDER_OTHER;
	return AMK_RENDER_ASSISTANT;
}

static struct amk_render_item *item_find(struct amk_render *r, const char *id)
{
	for (unsigned i = 0; id && i < r->n; i++)
		if (strcmp(r->items[i].id, id) == 0)
			return &r->items[i];
	return NULL;
}

static void show_started(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *item = event_item(event);
	const char *id = amk_json_get_str(item, "item_id");
	struct amk_render_item *slot;

	(void)out;
	if (!id || item_find(r, id) || r->n == AMK_RENDER_ITEMS)
		return;
	slot = &r->items[r->n++];
	snprintf(slot->id, sizeof slot->id, "%s", id);
	slot->kind = item_kind(item);
	slot->said = false;
}

static void show_delta(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *data = amk_json_get(event, "data");
	const char *id = amk_json_get_str(data, "item_id"), *text = amk_json_get_str(data, "delta");
	struct amk_render_item *item = item_find(r, id);

	if (!item || item->kind != AMK_RENDER_ASSISTANT || !text || !text[0])
		return;
	if (strcmp(r->last, id) != 0)
		amk_render_fresh(r, out);
	amk_render_text(out, text, strlen(text));
	item->said = true;
	r->mid_line = text[strlen(text) - 1] != '\n';
	snprintf(r->last, sizeof r->last, "%s", id);
}

/* The texts of an item's parts, joined by newlines. */
static void parts_text(const struct amk_json *item, struct amk_buf *text)
{
	const struct amk_json *p = amk_json_first(amk_json_get(item, "content"));

	for (; p; p = amk_json_next(p)) {
		const char *s = amk_json_is(p, "type", "text") ? amk_json_get_str(p, "text") : NULL;

		if (s && text->n)
			amk_buf_addc(text, '\n');
		if (s)
			amk_buf_adds(text, s);
	}
}

/* Each line of s behind `lead`, at most `max` of them, and a word about the rest. */
static void put_block(struct amk_buf *out, const char *lead, const char *s, unsigned max)
{
	unsigned shown = 0, left = 0;

	while (*s) {
		size_t n = strcspn(s, "\n");

		if (shown < max) {
			amk_buf_adds(out, lead);
			put_line(out, s, n, RESULT_WIDTH);
			amk_buf_addc(out, '\n');
			shown++;
		} else {
			left++;
		}
		s += n + (s[n] ? 1 : 0);
	}
	if (left)
		amk_buf_addf(out, "%s... %u more line%s\n", lead, left, left == 1 ? "" : "s");
}

/* Each file a message holds, on a line behind `lead`. */
static void put_files(struct amk_render *r, const struct amk_json *item, const char *lead, struct amk_buf *out)
{
	const struct amk_json *p = amk_json_first(amk_json_get(item, "content"));

	for (; p; p = amk_json_next(p)) {
		bool image = amk_json_is(p, "type", "image");
		const char *path = amk_json_get_str(p, "path");

		if (!path || (!image && !amk_json_is(p, "type", "file_ref")))
			continue;
		amk_render_fresh(r, out);
		amk_buf_addf(out, "%s%s ", lead, image ? "image" : "file");
		amk_render_word(out, path, RESULT_WIDTH);
		amk_buf_addc(out, '\n');
	}
}

static void done_message(struct amk_render *r, const struct amk_json *item, struct amk_buf *out)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(out->max);

	parts_text(item, &text);
	if (!text.n)
		return;
	amk_render_fresh(r, out);
	if (amk_json_is(item, "role", "user")) {
		if (r->own)
			return;
		put_block(out, "> ", text.s, UINT32_MAX);
		put_files(r, item, "> ", out);
		return;
	}
	amk_render_text(out, text.s, text.n);
	if (text.s[text.n - 1] != '\n')
		amk_buf_addc(out, '\n');
}

/* The one argument that tells most about a call. */
static const char *main_argument(const struct amk_json *arguments)
{
	static const char *const keys[] = { "command", "file_path", "path",   "notebook_path", "pattern",
					    "query",   "url",	    "prompt", "description",   "plan" };
	const struct amk_json *m;

	for (size_t i = 0; i < AMK_COUNT(keys); i++)
		if (amk_json_get_str(arguments, keys[i]))
			return amk_json_get_str(arguments, keys[i]);
	for (m = amk_json_first(arguments); m; m = amk_json_next(m))
		if (amk_json_str(m))
			return amk_json_str(m);
	return NULL;
}

/* ": ls -la", or nothing when there is no argument worth a word. */
static void put_argument(struct amk_buf *out, const struct amk_json *arguments)
{
	const char *word = main_argument(arguments);

	if (!word || !word[0])
		return;
	amk_buf_adds(out, ": ");
	amk_render_word(out, word, WORD_MAX);
}

static void done_call(struct amk_render *r, const struct amk_json *item, struct amk_buf *out)
{
	const struct amk_json *part = part_of(item, "tool_call");
	const char *name = amk_json_get_str(part, "name"), *text = amk_json_get_str(part, "arguments");
	struct amk_json *arguments AMK_AUTO(json) = text ? amk_json_parse(text, strlen(text), NULL) : NULL;

	amk_render_fresh(r, out);
	amk_buf_adds(out, amk_json_is(item, "status", "failed") ? "* (failed) " : "* ");
	amk_render_word(out, name ? name : "tool", WORD_MAX);
	put_argument(out, arguments);
	amk_buf_addc(out, '\n');
}

static void put_file(struct amk_buf *out, const struct amk_json *part)
{
	const char *action = amk_json_get_str(part, "action"), *path = amk_json_get_str(part, "path");
	const char *diff = amk_json_get_str(part, "diff");

	amk_buf_adds(out, "  ");
	amk_render_word(out, action ? action : "file", WORD_MAX);
	amk_buf_addc(out, ' ');
	amk_render_word(out, path ? path : "", RESULT_WIDTH);
	amk_buf_addc(out, '\n');
	if (diff)
		put_block(out, "  | ", diff, DIFF_LINES);
}

static void done_result(struct amk_render *r, const struct amk_json *item, struct amk_buf *out)
{
	const struct amk_json *p = amk_json_first(amk_json_get(item, "content"));

	amk_render_fresh(r, out);
	if (amk_json_is(item, "status", "failed"))
		amk_buf_adds(out, "  (failed)\n");
	for (; p; p = amk_json_next(p)) {
		const char *output = amk_json_get_str(p, "output");

		if (amk_json_is(p, "type", "file_ref"))
			put_file(out, p);
		else if (output)
			put_block(out, "  ", output, RESULT_LINES);
	}
}

static void done_status(struct amk_render *r, const struct amk_json *item, struct amk_buf *out)
{
	const struct amk_json *part = part_of(item, "status");
	const char *label = amk_json_get_str(part, "label"), *detail = amk_json_get_str(part, "detail");

	if (!label)
		return;
	amk_render_fresh(r, out);
	amk_buf_adds(out, "- ");
	amk_render_word(out, label, WORD_MAX);
	if (detail && detail[0]) {
		amk_buf_adds(out, ": ");
		amk_render_word(out, detail, WORD_MAX);
	}
	amk_buf_addc(out, '\n');
}

static void show_completed(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *item = event_item(event);
	struct amk_render_item *open = item_find(r, amk_json_get_str(item, "item_id"));
	const char *kind = amk_json_get_str(item, "kind");
	bool said = open && open->said;

	if (open)
		*open = r->items[--r->n];
	if (!kind)
		return;
	if (said)
		amk_render_fresh(r, out);
	else if (strcmp(kind, "message") == 0 || strcmp(kind, "system") == 0)
		done_message(r, item, out);
	if (strcmp(kind, "message") == 0 && !amk_json_is(item, "role", "user"))
		put_files(r, item, "- ", out);
	else if (strcmp(kind, "tool_call") == 0)
		done_call(r, item, out);
	else if (strcmp(kind, "tool_result") == 0)
		done_result(r, item, out);
	else if (strcmp(kind, "status") == 0)
		done_status(r, item, out);
}

static const char *decision_id(const struct amk_json *event)
{
	return amk_json_get_str(amk_json_get(amk_json_get(event, "amika"), "decision"), "id");
}

static bool is_question(const struct amk_json *event)
{
	const char *type = amk_json_get_str(event, "type");

	return type && strncmp(type, "question.", 9) == 0;
}

void amk_render_request(struct amk_buf *out, const struct amk_json *event)
{
	const struct amk_json *data = amk_json_get(event, "data"), *about = amk_json_get(data, "metadata");
	const char *prompt = amk_json_get_str(data, "prompt"), *action = amk_json_get_str(data, "action");
	const struct amk_json *input = amk_json_get(about, "input");

	if (is_question(event)) {
		amk_render_word(out, prompt ? prompt : "a question", RESULT_WIDTH);
		return;
	}
	amk_render_word(out, action ? action : "a permission", WORD_MAX);
	put_argument(out, amk_json_is_object(input) ? input : about);
}

void amk_render_answer(struct amk_buf *out, const struct amk_json *event)
{
	static const char *const words[][2] = {
		{ "accept", "allowed once" }, { "accept_for_session", "allowed always" },
		{ "reject", "denied" },	      { "rejected", "not answered" },
	};
	const struct amk_json *data = amk_json_get(event, "data");
	const char *status = amk_json_get_str(data, "status"), *response = amk_json_get_str(data, "response");

	if (response) {
		amk_buf_adds(out, "answered: ");
		amk_render_word(out, response, WORD_MAX);
		return;
	}
	for (size_t i = 0; status && i < AMK_COUNT(words); i++)
		if (strcmp(status, words[i][0]) == 0)
			status = words[i][1];
	amk_render_word(out, status ? status : "closed", WORD_MAX);
}

static void show_requested(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const char *id = decision_id(event);

	if (r->asks)
		return;
	amk_render_fresh(r, out);
	amk_buf_adds(out, is_question(event) ? "? question " : "? permission ");
	amk_render_word(out, id ? id : "", WORD_MAX);
	amk_buf_adds(out, ": ");
	amk_render_request(out, event);
	amk_buf_addc(out, '\n');
}

static void put_words(struct amk_buf *out, const char *lead, const char *words)
{
	if (!words)
		return;
	amk_buf_adds(out, lead);
	amk_render_word(out, words, WORD_MAX);
}

/* A decision whose answer never reached its agent. */
static void show_changed(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *data = amk_json_get(event, "data");

	amk_render_fresh(r, out);
	put_words(out, "! ", amk_json_get_str(data, "decision_id"));
	put_words(out, " ", amk_json_get_str(data, "state"));
	put_words(out, ": ", amk_json_get_str(data, "reason"));
	amk_buf_addc(out, '\n');
}

void amk_render_rule(struct amk_buf *out, const struct amk_json *rule)
{
	static const char *const keys[] = { "command", "path", "input" };
	const char *id = amk_json_get_str(rule, "id"), *tool = amk_json_get_str(rule, "tool");
	struct amk_buf input AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);

	amk_render_word(out, id ? id : "a rule", WORD_MAX);
	amk_buf_adds(out, ": ");
	amk_render_word(out, tool ? tool : "any tool", WORD_MAX);
	for (size_t i = 0; i < AMK_COUNT(keys); i++) {
		const struct amk_json *v = amk_json_get(rule, keys[i]);

		if (!v)
			continue;
		amk_buf_clear(&input);
		amk_json_print(&input, NULL, v);
		amk_buf_addf(out, ", %s ", keys[i]);
		amk_render_word(out, amk_json_str(v) ? amk_json_str(v) : input.s, RESULT_WIDTH);
	}
}

static void show_resolved(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *amika = amk_json_get(event, "amika"), *made = amk_json_get(amika, "rule_made");
	const char *id = decision_id(event), *by = amk_json_get_str(amika, "by");

	if (r->asks)
		return;
	amk_render_fresh(r, out);
	amk_buf_adds(out, "? ");
	amk_render_word(out, id ? id : "decision", WORD_MAX);
	amk_buf_addc(out, ' ');
	amk_render_answer(out, event);
	if (by) {
		amk_buf_adds(out, " by ");
		amk_render_word(out, by, WORD_MAX);
	}
	if (made) {
		amk_buf_adds(out, ", and from now on ");
		amk_render_rule(out, made);
	}
	amk_buf_addc(out, '\n');
}

/* "LEAD TEXT (MORE)\n", the second part only when there is one. */
static void put_note(struct amk_render *r, struct amk_buf *out, const char *lead, const char *text, const char *more)
{
	amk_render_fresh(r, out);
	amk_buf_adds(out, lead);
	amk_render_word(out, text ? text : "", 4 * RESULT_WIDTH);
	if (more && more[0]) {
		amk_buf_adds(out, " (");
		amk_render_word(out, more, RESULT_WIDTH);
		amk_buf_addc(out, ')');
	}
	amk_buf_addc(out, '\n');
}

static void show_error(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *data = amk_json_get(event, "data");

	put_note(r, out, "! error: ", amk_json_get_str(data, "message"), amk_json_get_str(data, "code"));
}

static void show_unparsed(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *data = amk_json_get(event, "data");

	put_note(r, out, "! not understood: ", amk_json_get_str(data, "error"), amk_json_get_str(data, "location"));
}

static void show_session_end(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *data = amk_json_get(event, "data");

	put_note(r, out, "- session ended: ", amk_json_get_str(data, "reason"), amk_json_get_str(data, "message"));
}

/* Both ends are of events that are there, or of the beginning. */
static void show_gap(struct amk_render *r, const struct amk_json *line, struct amk_buf *out)
{
	long long after = amk_json_get_int(line, "after", 0), before = amk_json_get_int(line, "before", 0);

	amk_render_fresh(r, out);
	if (amk_json_get(line, "session_id"))
		amk_buf_addf(out, "! events %lld to %lld are no longer kept\n", after + 1, before - 1);
	else
		amk_buf_addf(out, "! between cursors %lld and %lld some events are no longer kept\n", after, before);
}

static void show_turn_end(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	const struct amk_json *amika = amk_json_get(event, "amika");
	const char *outcome = amk_json_get_str(amika, "outcome");

	r->n = 0;
	if (!outcome || strcmp(outcome, "completed") == 0)
		amk_render_fresh(r, out);
	else
		put_note(r, out, "! turn ", outcome, amk_json_get_str(amika, "reason"));
}

void amk_render_event(struct amk_render *r, const struct amk_json *event, struct amk_buf *out)
{
	static const struct {
		const char *type;
		void (*show)(struct amk_render *r, const struct amk_json *event, struct amk_buf *out);
	} rows[] = {
		{ "item.started", show_started },
		{ "item.delta", show_delta },
		{ "item.completed", show_completed },
		{ "permission.requested", show_requested },
		{ "permission.resolved", show_resolved },
		{ "question.requested", show_requested },
		{ "question.resolved", show_resolved },
		{ "decision.changed", show_changed },
		{ "error", show_error },
		{ "agent.unparsed", show_unparsed },
		{ "session.ended", show_session_end },
		{ "turn.ended", show_turn_end },
		{ "gap", show_gap },
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		if (amk_json_is(event, "type", rows[i].type))
			rows[i].show(r, event, out);
}

bool amk_render_final(const struct amk_json *event, struct amk_buf *text)
{
	const struct amk_json *item = event_item(event);

	if (!amk_json_is(event, "type", "item.completed") || item_kind(item) != AMK_RENDER_ASSISTANT ||
	    !part_of(item, "text"))
		return false;
	amk_buf_clear(text);
	parts_text(item, text);
	return true;
}
