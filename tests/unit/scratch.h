/* SPDX-License-Identifier: Apache-2.0 */
/* A private folder for a test program, gone when it ends. */
#ifndef AMK_TESTS_UNIT_SCRATCH_H
#define AMK_TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[200]; /* its path */

static int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void scratch_remove(void)
{
	nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes it and returns it open. Only the process that made it removes it, and only when it exits. */
__attribute__((unused)) static int scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(scratch, sizeof scratch, "%s/amika-unit-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(scratch) || (fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		perror(scratch);
		exit(1);
	}
	atexit(scratch_remove);
	return fd;
}

#endif
