/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own log: one line a call on stderr, in one write. A JSON object, or text where stderr is a
 * terminal. Never bodies, never secrets, no text of a message; what comes from outside is escaped.
 */
#ifndef AMK_CORE_SAY_H
#define AMK_CORE_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* error: something was lost or refused, or someone must act; warn: it goes on, but not as it should; info: what
 * happens to sessions, programs and the daemon; debug: every request; trace: for its developers. */
enum amk_say_level { AMK_SAY_ERROR, AMK_SAY_WARN, AMK_SAY_INFO, AMK_SAY_DEBUG, AMK_SAY_TRACE };

/* {"time":…,"level":"info","area":"store","message":…}. `area` is a room or a part of one. */
void amk_say(enum amk_say_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with further members: AMK_SAY_WITH(AMK_SAY_TEXT("session_id", s->id), AMK_SAY_INT("run", 7)). */
struct amk_say_member {
	const char *key;
	const char *text; /* NULL: the number */
	int64_t number;
};
#define AMK_SAY_TEXT(key, text) { key, text, 0 }
#define AMK_SAY_INT(key, number) { key, NULL, number }
#define AMK_SAY_WITH(...) ((const struct amk_say_member[]){ __VA_ARGS__, { 0 } })
void amk_say_of(enum amk_say_level level, const char *area, const struct amk_say_member *members, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));

#define AMK_SAY_LEVELS_MAX 200
/* What is said: a level, and levels of areas that differ: "info,http=trace". At first "info". */
int amk_say_levels(const char *text, struct amk_err *e);
/* Whether `text` would be taken. */
int amk_say_check(const char *text, struct amk_err *e);

/*
 * When stderr is the file `name` in dirfd (borrowed): from now on it is renamed to NAME.1 when it would be longer
 * than `max` bytes, and begun anew. True when it is. -1 ends that.
 */
bool amk_say_keep(int dirfd, const char *name, int64_t max);

#endif
