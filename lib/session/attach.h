/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files a message names. They are read when it comes, so that its turn, however much later it runs or is
 * replayed, is given the same bytes.
 */
#ifndef AMK_SESSION_ATTACH_H
#define AMK_SESSION_ATTACH_H

#include <stdbool.h>

#include "core/json.h"

#define AMK_ATTACH_MAX 20		/* files of one message */
#define AMK_ATTACH_IMAGE_MAX 3750000	/* bytes: 5 MB in base64, the limit of Anthropic's API */
#define AMK_ATTACH_BYTES_MAX 7500000	/* of all images of one message */

/* All take NULL for no attachments; `list` is [{"path","mime"?,"filename"?}] from a request. */

/* Refuses what is no such list, and paths that lead out of the session's directory. */
int amk_attach_check(const struct amk_json *list, struct amk_err *e);
/* Whether `stored` (NULL: nothing) was made from the same list. */
bool amk_attach_same(const char *stored, const struct amk_json *list);
/*
 * Adds what the codec gets (see agent/attached.h), nothing for none. Images come with their bytes; larger ones,
 * and all other files, by their path. A file that is not there is AMK_EINVALID.
 */
int amk_attach_read(struct amk_buf *b, const char *directory, const struct amk_json *list, struct amk_err *e);

#endif
