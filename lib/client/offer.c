/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the table for a word says which list the daemon is asked for. */
#include "client/offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/client.h"
#include "core/id.h"
#include "core/path.h"

#define LIST "200" /* sessions, the newest */

struct asked {
	struct amk_complete *to;
	struct amk_client *client;
};

static bool wants_ended(const struct amk_complete *c)
{
	return strcmp(c->cmd->name, "show") == 0 || strcmp(c->cmd->name, "amika-events") == 0;
}

static void offer_sessions(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	amk_client_get(a->client, &reply, NULL, "/v1/sessions?limit=" LIST);
	for (const struct amk_json *s = amk_json_first(amk_json_get(reply, "sessions")); s; s = amk_json_next(s)) {
		const char *id = amk_json_get_str(s, "sessionId"), *agent = amk_json_get_str(s, "agent");
		const char *state = amk_json_get_str(s, "state"), *about = amk_json_get_str(s, "title");
		char *help;

		if (!id || (amk_json_true(amk_json_get(s, "ended")) && !wants_ended(a->to)))
			continue;
		if (!about)
			about = amk_json_get_str(s, "directory");
		help = amk_strf("%s, %s: %s", agent ? agent : "", state ? state : "", about ? about : "");
		amk_complete_offer(a->to, id, help);
		free(help);
	}
}

static void offer_decisions(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	amk_client_get(a->client, &reply, NULL, "/v1/decisions?all=false");
	for (const struct amk_json *d = amk_json_first(amk_json_get(reply, "decisions")); d; d = amk_json_next(d)) {
		const char *id = amk_json_get_str(d, "decisionId"), *session = amk_json_get_str(d, "sessionId");
		const char *action = amk_json_get_str(d, "action");
		const char *command = amk_json_get_str(amk_json_get(d, "request"), "command");
		char *help = amk_strf("%s: %s%s%s", session ? session : "", action ? action : "a question",
				      command ? " " : "", command ? command : "");

		if (id)
			amk_complete_offer(a->to, id, help);
		free(help);
	}
}

/* Members `word` and `help` of each in a list; `help` may be NULL. */
static void offer_list(struct asked *a, const struct amk_json *list, const char *word, const char *help)
{
	for (const struct amk_json *m = amk_json_first(list); m; m = amk_json_next(m)) {
		const char *s = word ? amk_json_get_str(m, word) : amk_json_str(m);

		if (s)
			amk_complete_offer(a->to, s, help ? amk_json_get_str(m, help) : NULL);
	}
}

/* Of hooks: those that failed can be tried again or dropped. */
static void offer_deliveries(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	amk_client_get(a->client, &reply, NULL, "/v1/hooks/deliveries");
	for (const struct amk_json *d = amk_json_first(amk_json_get(reply, "deliveries")); d; d = amk_json_next(d))
		if (amk_json_is(d, "state", "failed") && amk_json_get_str(d, "deliveryId"))
			amk_complete_offer(a->to, amk_json_get_str(d, "deliveryId"), amk_json_get_str(d, "error"));
}

static void offer_hooks(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	amk_client_get(a->client, &reply, NULL, "/v1/hooks");
	offer_list(a, amk_json_get(reply, "hooks"), "name", NULL);
}

static void offer_agents(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	amk_client_get(a->client, &reply, NULL, "/v1/agents");
	offer_list(a, amk_json_get(reply, "agents"), "id", "title");
}

/* Whether the first operand is of that kind. */
static bool operand_is(const struct amk_complete *c, const char *kind)
{
	return c->operands.n && c->cmd->operands && strncmp(c->cmd->operands, kind, strlen(kind)) == 0;
}

/* The agent that is named, else that of the session that is; NULL when neither is known. The caller frees it. */
static char *agent_meant(const struct asked *a)
{
	const char *agent = amk_complete_given(a->to, "agent");
	struct amk_json *session AMK_AUTO(json) = NULL;

	if (!agent && operand_is(a->to, "AGENT"))
		agent = a->to->operands.v[0];
	if (!agent && (operand_is(a->to, "SESSION") || operand_is(a->to, "NAME")) &&
	    amk_id_valid(a->to->operands.v[0]) &&
	    amk_client_get(a->client, &session, NULL, "/v1/sessions/%s", a->to->operands.v[0]) == 0)
		agent = amk_json_get_str(session, "agent");
	return agent && amk_id_valid(agent) ? amk_strdup(agent) : NULL;
}

static void offer_permissions(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;
	char *agent AMK_AUTO(mem) = agent_meant(a);

	amk_client_get(a->client, &reply, NULL, "/v1/agents");
	for (const struct amk_json *m = amk_json_first(amk_json_get(reply, "agents")); m; m = amk_json_next(m))
		if (agent && amk_json_is(m, "id", agent))
			offer_list(a, amk_json_get(m, "permissionModes"), NULL, NULL);
}

