/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: one caller-owned struct, one table of codes for exit status, HTTP status and text. */
#ifndef AMK_CORE_ERR_H
#define AMK_CORE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* Exit statuses of every tool; amk_exits[] in err.c holds their names and man page text. */
enum amk_exit {
	AMK_EXIT_DONE = 0,
	AMK_EXIT_FAILED = 1,
	AMK_EXIT_USAGE = 2,
	AMK_EXIT_INPUT = 3,
	AMK_EXIT_NOT_FOUND = 4,
	AMK_EXIT_CONFLICT = 5,
	AMK_EXIT_DENIED = 6,
	AMK_EXIT_TIMEOUT = 7,
	AMK_EXIT_UNREACHABLE = 8,
	AMK_EXIT_WAITING = 9,
	AMK_EXIT_COUNT
};

struct amk_exit_info {
	const char *name; /* the word tools print: "not_found" */
	const char *text; /* the man page's words */
};
extern const struct amk_exit_info amk_exits[AMK_EXIT_COUNT];

/* What went wrong. The order is that of amk_codes[] in err.c. */
enum amk_code {
	AMK_OK,
	AMK_EFAILED,
	AMK_EUSAGE,
	AMK_EINVALID, /* a request or record that cannot be used */
	AMK_ETOOBIG,
	AMK_EHEADER, /* a request's header is too long */
	AMK_EMEDIA,
	AMK_EMETHOD,
	AMK_EUPGRADE, /* only as a WebSocket */
	AMK_ENOTFOUND,
	AMK_ENOSESSION,
	AMK_ENODECISION,
	AMK_EUNKNOWNAGENT,
	AMK_ENOTINSTALLED,
	AMK_EINSTALL,
	AMK_EMODE,
	AMK_ECONFLICT,
	AMK_EEXISTS, /* a session of that id */
	AMK_EANSWERED,
	AMK_EENDED, /* the session has ended */
	AMK_EDENIED,
	AMK_ETOKEN, /* no token, or another than the daemon's */
	AMK_ETIMEOUT,
	AMK_EUNREACHABLE,
	AMK_EWAITING,
	AMK_EUNAVAILABLE,
	AMK_EAGENTEXIT,
	AMK_EINTERNAL,
	AMK_CODE_COUNT
};

struct amk_code_info {
	const char *name;  /* in URNs and JSON: "session_not_found" */
	const char *title; /* problem+json title */
	enum amk_exit exit;
	int http;
	bool retry; /* the same call may succeed later */
};
extern const struct amk_code_info amk_codes[AMK_CODE_COUNT];

#define AMK_ERR_MSG 400

struct amk_err {
	enum amk_code code;
	int sys;		/* errno behind it, or 0 */
	char msg[AMK_ERR_MSG];	/* one line: what was being done, to what */
	char hint[160];		/* what to do about it, or "" */
};

/* All return -1 so that `return amk_err_set(…)` is one line. `e` may be NULL. */
int amk_err_set(struct amk_err *e, enum amk_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds strerror(errno); the code follows errno (ENOENT: not found, EACCES: denied, else failed). */
int amk_err_sys(struct amk_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "fmt: " before the message there is. */
int amk_err_wrap(struct amk_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets the remedy, shown in parentheses. */
int amk_err_hint(struct amk_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The code of that name, AMK_EFAILED if there is none. */
enum amk_code amk_err_code(const char *name);
enum amk_exit amk_err_exit(const struct amk_err *e);

/* "PROG: not_found: message (hint)\n", or with `json` one error object, on stderr in one write. */
void amk_err_print(const struct amk_err *e, const char *prog, bool json);

/* A broken promise of our own code: says where and aborts. */
#define AMK_BUG(...) amk_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void amk_bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
