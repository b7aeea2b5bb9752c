/* SPDX-License-Identifier: Apache-2.0 */
/* amika decision rule: the verbs about rules. */
#ifndef AMK_CLIENT_RULES_H
#define AMK_CLIENT_RULES_H

#include "core/cmd.h"

extern const struct amk_cmd amk_rules_cmd;

#endif
