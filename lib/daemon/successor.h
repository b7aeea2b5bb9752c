/* SPDX-License-Identifier: Apache-2.0 */
/* The amikad that would be started in our place: is it one that can go on? */
#ifndef AMK_DAEMON_SUCCESSOR_H
#define AMK_DAEMON_SUCCESSOR_H

#include "loop/loop.h"

struct amk_successor;

/*
 * Runs `amikad serve --check` as it is installed now, then answer(arg, NULL), or answer(arg, why not), and all of it is
 * freed. Not called from within.
 */
struct amk_successor *amk_successor_ask(struct amk_loop *l, void (*answer)(void *arg, const char *why), void *arg);
/* Without an answer. NULL is fine. */
void amk_successor_free(struct amk_successor *s);

#endif
