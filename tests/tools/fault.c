/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to be preloaded by tests (built as fault.so, never installed): makes chosen calls fail.
 *
 * AMIKA_FAULT=CALLS:ERRNO:N   CALLS are names joined by commas (write pwrite pread fsync fdatasync ftruncate
 *                             open openat rename renameat mkdirat mmap malloc calloc realloc), ERRNO is a name
 *                             of the table below, N which of them fails, counted from 1 over all CALLS;
 *                             "N+": that one and every later one; 0: none, they are only counted.
 * AMIKA_FAULT_PATH=TEXT       only calls on files whose path holds TEXT (not for malloc, calloc, realloc)
 * AMIKA_FAULT_WHILE=FILE      only while FILE exists: switched on and off from outside
 * AMIKA_FAULT_COUNT=FILE      "CALLS-SEEN FAILED\n" is written there at the first failure and at exit
 *
 * A failed write does nothing, a failed fsync or fdatasync too: what was to be flushed stays unflushed.
 * Of programs that are linked statically nothing fails: there is nobody to preload into.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, also before anything could be looked up. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static struct {
	char calls[200];
	int err;
	long from;
	bool on;
	const char *path, *only_while, *count;
} plan = { .from = 0 };
static atomic_long seen, failed;
static __thread bool inside; /* what we call ourselves does not count */

static const struct {
	const char *name;
	int err;
} errors[] = { { "ENOSPC", ENOSPC }, { "EIO", EIO },	   { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM },
	       { "EROFS", EROFS },   { "EDQUOT", EDQUOT }, { "EACCES", EACCES } };

static void tell(void)
{
	char line[64];
	int fd, n;

	if (!plan.count)
		return;
	n = snprintf(line, sizeof line, "%ld %ld\n", (long)seen, (long)failed);
	fd = (int)syscall(SYS_openat, AT_FDCWD, plan.count, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || syscall(SYS_write, fd, line, n) != n)
		_exit(99);
	close(fd);
}

__attribute__((destructor)) static void tell_at_exit(void)
{
	if (plan.on)
		tell();
}

/* The plan in force only if it can be understood: a test with a wrong one must not pass unseen. */
__attribute__((constructor)) static void read_plan(void)
{
	const char *text = getenv("AMIKA_FAULT"), *colon = text ? strchr(text, ':') : NULL;
	const char *number = colon ? strchr(colon + 1, ':') : NULL;

	if (!text)
		return;
	plan.path = getenv("AMIKA_FAULT_PATH");
	plan.only_while = getenv("AMIKA_FAULT_WHILE");
	plan.count = getenv("AMIKA_FAULT_COUNT");
	if (number && (size_t)(colon - text) < sizeof plan.calls - 2)
		snprintf(plan.calls, sizeof plan.calls, ",%.*s,", (int)(colon - text), text);
	for (size_t i = 0; number && i < sizeof errors / sizeof *errors; i++)
		if (strncmp(colon + 1, errors[i].name, strlen(errors[i].name)) == 0)
			plan.err = errors[i].err;
	if (!plan.calls[0] || !plan.err) {
		fprintf(stderr, "fault: cannot understand AMIKA_FAULT=%s\n", text);
		_exit(99);
	}
	plan.from = strtol(number + 1, NULL, 10);
	if (strchr(number, '+'))
		plan.from = -plan.from;
	plan.on = true;
}

static bool is_wanted(const char *call)
{
	char name[24];

	snprintf(name, sizeof name, ",%s,", call);
	return strstr(plan.calls, name) && (!plan.only_while || syscall(SYS_access, plan.only_while, F_OK) == 0);
}

/* Whether this call is the one; errno is then set. */
static bool is_due(const char *call)
{
	long n;

	if (!plan.on || inside || !is_wanted(call))
		return false;
	n = ++seen;
	if (plan.from == 0 || (plan.from > 0 ? n != plan.from : n < -plan.from))
		return false;
	if (failed++ == 0)
		tell();
	errno = plan.err;
	return true;
}

