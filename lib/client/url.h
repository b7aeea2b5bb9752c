/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon's address as people write it: http://HOST:PORT. */
#ifndef AMK_CLIENT_URL_H
#define AMK_CLIENT_URL_H

#include <stdbool.h>

#include "core/err.h"

#define AMK_URL_HOST 254 /* with NUL; a name in DNS has at most 253 characters */

struct amk_url {
	char base[AMK_URL_HOST + 32]; /* "http://host:port", for a path to be put behind it */
	char host[AMK_URL_HOST];      /* in lower case, without the brackets of an IPv6 address */
	unsigned port;		      /* the scheme's own when none is given */
	bool tls, loopback;
};

/*
 * AMK_EUSAGE unless it is http:// or https://, a host, perhaps a port, and nothing more than a '/' behind
 * it. Loopback is what cannot leave the machine: localhost, 127.0.0.0/8, ::1, in the forms that are in use.
 */
int amk_url_parse(struct amk_url *u, const char *s, struct amk_err *e);

#endif
