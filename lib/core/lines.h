/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in and records out, on file descriptors. */
#ifndef AMK_CORE_LINES_H
#define AMK_CORE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

#define AMK_LINE_MAX (16u << 20) /* one record, either way */

struct amk_lines {
	int fd;
	struct amk_buf buf;
	size_t used;   /* bytes of buf already given out */
	size_t number; /* of the line given out last, from 1 */
	bool eof;
};

/* `fd` is borrowed. */
void amk_lines_init(struct amk_lines *l, int fd);
void amk_lines_release(struct amk_lines *l);
/*
 * The next line without its newline, NUL-terminated, valid until the next call.
 * 1: a line; 0: end; -1: read error or a line over AMK_LINE_MAX. A last line without newline counts.
 */
int amk_lines_next(struct amk_lines *l, char **line, size_t *n, struct amk_err *e);

/* One line byte by byte, so that what follows stays unread. 1, 0 or -1 as above. */
int amk_lines_one(int fd, struct amk_buf *line, struct amk_err *e);
/* All of fd up to b->max; more is AMK_EINVALID. */
int amk_lines_all(int fd, struct amk_buf *b, struct amk_err *e);

/* All n bytes, over partial writes and EINTR. -1 with errno. */
int amk_write_all(int fd, const void *s, size_t n);

/*
 * Writes one record and its newline to stdout in one write. EPIPE sets AMK_OK and returns -1:
 * whoever read has gone, which is no failure of ours.
 */
int amk_out_record(const char *s, size_t n, struct amk_err *e);

#endif
