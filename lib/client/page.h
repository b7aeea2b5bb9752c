/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of the log of all sessions, cut into lines: what is there now, without waiting for more. */
#ifndef AMK_CLIENT_PAGE_H
#define AMK_CLIENT_PAGE_H

#include <stdint.h>

#include "client/client.h"

#define AMK_PAGE_MAX (64u << 20) /* bytes; the daemon ends one behind 8 MiB and an event */

struct amk_page {
	struct amk_buf body;
	size_t at;	 /* everything before was given out */
	uint64_t cursor; /* behind its last event */
	bool more;	 /* there was more behind it */
};
#define AMK_PAGE_INIT { .body = AMK_BUF_INIT(AMK_PAGE_MAX) }

/* The newest cursor there is. */
int amk_page_newest(struct amk_client *c, uint64_t *cursor, struct amk_err *e);
/* Fetches what stands behind the cursor, and reads how it ends. */
int amk_page_fetch(struct amk_page *p, struct amk_client *c, uint64_t after, struct amk_err *e);
/* The next event as it was sent, valid until the next fetch. 1; 0: no more; -1. */
int amk_page_next(struct amk_page *p, const char **line, size_t *n, struct amk_err *e);
void amk_page_release(struct amk_page *p);

/* For tests: reads a body that is there already. */
int amk_page_open(struct amk_page *p, struct amk_err *e);

#endif
