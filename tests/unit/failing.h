/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that fail on demand: defined here, they come before libc's. Only calls from this program's own
 * code count, not those of libraries, and only while a plan is armed.
 */
#ifndef AMK_TESTS_UNIT_FAILING_H
#define AMK_TESTS_UNIT_FAILING_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sanitized.h"

extern char __executable_start, etext;
extern void *__libc_realloc(void *p, size_t n);

static struct {
	long at;   /* which call fails, from 1; 0: none */
	long seen; /* calls while armed */
	pid_t parent;	  /* who arms it */
	bool in_child;	  /* only calls of children count, else only the parent's */
	const char *mark; /* a file made when it does */
	bool memory;	  /* realloc counts, too: what is out of memory here goes on */
} failing;

static bool failing_is_due(void *from, int err)
{
	if (failing.at == 0 || (char *)from < &__executable_start || (char *)from >= &etext)
		return false;
	if ((syscall(SYS_getpid) != failing.parent) != failing.in_child || ++failing.seen != failing.at)
		return false;
	if (failing.mark)
		syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, failing.mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	errno = err;
	return true;
}

#define FAIL(err) \
	if (failing_is_due(__builtin_return_address(0), (err))) \
	return -1

/* NAME, the error it fails with, its parameters, their names */
#define CALL(type, name, err, params, ...) \
	type name params \
	{ \
		FAIL(err); \
		return (type)syscall(SYS_##name, __VA_ARGS__); \
	}

CALL(ssize_t, read, EIO, (int fd, void *to, size_t n), fd, to, n)
CALL(ssize_t, write, ENOMEM, (int fd, const void *s, size_t n), fd, s, n)
CALL(int, pipe2, EMFILE, (int fds[2], int flags), fds, flags)
CALL(int, flock, ENOLCK, (int fd, int what), fd, what)
CALL(int, listen, EADDRINUSE, (int fd, int n), fd, n)
CALL(int, chdir, EACCES, (const char *path), path)
CALL(int, fsync, EIO, (int fd), fd)
CALL(int, fdatasync, EIO, (int fd), fd)
CALL(int, dup2, EMFILE, (int from, int to), from, to)
CALL(int, socket, EMFILE, (int domain, int type, int protocol), domain, type, protocol)
CALL(int, socketpair, EMFILE, (int domain, int type, int protocol, int fds[2]), domain, type, protocol, fds)
CALL(int, mkdirat, ENOSPC, (int dir, const char *path, mode_t mode), dir, path, mode)
CALL(int, unlinkat, EIO, (int dir, const char *path, int flags), dir, path, flags)

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
	FAIL(EIO);
	return syscall(SYS_pread64, fd, to, n, at);
}

ssize_t pwrite(int fd, const void *s, size_t n, off_t at)
{
	FAIL(ENOSPC);
	return syscall(SYS_pwrite64, fd, s, n, at);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	FAIL(ENOSPC);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

ssize_t recv(int fd, void *to, size_t n, int flags)
{
	FAIL(ENOMEM);
	return syscall(SYS_recvfrom, fd, to, n, flags, NULL, NULL);
}

ssize_t send(int fd, const void *s, size_t n, int flags)
{
	FAIL(ENOBUFS);
	return syscall(SYS_sendto, fd, s, n, flags, NULL, 0);
}

int accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
	FAIL(EMFILE);
	return (int)syscall(SYS_accept4, fd, from, n, flags);
}

int bind(int fd, const struct sockaddr *to, socklen_t n)
{
	FAIL(ENOSPC);
	return (int)syscall(SYS_bind, fd, to, n);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
	FAIL(EAGAIN);
	return (int)syscall(SYS_connect, fd, to, n);
}

void *mmap(void *where, size_t n, int prot, int flags, int fd, off_t at)
{
	if (failing_is_due(__builtin_return_address(0), ENOMEM))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, where, n, prot, flags, fd, at);
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	FAIL(EMFILE);
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	FAIL(EMFILE);
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fcntl(int fd, int what, ...)
{
	va_list ap;
	long arg;

	FAIL(EMFILE);
	va_start(ap, what);
	arg = va_arg(ap, long);
	va_end(ap);
	return (int)syscall(SYS_fcntl, fd, what, arg);
}

#ifndef SANITIZED
void *realloc(void *p, size_t n)
{
	return failing.memory && failing_is_due(__builtin_return_address(0), ENOMEM) ? NULL : __libc_realloc(p, n);
}
#endif

#endif
