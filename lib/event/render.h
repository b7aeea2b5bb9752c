/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a stream of events reads to a person. Pure: an event in, text out, with a little state between
 * events (which items are open, whether a line is unfinished).
 */
#ifndef AMK_EVENT_RENDER_H
#define AMK_EVENT_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"

#define AMK_RENDER_ITEMS 16 /* open at once; text of more is shown when they are complete */

enum amk_render_kind { AMK_RENDER_OTHER, AMK_RENDER_USER, AMK_RENDER_ASSISTANT };

struct amk_render_item {
	char id[40];
	enum amk_render_kind kind;
	bool said; /* its text came as deltas */
};

struct amk_render {
	bool own;      /* the reader wrote the message: it is not shown again */
	bool asks;     /* somebody else shows decisions */
	bool mid_line; /* what was written last did not end a line */
	char last[40]; /* the item whose text was written last */
	unsigned n;
	struct amk_render_item items[AMK_RENDER_ITEMS];
};

void amk_render_init(struct amk_render *r);
/* Adds the text of one event, which may be none. */
void amk_render_event(struct amk_render *r, const struct amk_json *event, struct amk_buf *out);
/* Ends an unfinished line. */
void amk_render_fresh(struct amk_render *r, struct amk_buf *out);

/*
 * Text somebody else chose, made safe for a terminal: control characters (C0 but newline and tab,
 * DEL, C1), characters that reorder text, and bytes that are not UTF-8 come out as \x1b or \u202e.
 */
void amk_render_text(struct amk_buf *out, const char *s, size_t n);
/* The same on one line of at most `max` characters. */
void amk_render_word(struct amk_buf *out, const char *s, size_t max);

/* What a permission.requested or question.requested asks, on one line: "Bash: ls -la". */
void amk_render_request(struct amk_buf *out, const struct amk_json *event);
/* A permission.resolved's or question.resolved's answer: "allowed once", "answered: Red". */
void amk_render_answer(struct amk_buf *out, const struct amk_json *event);
/* What a rule that "always" made allows: "r_4: Bash, command npm test". */
void amk_render_rule(struct amk_buf *out, const struct amk_json *rule);
/* True when the event completes an assistant's message: *text has its words, unescaped. */
bool amk_render_final(const struct amk_json *event, struct amk_buf *text);

#endif
