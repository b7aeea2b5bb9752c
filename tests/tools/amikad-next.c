/* SPDX-License-Identifier: Apache-2.0 */
/* amikad as it will be: the same, and its database is one step further. For tests of what comes and goes between them. */
#define AMIKA_SCHEMA_NEXT
#include "../../lib/store/schema.c"

#include "../../bin/amikad.c"
