/* SPDX-License-Identifier: Apache-2.0 */
/* The table of agents: a new codec is one file and one row here. */
#include <string.h>

#include "agent/agent.h"
#include "core/near.h"

extern const struct amk_codec amk_agent_claude, amk_agent_mock;

const struct amk_codec *const amk_agents[] = {
	&amk_agent_claude,
	&amk_agent_mock,
	NULL,
};

const struct amk_codec *amk_agent_find(const char *name)
{
	for (const struct amk_codec *const *c = amk_agents; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

int amk_agent_unknown(const char *name, struct amk_err *e)
{
	struct amk_near near;

	amk_near_init(&near, name);
	for (const struct amk_codec *const *c = amk_agents; *c; c++)
		amk_near_add(&near, (*c)->name);
	amk_err_set(e, AMK_EUNKNOWNAGENT, "unsupported agent: %.100s", name);
	return amk_near_hint(&near, e, "", "see: amika agent list");
}

bool amk_agent_can(const struct amk_codec *c, const char *capability)
{
	for (const struct amk_capability *p = c->capabilities; p->name; p++)
		if (strcmp(p->name, capability) == 0)
			return p->has;
	return false;
}

const struct amk_agent_mode *amk_agent_mode(const struct amk_codec *c, const char *id)
{
	for (const struct amk_agent_mode *m = c->modes; m->id; m++)
		if (strcmp(m->id, id) == 0)
			return m;
	return NULL;
}

const struct amk_agent_permission *amk_agent_permission(const struct amk_codec *c, const char *name)
{
	for (const struct amk_agent_permission *p = c->permissions; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}
