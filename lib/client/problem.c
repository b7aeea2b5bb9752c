/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents (RFC 9457) to struct amk_err. */
#include "client/problem.h"

#include <string.h>

#include "core/json.h"

#define URN "urn:sandbox-agent:error:"
#define LEAD "invalid request: " /* the tools name the error themselves */

static enum amk_code code_of_status(long status)
{
	switch (status) {
	case 404:
		return AMK_ENOTFOUND;
	case 401:
	case 403:
		return AMK_EDENIED;
	case 405:
		return AMK_EMETHOD;
	case 409:
		return AMK_ECONFLICT;
	case 413:
	case 414:
	case 431:
		return AMK_ETOOBIG;
	case 415:
		return AMK_EMEDIA;
	case 503:
		return AMK_EUNAVAILABLE;
	case 504:
		return AMK_ETIMEOUT;
	default:
		return status >= 500 ? AMK_EINTERNAL : AMK_EINVALID;
	}
}

static int plain(long status, struct amk_err *e)
{
	return amk_err_set(e, code_of_status(status), "the daemon answered with HTTP status %ld", status);
}

/* Where the API keeps the wording of its original, the tools have their own. */
static void reword(enum amk_code code, const struct amk_json *problem, struct amk_err *e)
{
	const char *session = amk_json_get_str(problem, "sessionId");
	const char *agent = amk_json_get_str(problem, "agent");
	const char *by = amk_json_get_str(problem, "by");

	if (code == AMK_ENOSESSION && session)
		amk_err_set(e, code, "no session \"%.130s\"", session);
	else if (code == AMK_EEXISTS && session)
		amk_err_set(e, code, "there is a session \"%.130s\" already", session);
	else if (code == AMK_EUNKNOWNAGENT && agent)
		amk_err_set(e, code, "no agent \"%.130s\"", agent);
	else if (code == AMK_EANSWERED && by && !strstr(e->msg, by))
		amk_err_wrap(e, "answered first by %.100s", by);
}

static const char *hint_of(enum amk_code code)
{
	switch (code) {
	case AMK_ENOSESSION:
		return "see: amika session list";
	case AMK_EEXISTS:
		return "choose another name, or see: amika session show";
	case AMK_EUNKNOWNAGENT:
		return "see: amika agent list";
	case AMK_ENODECISION:
		return "see: amika decision list";
	default:
		return NULL;
	}
}

int amk_problem_read(long status, const char *body, size_t n, struct amk_err *e)
{
	struct amk_json *problem AMK_AUTO(json) = n ? amk_json_parse(body, n, NULL) : NULL;
	const char *type = amk_json_get_str(problem, "type"), *detail = amk_json_get_str(problem, "detail");
	const char *hint = amk_json_get_str(problem, "hint");
	enum amk_code code;

	if (!type || strncmp(type, URN, strlen(URN)) != 0)
		return plain(status, e);
	code = amk_err_code(type + strlen(URN));
	if (code == AMK_OK || (code == AMK_EFAILED && strcmp(type + strlen(URN), "failed") != 0))
		code = code_of_status(status);
	if (detail && strncmp(detail, LEAD, strlen(LEAD)) == 0)
		detail += strlen(LEAD);
	amk_err_set(e, code, "%.380s", detail ? detail : amk_codes[code].title);
	reword(code, problem, e);
	if (!hint)
		hint = hint_of(code);
	if (hint)
		amk_err_hint(e, "%s", hint);
	return -1;
}
