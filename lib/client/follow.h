/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following the logs of sessions: a cursor in each, lines as they come, across broken connections and
 * killed daemons. What was given out once is not given out again, and nothing is left out.
 */
#ifndef AMK_CLIENT_FOLLOW_H
#define AMK_CLIENT_FOLLOW_H

#include <stdint.h>

#include "client/client.h"

struct amk_follow;

struct amk_follow_line {
	const char *session; /* NULL in the stream of all */
	uint64_t sequence;   /* there the cursor; of a line without a number, that before it */
	const char *line; /* without newline, NUL-terminated; valid until the next call */
	size_t n;
};

enum amk_follow_got {
	AMK_FOLLOW_ERROR = -1,
	AMK_FOLLOW_LINE,
	AMK_FOLLOW_WATCHED, /* a watched descriptor can be read */
	AMK_FOLLOW_TIMEOUT,
};

/* `c` is borrowed. */
struct amk_follow *amk_follow_new(struct amk_client *c);
void amk_follow_free(struct amk_follow *f);
void amk_auto_follow(struct amk_follow **f);

/*
 * From the event after `after` on. With NULL for the session, all sessions in one stream, in the order of
 * commits; `after` is then a cursor. AMK_FOLLOW_NOW: what happens from now on. Of the lines that have no
 * number only those come that say what is not kept any more ("gap").
 */
#define AMK_FOLLOW_NOW UINT64_MAX
void amk_follow_add(struct amk_follow *f, const char *session, uint64_t after);
/*
 * All sessions in one stream, from now on, with all lines that have no number: "hello" when it begins, here or after
 * it broke, and "session.state". What came before a hello may not have been told.
 */
void amk_follow_add_states(struct amk_follow *f);
/* At most two descriptors; -1 takes the slot's away. */
void amk_follow_watch(struct amk_follow *f, unsigned slot, int fd);
/*
 * The next thing that happens. `deadline` is monotonic ns, 0 for none. A daemon that ended its streams
 * in order was stopped on purpose and is not started again; after any other break one is. At a URL none
 * is started, but one that was there is waited for, for half a minute. When nobody reads stdout any more
 * it is ERROR with AMK_OK, as a write would say.
 */
enum amk_follow_got amk_follow_next(struct amk_follow *f, int64_t deadline, struct amk_follow_line *line,
				    struct amk_err *e);

#endif
