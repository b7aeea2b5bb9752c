/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory what a shim keeps has: read from /proc when someone asks, never watched. */
#ifndef AMK_RUN_RESIDENT_H
#define AMK_RUN_RESIDENT_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Bytes that are resident of all processes below the shim, itself left out; memory that several share counts for
 * each of them. Of a tree of more than some hundred processes not all are counted. -1: there are none.
 */
int64_t amk_resident(pid_t shim);

#endif
