/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crash points: named places where a process can be made to kill itself, so that tests can show that
 * dying there loses nothing. Without AMIKA_CRASH_POINTS (configure --enable-crash-points) they are
 * not compiled. Header only: amika-shim has no objects of this folder.
 *
 * AMK_CRASH("commit.before") dies at its N-th visit when AMIKA_CRASH is "commit.before:N". A process
 * that is not given our environment takes the same text from a file, which is gone with the taking:
 * the next one lives.
 */
#ifndef AMK_CORE_CRASH_H
#define AMK_CORE_CRASH_H

#ifdef AMIKA_CRASH_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Into the environment, where all files of the program find it. */
static inline void amk_crash_take(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	char text[80] = "";

	if (fd < 0)
		return;
	if (unlinkat(dir, path, 0) == 0 && read(fd, text, sizeof text - 1) > 0)
		setenv("AMIKA_CRASH", text, 1);
	close(fd);
}

static inline void amk_crash_visit(const char *point, unsigned long visit)
{
	const char *armed = getenv("AMIKA_CRASH");
	size_t n = strlen(point);

	if (armed && strncmp(armed, point, n) == 0 && armed[n] == ':' && strtoul(armed + n + 1, NULL, 10) == visit)
		kill(getpid(), SIGKILL);
}

#define AMK_CRASH(point)                              \
	do {                                          \
		static unsigned long visits;          \
		amk_crash_visit((point), ++visits);   \
	} while (0)
#define AMK_CRASH_TAKE(dir, path) amk_crash_take((dir), (path))

#else

#define AMK_CRASH(point) ((void)0)
#define AMK_CRASH_TAKE(dir, path) ((void)0)

#endif
#endif