static void offer_modes(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;
	char *agent AMK_AUTO(mem) = agent_meant(a);

	if (agent && amk_client_get(a->client, &reply, NULL, "/v1/agents/%s/modes", agent) == 0)
		offer_list(a, amk_json_get(reply, "modes"), "id", "description");
}

static void offer_models(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;
	char *agent AMK_AUTO(mem) = agent_meant(a);

	if (agent && amk_client_get(a->client, &reply, NULL, "/v1/agents/%s/models", agent) == 0)
		offer_list(a, amk_json_get(reply, "models"), "id", "name");
}

/* Those of the model that is named, else of the first. */
static void offer_variants(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;
	char *agent AMK_AUTO(mem) = agent_meant(a);
	const char *model = amk_complete_given(a->to, "model");
	const struct amk_json *m;

	if (!agent || amk_client_get(a->client, &reply, NULL, "/v1/agents/%s/models", agent) < 0)
		return;
	m = amk_json_first(amk_json_get(reply, "models"));
	while (m && model && !amk_json_is(m, "id", model))
		m = amk_json_next(m);
	offer_list(a, amk_json_get(m, "variants"), NULL, NULL);
}

static void offer_rules(struct asked *a)
{
	struct amk_json *reply AMK_AUTO(json) = NULL;

	amk_client_get(a->client, &reply, NULL, "/v1/rules");
	for (const struct amk_json *r = amk_json_first(amk_json_get(reply, "rules")); r; r = amk_json_next(r)) {
		const char *id = amk_json_get_str(r, "ruleId"), *action = amk_json_get_str(r, "action");
		const char *tool = amk_json_get_str(r, "tool"), *command = amk_json_get_str(r, "command");
		char *help = amk_strf("%s %s %s", action ? action : "", tool ? tool : "", command ? command : "");

		if (id)
			amk_complete_offer(a->to, id, help);
		free(help);
	}
}

/* The first that fits; a verb's own meaning of a word stands before the usual one. */
static const struct kind {
	const char *verb, *what;
	void (*offer)(struct asked *a); /* or NULL, and these */
	const char *words[5];
} kinds[] = {
	{ "retry", "ID", offer_deliveries, { NULL } },
	{ "drop", "ID", offer_deliveries, { NULL } },
	{ "remove", "ID", offer_rules, { NULL } },
	{ NULL, "before", offer_rules, { NULL } },
	{ NULL, "ACTION", NULL, { "allow", "deny", "ask" } },
	{ NULL, "KIND", NULL, { "permission", "question" } },
	{ NULL, "SCOPE", NULL, { "daemon", "agent", "session" } },
	{ NULL, "ID", offer_decisions, { NULL } },
	{ NULL, "SESSION", offer_sessions, { NULL } },
	{ NULL, "session", offer_sessions, { NULL } },
	{ NULL, "NAME", offer_sessions, { NULL } },
	{ NULL, "AGENT", offer_agents, { NULL } },
	{ NULL, "MODEL", offer_models, { NULL } },
	{ NULL, "VARIANT", offer_variants, { NULL } },
	{ NULL, "agent-mode", offer_modes, { NULL } },
	{ NULL, "hook", offer_hooks, { NULL } },
	{ NULL, "permission-mode", offer_permissions, { NULL } },
};

static bool fits(const struct kind *k, const struct amk_complete *c, const char *what)
{
	return strcmp(k->what, what) == 0 && (!k->verb || strcmp(k->verb, c->cmd->name) == 0);
}

/* An existing one is meant, but where something is to be called so. */
static bool is_new_name(const struct amk_complete *c, const char *what)
{
	return strcmp(what, "NAME") == 0 && (strcmp(c->cmd->name, "create") == 0 || c->lead[0] || !c->cmd->operands ||
					     !strstr(c->cmd->operands, "NAME"));
}

/* A folder that is not there is not made. */
static bool daemon_may_run(void)
{
	char state[AMK_PATH_MAX], path[AMK_PATH_MAX + 8];
	struct stat st;

	if (amk_client_url())
		return true;
	if (amk_path_state(state, NULL) < 0)
		return false;
	snprintf(path, sizeof path, "%s/socket", state);
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void ask(struct amk_complete *c, const struct kind *k)
{
	struct amk_client *client AMK_AUTO(client) = NULL;
	struct asked a = { .to = c };

	for (const char *const *word = k->words; *word; word++)
		amk_complete_offer(c, *word, NULL);
	if (!k->offer)
		return;
	amk_client_given.no_start = true;
	amk_client_given.url = amk_complete_given(c, "url");
	amk_client_given.token_file = amk_complete_given(c, "token-file");
	if (!daemon_may_run() || amk_client_open(&client, NULL) < 0)
		return;
	amk_client_hurry(client, AMK_OFFER_MS);
	a.client = client;
	k->offer(&a);
}

void amk_offer(struct amk_complete *c, const char *what)
{
	for (size_t i = 0; i < AMK_COUNT(kinds); i++)
		if (fits(&kinds[i], c, what) && !is_new_name(c, what)) {
			ask(c, &kinds[i]);
			return;
		}
}
