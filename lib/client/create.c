/* SPDX-License-Identifier: Apache-2.0 */
/* From options to the request that makes a session. */
#include "client/create.h"

#include <stdio.h>
#include <string.h>

#include "client/caller.h"
#include "core/id.h"
#include "core/jw.h"
#include "core/name.h"
#include "core/near.h"
#include "core/time.h"
#include "core/utf8.h"

struct amk_create amk_create_given;

int amk_create_check(const char *name, struct amk_err *e)
{
	if (amk_id_name_valid(name))
		return 0;
	amk_err_set(e, AMK_EINVALID, "\"%.140s\" cannot be a new session's name", name);
	return amk_err_hint(e, "1 to 63 of a-z 0-9 -, starting with a letter or digit");
}

static const struct amk_json *agent_find(const struct amk_json *reply, const char *agent)
{
	const struct amk_json *a = amk_json_first(amk_json_get(reply, "agents"));

	while (a && !amk_json_is(a, "id", agent))
		a = amk_json_next(a);
	return a;
}

static int agent_unknown(const struct amk_json *reply, const char *agent, struct amk_err *e)
{
	const struct amk_json *a = amk_json_first(amk_json_get(reply, "agents"));
	struct amk_near near;

	amk_near_init(&near, agent);
	for (; a; a = amk_json_next(a))
		if (amk_json_get_str(a, "id"))
			amk_near_add(&near, amk_json_get_str(a, "id"));
	amk_err_set(e, AMK_EUNKNOWNAGENT, "no agent \"%.100s\"", agent);
	return amk_near_hint(&near, e, "", "see: amika agent list");
}

/* What goes to the daemon must be text. */
static int check_texts(const struct amk_args *a, struct amk_err *e)
{
	const struct amk_create *c = &amk_create_given;
	const char *given[] = { c->model, c->variant, c->permission_mode, c->agent_mode, c->title };

	for (size_t i = 0; i < AMK_COUNT(given); i++)
		if (given[i] && !amk_utf8_valid(given[i], strlen(given[i])))
			return amk_err_set(e, AMK_EINVALID, "an option's value is not UTF-8");
	for (int i = 0; i < a->restc; i++)
		if (!amk_utf8_valid(a->rest[i], strlen(a->rest[i])))
			return amk_err_set(e, AMK_EINVALID, "argument %d after -- is not UTF-8", i + 1);
	return 0;
}

static void put(struct amk_buf *b, const char *key, const char *value)
{
	if (value)
		amk_jw_cstr(b, key, value);
}

/*
 * What the session takes over from here. A daemon at a URL has folders, programs and keys of its own:
 * only what was named is sent there.
 */
static int write_surroundings(struct amk_buf *body, bool remote, const struct amk_json *agent, struct amk_err *e)
{
	const struct amk_create *given = &amk_create_given;
	struct amk_strv pairs AMK_AUTO(strv) = { 0 };
	char here[AMK_PATH_MAX];

	if (!remote && (amk_caller_directory(here, given->directory, e) < 0 ||
			amk_caller_environment(&pairs, amk_json_get(agent, "environment"), &given->environment, e) < 0))
		return -1;
	if (remote && ((given->directory && amk_caller_far_directory(given->directory, e) < 0) ||
		       amk_caller_given(&pairs, &given->environment, e) < 0))
		return -1;
	put(body, "directory", remote ? given->directory : here);
	if (!remote || pairs.n)
		amk_caller_write(body, "environment", &pairs);
	return 0;
}

