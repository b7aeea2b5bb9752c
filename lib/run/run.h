/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One live program as the daemon sees it: a folder with spools, kept by an amika-shim that outlives
 * the daemon. STATE/run/N/ holds in, out (spools), err (bounded), pos (positions), tree (processes), cookie
 * (a variable by which they are known), end (when over), bell (the doorbell socket, numbers only; see
 * run/bell.h).
 */
#ifndef AMK_RUN_RUN_H
#define AMK_RUN_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/err.h"
#include "loop/loop.h"

struct amk_run;

struct amk_run_spec {
	int dir;    /* STATE/run, borrowed for as long as the run lives */
	int64_t id; /* names the folder, new for every program */
	const char *shim; /* path of amika-shim; NULL: the one installed with us */
	const char *program;
	char *const *argv, *const *env; /* NULL-terminated, argv[0] included */
	const char *directory;		/* the program's working directory */
	uint64_t files;	     /* the program's soft limit of open files; 0: the daemon's */
	int64_t lease_ms;    /* the shim ends the program after so long without a daemon */
	int64_t end_ms;	     /* between TERM and KILL, when the shim ends the tree by itself */
};

struct amk_run_end {
	int code;   /* exit code, or -1 */
	int signum; /* or 0 */
	/* "exited", "terminated", "lease", "exec: …", "directory: …", "lost" (the shim died; what it kept was
	 * ended by us) */
	char reason[200];
};

/* Calls come from the loop, never from inside a function of this header; amk_run_free is fine in them. */
struct amk_run_ops {
	/* The out spool is at least so long. */
	void (*out)(void *arg, uint64_t upto);
	/* All before `done` reached the program's stdin, nothing from `begun` on did; between: the frame that
	 * is under way, if any. The last ones are told before `ended`: these count what the program left
	 * unread as not begun, and where nobody knows any more, `begun` is UINT64_MAX. */
	void (*positions)(void *arg, uint64_t begun, uint64_t done);
	/* Over: the tree is gone, `out` is complete (its length: out_n). Last call of all. */
	void (*ended)(void *arg, const struct amk_run_end *end, uint64_t out_n);
};

/* Makes the folder and starts a shim. What fails later arrives as `ended`. */
struct amk_run *amk_run_start(struct amk_loop *l, const struct amk_run_spec *spec, const struct amk_run_ops *ops,
			      void *arg, struct amk_err *e);
/*
 * Takes up a program started by an earlier daemon; `ended` follows if it is over or its shim is gone.
 * AMK_ENOTFOUND: nothing was ever started under that id (a folder half made is removed).
 */
struct amk_run *amk_run_attach(struct amk_loop *l, int dir, int64_t id, const struct amk_run_ops *ops, void *arg,
			       struct amk_err *e);
/* Lets go: the shim and the program live on. */
void amk_run_free(struct amk_run *r);

/* Puts bytes at their place in the in spool (idempotent), then rings. `at + n` never shrinks. */
int amk_run_write(struct amk_run *r, uint64_t at, const void *s, size_t n, struct amk_err *e);
/* Up to max bytes of the out spool from `at`; 0 when there are none yet. */
ssize_t amk_run_read(struct amk_run *r, uint64_t at, void *to, size_t max, struct amk_err *e);
/* How long the out spool is. */
uint64_t amk_run_out(const struct amk_run *r);
/* What the program wrote to stderr: all, or head and tail with a line between them that says how much is
 * left out. At most AMK_RUN_STDERR_MAX bytes. */
#define AMK_RUN_STDERR_MAX (129u << 10)
void amk_run_stderr(struct amk_run *r, struct amk_buf *b);
/* A turn begins, its message is written after this. Numbers grow. */
void amk_run_turn(struct amk_run *r, uint64_t turn);
/*
 * That turn was cancelled and is over: what its tools left running is ended before anything more goes to the program
 * (run/sweep.h). Safe to repeat; nothing if a later turn has begun.
 */
void amk_run_sweep(struct amk_run *r, uint64_t turn);
/* Ends the whole tree: TERM, after grace_ms KILL. `ended` follows with reason "terminated". */
void amk_run_terminate(struct amk_run *r, int64_t grace_ms);
/* The shim's pid, 0 when it is not reached or over. */
pid_t amk_run_pid(const struct amk_run *r);

/* Removes the folder of a program that is over. */
int amk_run_remove(int dir, int64_t id, struct amk_err *e);

#endif
