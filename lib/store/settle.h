/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the WAL when the database is opened is made durable before anything is built on it. */
#ifndef AMK_STORE_SETTLE_H
#define AMK_STORE_SETTLE_H

#include "store/sql.h"

/*
 * Writes every byte of the WAL once more, and flushes it. For it may be that an earlier fdatasync of it has failed, here or
 * in a process that is gone: the kernel then takes the pages for written, whatever the disk holds, and says of
 * the next fdatasync that all is well. What is written anew has to reach the disk, or the error is told again.
 * `wal` is its name in the folder open as dirfd. q has no transaction; others are kept from writing meanwhile.
 */
int amk_settle(struct amk_sql *q, int dirfd, const char *wal, struct amk_err *e);

#endif
