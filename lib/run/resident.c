/* SPDX-License-Identifier: Apache-2.0 */
/* The sum of the second column of /proc/PID/statm (proc(5)): pages. */
#include "run/resident.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "run/proc.h"
#include "run/tree.h"

/* A process that has just ended has none. */
static int64_t pages_of(pid_t pid)
{
	char path[32], text[128], *end;
	int64_t pages = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	strtoll(text, &end, 10);
	if (*end == ' ')
		pages = strtoll(end, NULL, 10);
	return pages;
}

int64_t amk_resident(pid_t shim)
{
	struct amk_procs below = { NULL, 0, 0 };
	int64_t pages = 0;
	bool any;

	if (shim <= 0)
		return -1;
	amk_procs_below(&below, shim, AMK_TREE_MAX);
	for (size_t i = 0; i < below.n; i++)
		pages += pages_of(below.v[i].pid);
	any = below.n > 0;
	amk_procs_release(&below);
	return any ? pages * sysconf(_SC_PAGESIZE) : -1;
}
