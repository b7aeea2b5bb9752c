/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of errors, and the sentences made from it. */
#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/jw.h"

const struct amk_exit_info amk_exits[AMK_EXIT_COUNT] = {
	[AMK_EXIT_DONE] = { "done", "Done." },
	[AMK_EXIT_FAILED] = { "failed", "Failed; the message says why." },
	[AMK_EXIT_USAGE] = { "usage", "The command line cannot be used." },
	[AMK_EXIT_INPUT] = { "bad_input", "The input cannot be used." },
	[AMK_EXIT_NOT_FOUND] = { "not_found", "No such session, decision or agent." },
	[AMK_EXIT_CONFLICT] = { "conflict", "It exists already, or someone was first." },
	[AMK_EXIT_DENIED] = { "denied", "Not allowed." },
	[AMK_EXIT_TIMEOUT] = { "timeout", "Time ran out; the work goes on." },
	[AMK_EXIT_UNREACHABLE] = { "unreachable", "No daemon answers." },
	[AMK_EXIT_WAITING] = { "waiting", "The turn waits for a decision." },
};

const struct amk_code_info amk_codes[AMK_CODE_COUNT] = {
	[AMK_OK] = { "ok", "OK", AMK_EXIT_DONE, 200, false },
	[AMK_EFAILED] = { "failed", "Failed", AMK_EXIT_FAILED, 500, false },
	[AMK_EUSAGE] = { "usage", "Usage", AMK_EXIT_USAGE, 400, false },
	[AMK_EINVALID] = { "invalid_request", "Invalid Request", AMK_EXIT_INPUT, 400, false },
	[AMK_ETOOBIG] = { "too_large", "Too Large", AMK_EXIT_INPUT, 413, false },
	[AMK_EHEADER] = { "header_too_large", "Request Header Fields Too Large", AMK_EXIT_INPUT, 431, false },
	[AMK_EMEDIA] = { "unsupported_media_type", "Unsupported Media Type", AMK_EXIT_INPUT, 415, false },
	[AMK_EMETHOD] = { "method_not_allowed", "Method Not Allowed", AMK_EXIT_USAGE, 405, false },
	[AMK_EUPGRADE] = { "upgrade_required", "Upgrade Required", AMK_EXIT_USAGE, 426, false },
	[AMK_ENOTFOUND] = { "not_found", "Not Found", AMK_EXIT_NOT_FOUND, 404, false },
	[AMK_ENOSESSION] = { "session_not_found", "Session Not Found", AMK_EXIT_NOT_FOUND, 404, false },
	[AMK_ENODECISION] = { "decision_not_found", "Decision Not Found", AMK_EXIT_NOT_FOUND, 404, false },
	[AMK_EUNKNOWNAGENT] = { "unsupported_agent", "Unsupported Agent", AMK_EXIT_NOT_FOUND, 400, false },
	[AMK_ENOTINSTALLED] = { "agent_not_installed", "Agent Not Installed", AMK_EXIT_NOT_FOUND, 404, false },
	[AMK_EINSTALL] = { "install_failed", "Install Failed", AMK_EXIT_FAILED, 500, false },
	[AMK_EMODE] = { "mode_not_supported", "Mode Not Supported", AMK_EXIT_INPUT, 400, false },
	[AMK_ECONFLICT] = { "conflict", "Conflict", AMK_EXIT_CONFLICT, 409, false },
	[AMK_EEXISTS] = { "session_already_exists", "Session Already Exists", AMK_EXIT_CONFLICT, 409, false },
	[AMK_EANSWERED] = { "decision_answered", "Decision Answered", AMK_EXIT_CONFLICT, 409, false },
	[AMK_EENDED] = { "session_ended", "Session Ended", AMK_EXIT_CONFLICT, 400, false },
	[AMK_EDENIED] = { "permission_denied", "Permission Denied", AMK_EXIT_DENIED, 403, false },
	[AMK_ETOKEN] = { "token_invalid", "Token Invalid", AMK_EXIT_DENIED, 401, false },
	[AMK_ETIMEOUT] = { "timeout", "Timeout", AMK_EXIT_TIMEOUT, 504, true },
	[AMK_EUNREACHABLE] = { "unreachable", "Unreachable", AMK_EXIT_UNREACHABLE, 502, true },
	[AMK_EWAITING] = { "waiting", "Waiting", AMK_EXIT_WAITING, 409, true },
	[AMK_EUNAVAILABLE] = { "unavailable", "Unavailable", AMK_EXIT_UNREACHABLE, 503, true },
	[AMK_EAGENTEXIT] = { "agent_process_exited", "Agent Process Exited", AMK_EXIT_FAILED, 500, false },
	[AMK_EINTERNAL] = { "internal", "Internal Error", AMK_EXIT_FAILED, 500, false },
};

