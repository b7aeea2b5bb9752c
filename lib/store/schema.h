/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, and how older ones become newer ones. */
#ifndef AMK_STORE_SCHEMA_H
#define AMK_STORE_SCHEMA_H

#include "store/sql.h"

/* Creates or upgrades the tables. Refuses the file of another program or of a newer amika, untouched. */
int amk_schema_prepare(struct amk_sql *q, struct amk_err *e);
/* Writes something that changes nothing, to see whether writing works. */
int amk_schema_probe(struct amk_sql *q, struct amk_err *e);

#endif
