/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: /v1/rules. What is tested here is what a session asks, with the same words for the answer. */
#include <string.h>

#include "core/jw.h"
#include "daemon/api.h"
#include "decision/decision.h"
#include "decision/ruling.h"

#define REQUEST_MAX (1u << 20)
#define NO_SESSION (-1) /* a row no rule is of */

static bool write_one(void *arg, const struct amk_state_rule *r)
{
	amk_rule_write(arg, NULL, r);
	return amk_buf_ok(arg);
}

void amk_api_rule_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const char *id = amk_request_query(rq, "session");
	struct amk_daemon *d = arg;
	struct amk_session *s = NULL;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	if (id)
		s = amk_session_find(d->sessions, id, &e);
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "rules", '[');
	if ((id && !s) || amk_state_rules(d->store, s ? amk_session_row(s) : 0, s ? amk_session_agent(s) : NULL,
					  write_one, &b, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	amk_jw_close(&b, ']');
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

/* A rule as a client gives it. */
struct given {
	const char *scope, *session, *agent, *kind, *tool, *command, *path, *action, *message, *by, *before;
	const struct amk_json *input;
	bool first;
};
static const struct amk_json_field given_fields[] = {
	AMK_JSON_FIELD(given, scope, "scope", STR, false),
	AMK_JSON_FIELD(given, session, "sessionId", STR, false),
	AMK_JSON_FIELD(given, agent, "agent", STR, false),
	AMK_JSON_FIELD(given, kind, "kind", STR, false),
	AMK_JSON_FIELD(given, tool, "tool", STR, false),
	AMK_JSON_FIELD(given, command, "command", STR, false),
	AMK_JSON_FIELD(given, path, "path", STR, false),
	AMK_JSON_FIELD(given, input, "input", OBJECT, false),
	AMK_JSON_FIELD(given, action, "action", STR, true),
	AMK_JSON_FIELD(given, message, "message", STR, false),
	AMK_JSON_FIELD(given, by, "by", STR, false),
	AMK_JSON_FIELD(given, first, "first", BOOL, false),
	AMK_JSON_FIELD(given, before, "before", STR, false),
};

/* The session a rule is of: it must be there, and go on. */
static int find_session(struct amk_daemon *d, const char *id, struct amk_state_rule *r, struct amk_err *e)
{
	struct amk_session *s = amk_session_find(d->sessions, id, e);

	if (!s)
		return -1;
	if (strcmp(amk_session_state(s), "ended") == 0)
		return amk_err_set(e, AMK_EENDED, "session terminated: %s", id);
	r->session = amk_session_row(s);
	r->session_id = amk_session_id(s);
	return 0;
}

static int find_place(const struct given *g, int64_t *before, struct amk_err *e)
{
	*before = g->first ? -1 : 0;
	if (!g->before)
		return 0;
	*before = amk_rule_row(g->before);
	if (g->first)
		return amk_err_set(e, AMK_EINVALID, "first, or before another: not both");
	return *before ? 0 : amk_err_set(e, AMK_ENOTFOUND, "no rule %.40s", g->before);
}

static int add(struct amk_daemon *d, const struct given *g, const char *peer, int64_t *row, struct amk_err *e)
{
	struct amk_buf input AMK_AUTO(buf) = AMK_BUF_INIT(AMK_SUBJECT_INPUT_MAX);
	struct amk_state_rule r = {
		.scope = g->scope ? g->scope : g->session ? "session" : "daemon", .agent = g->agent,
		.kind = g->kind ? g->kind : "permission", .tool = g->tool, .command = g->command, .path = g->path,
		.action = g->action, .message = g->message, .by = g->by ? g->by : peer,
	};
	int64_t before;

	if (g->agent && !amk_agent_find(g->agent))
		return amk_err_set(e, AMK_EUNKNOWNAGENT, "unsupported agent: %.100s", g->agent);
	if (g->input) {
		amk_subject_write_input(&input, g->input);
		r.input = input.s;
	}
	if (!amk_buf_ok(&input))
		return amk_err_set(e, AMK_ETOOBIG, "an input of more than %d bytes", AMK_SUBJECT_INPUT_MAX);
	if ((g->session && find_session(d, g->session, &r, e) < 0) || find_place(g, &before, e) < 0 ||
	    amk_rule_add(d->store, &r, before, e) < 0)
		return -1;
	*row = r.row;
	return 0;
}

struct added {
	int64_t row;
	struct amk_buf *b;
};

static bool write_added(void *arg, const struct amk_state_rule *r)
{
	const struct added *a = arg;

	if (r->row != a->row)
		return true;
	amk_rule_write(a->b, NULL, r);
	return false;
}

void amk_api_rule_add(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_daemon *d = arg;
	struct given g = { 0 };
	struct added a = { .b = &b };
	struct amk_err e;
	char peer[64];

	if (!amk_api_ready(d, rq))
		return;
	if (amk_json_read(amk_request_json(rq), given_fields, AMK_COUNT(given_fields), &g, &e) < 0 ||
	    add(d, &g, amk_api_peer(rq, peer), &a.row, &e) < 0 ||
	    amk_state_rules(d->store, 0, NULL, write_added, &a, &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else
		amk_api_reply_flushed(d, rq, 200, &b);
}

void amk_api_rule_remove(struct amk_request *rq, void *arg)
{
	const char *id = amk_request_param(rq, 0);
	int64_t row = amk_rule_row(id);
	struct amk_daemon *d = arg;
	struct amk_err e;

	if (!amk_api_ready(d, rq))
		return;
	if (row == 0)
		amk_err_set(&e, AMK_ENOTFOUND, "no rule %.40s", id);
	if (row == 0 || amk_state_rule_remove(d->store, row, &e) < 0)
		amk_request_problem(rq, &e, NULL);
	else
		amk_api_reply_flushed(d, rq, 204, NULL);
}

/* A request that was made, or could be. */
struct tested {
	const char *decision, *session, *agent, *kind, *tool, *command, *path, *directory, *mode;
	const struct amk_json *input;
};
static const struct amk_json_field tested_fields[] = {
	AMK_JSON_FIELD(tested, decision, "decisionId", STR, false),
	AMK_JSON_FIELD(tested, session, "sessionId", STR, false),
	AMK_JSON_FIELD(tested, agent, "agent", STR, false),
	AMK_JSON_FIELD(tested, kind, "kind", STR, false),
	AMK_JSON_FIELD(tested, tool, "tool", STR, false),
	AMK_JSON_FIELD(tested, command, "command", STR, false),
	AMK_JSON_FIELD(tested, path, "path", STR, false),
	AMK_JSON_FIELD(tested, directory, "directory", STR, false),
	AMK_JSON_FIELD(tested, mode, "permissionMode", STR, false),
	AMK_JSON_FIELD(tested, input, "input", OBJECT, false),
};

static void write_request(struct amk_buf *b, const struct tested *t)
{
	const char *const keys[] = { "tool", "command", "path" };
	const char *const values[] = { t->tool, t->command, t->path };

	amk_jw_open(b, NULL, '{');
	for (size_t i = 0; i < AMK_COUNT(keys); i++)
		if (values[i])
			amk_jw_cstr(b, keys[i], values[i]);
	if (t->input)
		amk_json_print(b, "input", t->input);
	amk_jw_close(b, '}');
}

/* What the session has, where the request does not say otherwise. */
static int take_session(struct amk_daemon *d, struct tested *t, int64_t *row, struct amk_err *e)
{
	struct amk_session *s = amk_session_find(d->sessions, t->session, e);

	if (!s)
		return -1;
	*row = amk_session_row(s);
	t->agent = t->agent ? t->agent : amk_session_agent(s);
	t->directory = t->directory ? t->directory : amk_session_directory(s);
	t->mode = t->mode ? t->mode : amk_session_permission_mode(s);
	return 0;
}

static int rule_on(struct amk_daemon *d, const struct tested *t, int64_t session, const char *request,
		   struct amk_buf *b, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(request, strlen(request), e);
	const struct amk_subject_from from = {
		.agent = t->agent,
		.kind = t->kind ? t->kind : "permission",
		.mode = t->mode ? t->mode : "default",
		.directory = t->directory ? t->directory : "/",
		.request = j,
	};
	struct amk_subject subject;
	struct amk_ruling g;
	int r;

	if (!j)
		return -1;
	amk_subject_init(&subject, &from);
	r = amk_ruling_make(&g, d->store, session, &subject, e);
	if (r == 0) {
		amk_jw_cstr(b, "action", g.action);
		amk_ruling_write(b, "rule", &g);
		amk_jw_raw(b, "trace", g.trace.s, g.trace.n);
	}
	amk_ruling_release(&g);
	amk_subject_release(&subject);
	return r;
}

static int test_decision(struct amk_daemon *d, struct tested *t, struct amk_buf *b, struct amk_err *e)
{
	struct amk_buf kept AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_decision found;
	int64_t session;
	int r = -1;

	if (amk_decision_find(d->store, amk_decision_row(t->decision), &found, e) < 0)
		return -1;
	t->session = found.session_id;
	t->kind = found.kind;
	if (amk_state_rule_traced(d->store, found.row, &kept, e) == 0 && take_session(d, t, &session, e) == 0) {
		amk_jw_cstr(b, "decisionId", t->decision);
		amk_jw_cstr(b, "state", found.state);
		amk_jw_cstr(b, "by", found.by);
		if (kept.n)
			amk_jw_raw(b, "kept", kept.s, kept.n);
		else
			amk_jw_null(b, "kept");
		r = rule_on(d, t, session, found.request, b, e);
	}
	amk_decision_release(&found);
	return r;
}

static int test_request(struct amk_daemon *d, struct tested *t, struct amk_buf *b, struct amk_err *e)
{
	struct amk_buf request AMK_AUTO(buf) = AMK_BUF_INIT(REQUEST_MAX);
	int64_t session = NO_SESSION;

	if (t->session && take_session(d, t, &session, e) < 0)
		return -1;
	write_request(&request, t);
	if (!amk_buf_ok(&request))
		return amk_err_set(e, AMK_ETOOBIG, "a request of more than %u bytes", REQUEST_MAX);
	return rule_on(d, t, session, request.s, b, e);
}

void amk_api_rule_test(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	struct amk_daemon *d = arg;
	struct tested t = { 0 };
	struct amk_err e;
	int r;

	if (!amk_api_ready(d, rq))
		return;
	amk_jw_open(&b, NULL, '{');
	r = amk_json_read(amk_request_json(rq), tested_fields, AMK_COUNT(tested_fields), &t, &e);
	if (r == 0)
		r = t.decision ? test_decision(d, &t, &b, &e) : test_request(d, &t, &b, &e);
	amk_jw_close(&b, '}');
	if (r < 0)
		amk_request_problem(rq, &e, NULL);
	else
		amk_request_reply_json(rq, 200, &b);
}