int amk_create_body(struct amk_client *c, const char *agent, const struct amk_args *a, struct amk_buf *body,
		    struct amk_err *e)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;
	const struct amk_json *row;

	if (check_texts(a, e) < 0 || amk_client_get(c, &reply, e, "/v1/agents") < 0)
		return -1;
	row = agent_find(reply, agent);
	if (!row)
		return agent_unknown(reply, agent, e);
	amk_jw_open(body, NULL, '{');
	amk_jw_cstr(body, "agent", agent);
	put(body, "agentMode", amk_create_given.agent_mode);
	put(body, "permissionMode", amk_create_given.permission_mode);
	put(body, "model", amk_create_given.model);
	put(body, "variant", amk_create_given.variant);
	put(body, "title", amk_create_given.title);
	if (write_surroundings(body, amk_client_url() != NULL, row, e) < 0)
		return -1;
	amk_jw_open(body, "arguments", '[');
	for (int i = 0; i < a->restc; i++)
		amk_jw_cstr(body, NULL, a->rest[i]);
	amk_jw_close(body, ']');
	amk_jw_close(body, '}');
	return amk_buf_ok(body) ? 0 : amk_err_set(e, AMK_ETOOBIG, "options of more than %zu bytes", body->max);
}

static bool same_text(const struct amk_json *a, const struct amk_json *b)
{
	struct amk_buf left AMK_AUTO(buf) = AMK_BUF_INIT(8u << 20), right AMK_AUTO(buf) = AMK_BUF_INIT(8u << 20);

	amk_json_print(&left, NULL, a);
	amk_json_print(&right, NULL, b);
	return strcmp(left.s, right.s) == 0;
}

/* Values are masked, names are not. */
static bool has_names(const struct amk_json *environment, const struct amk_json *asked)
{
	for (const struct amk_json *v = amk_json_first(asked); v; v = amk_json_next(v))
		if (!amk_json_get(environment, amk_json_key(v)))
			return false;
	return true;
}

/* What we left open was the daemon's choice. */
static bool is_as_asked(const struct amk_json *session, const struct amk_json *asked)
{
	for (const struct amk_json *m = amk_json_first(asked); m; m = amk_json_next(m)) {
		const struct amk_json *is = amk_json_get(session, amk_json_key(m));

		if (strcmp(amk_json_key(m), "environment") == 0 ? !has_names(is, m) : !is || !same_text(is, m))
			return false;
	}
	return !amk_json_true(amk_json_get(session, "ended"));
}

/* `since` is ms since the epoch; a daemon at a URL may have another clock. */
static int take_ours(struct amk_client *c, const char *name, const struct amk_buf *body, int64_t since,
		     struct amk_json **record, struct amk_err *e)
{
	struct amk_json *asked AMK_AUTO(json) = amk_json_parse(body->s, body->n, NULL);
	struct amk_json *found = NULL;
	struct amk_err conflict = *e;

	if (amk_client_get(c, &found, e, "/v1/sessions/%s", name) < 0)
		return -1;
	if (is_as_asked(found, asked) &&
	    (amk_client_url() || amk_json_get_int(found, "createdAt", 0) >= since)) {
		*record = found;
		return 0;
	}
	amk_json_free(found);
	*e = conflict;
	return -1;
}

static int create_named(struct amk_client *c, const char *name, const struct amk_buf *body, struct amk_json **record,
			struct amk_err *e)
{
	int64_t since = amk_time_now() / 1000000;
	bool twice = false;
	char path[128];
	struct amk_call call = {
		.method = "POST", .path = path, .body = body, .whole = true, .again = true, .twice = &twice
	};

	snprintf(path, sizeof path, "/v1/sessions/%s", name);
	if (amk_client_call(c, &call, record, e) < 0)
		return e->code == AMK_EEXISTS && twice ? take_ours(c, name, body, since, record, e) : -1;
	return *record ? 0 : amk_err_set(e, AMK_EINTERNAL, "the daemon made session %s but did not show it", name);
}

int amk_create_session(struct amk_client *c, const char *name, const struct amk_buf *body, struct amk_json **record,
		       struct amk_err *e)
{
	char made[AMK_NAME_MADE];

	if (name)
		return create_named(c, name, body, record, e);
	for (unsigned i = 0; amk_name_make(made, i); i++)
		if (create_named(c, made, body, record, e) == 0 || e->code != AMK_EEXISTS)
			return *record ? 0 : -1;
	amk_err_set(e, AMK_EEXISTS, "each of %d names made up was taken already", AMK_NAME_TRIES);
	return amk_err_hint(e, "name the session yourself");
}
