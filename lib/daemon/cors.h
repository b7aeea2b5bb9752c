/* SPDX-License-Identifier: Apache-2.0 */
/* What a web browser may do here: which host it may think we are, which pages may ask, what they may read. */
#ifndef AMK_DAEMON_CORS_H
#define AMK_DAEMON_CORS_H

#include <stdbool.h>

#include "core/strv.h"
#include "http/http.h"

#define AMK_CORS_MAX 1024 /* bytes of all methods, of all headers, of one origin */

struct amk_cors {
	bool known_hosts;      /* others are refused … */
	bool known_origins;    /* … and so are others of these */
	struct amk_strv hosts; /* beside localhost, 127.0.0.1 and [::1]; names without port */
	struct amk_strv origins; /* "https://example.com", "null" */
	struct amk_strv methods, headers; /* none: any */
	bool credentials;
};

/* AMK_EUSAGE when one of the lists holds what it may not; makes header names lower case. */
int amk_cors_check(struct amk_cors *c, struct amk_err *e);
void amk_cors_release(struct amk_cors *c);

/*
 * To be asked first about every request: false when it has replied, with 403 to a foreign host or origin, or
 * to a browser that asks what it may do. Adds headers to the reply in any case, of
 * amk_cors_bytes at most.
 */
bool amk_cors_judge(const struct amk_cors *c, struct amk_request *rq);
size_t amk_cors_bytes(const struct amk_cors *c);

#endif
