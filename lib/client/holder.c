/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock is only looked at, in /proc/locks: taking it, even for a moment, could make a starting
 * daemon believe that another one runs.
 */
#include "client/holder.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "client/start.h"
#include "core/buf.h"
#include "core/lines.h"
#include "core/time.h"

#define LOCKS_MAX (4u << 20)

/* The process that has the flock on STATE/lock, 0 when there is none or it cannot be known. */
static pid_t holder(int dir)
{
	struct amk_buf locks AMK_AUTO(buf) = AMK_BUF_INIT(LOCKS_MAX);
	int fd AMK_AUTO(fd) = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstatat(dir, "lock", &st, AT_SYMLINK_NOFOLLOW) < 0 || amk_lines_all(fd, &locks, NULL) < 0)
		return 0;
	for (char *line = locks.s, *end; *line; line = end + (*end != '\0')) {
		unsigned major_n, minor_n;
		unsigned long long inode;
		int pid;

		end = strchrnul(line, '\n');
		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%llu", &pid, &major_n, &minor_n, &inode) == 4 &&
		    inode == st.st_ino && makedev(major_n, minor_n) == st.st_dev)
			return pid;
	}
	return 0;
}

/* Waits for a change in the folder or the end of the process. */
static void wait_change(int folder, pid_t pid, int64_t ms)
{
	int process AMK_AUTO(fd) = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p[2] = { { .fd = folder, .events = POLLIN }, { .fd = process, .events = POLLIN } };
	char events[4096];

	if (process < 0)
		return; /* gone already */
	if (poll(p, 2, (int)ms) > 0 && p[0].revents && read(folder, events, sizeof events) < 0)
		return; /* nothing to read is no change either */
}

enum amk_holder amk_holder_wait(int dir, int64_t ms)
{
	int64_t end = amk_time_monotonic() + ms * 1000000;
	int folder AMK_AUTO(fd) = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
	if (folder >= 0)
		inotify_add_watch(folder, path, IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE);
	for (;;) {
		pid_t pid = holder(dir);
		int64_t left = (end - amk_time_monotonic()) / 1000000;

		if (amk_start_answers(dir))
			return AMK_HOLDER_ANSWERS;
		if (pid == 0)
			return AMK_HOLDER_NONE;
		if (left <= 0)
			return AMK_HOLDER_SILENT;
		wait_change(folder, pid, left);
	}
}