static bool fails_at(const char *call, int dir, const char *path)
{
	char link[64], folder[4096];
	ssize_t n = 0;

	if (!plan.on || inside)
		return false;
	if (plan.path && !strstr(path, plan.path)) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
		n = dir < 0 || path[0] == '/' ? 0 : readlink(link, folder, sizeof folder - 1);
		folder[n > 0 ? n : 0] = '\0';
		if (!strstr(folder, plan.path))
			return false;
	}
	return is_due(call);
}

static bool fails_on(const char *call, int fd)
{
	return fails_at(call, fd, "");
}

/* The next definition of a name. dlsym may allocate: that does not count. */
static void *next(const char *name)
{
	bool was = inside;
	void *f;

	inside = true;
	f = dlsym(RTLD_NEXT, name);
	inside = was;
	return f;
}

#define NEXT(name) \
	static __typeof__(name) *real; \
	if (!real) \
	real = (__typeof__(name) *)next(#name)

ssize_t write(int fd, const void *s, size_t n)
{
	NEXT(write);
	return fails_on("write", fd) ? -1 : real(fd, s, n);
}

ssize_t pwrite(int fd, const void *s, size_t n, off_t at)
{
	NEXT(pwrite);
	return fails_on("pwrite", fd) ? -1 : real(fd, s, n, at);
}

ssize_t pwrite64(int fd, const void *s, size_t n, off_t at)
{
	NEXT(pwrite64);
	return fails_on("pwrite", fd) ? -1 : real(fd, s, n, at);
}

ssize_t pread(int fd, void *s, size_t n, off_t at)
{
	NEXT(pread);
	return fails_on("pread", fd) ? -1 : real(fd, s, n, at);
}

ssize_t pread64(int fd, void *s, size_t n, off_t at)
{
	NEXT(pread64);
	return fails_on("pread", fd) ? -1 : real(fd, s, n, at);
}

int fsync(int fd)
{
	NEXT(fsync);
	return fails_on("fsync", fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	NEXT(fdatasync);
	return fails_on("fdatasync", fd) ? -1 : real(fd);
}

int ftruncate(int fd, off_t n)
{
	NEXT(ftruncate);
	return fails_on("ftruncate", fd) ? -1 : real(fd, n);
}

int ftruncate64(int fd, off_t n)
{
	NEXT(ftruncate64);
	return fails_on("ftruncate", fd) ? -1 : real(fd, n);
}

/* The mode counts only where a file is made. */
#define MODE(flags) \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | __O_TMPFILE)) { \
		va_list ap; \
		va_start(ap, flags); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
	}

int open(const char *path, int flags, ...)
{
	NEXT(open);
	MODE(flags)
	return fails_at("open", AT_FDCWD, path) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	NEXT(open64);
	MODE(flags)
	return fails_at("open", AT_FDCWD, path) ? -1 : real(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	NEXT(openat);
	MODE(flags)
	return fails_at("openat", dir, path) ? -1 : real(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	NEXT(openat64);
	MODE(flags)
	return fails_at("openat", dir, path) ? -1 : real(dir, path, flags, mode);
}

int rename(const char *from, const char *to)
{
	NEXT(rename);
	return fails_at("rename", AT_FDCWD, to) ? -1 : real(from, to);
}

int renameat(int dir, const char *from, int to_dir, const char *to)
{
	NEXT(renameat);
	return fails_at("renameat", to_dir, to) ? -1 : real(dir, from, to_dir, to);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	NEXT(mkdirat);
	return fails_at("mkdirat", dir, path) ? -1 : real(dir, path, mode);
}

/* Anonymous maps count as well: they are how threads and large buffers come. */
void *mmap(void *where, size_t n, int prot, int flags, int fd, off_t at)
{
	NEXT(mmap);
	return fails_on("mmap", fd) ? MAP_FAILED : real(where, n, prot, flags, fd, at);
}

void *mmap64(void *where, size_t n, int prot, int flags, int fd, off_t at)
{
	NEXT(mmap64);
	return fails_on("mmap", fd) ? MAP_FAILED : real(where, n, prot, flags, fd, at);
}

void *malloc(size_t n)
{
	return is_due("malloc") ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return is_due("calloc") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return is_due("realloc") ? NULL : __libc_realloc(p, n);
}
