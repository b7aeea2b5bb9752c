/* SPDX-License-Identifier: Apache-2.0 */
/* Claude Code's tasks: sub-agents and shells, those that go on in the background and how they end. */
#include "agent/claude.h"
#include "core/jw.h"

/* A task belongs to the tool call that began it. */
static void say(struct amk_claude *c, const char *label, const char *detail, const struct amk_json *j)
{
	const char *call = amk_json_get_str(j, "tool_use_id");

	amk_claude_item_status_of(c, label, detail, call && amk_track_has(&c->track, call) ? call : NULL);
}

bool amk_claude_task_started(struct amk_claude *c, const struct amk_json *j)
{
	say(c, "task.started", amk_json_get_str(j, "description"), j);
	return true;
}

/* How a task ended is told by its notification; what else of it changes is not the conversation's. */
bool amk_claude_task_updated(struct amk_claude *c, const struct amk_json *j)
{
	if (amk_json_true(amk_json_get(amk_json_get(j, "patch"), "is_backgrounded")))
		say(c, "task.background", amk_json_get_str(j, "task_id"), j);
	return true;
}

bool amk_claude_task_ended(struct amk_claude *c, const struct amk_json *j)
{
	const char *status = amk_json_get_str(j, "status"), *summary = amk_json_get_str(j, "summary");
	char *detail AMK_AUTO(mem) = amk_strf("%s: %s", status ? status : "ended", summary ? summary : "");

	say(c, "task.ended", detail, j);
	return true;
}

/* Every task in the background after a change: the whole list, each time. Some only watch, some run elsewhere. */
bool amk_claude_task_list(struct amk_claude *c, const struct amk_json *j)
{
	const struct amk_json *tasks = amk_json_get(j, "tasks");

	if (!amk_json_is_array(tasks))
		return false;
	c->background = 0;
	for (const struct amk_json *t = amk_json_first(tasks); t; t = amk_json_next(t))
		if (!amk_json_true(amk_json_get(t, "ambient")) && !amk_json_true(amk_json_get(t, "off_host")))
			c->background++;
	return true;
}
