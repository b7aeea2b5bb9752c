/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: what may stand in one, and whether one is about a request. */
#include "decision/rule.h"

#include <stdio.h>
#include <string.h>

#include "core/jw.h"
#include "core/time.h"
#include "decision/glob.h"
#include "decision/resolve.h"

#define MESSAGE_MAX 4096
#define COMMAND_MAX 4096

const char *amk_rule_id(char to[AMK_RULE_ID], int64_t row)
{
	return amk_id_of_row(to, 'r', row);
}

int64_t amk_rule_row(const char *id)
{
	return amk_id_row(id, 'r');
}

static bool is_one_of(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

static bool is_allow(const struct amk_state_rule *r)
{
	return strcmp(r->action, "allow") == 0;
}

static int check_words(const struct amk_state_rule *r, struct amk_err *e)
{
	static const char *const actions[] = { "allow", "deny", "ask", NULL };
	static const char *const scopes[] = { "daemon", "agent", "session", NULL };
	static const char *const kinds[] = { "permission", "question", NULL };

	if (!is_one_of(actions, r->action))
		return amk_err_set(e, AMK_EINVALID, "a rule answers allow, deny or ask, not \"%.40s\"", r->action);
	if (!is_one_of(scopes, r->scope))
		return amk_err_set(e, AMK_EINVALID, "a rule's scope is daemon, agent or session, not \"%.40s\"", r->scope);
	if (!is_one_of(kinds, r->kind))
		return amk_err_set(e, AMK_EINVALID, "a rule's kind is permission or question, not \"%.40s\"", r->kind);
	if (strcmp(r->scope, "agent") == 0 && !r->agent)
		return amk_err_set(e, AMK_EINVALID, "a rule of an agent needs its name");
	if ((strcmp(r->scope, "session") == 0) != (r->session != 0))
		return amk_err_set(e, AMK_EINVALID, r->session ? "only a rule of scope session names a session" :
								 "a rule of a session needs its name");
	return 0;
}

static int check_together(const struct amk_state_rule *r, struct amk_err *e)
{
	bool question = strcmp(r->kind, "question") == 0;

	if (r->message && strcmp(r->action, "deny") != 0)
		return amk_err_set(e, AMK_EINVALID, "only a rule that denies has a message");
	if (r->message && strlen(r->message) > MESSAGE_MAX)
		return amk_err_set(e, AMK_ETOOBIG, "a rule's message has at most %d bytes", MESSAGE_MAX);
	if (question && is_allow(r))
		return amk_err_set(e, AMK_EINVALID, "a question needs an answer: a rule can only deny it, or ask");
	if (!is_allow(r) || r->tool || r->command || r->path || r->input)
		return 0;
	amk_err_set(e, AMK_EINVALID, "a rule that allows names a tool, a command or a path");
	return amk_err_hint(e, "what allows everything is the permission mode bypass");
}

int amk_rule_check(const struct amk_state_rule *r, struct amk_err *e)
{
	struct amk_buf path AMK_AUTO(buf) = AMK_BUF_INIT(AMK_GLOB_MAX);
	struct amk_command command = { 0 };

	if (check_words(r, e) < 0 || check_together(r, e) < 0)
		return -1;
	if (r->input && strlen(r->input) >= AMK_SUBJECT_INPUT_MAX)
		return amk_err_set(e, AMK_ETOOBIG, "a rule's input has at most %d bytes", AMK_SUBJECT_INPUT_MAX);
	if (r->path && amk_glob_path(&path, r->path, e) < 0)
		return -1;
	if (!r->command)
		return 0;
	if (strlen(r->command) > COMMAND_MAX)
		return amk_err_set(e, AMK_ETOOBIG, "a rule's command has at most %d bytes", COMMAND_MAX);
	if (amk_command_pattern(&command, r->command, e) < 0)
		return amk_err_wrap(e, "the rule's command");
	amk_command_release(&command);
	return 0;
}

/* The same pattern behind the real folder its first components without wildcards lead to. */
static bool matches_behind_links(const char *pattern, const char *path)
{
	struct amk_buf glob AMK_AUTO(buf) = AMK_BUF_INIT(AMK_GLOB_MAX);
	char folder[AMK_PATH_MAX], real[AMK_PATH_MAX];
	size_t n = strcspn(pattern, "*?");

	while (pattern[n] && n > 1 && pattern[n - 1] != '/')
		n--;
	snprintf(folder, sizeof folder, "%.*s", (int)n, pattern);
	if (amk_resolve(real, "/", folder, NULL) < 0)
		return false;
	amk_buf_adds(&glob, real);
	if (pattern[n]) {
		amk_buf_addc(&glob, '/');
		amk_glob_path(&glob, pattern + n, NULL);
	}
	return amk_glob_match(glob.s, path);
}

/* A part of a path that is below `home`, or NULL. */
static const char *below(const char *home, const char *path)
{
	size_t n = strlen(home);

	if (n == 0 || strncmp(path, home, n) != 0)
		return NULL;
	if (home[n - 1] == '/')
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

static enum amk_match match_path(const struct amk_state_rule *r, const struct amk_subject *s, struct amk_buf *why)
{
	struct amk_buf glob AMK_AUTO(buf) = AMK_BUF_INIT(AMK_GLOB_MAX);
	const char *path = s->resolved;

	if (!s->path || (is_allow(r) && s->text && !r->command)) {
		amk_buf_adds(why, s->path ? "it is a command, and the rule allows paths" : "it names no path");
		return AMK_MATCH_NO;
	}
	if (!path[0] || (r->path[0] != '/' && !s->home[0])) {
		amk_buf_adds(why, path[0] ? "the session's directory is not there" : s->path_err.msg);
		return AMK_MATCH_UNREADABLE;
	}
	if (r->path[0] != '/')
		path = below(s->home, path);
	if (path && amk_glob_path(&glob, r->path, NULL) == 0 && amk_glob_match(glob.s, path))
		return AMK_MATCH_YES;
	/* To refuse, what the pattern's own links lead to counts as well; to allow it would let a new link widen the rule. */
	if (!is_allow(r) && r->path[0] == '/' && matches_behind_links(r->path, path))
		return AMK_MATCH_YES;
	amk_buf_addf(why, "another path: %.300s", s->resolved);
	return AMK_MATCH_NO;
}

static enum amk_match match_command(const struct amk_state_rule *r, const struct amk_subject *s, struct amk_buf *why)
{
	struct amk_command pattern;
	enum amk_match m;

	if (!s->text) {
		amk_buf_adds(why, "it is no command");
		return AMK_MATCH_NO;
	}
	if (s->command.words.n == 0) {
		amk_buf_adds(why, s->command_err.msg);
		return AMK_MATCH_UNREADABLE;
	}
	if (amk_command_pattern(&pattern, r->command, NULL) < 0) {
		amk_buf_adds(why, "the rule's pattern cannot be read");
		return AMK_MATCH_UNREADABLE;
	}
	m = amk_command_match(&pattern, &s->command);
	amk_command_release(&pattern);
	if (m != AMK_MATCH_YES)
		amk_buf_adds(why, m == AMK_MATCH_NO ? "another command" : "a wildcard, and a word it does not stand for");
	return m;
}

static bool differs(const char *wanted, const char *is)
{
	return wanted && (!is || strcmp(wanted, is) != 0);
}

/* What of the rule is another than the request's, or NULL. */
static const char *difference(const struct amk_state_rule *r, const struct amk_subject *s)
{
	if (strcmp(r->kind, s->is_question ? "question" : "permission") != 0)
		return "another kind";
	if (differs(r->agent, s->from.agent))
		return "another agent";
	if (differs(r->tool, s->tool))
		return "another tool";
	if (r->input && (!amk_buf_ok(&s->input) || strcmp(r->input, s->input.s) != 0))
		return "another input";
	return NULL;
}

enum amk_match amk_rule_match(const struct amk_state_rule *r, const struct amk_subject *s, struct amk_buf *why)
{
	struct amk_buf other AMK_AUTO(buf) = AMK_BUF_INIT(AMK_ERR_MSG);
	enum amk_match path, command = AMK_MATCH_YES;
	const char *differs_in = difference(r, s);

	if (differs_in) {
		amk_buf_adds(why, differs_in);
		return AMK_MATCH_NO;
	}
	if (r->command)
		command = match_command(r, s, why);
	if (command == AMK_MATCH_NO || !r->path)
		return command;
	path = match_path(r, s, &other);
	if (path != AMK_MATCH_NO && command != AMK_MATCH_YES)
		return command;
	amk_buf_clear(why);
	amk_buf_adds(why, other.s);
	return path;
}

bool amk_rule_is_exact(const struct amk_state_rule *r)
{
	return r->input && r->tool;
}

int amk_rule_add(struct amk_store *store, struct amk_state_rule *r, int64_t before, struct amk_err *e)
{
	int64_t n;

	if (amk_rule_check(r, e) < 0 || amk_state_rule_count(store, r->scope, r->session, &n, e) < 0)
		return -1;
	if (n >= AMK_RULE_MOST) {
		amk_err_set(e, AMK_ECONFLICT, "there are %d rules of scope %s already", AMK_RULE_MOST, r->scope);
		return amk_err_hint(e, "remove some: amika decision rule list");
	}
	r->created = amk_time_now();
	return amk_state_rule_add(store, r, before, e);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool find_same(void *arg, const struct amk_state_rule *r)
{
	struct amk_state_rule *like = arg;

	if (r->session != like->session || !same(r->scope, like->scope) || !same(r->agent, like->agent) ||
	    !same(r->kind, like->kind) || !same(r->tool, like->tool) || !same(r->command, like->command) ||
	    !same(r->path, like->path) || !same(r->input, like->input) || !same(r->action, like->action))
		return true;
	like->row = r->row;
	return false;
}

int amk_rule_add_once(struct amk_store *store, struct amk_state_rule *r, struct amk_err *e)
{
	if (amk_state_rules(store, 0, NULL, find_same, r, e) < 0)
		return -1;
	if (r->row)
		return 0;
	return amk_rule_add(store, r, 0, e) < 0 ? -1 : 1;
}

static void write_some(struct amk_buf *b, const char *key, const char *s)
{
	if (s)
		amk_jw_cstr(b, key, s);
}

static void write_match(struct amk_buf *b, const struct amk_state_rule *r)
{
	write_some(b, "agent", r->agent);
	amk_jw_cstr(b, "kind", r->kind);
	write_some(b, "tool", r->tool);
	write_some(b, "command", r->command);
	write_some(b, "path", r->path);
	if (r->input)
		amk_jw_raw(b, "input", r->input, strlen(r->input));
	amk_jw_cstr(b, "action", r->action);
	write_some(b, "message", r->message);
}

void amk_rule_write(struct amk_buf *b, const char *key, const struct amk_state_rule *r)
{
	char id[AMK_RULE_ID];

	amk_jw_open(b, key, '{');
	amk_jw_cstr(b, "ruleId", amk_rule_id(id, r->row));
	amk_jw_cstr(b, "scope", r->scope);
	write_some(b, "sessionId", r->session_id);
	write_match(b, r);
	amk_jw_cstr(b, "by", r->by);
	amk_jw_int(b, "createdAt", r->created / 1000000);
	amk_jw_close(b, '}');
}

void amk_rule_write_line(struct amk_buf *b, const char *key, const struct amk_state_rule *r)
{
	char id[AMK_RULE_ID];

	amk_jw_open(b, key, '{');
	amk_jw_cstr(b, "id", amk_rule_id(id, r->row));
	amk_jw_cstr(b, "scope", r->scope);
	write_match(b, r);
	amk_jw_close(b, '}');
}
