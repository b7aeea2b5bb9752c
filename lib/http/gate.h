/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: refuses what an HTTP parser lets through but no honest client sends. Pure; no parser types. */
#ifndef AMK_HTTP_GATE_H
#define AMK_HTTP_GATE_H

#include <stddef.h>

#include "core/err.h"

#define AMK_GATE_TARGET_MAX 6144 /* bytes; the pool of a connection usually ends earlier */
#define AMK_GATE_HEADERS_MAX 64

/*
 * A request's head. `lines` is what follows the version in the parser's own buffer, up to and including
 * the empty line, where the parser has put NULs for what it split at: CR LF after the version, then for
 * each header its name, ':', its value, CR LF, and at the end CR LF. Nothing was cut out of it, so what
 * the parser joined or skipped is still to be seen.
 */
struct amk_gate {
	const char *method;
	const char *target; /* as it came, not decoded */
	size_t target_n;
	const char *version; /* "HTTP/1.1" */
	const char *lines;
	size_t lines_n;
};

/*
 * 0, or -1 with AMK_EINVALID: control bytes, NULs and malformed escapes in the target, "%2F" in its path,
 * targets and headers beyond the bounds, folded lines, lines not ended by CR LF, malformed names and
 * values, doubled or malformed Host, Content-Length, Transfer-Encoding, Authorization, Content-Type, Origin, a
 * length with a transfer coding, codings but chunked, HTTP/1.1 without Host.
 */
int amk_gate_check(const struct amk_gate *g, struct amk_err *e);

#endif
