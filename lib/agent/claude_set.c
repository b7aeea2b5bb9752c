/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of Claude Code, and told by it, beside its turns. */
#include "agent/claude.h"

/* It says nothing by itself before the first message: this it answers. */
void amk_claude_set_start(struct amk_claude *c, bool warm)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(256);

	if (!warm)
		return;
	amk_buf_addf(&line, "{\"type\":\"control_request\",\"request_id\":\"amika_%lld\",\"request\":"
			    "{\"subtype\":\"initialize\"}}",
		     (long long)++c->requests);
	amk_claude_turn_send(c, &line);
}
