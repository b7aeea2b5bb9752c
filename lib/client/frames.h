/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events as they arrive: bytes in, whole events out (WHATWG HTML, server-sent events). */
#ifndef AMK_CLIENT_FRAMES_H
#define AMK_CLIENT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct amk_frames {
	struct amk_buf buf;
	size_t at;   /* everything before was given out */
	size_t seen; /* no event ends before here */
};

void amk_frames_init(struct amk_frames *f);
void amk_frames_release(struct amk_frames *f);
void amk_frames_clear(struct amk_frames *f); /* a new connection: what was unfinished is forgotten */
/* AMK_ETOOBIG when an event is longer than a record may be. */
int amk_frames_add(struct amk_frames *f, const char *s, size_t n, struct amk_err *e);
/* True when there is much to be given out: no more should be added before that is done. */
bool amk_frames_full(struct amk_frames *f);
/*
 * The next event that has data. 1, or 0 when more bytes are needed. *data is NUL-terminated and valid
 * until the next call; *id is 0 when the event has none that is a number.
 */
int amk_frames_next(struct amk_frames *f, uint64_t *id, char **data, size_t *n);

#endif
