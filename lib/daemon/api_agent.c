/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/agents: what there is, where it was found, what it can. */
#include "agent/agent.h"

#include "core/jw.h"
#include "daemon/api.h"

static void write_list(struct amk_buf *b, const char *key, const char *const *list)
{
	amk_jw_open(b, key, '[');
	for (; list && *list; list++)
		amk_jw_cstr(b, NULL, *list);
	amk_jw_close(b, ']');
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
	amk_jw_null(b, "credentialsAvailable");
	amk_jw_open(b, "capabilities", '{');
	for (const struct amk_capability *cap = c->capabilities; cap && cap->name; cap++)
		amk_jw_bool(b, cap->name, cap->has);
	amk_jw_close(b, '}');
	write_list(b, "environment", c->env);
	write_list(b, "permissionModes", c->modes);
	amk_jw_cstr(b, "install", c->install);
	amk_jw_close(b, '}');
}

void amk_api_agent_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_API_REPLY_MAX);
	const char *path = amk_request_query(rq, "path");

	(void)arg;
	amk_jw_open(&b, NULL, '{');
	amk_jw_open(&b, "agents", '[');
	for (const struct amk_codec *const *c = amk_agents; *c; c++)
		write_agent(&b, *c, path);
	amk_jw_close(&b, ']');
	amk_jw_close(&b, '}');
	amk_request_reply_json(rq, 200, &b);
}
