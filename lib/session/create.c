/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a session: every check before the first row. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/jw.h"
#include "core/near.h"
#include "core/path.h"
#include "core/time.h"
#include "session/internal.h"

#define SPEC_MAX (4u << 20)

struct create {
	const char *agent, *agent_mode, *permission_mode, *model, *variant, *version, *directory, *title;
	int64_t sleep_ms; /* -1: as the daemon is set */
	const struct amk_json *environment, *arguments, *mcp, *skills;
	const struct amk_codec *codec;
};

static const struct amk_json_field fields[] = {
	AMK_JSON_FIELD(create, agent, "agent", STR, true),
	AMK_JSON_FIELD(create, agent_mode, "agentMode", STR, false),
	AMK_JSON_FIELD(create, permission_mode, "permissionMode", STR, false),
	AMK_JSON_FIELD(create, model, "model", STR, false),
	AMK_JSON_FIELD(create, variant, "variant", STR, false),
	AMK_JSON_FIELD(create, version, "agentVersion", STR, false),
	AMK_JSON_FIELD(create, directory, "directory", STR, false),
	AMK_JSON_FIELD(create, title, "title", STR, false),
	AMK_JSON_FIELD(create, sleep_ms, "sleepMs", INT, false),
	AMK_JSON_FIELD(create, environment, "environment", OBJECT, false),
	AMK_JSON_FIELD(create, arguments, "arguments", ARRAY, false),
	AMK_JSON_FIELD(create, mcp, "mcp", OBJECT, false),
	AMK_JSON_FIELD(create, skills, "skills", OBJECT, false),
};

static int check_agent(struct create *c, struct amk_err *e)
{
	c->codec = amk_agent_find(c->agent);
	if (c->codec)
		return 0;
	return amk_agent_unknown(c->agent, e);
}

static int check_environment(const struct create *c, struct amk_err *e)
{
	for (const struct amk_json *v = amk_json_first(c->environment); v; v = amk_json_next(v)) {
		const char *name = amk_json_key(v);

		if (!amk_json_str(v))
			return amk_err_set(e, AMK_EINVALID, "environment: \"%.100s\" must be a string", name);
		if (!name[0] || strchr(name, '='))
			return amk_err_set(e, AMK_EINVALID, "environment: \"%.100s\" is no variable name", name);
		if (strncmp(name, "AMIKA_", 6) == 0)
			return amk_err_set(e, AMK_EINVALID, "environment: %.100s is amika's own", name);
	}
	for (const struct amk_json *a = amk_json_first(c->arguments); a; a = amk_json_next(a))
		if (!amk_json_str(a))
			return amk_err_set(e, AMK_EINVALID, "arguments: all must be strings");
	return 0;
}

