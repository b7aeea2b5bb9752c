/* SPDX-License-Identifier: Apache-2.0 */
/* Events of several sessions as text on one screen, told apart. */
#ifndef AMK_CLIENT_VIEWS_H
#define AMK_CLIENT_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct amk_view;

struct amk_views {
	struct amk_view *first;
	struct amk_view *shown; /* printed last */
	bool headed; /* "== tau ==" where another session's text begins */
	bool lined;  /* "tau | " before each line, and lines only whole: for sessions that talk at the same time */
	size_t width; /* of the longest name so far */
};

/* Prints what the event reads like, which may be nothing yet. */
int amk_views_print(struct amk_views *v, const char *line, size_t n, struct amk_err *e);
/* Prints what waited for the end of its line, ends the last line, releases. */
void amk_views_end(struct amk_views *v);

#endif
