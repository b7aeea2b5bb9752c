/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of text needs a state for each session. */
#include "client/views.h"

#include <stdlib.h>
#include <string.h>

#include "client/show.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/lines.h"
#include "event/render.h"

#define TEXT_MAX (4 * AMK_LINE_MAX)
#define NAME_MOST 20 /* longer ones stick out */
#define WAIT_MOST 65536 /* bytes of a line that has no end yet */

struct amk_view {
	struct amk_view *next;
	char *session; /* "" for what concerns all */
	char *name;    /* safe for the screen */
	struct amk_render render;
	struct amk_buf text; /* not printed yet */
};

static struct amk_view *view_of(struct amk_views *v, const char *session)
{
	struct amk_buf name AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_view *w = v->first;

	while (w && strcmp(w->session, session) != 0)
		w = w->next;
	if (w)
		return w;
	w = amk_calloc(1, sizeof *w);
	w->session = amk_strdup(session);
	amk_render_word(&name, session, 4 * NAME_MOST);
	if (name.n > v->width && name.n <= NAME_MOST)
		v->width = name.n;
	w->name = amk_buf_take(&name);
	amk_render_init(&w->render);
	amk_buf_init(&w->text, TEXT_MAX);
	w->next = v->first;
	v->first = w;
	return w;
}

static void put_heading(struct amk_views *v, const struct amk_view *w, struct amk_buf *out)
{
	if (!v->headed || v->shown == w)
		return;
	amk_buf_addf(out, "%s== %s ==\n", v->shown && v->shown->render.mid_line ? "\n" : "", w->name);
}

/* The first n bytes of what waits. */
static void put_lines(const struct amk_views *v, const struct amk_view *w, size_t n, struct amk_buf *out)
{
	const char *s = w->text.s, *end = s + n;

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));

		amk_buf_addf(out, "%-*s | ", (int)v->width, w->name);
		amk_buf_add(out, s, (size_t)((nl ? nl : end) - s));
		amk_buf_addc(out, '\n');
		s = nl ? nl + 1 : end;
	}
}

static int print_whole_lines(struct amk_views *v, struct amk_view *w, struct amk_err *e)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(2 * TEXT_MAX);
	const char *nl = memrchr(w->text.s, '\n', w->text.n);
	size_t n = nl ? (size_t)(nl + 1 - w->text.s) : w->text.n > WAIT_MOST ? w->text.n : 0;

	put_lines(v, w, n, &out);
	amk_buf_drop(&w->text, n);
	return out.n ? amk_show_bytes(out.s, out.n, e) : 0;
}

static int print_at_once(struct amk_views *v, struct amk_view *w, struct amk_err *e)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(2 * TEXT_MAX);

	if (w->text.n == 0)
		return 0;
	put_heading(v, w, &out);
	amk_buf_add(&out, w->text.s, w->text.n);
	amk_buf_clear(&w->text);
	v->shown = w;
	return amk_show_bytes(out.s, out.n, e);
}

int amk_views_print(struct amk_views *v, const char *line, size_t n, struct amk_err *e)
{
	struct amk_json *event AMK_AUTO(json) = amk_json_parse(line, n, e);
	const char *session = amk_json_get_str(event, "session_id");
	struct amk_view *w;

	if (!event)
		return amk_err_wrap(e, "an event");
	w = view_of(v, session ? session : "");
	amk_render_event(&w->render, event, &w->text);
	return v->lined ? print_whole_lines(v, w, e) : print_at_once(v, w, e);
}

/* At the end nobody is told any more that a reader has gone. */
static void print_rest(struct amk_views *v, struct amk_view *w)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(2 * TEXT_MAX);

	put_lines(v, w, w->text.n, &out);
	if (v->shown == w)
		amk_render_fresh(&w->render, &out);
	if (out.n)
		amk_show_bytes(out.s, out.n, NULL);
}

void amk_views_end(struct amk_views *v)
{
	while (v->first) {
		struct amk_view *w = v->first;

		v->first = w->next;
		print_rest(v, w);
		amk_buf_release(&w->text);
		free(w->session);
		free(w->name);
		free(w);
	}
	*v = (struct amk_views){ 0 };
}
