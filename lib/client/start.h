/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon where none answers: started once, however many tools want one at the same time. */
#ifndef AMK_CLIENT_START_H
#define AMK_CLIENT_START_H

#include <stdbool.h>

#include "core/err.h"
#include "core/strv.h"

/*
 * Returns 0 when a daemon answers in the state folder `state`, open as `dir`. Connects under
 * STATE/start.lock; when that fails and `allowed`, starts one and waits until it serves.
 */
int amk_start_daemon(int dir, const char *state, bool allowed, struct amk_err *e);

/* True when a daemon accepts connections now. */
bool amk_start_answers(int dir);

/* The environment of a daemon we start: NAME=VALUE pairs, nothing of the caller's but amika's settings. */
void amk_start_environment(struct amk_strv *to, const char *state);

/* In a forked child: no signal is blocked or ignored any more. */
void amk_start_reset_signals(void);

#endif
