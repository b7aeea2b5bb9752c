/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `tree` of a run folder: the processes a shim keeps, so that they are found when the shim was
 * killed. One page, made by the daemon, that the shim rewrites in place. Needs only libc.
 */
#ifndef AMK_RUN_TREE_H
#define AMK_RUN_TREE_H

#include <stdint.h>
#include <sys/types.h>

#define AMK_TREE_MAX 250
#define AMK_TREE_NEVER INT64_MAX

/* What the numbers mean: of this boot, in this namespace. Process numbers of elsewhere are strangers'. */
struct amk_tree_place {
	char boot[40];	/* "": not known, and then like no other */
	uint64_t space; /* inode of the pid namespace */
};

struct amk_tree_page {
	struct amk_tree_place place;
	uint64_t at; /* when this was written: ticks, as a start is counted; 0: never */
	uint64_t n;
	struct {
		uint64_t pid, start; /* as in struct amk_proc */
	} v[AMK_TREE_MAX];	     /* the program first, also when it is over */
};

/* The shim's side. */
struct amk_tree {
	int fd; /* of `tree`; -1: nothing is written */
	struct amk_tree_page page;
	int64_t due;   /* ms; when to look next, or AMK_TREE_NEVER */
	int64_t pause; /* between something happening and the look at what came of it */
};

void amk_tree_place(struct amk_tree_place *here);
/* Now, as the start of a process is counted. */
uint64_t amk_tree_now(void);

/* Takes the descriptor over (open for reading and writing, or -1). */
void amk_tree_init(struct amk_tree *t, int fd);
/* The program, which leads its own session. */
void amk_tree_program(struct amk_tree *t, pid_t pid);
/* Something happened: processes may have come or gone. */
void amk_tree_stir(struct amk_tree *t, int64_t now);
/* Looks if that is due; returns when to be called again, or AMK_TREE_NEVER. */
int64_t amk_tree_tick(struct amk_tree *t, int64_t now);

#endif
