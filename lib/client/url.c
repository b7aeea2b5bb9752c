/* SPDX-License-Identifier: Apache-2.0 */
/* Stricter than RFC 3986: whatever could be meant in two ways is refused. */
#include "client/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int refused(struct amk_err *e, const char *why)
{
	amk_err_set(e, AMK_EUSAGE, "the daemon's URL %s", why);
	return amk_err_hint(e, "as http://HOST:PORT or https://HOST:PORT, from --url or AMIKA_URL");
}

/* Behind the scheme, or NULL. */
static const char *scheme_read(struct amk_url *u, const char *s)
{
	u->tls = strncasecmp(s, "https://", 8) == 0;
	if (u->tls)
		return s + 8;
	return strncasecmp(s, "http://", 7) == 0 ? s + 7 : NULL;
}

static int host_copy(struct amk_url *u, const char *s, size_t n, struct amk_err *e)
{
	if (n == 0)
		return refused(e, "names no host");
	if (n >= sizeof u->host)
		return refused(e, "has a host of more than 253 characters");
	for (size_t i = 0; i < n; i++)
		u->host[i] = (char)tolower((unsigned char)s[i]);
	u->host[n] = '\0';
	return 0;
}

/* "[::1]…": *s is moved behind it. */
static int address_read(struct amk_url *u, const char **s, struct amk_err *e)
{
	struct in6_addr address;
	size_t n = strcspn(*s, "]");

	if (!(*s)[n])
		return refused(e, "has a [ without its ]");
	if (host_copy(u, *s + 1, n - 1, e) < 0)
		return -1;
	if (inet_pton(AF_INET6, u->host, &address) != 1)
		return refused(e, "has no IPv6 address between [ and ]");
	u->loopback = IN6_IS_ADDR_LOOPBACK(&address);
	*s += n + 1;
	return 0;
}

static int name_read(struct amk_url *u, const char **s, struct amk_err *e)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	struct in_addr address;
	size_t n = strspn(*s, set);

	if (host_copy(u, *s, n, e) < 0)
		return -1;
	if (inet_pton(AF_INET, u->host, &address) == 1)
		u->loopback = ntohl(address.s_addr) >> 24 == 127;
	else
		u->loopback = strcmp(u->host, "localhost") == 0;
	*s += n;
	return 0;
}

/* ":60999", or nothing. */
static int port_read(struct amk_url *u, const char **s, struct amk_err *e)
{
	size_t n;

	u->port = u->tls ? 443 : 80;
	if (**s != ':')
		return 0;
	n = strspn(++*s, "0123456789");
	u->port = n && n <= 5 ? (unsigned)strtoul(*s, NULL, 10) : 0;
	if (u->port < 1 || u->port > 65535)
		return refused(e, "has a port that is not one of 1 to 65535");
	*s += n;
	return 0;
}

int amk_url_parse(struct amk_url *u, const char *s, struct amk_err *e)
{
	const char *at;
	bool six;

	*u = (struct amk_url){ 0 };
	at = scheme_read(u, s);
	if (!at)
		return refused(e, "begins with neither http:// nor https://");
	/* Not shown: it may be a secret. */
	if (strchr(at, '@'))
		return refused(e, "holds an @; a token goes into AMIKA_TOKEN or a file");
	six = *at == '[';
	if ((six ? address_read(u, &at, e) : name_read(u, &at, e)) < 0 || port_read(u, &at, e) < 0)
		return -1;
	if (strcmp(at, "") != 0 && strcmp(at, "/") != 0)
		return refused(e, "has something behind host and port");
	snprintf(u->base, sizeof u->base, "%s://%s%s%s:%u", u->tls ? "https" : "http", six ? "[" : "", u->host,
		 six ? "]" : "", u->port);
	return 0;
}