static bool is_one_of(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

/* The agents refuse it to root themselves, but only once they run. */
static int check_root(const struct amk_codec *codec, const struct amk_agent_permission *p, const struct amk_json *vars,
		      struct amk_err *e)
{
	if (!p->root_env || geteuid() != 0 || amk_json_is(vars, p->root_env, "1"))
		return 0;
	amk_err_set(e, AMK_EINVALID, "%s does not take permission mode %s from root", codec->name, p->name);
	return amk_err_hint(e, "run amikad as another user, or, where root is confined, give %s=1", p->root_env);
}

/* What this agent has comes near, and nothing else. */
static void permission_unknown(const struct amk_codec *codec, const char *name, const char *const *known,
			       struct amk_err *e)
{
	struct amk_near near;

	amk_near_init(&near, name);
	for (; *known; known++)
		if (amk_agent_permission(codec, *known))
			amk_near_add(&near, *known);
	amk_err_set(e, AMK_EINVALID, "invalid permission mode: %.60s", name);
	amk_near_hint(&near, e, "", "see: amika agent list --json");
}

const struct amk_agent_permission *amk_session_permission(const struct amk_codec *codec, const char *name,
							  const struct amk_json *vars, struct amk_err *e)
{
	static const char *const known[] = { "default", "plan", "bypass", "acceptEdits", NULL };
	const struct amk_agent_permission *p = name ? amk_agent_permission(codec, name) : codec->permissions;

	if (name && !is_one_of(known, name)) {
		permission_unknown(codec, name, known, e);
		return NULL;
	}
	if (!p)
		amk_err_set(e, AMK_EMODE, "mode not supported: %s %.60s", codec->name, name);
	return p && check_root(codec, p, vars, e) == 0 ? p : NULL;
}

static int mode_unknown(const struct create *c, struct amk_err *e)
{
	char *otherwise AMK_AUTO(mem) = amk_strf("see: amika agent modes %s", c->codec->name);
	struct amk_near near;

	amk_near_init(&near, c->agent_mode);
	for (const struct amk_agent_mode *m = c->codec->modes; m->id; m++)
		amk_near_add(&near, m->id);
	amk_err_set(e, AMK_EMODE, "mode not supported: %s %.60s", c->agent, c->agent_mode);
	return amk_near_hint(&near, e, "", otherwise);
}

static int check_modes(struct create *c, struct amk_err *e)
{
	const struct amk_agent_permission *p;

	if (!c->agent_mode)
		c->agent_mode = c->codec->modes[0].id;
	p = amk_session_permission(c->codec, c->permission_mode, c->environment, e);
	if (!p && e->code != AMK_EMODE)
		return -1;
	if (!amk_agent_mode(c->codec, c->agent_mode))
		return mode_unknown(c, e);
	if (!p)
		return -1;
	c->permission_mode = p->shown;
	return 0;
}

/* What would have no effect is refused, not kept for show. */
static int check_extras(const struct create *c, struct amk_err *e)
{
	const struct amk_json *sources = amk_json_get(c->skills, "sources");

	if (sources && !amk_json_is_array(sources) && !amk_json_is_null(sources))
		return amk_err_set(e, AMK_EINVALID, "skills: \"sources\" must be an array");
	if (amk_json_first(sources))
		return amk_err_set(e, AMK_EINVALID, "skills cannot be given to a session yet");
	if (!amk_json_first(c->mcp))
		return 0;
	amk_err_set(e, AMK_EINVALID, "mcp: servers cannot be given to a session yet");
	return amk_err_hint(e, "give the agent's program its own arguments, such as --mcp-config FILE");
}

static int check_model(struct create *c, struct amk_err *e)
{
	struct amk_buf list AMK_AUTO(buf) = AMK_BUF_INIT(200);

	if (!c->model)
		c->model = c->codec->default_model;
	if (!c->variant || !c->codec->variants || is_one_of(c->codec->variants, c->variant))
		return 0;
	amk_err_set(e, AMK_EINVALID, "%s has no variant \"%.60s\"", c->agent, c->variant);
	for (const char *const *v = c->codec->variants; *v; v++)
		amk_buf_addf(&list, "%s%s", list.n ? ", " : "", *v);
	return amk_err_hint(e, "it has %s", list.s);
}

static int check_directory(struct create *c, struct amk_err *e)
{
	struct passwd *pw;
	struct stat st;

	if (!c->directory) {
		pw = getpwuid(getuid());
		c->directory = pw ? pw->pw_dir : "/";
	}
	if (c->directory[0] != '/')
		return amk_err_set(e, AMK_EINVALID, "directory is not an absolute path: %.200s", c->directory);
	if (stat(c->directory, &st) < 0 || !S_ISDIR(st.st_mode))
		return amk_err_set(e, AMK_EINVALID, "no such directory: %.200s", c->directory);
	return 0;
}

int amk_session_program(char to[AMK_PATH_MAX], const struct amk_codec *codec, const char *path, struct amk_err *e)
{
	if (codec->is_helper)
		return amk_path_helper(to, codec->program, e);
	return amk_path_program(to, codec->program, path ? path : AMK_PATH_SYSTEM, e);
}

/* A version is a word of the command in the hint. */
static int check_version(const struct create *c, struct amk_err *e)
{
	if (!c->version || amk_id_valid(c->version))
		return 0;
	return amk_err_set(e, AMK_EINVALID, "agentVersion: \"%.60s\" is no version", c->version);
}

static int check_program(const struct create *c, struct amk_err *e)
{
	char found[AMK_PATH_MAX];

	if (check_version(c, e) < 0)
		return -1;
	if (amk_session_program(found, c->codec, amk_json_get_str(c->environment, "PATH"), e) == 0)
		return 0;
	if (e->code == AMK_ENOTFOUND) {
		amk_err_set(e, AMK_ENOTINSTALLED, "agent not installed: %s (%s)", c->agent, c->codec->program);
		return c->codec->install ? amk_err_hint(e, "install it: %s%s%s", c->codec->install,
							c->version ? "@" : "", c->version ? c->version : "") : -1;
	}
	return amk_err_hint(e, "make it executable, or put another %s first on PATH", c->codec->program);
}

static void write_children(struct amk_buf *b, const char *key, const struct amk_json *j, char open, char close)
{
	if (j) {
		amk_json_print(b, key, j);
		return;
	}
	amk_jw_open(b, key, open);
	amk_jw_close(b, close);
}

static void write_spec(struct amk_buf *b, const struct create *c)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "agent", c->agent);
	amk_jw_cstr(b, "agentMode", c->agent_mode);
	amk_jw_cstr(b, "permissionMode", c->permission_mode);
	amk_jw_cstr(b, "model", c->model);
	amk_jw_cstr(b, "variant", c->variant);
	amk_jw_cstr(b, "directory", c->directory);
	amk_jw_cstr(b, "title", c->title);
	if (c->sleep_ms >= 0)
		amk_jw_int(b, "sleepMs", c->sleep_ms);
	write_children(b, "environment", c->environment, '{', '}');
	write_children(b, "arguments", c->arguments, '[', ']');
	amk_jw_close(b, '}');
}

