/* SPDX-License-Identifier: Apache-2.0 */
/* A program that has nothing to do is ended; the next message starts another. */
#ifndef AMK_SESSION_SLEEP_H
#define AMK_SESSION_SLEEP_H

struct amk_session;
struct amk_sessions;

void amk_sleep_open(struct amk_sessions *all);
void amk_sleep_take_up(struct amk_session *s);
/* Its program, if it has one, is to be ended: recorded now, done after a commit as soon as that cuts nothing off. */
void amk_sleep_leave(struct amk_session *s, const char *why);
void amk_sleep_committed(struct amk_session *s);
/* It is looked at: sees to it that it falls asleep in time. */
void amk_sleep_look(struct amk_session *s);

#endif
