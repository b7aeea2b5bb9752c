/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, and how older ones become newer ones. */
#ifndef AMK_STORE_SCHEMA_H
#define AMK_STORE_SCHEMA_H

#include "store/sql.h"

/*
 * SQL: a text with so many blanks before it that, as the last column of a row of `spec`, it stands in overflow
 * pages alone, which are overwritten whole when the row is deleted. What stands in the pages of the tree is at
 * times copied within them, and of the copies nobody knows. Of a long row, the tree keeps 489 bytes and what is
 * left when the rest is divided by 4092 (sqlite.org/fileformat.html, 1.6, for pages of 4096 bytes).
 */
#define AMK_SCHEMA_SPEC(text) \
	"printf('%*s', 489 + (length(CAST(" text " AS BLOB)) + 4102) / 4092 * 4092, " text ")"

/* Whether amk_schema_prepare would take the file; nothing is written. */
int amk_schema_known(struct amk_sql *q, struct amk_err *e);
/* Creates or upgrades the tables. Refuses the file of another program or of a newer amika, untouched. */
int amk_schema_prepare(struct amk_sql *q, struct amk_err *e);
/* 0 when the tables are there and of the newest kind. */
int amk_schema_check(struct amk_sql *q, struct amk_err *e);
/* Writes something that changes nothing, to see whether writing works. */
int amk_schema_probe(struct amk_sql *q, struct amk_err *e);

#endif
