/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon that holds STATE/lock but does not answer: it starts, restarts or stops. */
#ifndef AMK_CLIENT_HOLDER_H
#define AMK_CLIENT_HOLDER_H

#include <stdint.h>

enum amk_holder {
	AMK_HOLDER_NONE,    /* nobody holds the lock */
	AMK_HOLDER_ANSWERS, /* a daemon accepts connections */
	AMK_HOLDER_SILENT,  /* neither within the time */
};

/* Waits until it is one of the first two, woken by the state folder and by the holder's end. */
enum amk_holder amk_holder_wait(int dir, int64_t ms);

#endif
