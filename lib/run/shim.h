/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What amika-shim does: copies between the spools of a run folder and a program's stdin, stdout and
 * stderr, keeps the program's tree, and records its end. Needs only libc, bell, keeper, tail and tree.
 *
 * The run folder: in, out (spools), err (stderr, bounded; run/tail.h), pos (positions; locked by the shim for
 * life), tree (which processes it keeps; run/tree.h), cookie (a variable of their environment, by which
 * the daemon finds them, too), bell (the listening doorbell), end (by rename, when all is over: one JSON
 * object with code, signal and reason). Only the shim writes out, err, pos, tree and end; all but err and
 * end are there before it starts, and err before the program does.
 */
#ifndef AMK_RUN_SHIM_H
#define AMK_RUN_SHIM_H

#include <stdint.h>

/* Descriptors a shim is started with, besides 0, 1 and 2 (all open). */
enum amk_shim_fd {
	AMK_SHIM_FOLDER = 3, /* the run folder */
	AMK_SHIM_LISTEN = 4, /* the socket bound to `bell` in it, listening */
	AMK_SHIM_BELL = 5,   /* the first daemon's doorbell */
	AMK_SHIM_FD_COUNT
};

/*
 * The file pos, mapped: it survives the shim. `done` <= `begun`; see AMK_BELL_DONE, AMK_BELL_BEGUN. When
 * nobody reads any more, both fall back to what was really read.
 */
struct amk_shim_pos {
	uint64_t begun, done;
};

struct amk_shim_spec {
	int64_t lease_ms; /* ends the program after so long without a daemon */
	int64_t end_ms;	  /* from TERM to KILL when nobody says otherwise */
	uint64_t files;	  /* the program's soft limit of open files; 0: ours */
	const char *directory, *program;
	char *const *argv, *const *env; /* NULL-terminated */
};

/* Runs until all is over and recorded. */
void amk_shim_run(const struct amk_shim_spec *spec);

#endif
