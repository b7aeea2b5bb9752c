/* SPDX-License-Identifier: Apache-2.0 */
/* STATE/lock: held by the daemon for life; what it says names the daemon. */
#ifndef AMK_DAEMON_LOCK_H
#define AMK_DAEMON_LOCK_H

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

/* Takes the lock, AMK_ECONFLICT when another daemon holds it. */
int amk_lock_take(int dirfd, int *fd, struct amk_err *e);
/* Replaces what the file says with one line. */
int amk_lock_write(int fd, const char *line, struct amk_err *e);

/* The daemon that holds the lock: its line. AMK_EUNREACHABLE when none does. */
int amk_lock_read(int dirfd, struct amk_buf *line, pid_t *pid, struct amk_err *e);
/* Blocks until the file is written by someone else; watch comes from amk_lock_watch, made before. */
int amk_lock_watch(const char *state_path, struct amk_err *e);
int amk_lock_wait_written(int watch, int64_t timeout_ms, struct amk_err *e);

#endif
