/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An independent checker of a session's event stream: fed line by line, it names the first rule that is
 * broken. It keeps hashes and ids, not texts; what it may keep is bounded.
 */
#ifndef AMK_EVENT_CHECK_H
#define AMK_EVENT_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/json.h"

struct amk_check;

/*
 * universal: a stream without profile=amika. Sequences rise, else they are dense from 1; "amika" may be
 * missing, else turns and decisions must carry theirs.
 */
struct amk_check *amk_check_new(bool universal);
void amk_check_free(struct amk_check *c);
/*
 * The next line. Session and receipt lines, and stream lines that are no events, are passed over. Behind a
 * gap the numbers go on at its end, and what it may have begun or ended is believed.
 */
int amk_check_line(struct amk_check *c, const char *line, size_t n, struct amk_err *e);
/* The stream is over: nothing may be open, unless `open` says that it stops in the middle. */
int amk_check_finish(struct amk_check *c, bool open, struct amk_err *e);

/* The form of one event: keys, their order, types, values (check_shape.c). */
int amk_check_shape(const struct amk_json *event, struct amk_err *e);

#endif
