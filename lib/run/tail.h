/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `err` of a run folder: the first HEAD bytes of stderr, then a ring of RING bytes; once the ring
 * has turned, the number of all bytes (uint64_t) follows it. Needs only libc.
 */
#ifndef AMK_RUN_TAIL_H
#define AMK_RUN_TAIL_H

#include <stddef.h>
#include <stdint.h>

#define AMK_TAIL_HEAD 65536
#define AMK_TAIL_RING 65536
#define AMK_TAIL_KEPT (AMK_TAIL_HEAD + AMK_TAIL_RING)

struct amk_tail {
	int fd;
	uint64_t n; /* bytes added so far */
};

/* On a full disk stderr is what is given up. */
void amk_tail_add(struct amk_tail *t, const char *s, size_t n);

#endif
