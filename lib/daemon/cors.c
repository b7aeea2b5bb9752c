/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page anywhere on the web can make its visitor's browser send requests to loopback. Without the token they
 * come to nothing; that they come from a foreign page, or to a name that somebody made point here, is seen
 * before that. The answers to a browser's questions are those of the original.
 */
#include "daemon/cors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MIRROR_MAX 512	 /* of what a browser says it will send, when that is repeated to it */
#define FIELD_NAME_MAX 40 /* of the headers added here */

static bool is_token(const char *s)
{
	const char *p = s;

	while (*p && (isalnum((unsigned char)*p) || strchr("!#$%&'*+-.^_`|~", *p)))
		p++;
	return p > s && *p == '\0';
}

/* "scheme://host[:port]", nothing behind it: what browsers send (RFC 6454, 6.2). */
static bool is_origin(const char *s)
{
	const char *host = strstr(s, "://");

	if (strcmp(s, "null") == 0)
		return true;
	if (!host || host == s || strlen(s) > AMK_CORS_MAX)
		return false;
	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr(",*\"", *p))
			return false;
	return host[3] && !strpbrk(host + 3, "/?#@");
}

static bool is_host(const char *s)
{
	return *s && strlen(s) < 256 && !strpbrk(s, " \t,/?#@") && (*s == '[' || !strchr(s, ':'));
}

static int check_each(const struct amk_strv *list, bool (*good)(const char *), const char *option, struct amk_err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (!good(list->v[i]))
			return amk_err_set(e, AMK_EUSAGE, "--%s: \"%.100s\" is none", option, list->v[i]);
		n += strlen(list->v[i]) + 1;
	}
	if (n > AMK_CORS_MAX && good == is_token)
		return amk_err_set(e, AMK_EUSAGE, "--%s: more than %d bytes in all", option, AMK_CORS_MAX);
	return 0;
}

int amk_cors_check(struct amk_cors *c, struct amk_err *e)
{
	if (check_each(&c->hosts, is_host, "allow-host", e) < 0)
		return amk_err_hint(e, "a name without a port");
	if (check_each(&c->origins, is_origin, "cors-allow-origin", e) < 0)
		return amk_err_hint(e, "an origin is https://example.com, name each");
	if (check_each(&c->methods, is_token, "cors-allow-method", e) < 0 ||
	    check_each(&c->headers, is_token, "cors-allow-header", e) < 0)
		return -1;
	for (size_t i = 0; i < c->headers.n; i++)
		for (char *p = c->headers.v[i]; *p; p++)
			*p = (char)tolower((unsigned char)*p);
	return 0;
}

void amk_cors_release(struct amk_cors *c)
{
	amk_strv_release(&c->hosts);
	amk_strv_release(&c->origins);
	amk_strv_release(&c->methods);
	amk_strv_release(&c->headers);
}

/* Without its port; "[::1]:80" and "localhost:80". */
static size_t host_length(const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

	return end ? (size_t)(end - host) + 1 : strcspn(host, ":");
}

static bool host_is(const char *host, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(host, name, n) == 0;
}

static bool host_known(const struct amk_cors *c, const char *host)
{
	static const char *const ours[] = { "localhost", "127.0.0.1", "[::1]" };
	size_t n = host_length(host);

	for (size_t i = 0; i < AMK_COUNT(ours); i++)
		if (host_is(host, n, ours[i]))
			return true;
	for (size_t i = 0; i < c->hosts.n; i++)
		if (host_is(host, n, c->hosts.v[i]))
			return true;
	return false;
}

static bool origin_allowed(const struct amk_cors *c, const char *origin)
{
	for (size_t i = 0; i < c->origins.n; i++)
		if (strcmp(c->origins.v[i], origin) == 0)
			return true;
	return false;
}

static bool refuse(struct amk_request *rq, const struct amk_err *e)
{
	amk_request_problem(rq, e, NULL);
	return false;
}

/* "a,b": what was allowed; else what the browser asked for, where "*" would not do, else "*". */
static void say_allowed(const struct amk_cors *c, struct amk_request *rq, const struct amk_strv *list, const char *what)
{
	struct amk_buf value AMK_AUTO(buf) = AMK_BUF_INIT(AMK_CORS_MAX + 1), name AMK_AUTO(buf) = AMK_BUF_INIT(64);
	struct amk_buf asked AMK_AUTO(buf) = AMK_BUF_INIT(64);
	const char *wanted;

	amk_buf_addf(&name, "access-control-allow-%s", what);
	amk_buf_addf(&asked, "access-control-request-%.*s", what[0] == 'm' ? 6 : 7, what);
	wanted = amk_request_header(rq, asked.s);
	for (size_t i = 0; i < list->n; i++)
		amk_buf_addf(&value, "%s%s", i ? "," : "", list->v[i]);
	if (list->n == 0 && !c->credentials)
		amk_buf_addc(&value, '*');
	else if (list->n == 0 && wanted && strlen(wanted) <= MIRROR_MAX)
		amk_buf_adds(&value, wanted);
	if (value.n)
		amk_request_add_header(rq, name.s, value.s);
}

bool amk_cors_judge(const struct amk_cors *c, struct amk_request *rq)
{
	const char *host = amk_request_header(rq, "Host"), *origin = amk_request_header(rq, "Origin");
	struct amk_err e;

	amk_request_add_header(rq, "vary", "origin, access-control-request-method, access-control-request-headers");
	if (c->known_hosts && host && !host_known(c, host)) {
		amk_err_set(&e, AMK_EDENIED, "\"%.100s\" is not a name of this daemon", host);
		amk_err_hint(&e, "start it with --allow-host");
		return refuse(rq, &e);
	}
	if (origin && origin_allowed(c, origin)) {
		amk_request_add_header(rq, "access-control-allow-origin", origin);
		if (c->credentials)
			amk_request_add_header(rq, "access-control-allow-credentials", "true");
	} else if (origin && c->known_origins) {
		amk_err_set(&e, AMK_EDENIED, "pages of \"%.100s\" may not ask here", origin);
		amk_err_hint(&e, "start it with --cors-allow-origin");
		return refuse(rq, &e);
	}
	if (strcmp(amk_request_method(rq), "OPTIONS") != 0)
		return true;
	say_allowed(c, rq, &c->methods, "methods");
	say_allowed(c, rq, &c->headers, "headers");
	amk_request_reply(rq, 200, NULL, "", 0);
	return false;
}

static size_t list_bytes(const struct amk_strv *list)
{
	size_t n = list->n ? 0 : MIRROR_MAX;

	for (size_t i = 0; i < list->n; i++)
		n += strlen(list->v[i]) + 1;
	return n;
}

size_t amk_cors_bytes(const struct amk_cors *c)
{
	size_t origin = 0;

	for (size_t i = 0; i < c->origins.n; i++)
		if (strlen(c->origins.v[i]) > origin)
			origin = strlen(c->origins.v[i]);
	return 5 * FIELD_NAME_MAX + 80 + origin + list_bytes(&c->methods) + list_bytes(&c->headers);
}
