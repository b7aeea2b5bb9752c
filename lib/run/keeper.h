/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of a program is its parent: whatever the program leaves behind becomes a child of the
 * keeper, so nothing of the tree can get away. Needs only libc; one keeper per process.
 */
#ifndef AMK_RUN_KEEPER_H
#define AMK_RUN_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define AMK_KEEPER_NEVER INT64_MAX

struct amk_keeper {
	pid_t pid;  /* the program; 0 when it is over or never ran */
	int status; /* of the program once it is over, as waitpid(2) has it; -1 before */
	bool empty; /* nothing is left of the tree */
	bool ending;
	int64_t deadline; /* while ending: TERM was sent, KILL is due then */
	int64_t pause;	  /* between one KILL and the next */
};

struct amk_keeper_program {
	const char *directory, *path;
	char *const *argv, *const *env; /* NULL-terminated */
	uint64_t files; /* its soft limit of open files; 0: ours */
	int fds[3];			/* its stdin, stdout, stderr; borrowed, above 2 */
};

/*
 * Starts the program in a session of its own with default signals and no other descriptors. If that
 * fails: -1, errno, and in *step the word for what failed ("directory", "exec", "fork").
 */
int amk_keeper_start(struct amk_keeper *k, const struct amk_keeper_program *p, const char **step);
/* Collects what has ended; call it on SIGCHLD. */
void amk_keeper_reap(struct amk_keeper *k);
/* Ends the tree: TERM now, KILL after grace ms. A second call can only bring KILL forward. */
void amk_keeper_end(struct amk_keeper *k, int64_t now, int64_t grace);
/* Does what is due at `now` (ms); returns when to be called again, or AMK_KEEPER_NEVER. */
int64_t amk_keeper_tick(struct amk_keeper *k, int64_t now);

#endif
