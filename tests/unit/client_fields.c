/* SPDX-License-Identifier: Apache-2.0 */
/* The API's records as lines, and its refusals as errors. */
#include "client/fields.h"
#include "client/problem.h"
#include "tap.h"

static void line(const char *type, const char *record, const char *want, const char *name)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(record, strlen(record), NULL);
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	amk_fields_line(&b, type, j);
	is_str(b.s, want, name);
}

static void test_lines(void)
{
	line("receipt", "{\"sessionId\":\"tau\",\"messageId\":\"m_1\",\"after\":7,\"state\":\"accepted\"}",
	     "{\"type\":\"receipt\",\"session_id\":\"tau\",\"message_id\":\"m_1\",\"after\":7,\"state\":\"accepted\"}",
	     "a receipt");
	line("session",
	     "{\"title\":\"T\",\"createdAt\":1500,\"environment\":{\"MY_VAR\":\"***\"},\"sessionId\":\"tau\","
	     "\"agent\":\"mock\",\"nativeSessionId\":null,\"state\":\"idle\",\"after\":3,\"newThingHere\":{\"aB\":1}}",
	     "{\"type\":\"session\",\"session_id\":\"tau\",\"agent\":\"mock\",\"state\":\"idle\",\"after\":3,"
	     "\"created_at\":\"1970-01-01T00:00:01.500000000Z\",\"title\":\"T\",\"environment\":{\"MY_VAR\":\"***\"},"
	     "\"native_session_id\":null,\"new_thing_here\":{\"aB\":1}}",
	     "a session: the known in order, the unknown behind, names of variables as they are");
	line("decision",
	     "{\"decisionId\":\"d_7\",\"sessionId\":\"tau\",\"kind\":\"permission\",\"state\":\"open\",\"action\":\"Bash\","
	     "\"request\":{\"toolName\":\"Bash\"},\"closedAt\":null}",
	     "{\"type\":\"decision\",\"decision_id\":\"d_7\",\"session_id\":\"tau\",\"kind\":\"permission\","
	     "\"state\":\"open\",\"action\":\"Bash\",\"closed_at\":null,\"request\":{\"toolName\":\"Bash\"}}",
	     "a decision: what is asked stays in the agent's words");
	line("agent", "{\"id\":\"mock\",\"installed\":true,\"path\":null,\"capabilities\":{\"toolCalls\":true}}",
	     "{\"type\":\"agent\",\"agent\":\"mock\",\"installed\":true,\"path\":null,\"capabilities\":{\"tool_calls\":true}}",
	     "an agent");
	line("agent", "{\"id\":\"x\",\"big\":9007199254740993,\"type\":\"y\"}",
	     "{\"type\":\"agent\",\"agent\":\"x\",\"big\":9007199254740993}", "numbers keep their digits, type is ours");
}

#define URN "{\"type\":\"urn:sandbox-agent:error:"

static void refusal(long status, const char *body, enum amk_code code, const char *msg, const char *hint)
{
	struct amk_err e = { 0 };

	is_int(amk_problem_read(status, body, strlen(body), &e), -1, "is an error");
	is_int(e.code, code, "its code");
	is_str(e.msg, msg, "its sentence");
	is_str(e.hint, hint, "its remedy");
}

static void test_problems(void)
{
	refusal(404, URN "session_not_found\",\"detail\":\"session not found: tau\",\"sessionId\":\"tau\"}",
		AMK_ENOSESSION, "no session \"tau\"", "see: amika session list");
	refusal(409, URN "decision_answered\",\"detail\":\"d_7 is answered\",\"by\":\"joe on /dev/pts/1\"}", AMK_EANSWERED,
		"answered first by joe on /dev/pts/1: d_7 is answered", "");
	refusal(409, URN "decision_answered\",\"detail\":\"d_7 was answered by joe\",\"by\":\"joe\"}", AMK_EANSWERED,
		"d_7 was answered by joe", "");
	refusal(400, URN "invalid_request\",\"detail\":\"a\\u001b\\nb\",\"hint\":\"do x\"}", AMK_EINVALID, "a  b", "do x");
	refusal(500, URN "something_new\",\"detail\":\"odd\"}", AMK_EINTERNAL, "odd", "");
	refusal(431, "<html><body>Request too big</body></html>", AMK_ETOOBIG, "the daemon answered with HTTP status 431", "");
	refusal(503, "", AMK_EUNAVAILABLE, "the daemon answered with HTTP status 503", "");
	refusal(418, "[1]", AMK_EINVALID, "the daemon answered with HTTP status 418", "");
}

int main(void)
{
	test_lines();
	test_problems();
	return tap_done();
}