/* The metadata of the original's session.started, key for key. */
static void say_started(struct amk_session *s, const struct create *c)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct amk_said said = { .type = "session.started", .synthetic = true };

	amk_jw_open(&data, "metadata", '{');
	amk_jw_cstr(&data, "agent", c->agent);
	amk_jw_cstr(&data, "agentMode", c->agent_mode);
	amk_jw_cstr(&data, "model", c->model);
	amk_jw_cstr(&data, "permissionMode", c->permission_mode);
	amk_jw_cstr(&data, "variant", c->variant);
	amk_jw_close(&data, '}');
	said.data = data.s;
	amk_said_own(s, &said);
}

/* In the original's order: the agent, the id, then the rest. */
static int check_all(struct create *c, struct amk_sessions *all, const char *id, const struct amk_json *request,
		     struct amk_err *e)
{
	if (!amk_id_valid(id)) {
		amk_err_set(e, AMK_EINVALID, "\"%.140s\" is no session id", id);
		return amk_err_hint(e, "[A-Za-z0-9._-], 1 to 128 characters, not starting with a dot");
	}
	if (amk_json_read(request, fields, AMK_COUNT(fields), c, e) < 0)
		return -1;
	if (check_agent(c, e) < 0)
		return -1;
	if (amk_session_find(all, id, NULL))
		return amk_err_set(e, AMK_EEXISTS, "session already exists: %s", id);
	if (check_environment(c, e) < 0 || check_program(c, e) < 0 || check_extras(c, e) < 0)
		return -1;
	return check_model(c, e) < 0 || check_modes(c, e) < 0 || check_directory(c, e) < 0 ? -1 : 0;
}

int amk_session_create(struct amk_sessions *all, const char *id, const struct amk_json *request,
		       struct amk_session **made, struct amk_err *e)
{
	struct amk_buf spec AMK_AUTO(buf) = AMK_BUF_INIT(SPEC_MAX);
	struct create c = { .sleep_ms = -1 };
	struct amk_state_session r = { .id = id, .state = "idle", .reason = "new" };
	char *native AMK_AUTO(mem) = NULL;

	if (all->conf.frozen)
		return amk_err_set(e, AMK_EUNAVAILABLE, "the state cannot be written");
	if (check_all(&c, all, id, request, e) < 0)
		return -1;
	write_spec(&spec, &c);
	if (!amk_buf_ok(&spec))
		return amk_err_set(e, AMK_ETOOBIG, "a session of more than %u bytes", SPEC_MAX);
	native = c.codec->native_id ? c.codec->native_id(id) : NULL;
	r.agent = c.agent;
	r.spec = spec.s;
	r.native_id = native;
	r.created = r.updated = r.since = amk_time_now();
	if (amk_state_session_add(all->conf.store, &r, e) < 0)
		return -1;
	*made = amk_sessions_add(all, &r);
	if (amk_replay_state(*made, NULL, e) < 0)
		return -1;
	say_started(*made, &c);
	AMK_SESSION_SAY(*made, AMK_SAY_INFO, "made, for %s", c.codec->name);
	return 0;
}
