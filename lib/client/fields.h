/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the HTTP API (camelCase) as lines of the tools (snake_case), by one table. */
#ifndef AMK_CLIENT_FIELDS_H
#define AMK_CLIENT_FIELDS_H

#include "core/buf.h"
#include "core/json.h"

/*
 * Adds the record as one line without newline, "type" first: "session", "decision", "agent",
 * "receipt". Members the table does not name follow, their keys rewritten.
 */
void amk_fields_line(struct amk_buf *out, const char *type, const struct amk_json *record);

#endif
