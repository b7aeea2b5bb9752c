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

/* What /proc says of a process (proc(5), PID/stat). */
struct ancestor {
	char name[32];
	pid_t parent;
};

/* The name stands in parentheses and may hold anything, so it ends at the last one. */
static bool ancestor_read(pid_t pid, struct ancestor *to)
{
	char path[32], text[512], *open_at, *close_at;
	int fd AMK_AUTO(fd) = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	open_at = strchr(text, '(');
	close_at = strrchr(text, ')');
	if (!open_at || !close_at || close_at < open_at || strlen(close_at) < 5)
		return false;
	snprintf(to->name, sizeof to->name, "%.*s", (int)(close_at - open_at - 1), open_at + 1);
	to->parent = (pid_t)strtol(close_at + 4, NULL, 10);
	return true;
}

/* Without the list of our shims every shim counts as one: better a refusal too many. */
static bool is_shim(const struct amk_sessions *all, pid_t pid, const struct ancestor *a)
{
	return all ? amk_sessions_has_shim(all, pid) : strcmp(a->name, "amika-shim") == 0;
}

bool amk_peer_admit(const struct amk_sessions *all, uid_t uid, pid_t pid)
{
	struct ancestor a;

	if (uid != 0 && uid != geteuid())
		return false;
	for (int i = 0; i < DEPTH; i++) {
		if (pid == 0 || pid == 1)
			return true;
		if (pid < 0 || !ancestor_read(pid, &a) || is_shim(all, pid, &a))
			return false;
		pid = a.parent;
	}
	return false;
}
