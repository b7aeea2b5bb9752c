/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's own log: one line a call on stderr. Never bodies, never secrets. */
#ifndef AMK_CORE_SAY_H
#define AMK_CORE_SAY_H

enum amk_say_level { AMK_SAY_ERROR, AMK_SAY_INFO, AMK_SAY_TRACE };

/* "2026-02-09T00:00:00Z info session: text". Traces appear for topics named in AMIKA_TRACE (commas). */
void amk_say(enum amk_say_level level, const char *topic, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
