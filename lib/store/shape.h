/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: what the lines of a session have in common is stored once. An event's line repeats some 200 bytes
 * that were in the one before, and often says ten new ones. A row of the log names a shape and keeps what
 * stands between the shape's beginning and its end; reading puts the line together again, byte for byte.
 */
#ifndef AMK_STORE_SHAPE_H
#define AMK_STORE_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct amk_store;

/* The text of a session's next line. */
struct amk_shape_text {
	int64_t session; /* row */
	uint64_t sequence;
	const char *kind; /* such texts look alike */
	const char *s;
	size_t n;
};

/* How much of a text a shape holds; row 0: there is no shape for it. */
struct amk_shape_fit {
	int64_t row;
	size_t prefix, suffix;
};

/* Finds the shape for a text, or makes one. */
int amk_shape_fit(struct amk_store *s, const struct amk_shape_text *text, struct amk_shape_fit *fit,
		  struct amk_err *e);

/* The text of a shape that a row of the log names; valid until the next call. */
int amk_shape_read(struct amk_store *s, int64_t row, const char **text, size_t *n, struct amk_err *e);

/* Deletes the shapes that no line of the session from this number on can name. */
int amk_shape_forget(struct amk_store *s, int64_t session, uint64_t first, struct amk_err *e);

/* What is kept in memory, of a session or (0) at all: its rows may have been deleted, or undone. */
void amk_shape_drop(struct amk_store *s, int64_t session);

#endif
