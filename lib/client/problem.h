/* SPDX-License-Identifier: Apache-2.0 */
/* What a refusing reply says, as an error of ours. */
#ifndef AMK_CLIENT_PROBLEM_H
#define AMK_CLIENT_PROBLEM_H

#include "core/err.h"

/*
 * Fills *e from a reply of status 400 and up and returns -1: from problem+json its code, sentence and
 * hint; from anything else (the HTTP library's own pages are HTML) what the status means.
 */
int amk_problem_read(long status, const char *body, size_t n, struct amk_err *e);

#endif
