/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzing the HTTP gate, and the routes behind it: what passes must be free of what the gate is there for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/gate.h"
#include "http/route.h"

static const struct amk_route routes[] = {
	{ "GET", "/v1/health", AMK_ROUTE_OPEN, NULL },
	{ "GET", "/v1/sessions/{}", 0, NULL },
	{ "POST", "/v1/sessions/{}", AMK_ROUTE_JSON, NULL },
	{ "POST", "/v1/sessions/{}/questions/{}/reply", AMK_ROUTE_JSON, NULL },
	{ 0 },
};

/* In place of ':' and line ends come NULs, as the parser leaves them. */
static void lines_split(struct amk_buf *b, const char *s, size_t n)
{
	bool colon = false;

	for (size_t i = 0; i < n; i++) {
		bool crlf = s[i] == '\r' && i + 1 < n && s[i + 1] == '\n';
		bool first = s[i] == ':' && !colon;

		colon = s[i] != '\n' && (colon || first);
		amk_buf_addc(b, crlf || first || s[i] == '\n' ? '\0' : s[i]);
	}
}

static void require(bool good)
{
	if (!good)
		abort();
}

static void target_look(const char *target)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };
	struct amk_route_found f;
	struct amk_err e;

	for (size_t i = 0; i < AMK_COUNT(methods); i++) {
		int r = amk_route_find(routes, methods[i], target, &f, &e);

		require((r == 0) == (f.route != NULL));
		require(r == 0 || e.code == AMK_ENOTFOUND || (e.code == AMK_EMETHOD && f.allow[0]));
		for (unsigned k = 0; k < f.n; k++) {
			require(f.params[k][0] != '\0' && !strchr(f.params[k], '/'));
			for (const char *p = f.params[k]; *p; p++)
				require((unsigned char)*p >= ' ' && *p != 0x7f);
		}
		amk_route_release(&f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct amk_buf lines AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	const char *s = (const char *)data, *stop = n ? memchr(s, '\n', n) : NULL;
	size_t target_n = stop ? (size_t)(stop - s) : n;
	char *target = amk_strndup(s, target_n), *exact;
	struct amk_gate g = { .method = "POST", .target = target, .target_n = target_n,
			      .version = n % 2 ? "HTTP/1.0" : "HTTP/1.1" };
	struct amk_err e;

	lines_split(&lines, s + target_n, n - target_n);
	exact = amk_malloc(lines.n); /* so that reading one byte too far is noticed */
	memcpy(exact, lines.s, lines.n);
	g.lines = exact;
	g.lines_n = lines.n;
	if (amk_gate_check(&g, &e) == 0) {
		require(strlen(target) == target_n);
		target_look(target);
	} else {
		require(e.code == AMK_EINVALID && e.msg[0]);
	}
	free(exact);
	free(target);
	return 0;
}
