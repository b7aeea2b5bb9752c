/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of amika-session about turns: what waits for one, and the end of the running one. */
#ifndef AMK_CLIENT_QUEUE_H
#define AMK_CLIENT_QUEUE_H

#include "core/cmd.h"

extern const struct amk_cmd amk_queue_cmd;	  /* queue */
extern const struct amk_cmd amk_queue_cmd_cancel; /* cancel */

#endif