static void message_put(char *to, size_t max, const char *fmt, va_list ap)
{
	int n = vsnprintf(to, max, fmt, ap);

	if (n < 0)
		to[0] = '\0';
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

/* Puts `cause` after what is in `msg`, cut where it does not fit. */
static void message_join(char *msg, const char *cause)
{
	size_t n = strlen(msg), room = AMK_ERR_MSG - 1 - n;
	size_t m = strlen(cause);

	if (room < 3)
		return;
	msg[n] = ':';
	msg[n + 1] = ' ';
	if (m > room - 2)
		m = room - 2;
	memcpy(msg + n + 2, cause, m);
	msg[n + 2 + m] = '\0';
}

int amk_err_set(struct amk_err *e, enum amk_code code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->code = code;
	e->sys = 0;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	message_put(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

static enum amk_code code_of_errno(int sys)
{
	switch (sys) {
	case ENOENT:
		return AMK_ENOTFOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return AMK_EDENIED;
	case EEXIST:
		return AMK_ECONFLICT;
	case ETIMEDOUT:
		return AMK_ETIMEOUT;
	default:
		return AMK_EFAILED;
	}
}

int amk_err_sys(struct amk_err *e, const char *fmt, ...)
{
	int sys = errno;
	va_list ap;

	if (!e)
		return -1;
	e->code = code_of_errno(sys);
	e->sys = sys;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	message_put(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	message_join(e->msg, strerror(sys));
	return -1;
}

int amk_err_wrap(struct amk_err *e, const char *fmt, ...)
{
	char cause[AMK_ERR_MSG];
	va_list ap;

	if (!e)
		return -1;
	memcpy(cause, e->msg, sizeof cause);
	va_start(ap, fmt);
	message_put(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	message_join(e->msg, cause);
	return -1;
}

int amk_err_hint(struct amk_err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	message_put(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
	return -1;
}

enum amk_code amk_err_code(const char *name)
{
	for (int i = 0; i < AMK_CODE_COUNT; i++)
		if (strcmp(amk_codes[i].name, name) == 0)
			return (enum amk_code)i;
	return AMK_EFAILED;
}

enum amk_exit amk_err_exit(const struct amk_err *e)
{
	return amk_codes[e->code].exit;
}

void amk_err_print(const struct amk_err *e, const char *prog, bool json)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(8192);
	const char *name = amk_exits[amk_err_exit(e)].name;

	if (json) {
		amk_jw_open(&b, NULL, '{');
		amk_jw_cstr(&b, "type", "error");
		amk_jw_cstr(&b, "code", name);
		amk_jw_cstr(&b, "program", prog);
		amk_jw_cstr(&b, "message", e->msg);
		amk_jw_cstr(&b, "hint", e->hint[0] ? e->hint : NULL);
		amk_jw_bool(&b, "retry", amk_codes[e->code].retry);
		amk_jw_close(&b, '}');
		amk_buf_addc(&b, '\n');
	} else {
		amk_buf_addf(&b, "%s: %s: %s", prog, name, e->msg);
		if (e->hint[0])
			amk_buf_addf(&b, " (%s)", e->hint);
		amk_buf_addc(&b, '\n');
	}
	if (write(STDERR_FILENO, b.s, b.n) < 0)
		return; /* nowhere left to say it */
}

_Noreturn void amk_bug(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "amika: bug at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
