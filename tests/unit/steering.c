/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks for a message in a running turn, of an agent that takes none there, is told so, whether a turn runs or not. */
#include "session/turns.h"

#include <string.h>

#include "tap.h"

int main(void)
{
	static const struct amk_capability none[] = { { "textMessages", true }, { "steer", false }, { NULL, false } };
	static const struct amk_capability silent[] = { { NULL, false } };
	struct amk_codec deaf = { .name = "deaf", .capabilities = none };
	struct amk_session s = { .codec = &deaf };
	struct amk_err e = { 0 };

	is_int(amk_session_steer_check(&s, &e), -1, "one that says it cannot is not sent it");
	is_str(e.msg, "deaf takes no message into a running turn", "which is said");
	is_str(e.hint, "send it without --steer: it waits for its own turn", "with what to do");
	is_int(amk_err_exit(&e), AMK_EXIT_CONFLICT, "status 5");
	is_int(amk_codes[e.code].http, 409, "by HTTP 409");
	deaf.capabilities = silent;
	is_int(amk_session_steer_check(&s, &e), -1, "nor is one that says nothing of it");
	s.codec = amk_agent_find("mock");
	is_int(amk_session_steer_check(&s, &e), 0, "one that can is");
	return tap_done();
}
