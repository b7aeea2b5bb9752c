/* SPDX-License-Identifier: Apache-2.0 */
/* A peer's ancestry, from /proc at accept. */
#include "daemon/peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"

#define DEPTH 256 /* generations looked at; a longer chain is refused */

/* Field 4 of /proc/PID/stat (proc(5)); the name before it may hold anything but ends at the last ')'. */
static pid_t parent_of(pid_t pid)
{
	char path[32], text[512], *p;
	int fd AMK_AUTO(fd) = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	p = strrchr(text, ')');
	return p && strlen(p) > 4 ? (pid_t)strtol(p + 4, NULL, 10) : -1;
}

bool amk_peer_admit(const struct amk_sessions *all, uid_t uid, pid_t pid)
{
	if (!all || (uid != 0 && uid != geteuid()))
		return false;
	for (int i = 0; i < DEPTH; i++) {
		if (pid == 0 || pid == 1)
			return true;
		if (pid < 0 || amk_sessions_has_shim(all, pid))
			return false;
		pid = parent_of(pid);
	}
	return false;
}
