/* SPDX-License-Identifier: Apache-2.0 */
/* Rules one after another, then the permission mode. */
#include "decision/ruling.h"

#include <stdio.h>
#include <string.h>

#include "core/jw.h"

#define TRACE_MAX (1u << 20)

static const char *const results[] = {
	[AMK_MATCH_NO] = "no",
	[AMK_MATCH_YES] = "match",
	[AMK_MATCH_DOUBT] = "doubt",
	[AMK_MATCH_UNREADABLE] = "unreadable",
};

void amk_ruling_begin(struct amk_ruling *g, const struct amk_subject *s)
{
	memset(g, 0, sizeof *g);
	g->subject = s;
	amk_buf_init(&g->why, AMK_RULING_WHY);
	amk_buf_init(&g->held_why, AMK_RULING_WHY);
	amk_buf_init(&g->message, 8192);
	amk_buf_init(&g->trace, TRACE_MAX);
	amk_jw_open(&g->trace, NULL, '[');
}

void amk_ruling_release(struct amk_ruling *g)
{
	amk_buf_release(&g->why);
	amk_buf_release(&g->held_why);
	amk_buf_release(&g->message);
	amk_buf_release(&g->trace);
}

static void note(struct amk_ruling *g, const char *id, const char *scope, enum amk_match m, const char *why)
{
	amk_jw_open(&g->trace, NULL, '{');
	amk_jw_cstr(&g->trace, "id", id);
	amk_jw_cstr(&g->trace, "scope", scope);
	amk_jw_cstr(&g->trace, "result", results[m]);
	amk_jw_cstr(&g->trace, "why", why);
	amk_jw_close(&g->trace, '}');
}

static void decide(struct amk_ruling *g, const char *action, const char *id, const char *scope, const char *why)
{
	bool is_rule = strcmp(scope, "mode") != 0;

	g->action = action;
	snprintf(g->id, sizeof g->id, "%s", id);
	snprintf(g->by, sizeof g->by, "%s%s", is_rule ? "rule " : "", id);
	snprintf(g->scope, sizeof g->scope, "%s", scope);
	amk_buf_clear(&g->why);
	amk_buf_adds(&g->why, why);
}

/* Constants, whatever the row's text is. */
static const char *action_of(const struct amk_state_rule *r)
{
	if (strcmp(r->action, "allow") == 0)
		return "allow";
	return strcmp(r->action, "deny") == 0 ? "deny" : "ask";
}

static void describe(struct amk_buf *b, const struct amk_state_rule *r)
{
	const char *const names[] = { "agent", "tool", "command", "path" };
	const char *const values[] = { r->agent, r->tool, r->command, r->path };

	for (size_t i = 0; i < AMK_COUNT(names); i++)
		if (values[i])
			amk_buf_addf(b, "%s%s %.200s", b->n ? ", " : "", names[i], values[i]);
	if (r->input)
		amk_buf_addf(b, "%sthe same input", b->n ? ", " : "");
	if (b->n == 0)
		amk_buf_addf(b, "every %s", r->kind);
}

/* It allows, and cannot say whether it is about this: nothing wider may allow it now. */
static void hold(struct amk_ruling *g, const char *id, const struct amk_state_rule *r, const char *why)
{
	if (g->held[0])
		return;
	snprintf(g->held, sizeof g->held, "%s", id);
	snprintf(g->held_scope, sizeof g->held_scope, "%s", r->scope);
	amk_buf_adds(&g->held_why, why);
}

bool amk_ruling_look(struct amk_ruling *g, const struct amk_state_rule *r)
{
	struct amk_buf why AMK_AUTO(buf) = AMK_BUF_INIT(AMK_RULING_WHY);
	enum amk_match m = amk_rule_match(r, g->subject, &why);
	const char *action = action_of(r);
	bool allows = strcmp(action, "allow") == 0;
	char id[AMK_RULE_ID];

	amk_rule_id(id, r->row);
	if (m == AMK_MATCH_YES)
		describe(&why, r);
	note(g, id, r->scope, m, why.s);
	if (m == AMK_MATCH_NO || (m == AMK_MATCH_DOUBT && allows))
		return true;
	if (m == AMK_MATCH_UNREADABLE && allows) {
		hold(g, id, r, why.s);
		return true;
	}
	if (m != AMK_MATCH_YES) {
		decide(g, "ask", id, r->scope, why.s);
		return false;
	}
	if (allows && g->held[0] && !amk_rule_is_exact(r)) {
		decide(g, "ask", g->held, g->held_scope, g->held_why.s);
		return false;
	}
	decide(g, action, id, r->scope, why.s);
	if (r->message)
		amk_buf_adds(&g->message, r->message);
	return false;
}

/* acceptEdits: a change of a file inside the session's directory. */
static bool is_edit_inside(const struct amk_subject *s)
{
	static const char *const tools[] = { "Edit", "Write", "MultiEdit", "NotebookEdit", "fileChange", "file_change" };
	size_t n = strlen(s->home);

	if (!s->tool || s->text || !s->resolved[0] || n == 0 || strncmp(s->resolved, s->home, n) != 0)
		return false;
	if (s->home[n - 1] != '/' && s->resolved[n] != '/')
		return false;
	for (size_t i = 0; i < AMK_COUNT(tools); i++)
		if (strcmp(tools[i], s->tool) == 0)
			return true;
	return false;
}

/* Whether the mode allows it, and in a few words why or why not. */
static bool mode_allows(const struct amk_subject *s, const char **why)
{
	bool allows;

	if (s->is_question) {
		*why = "a question is the person's";
		return false;
	}
	if (strcmp(s->from.mode, "bypass") == 0) {
		*why = "every permission";
		return true;
	}
	if (strcmp(s->from.mode, "acceptEdits") != 0) {
		*why = "it asks";
		return false;
	}
	allows = is_edit_inside(s);
	*why = allows ? "a change of a file in the session's directory" : "no change of a file in the session's directory";
	return allows;
}

void amk_ruling_end(struct amk_ruling *g)
{
	char name[AMK_RULING_NAME];
	const char *why;
	bool allows;

	if (!g->action && g->held[0]) {
		decide(g, "ask", g->held, g->held_scope, g->held_why.s);
	} else if (!g->action) {
		allows = mode_allows(g->subject, &why);
		snprintf(name, sizeof name, "mode %.40s", g->subject->from.mode);
		note(g, name, "mode", allows ? AMK_MATCH_YES : AMK_MATCH_NO, why);
		decide(g, allows ? "allow" : "ask", name, "mode", why);
	}
	amk_jw_close(&g->trace, ']');
}

static bool look(void *arg, const struct amk_state_rule *r)
{
	return amk_ruling_look(arg, r);
}

int amk_ruling_make(struct amk_ruling *g, struct amk_store *store, int64_t session, const struct amk_subject *s,
		    struct amk_err *e)
{
	amk_ruling_begin(g, s);
	if (amk_state_rules(store, session, s->from.agent, look, g, e) < 0)
		return -1;
	amk_ruling_end(g);
	return 0;
}

void amk_ruling_write(struct amk_buf *b, const char *key, const struct amk_ruling *g)
{
	amk_jw_open(b, key, '{');
	amk_jw_cstr(b, "id", g->id);
	amk_jw_cstr(b, "scope", g->scope);
	amk_jw_cstr(b, "action", g->action);
	amk_jw_cstr(b, "why", g->why.s);
	amk_jw_close(b, '}');
}
