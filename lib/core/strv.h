/* SPDX-License-Identifier: Apache-2.0 */
/* A growing, NULL-terminated array of owned strings: argv and environ. */
#ifndef AMK_CORE_STRV_H
#define AMK_CORE_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct amk_strv {
	char **v; /* NULL-terminated once anything was added */
	size_t n;
};

void amk_strv_add(struct amk_strv *v, const char *s); /* copies */
void amk_strv_addf(struct amk_strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void amk_strv_release(struct amk_strv *v);
void amk_auto_strv(struct amk_strv *v);

/* Whether a variable's name, n bytes, is `pattern`, which '*' at the end opens: "LC_*". */
bool amk_strv_name_is(const char *name, size_t n, const char *pattern);

#endif
