/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the database is what it should be. Reads only, in one transaction, beside a running daemon or without one;
 * neither makes a database nor changes one.
 */
#ifndef AMK_STORE_VERIFY_H
#define AMK_STORE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* What one check has found. Texts are borrowed for the call. */
struct amk_finding {
	const char *name, *needed_for;
	bool good;
	const char *detail; /* what is wrong, the first of it; or NULL */
	const char *remedy;
};

struct amk_verify_to {
	void (*found)(void *arg, const struct amk_finding *f);
	/* Called again and again while a check is at work; NULL: nobody wants to know. */
	void (*working)(void *arg, const char *name);
	void *arg;
};

struct amk_verify;

/*
 * Opens the database and reports "database". NULL when there is nothing to look at: no database, one that cannot
 * be opened, or not of this version.
 */
struct amk_verify *amk_verify_begin(const char *file, const struct amk_verify_to *to);
/* Reports what needs nothing but the database: integrity, foreign keys, sequences, orphans, … */
void amk_verify_tables(struct amk_verify *v);

/* A run as it is on record, to be held against its folder. */
struct amk_verify_run {
	int64_t row;
	const char *session_id;
	uint64_t in_n, out_n;
	bool ended;
	/* Bytes for `in` that are still recorded, from their first to behind their last; 0 and 0: none. */
	uint64_t recorded_from, recorded_to;
};
/* In the order of their rows. */
int amk_verify_runs(struct amk_verify *v, void (*each)(void *arg, const struct amk_verify_run *r), void *arg,
		    struct amk_err *e);
void amk_verify_end(struct amk_verify *v);

#endif
