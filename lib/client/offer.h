/* SPDX-License-Identifier: Apache-2.0 */
/* Names for completion: what a daemon that runs knows. None is started, nothing is said, nobody waits long. */
#ifndef AMK_CLIENT_OFFER_H
#define AMK_CLIENT_OFFER_H

#include "core/complete.h"

#define AMK_OFFER_MS 300 /* for all that is asked */

/* For struct amk_cmd: sessions, decisions, agents, and the modes and models of the agent that is meant. */
void amk_offer(struct amk_complete *c, const char *what);

#endif
