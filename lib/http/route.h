/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the row of the route table a request is for. Pure. */
#ifndef AMK_HTTP_ROUTE_H
#define AMK_HTTP_ROUTE_H

#include "http/http.h"

#define AMK_ROUTE_PARAMS 4 /* '{}' in one path, at most */

struct amk_route_found {
	const struct amk_route *route; /* NULL when none has been found */
	char *text;		       /* owned: the parameters, each ended by a NUL */
	const char *params[AMK_ROUTE_PARAMS];
	unsigned n;
	char allow[64]; /* after AMK_EMETHOD: "GET, HEAD, POST" */
};

/*
 * `target` has passed the gate; its query is ignored. -1 with AMK_ENOTFOUND, or with AMK_EMETHOD when the
 * path is one but the method is not. Release in any case.
 */
int amk_route_find(const struct amk_route *routes, const char *method, const char *target,
		   struct amk_route_found *f, struct amk_err *e);
void amk_route_release(struct amk_route_found *f);

#endif
