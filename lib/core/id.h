/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids: what may be one, and making new ones. */
#ifndef AMK_CORE_ID_H
#define AMK_CORE_ID_H

#include <stdbool.h>
#include <stdint.h>

/* [A-Za-z0-9._-]{1,128}, not starting with '.': what the API takes as a session or message id. */
bool amk_id_valid(const char *s);
/* [a-z0-9][a-z0-9-]{0,62}: what the tools take as a new session's name. */
bool amk_id_name_valid(const char *s);
/*
 * A UUID that always is the same for the same text: the text itself (in lower case) where it is one, else one of
 * version 8 made from its SHA-256. Returns `to`.
 */
#define AMK_ID_UUID 37
const char *amk_id_uuid(char to[AMK_ID_UUID], const char *text);
/* What stands in a row is named by a letter and the row's number: "d_7". Returns `to`. */
#define AMK_ID_ROW 24
const char *amk_id_of_row(char to[AMK_ID_ROW], char letter, int64_t row);
/* The row so named, 0: it is no such name. */
int64_t amk_id_row(const char *id, char letter);
/* Fills to[0..n-1] with random letters and digits (no look-alikes) and a NUL at to[n]. */
void amk_id_random(char *to, unsigned n);

#endif
