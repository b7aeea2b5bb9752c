/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What amika-once does: runs a command to its end, at most until a deadline, and ends its whole tree. Needs only
 * libc, keeper and proc.
 */
#ifndef AMK_RUN_ONCE_H
#define AMK_RUN_ONCE_H

#include <stdint.h>

/* Descriptors it is started with. 2 is anything that is open. */
enum amk_once_fd {
	AMK_ONCE_INPUT,	     /* the command's stdin */
	AMK_ONCE_OUTPUT,     /* its stdout and stderr */
	AMK_ONCE_LIFE = 3,   /* readable or hung up: whoever started us wants it ended, or is no more */
	AMK_ONCE_REPORT = 4, /* gets, when nothing of the tree is left, "done" or how it failed */
	AMK_ONCE_FD_COUNT
};

#define AMK_ONCE_DONE "done"
#define AMK_ONCE_REPORT_MAX 256

struct amk_once_spec {
	int64_t deadline_ms; /* for the command */
	int64_t grace_ms;    /* between TERM and KILL */
	uint64_t files;	     /* the command's soft limit of open files; 0: ours */
	const char *directory, *program;
	char *const *argv, *const *env; /* NULL-terminated */
};

/* The command is over when its program is: what that left running is ended. 0: it exited with 0. */
int amk_once_run(const struct amk_once_spec *spec);

#endif
