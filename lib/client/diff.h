/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent wants to change, as people read changes. */
#ifndef AMK_CLIENT_DIFF_H
#define AMK_CLIENT_DIFF_H

#include "core/buf.h"

/*
 * The hunks of a unified diff between two texts, three lines of context, numbers counted in these texts. Nothing when
 * they are the same. Texts too different to be compared in a moment are taken out and put in as a whole.
 */
void amk_diff_write(struct amk_buf *out, const char *before, const char *after);

#endif
