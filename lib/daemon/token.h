/* SPDX-License-Identifier: Apache-2.0 */
/* The token of the network door: where it comes from, and whether a request brings it. Only its digest is kept. */
#ifndef AMK_DAEMON_TOKEN_H
#define AMK_DAEMON_TOKEN_H

#include <stdbool.h>

#include "core/err.h"
#include "core/sha256.h"

#define AMK_TOKEN_MAX 1024 /* characters */

struct amk_token {
	uint8_t digest[AMK_SHA256_SIZE];
};

/* AMK_EUSAGE when `text` cannot be sent in a header: empty, too long, spaces, anything but printable ASCII. */
int amk_token_set(struct amk_token *t, const char *text, struct amk_err *e);
/*
 * The one line of a file of our own (or root's) that nobody else can read; else AMK_EDENIED or AMK_EINVALID.
 * Where there is none, one with 256 random bits is made: by rename, synced, mode 0600.
 */
int amk_token_load(struct amk_token *t, const char *path, struct amk_err *e);

/*
 * Whether the value of an Authorization header (or NULL) carries the token: "bearer", "token" or "basic" in
 * any case; of "basic" it is the password, or the whole where there is no colon, in either alphabet of base64
 * (RFC 4648, 4 and 5), padded or not. Takes no longer for a better guess.
 */
bool amk_token_allows(const struct amk_token *t, const char *authorization);

#endif
