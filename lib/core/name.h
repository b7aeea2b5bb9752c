/* SPDX-License-Identifier: Apache-2.0 */
/* Names for what nobody named: a colour and a city. */
#ifndef AMK_CORE_NAME_H
#define AMK_CORE_NAME_H

#include <stdbool.h>

#define AMK_NAME_MADE 32 /* bytes of a made name, its end included */
#define AMK_NAME_TRIES 20 /* after that many names that were taken already, none is made any more */

/*
 * A name by chance: "teal-tokyo", one of 2500; from the eleventh attempt (0 is the first) on with a number
 * behind it, "teal-tokyo-0815". False from AMK_NAME_TRIES on. It may be taken: whoever keeps the names says.
 */
bool amk_name_make(char to[AMK_NAME_MADE], unsigned attempt);

#endif
