/* SPDX-License-Identifier: Apache-2.0 */
/* Claude Code's remarks: system lines that become a status, and those that are about what events tell anyway. */
#include "agent/claude.h"
#include "core/jw.h"

/* As the program's own schema of its output has them (2.1.329). */
static const struct {
	const char *subtype;
	const char *label;  /* NULL: told by other events, or nobody here asked for it */
	const char *detail; /* the member that says more, or NULL */
} notes[] = {
	{ "informational", "notice", "content" },
	{ "notification", "notice", "text" },
	{ "local_command_output", "command.output", "content" },
	{ "agents_killed", "task.killed", NULL },
	{ "model_fallback", "model.fallback", "content" },
	{ "model_consent_fallback", "model.fallback", "choice" },
	{ "model_refusal_fallback", "model.fallback", "content" },
	{ "model_refusal_no_fallback", "model.refused", "content" },
	{ "permission_retry", "permission.retry", "content" },
	{ "turn_preempted", "turn.preempted", "reason" },
	{ "memory_recall", "memory.recalled", "mode" },
	{ "session_writes_lost", "transcript.lost", "error_code" },
	{ "mirror_error", "transcript.lost", "error" },
	{ "hook_response", "hook.ended", "hook_name" },
	{ "stop_hook_summary", "hook.ended", "stop_reason" },
	{ "plugin_install", "plugin.install", "status" },
	{ "elicitation_complete", "elicitation.complete", "mcp_server_name" },
	{ "hook_started", NULL, NULL },
	{ "hook_progress", NULL, NULL },
	{ "permission_check_status", NULL, NULL },
	{ "control_request_progress", NULL, NULL },
	{ "commands_changed", NULL, NULL },
	{ "session_title_changed", NULL, NULL },
	{ "post_turn_summary", NULL, NULL },
	{ "task_summary", NULL, NULL },
	{ "turn_duration", NULL, NULL },
	{ "files_persisted", NULL, NULL },
};

bool amk_claude_note_system(struct amk_claude *c, const struct amk_json *j)
{
	for (size_t i = 0; i < AMK_COUNT(notes); i++) {
		if (!amk_json_is(j, "subtype", notes[i].subtype))
			continue;
		if (notes[i].label)
			amk_claude_item_status(c, notes[i].label,
					       notes[i].detail ? amk_json_get_str(j, notes[i].detail) : NULL);
		return true;
	}
	return false;
}
