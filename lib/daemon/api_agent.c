/* SPDX-License-Identifier: Apache-2.0 */
/* Routes below /v1/agents: what there is, where it was found, what it can and how it can be told to work. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"

#include <stdlib.h>

#include "core/jw.h"
#include "daemon/api.h"
#include "daemon/owner.h"

static void write_list(struct amk_buf *b, const char *key, const char *const *list)
{
	amk_jw_open(b, key, '[');
	for (; list && *list; list++)
		amk_jw_cstr(b, NULL, *list);
	amk_jw_close(b, ']');
}

static void write_permissions(struct amk_buf *b, const struct amk_agent_permission *p)
{
	amk_jw_open(b, "permissionModes", '[');
	for (; p->name; p++)
		amk_jw_cstr(b, NULL, p->name);
	amk_jw_close(b, ']');
}

/* As far as the daemon sees: a session's own environment may hold what is missing here. */
static bool has_credentials(const struct amk_codec *c)
{
	const struct passwd *pw = getpwuid(getuid());
	char path[AMK_PATH_MAX];

	for (const char *const *k = c->credentials; k && *k; k++) {
		const char *value = getenv(*k);

		if (value && value[0])
			return true;
		if (strncmp(*k, "~/", 2) != 0 || !pw)
			continue;
		snprintf(path, sizeof path, "%s%s", pw->pw_dir, *k + 1);
		if (access(path, R_OK) == 0)
			return true;
	}
	return !c->credentials;
}

static void write_agent(struct amk_buf *b, const struct amk_codec *c, const char *path)
{
	char found[AMK_PATH_MAX];
	bool installed;

	installed = amk_session_program(found, c, path, NULL) == 0;
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "id", c->name);
	amk_jw_cstr(b, "title", c->title);
	amk_jw_bool(b, "installed", installed);
	amk_jw_cstr(b, "path", installed ? found : NULL);
	amk_jw_null(b, "version");
	amk_jw_bool(b, "credentialsAvailable", has_credentials(c));
	amk_jw_open(b, "capabilities", '{');
	for (const struct amk_capability *cap = c->capabilities; cap && cap->name; cap++)
		amk_jw_bool(b, cap->name, cap->has);
	amk_jw_close(b, '}');
	write_list(b, "environment", c->env);
	write_permissions(b, c->permissions);
	amk_jw_cstr(b, "install", c->install);
	amk_jw_close(b, '}');
}

/* Where programs are looked for: as asked, else where a session of this request would; NULL: the system's. */
static const char *search_path(const struct amk_daemon *d, const struct amk_request *rq)
{
	const char *path = amk_request_query(rq, "path");

	return path || !amk_owner_serves(d, rq) ? path : getenv("PATH");
}

void amk_api_agent_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const char *path = search_path(arg, rq);

	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "agents", '[');
	for (const struct amk_codec *const *c = amk_agents; *c; c++)
		write_agent(&b, *c, path);
	amk_jw_close(&b, ']');
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

static void problem(struct amk_request *rq, const char *agent, const struct amk_err *e)
{
	struct amk_buf ext AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	amk_jw_cstr(&ext, "agent", agent);
	amk_request_problem(rq, e, amk_buf_ok(&ext) ? ext.s : NULL);
}

/* The agent of the path; NULL when the problem was sent. */
static const struct amk_codec *agent_of(struct amk_request *rq)
{
	const char *name = amk_request_param(rq, 0);
	const struct amk_codec *c = amk_agent_find(name);
	struct amk_err e;

	if (c)
		return c;
	amk_agent_unknown(name, &e);
	problem(rq, name, &e);
	return NULL;
}

void amk_api_agent_modes(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const struct amk_codec *c = agent_of(rq);

	(void)arg;
	if (!c)
		return;
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "modes", '[');
	for (const struct amk_agent_mode *m = c->modes; m->id; m++) {
		amk_jw_open(&b, NULL, '{');
		amk_jw_cstr(&b, "id", m->id);
		amk_jw_cstr(&b, "name", m->name);
		amk_jw_cstr(&b, "description", m->description);
		amk_jw_close(&b, '}');
	}
	amk_jw_close(&b, ']');
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

void amk_api_agent_models(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const struct amk_codec *c = agent_of(rq);

	(void)arg;
	if (!c)
		return;
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "models", '[');
	for (const struct amk_agent_model *m = c->models; m->id; m++) {
		amk_jw_open(&b, NULL, '{');
		amk_jw_cstr(&b, "id", m->id);
		amk_jw_cstr(&b, "name", m->name);
		if (c->variants)
			write_list(&b, "variants", c->variants);
		amk_jw_close(&b, '}');
	}
	amk_jw_close(&b, ']');
	if (c->default_model)
		amk_jw_cstr(&b, "defaultModel", c->default_model);
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}

/* What is there is installed. Nothing is fetched: the command that does is in the hint. */
void amk_api_agent_install(struct amk_request *rq, void *arg)
{
	struct install {
		bool again;
	} body = { false };
	static const struct amk_json_field fields[] = { AMK_JSON_FIELD(install, again, "reinstall", BOOL, false) };
	const struct amk_codec *c = agent_of(rq);
	char found[AMK_PATH_MAX];
	struct amk_err e;
	bool installed;

	if (!c)
		return;
	if (amk_json_read(amk_request_json(rq), fields, AMK_COUNT(fields), &body, &e) < 0) {
		amk_request_problem(rq, &e, NULL);
		return;
	}
	installed = amk_session_program(found, c, search_path(arg, rq), NULL) == 0;
	if (installed && (c->is_helper || !body.again)) {
		amk_request_reply(rq, 204, NULL, NULL, 0);
		return;
	}
	amk_err_set(&e, AMK_EINSTALL, "install failed: amika installs no agents; %s is %s", c->name,
		    installed ? "there, and stays as it is" : "not there");
	if (c->install)
		amk_err_hint(&e, "install it: %s", c->install);
	problem(rq, c->name, &e);
}
