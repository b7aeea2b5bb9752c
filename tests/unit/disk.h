/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that can lose its power. This program's own write, fsync, rename and their like keep a log of what was
 * done below one folder, also by its threads and by children it forked. disk_cut puts together what a disk
 * could hold had the power gone after any operation of the log: what was flushed is there; of the rest nothing, all, or
 * any sectors of it. A flush counts from its return on, for what was written before its call.
 *
 * Not simulated: a disk that lies about flushes, and what is written through a mapping.
 */
#ifndef AMK_TESTS_UNIT_DISK_H
#define AMK_TESTS_UNIT_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/lines.h"
#include "scratch.h"

#define DISK_OPS 60000
#define DISK_BYTES ((size_t)192 << 20)
#define DISK_FILES 64
#define DISK_FOLDER (-1)

enum disk_kind { DISK_WRITE, DISK_SIZE, DISK_SYNC, DISK_FAILED_SYNC, DISK_LINK, DISK_UNLINK, DISK_TOLD };

struct disk_op {
	enum disk_kind kind;
	int file;	   /* its number; DISK_FOLDER for a folder */
	uint64_t at, n;	   /* WRITE: where, how much. SIZE: at. TOLD: at, n are the test's. SYNC: at operations before it are covered */
	size_t bytes;	   /* WRITE: where in the arena */
	char name[56];	   /* LINK, UNLINK, SYNC of a folder: below ours */
};

static struct disk {
	pthread_mutex_t lock;
	bool on;
	int fail_sync; /* the so-manieth fdatasync from now on fails; 0: none */
	char root[220];
	unsigned nops, nfiles;
	size_t used;
	struct disk_op ops[DISK_OPS];
	ino_t inodes[DISK_FILES];
	char arena[];
} *disk; /* shared with children */

__attribute__((unused)) static void disk_begin(const char *root)
{
	pthread_mutexattr_t shared;

	disk = mmap(NULL, sizeof *disk + DISK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (disk == MAP_FAILED)
		exit(1);
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&disk->lock, &shared);
	if (strlen(root) >= sizeof disk->root)
		AMK_BUG("a long path: %s", root);
	memcpy(disk->root, root, strlen(root) + 1);
	disk->on = true;
}

/* The path below the folder of what fd or a path is, NULL when it is elsewhere. */
static const char *disk_below(int dir, const char *path, char to[512])
{
	char link[64];
	size_t root;
	ssize_t n = 0;

	if (!disk || !disk->on)
		return NULL;
	if (path[0] != '/') {
		snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
		n = dir < 0 ? -1 : readlink(link, to, 300);
		if (n < 0)
			return NULL;
		to[n] = '\0';
	}
	snprintf(to + n, 512 - (size_t)n, "%s%s", n && path[0] ? "/" : "", path);
	root = strlen(disk->root);
	return strncmp(to, disk->root, root) == 0 && to[root] == '/' ? to + root + 1 : NULL;
}

static int disk_number(ino_t inode, bool fresh)
{
	for (unsigned i = disk->nfiles; i > 0; i--)
		if (disk->inodes[i - 1] == inode && !fresh)
			return (int)i - 1;
	if (disk->nfiles == DISK_FILES)
		AMK_BUG("more than %d files", DISK_FILES);
	disk->inodes[disk->nfiles] = inode;
	return (int)disk->nfiles++;
}

/* Called with the lock held. */
static struct disk_op *disk_note(enum disk_kind kind, int file)
{
	struct disk_op *op = &disk->ops[disk->nops];

	if (disk->nops++ == DISK_OPS)
		AMK_BUG("more than %d operations", DISK_OPS);
	*op = (struct disk_op){ .kind = kind, .file = file };
	return op;
}

/* A mark of the test's in the log. */
__attribute__((unused)) static void disk_tell(uint64_t at, uint64_t n)
{
	struct disk_op *op;

	pthread_mutex_lock(&disk->lock);
	op = disk_note(DISK_TOLD, DISK_FOLDER);
	op->at = at;
	op->n = n;
	pthread_mutex_unlock(&disk->lock);
}

/* The number of the regular file fd is below the folder, else -1. */
static int disk_file(int fd)
{
	char path[512];
	struct stat st;

	if (!disk_below(fd, "", path) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return disk_number(st.st_ino, false);
}

static ssize_t disk_write(int fd, const void *s, size_t n, off_t at)
{
	int file = disk_file(fd);
	struct disk_op *op;
	ssize_t put;

	if (file < 0)
		return at < 0 ? syscall(SYS_write, fd, s, n) : syscall(SYS_pwrite64, fd, s, n, at);
	pthread_mutex_lock(&disk->lock);
	if (at < 0)
		at = lseek(fd, 0, SEEK_CUR);
	put = syscall(SYS_pwrite64, fd, s, n, at);
	if (put > 0) {
		if (disk->used + (size_t)put > DISK_BYTES)
			AMK_BUG("more than %zu bytes", DISK_BYTES);
		op = disk_note(DISK_WRITE, file);
		op->at = (uint64_t)at;
		op->n = (uint64_t)put;
		op->bytes = disk->used;
		memcpy(disk->arena + disk->used, s, (size_t)put);
		disk->used += (size_t)put;
	}
	pthread_mutex_unlock(&disk->lock);
	return put;
}

ssize_t write(int fd, const void *s, size_t n)
{
	ssize_t put;

	if (!disk || disk_file(fd) < 0)
		return syscall(SYS_write, fd, s, n);
	put = disk_write(fd, s, n, -1);
	if (put > 0)
		lseek(fd, put, SEEK_CUR);
	return put;
}

ssize_t pwrite(int fd, const void *s, size_t n, off_t at)
{
	return disk_write(fd, s, n, at);
}

ssize_t pwrite64(int fd, const void *s, size_t n, off_t at)
{
	return disk_write(fd, s, n, at);
}

int ftruncate(int fd, off_t size)
{
	int file = disk_file(fd), r;

	if (file < 0)
		return (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&disk->lock);
	r = (int)syscall(SYS_ftruncate, fd, size);
	if (r == 0)
		disk_note(DISK_SIZE, file)->at = (uint64_t)size;
	pthread_mutex_unlock(&disk->lock);
	return r;
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

/* The real disk is left out, here and where cuts are looked at: it is not what this is about. */
static int disk_sync(int fd, bool data_only)
{
	char path[512];
	const char *name = disk_below(fd, "", path);
	uint64_t covered;
	struct stat st;
	struct disk_op *op;
	bool fails;

	if (!disk || !disk->on || fstat(fd, &st) < 0 || (!name && strcmp(path, disk->root) != 0))
		return 0;
	pthread_mutex_lock(&disk->lock);
	covered = disk->nops;
	pthread_mutex_unlock(&disk->lock);
	sched_yield();
	pthread_mutex_lock(&disk->lock); /* what others have written meanwhile is not covered */
	fails = data_only && disk->fail_sync && --disk->fail_sync == 0;
	op = disk_note(fails ? DISK_FAILED_SYNC : DISK_SYNC, S_ISREG(st.st_mode) ? disk_number(st.st_ino, false) : DISK_FOLDER);
	op->at = covered;
	if (op->file == DISK_FOLDER)
		snprintf(op->name, sizeof op->name, "%.50s", name ? name : "");
	pthread_mutex_unlock(&disk->lock);
	errno = EIO;
	return fails ? -1 : 0;
}

int fsync(int fd)
{
	return disk_sync(fd, false);
}

int fdatasync(int fd)
{
	return disk_sync(fd, true);
}

static void disk_note_name(enum disk_kind kind, int file, const char *name)
{
	struct disk_op *op = disk_note(kind, file);

	if (strlen(name) >= sizeof op->name)
		AMK_BUG("a long name: %s", name);
	snprintf(op->name, sizeof op->name, "%s", name);
}

static int disk_open(int dir, const char *path, int flags, mode_t mode)
{
	char full[512];
	const char *name = flags & O_CREAT ? disk_below(dir, path, full) : NULL;
	struct stat st;
	bool fresh;
	int fd;

	if (!name)
		return (int)syscall(SYS_openat, dir, path, flags, mode);
	pthread_mutex_lock(&disk->lock);
	fresh = syscall(SYS_faccessat, dir, path, F_OK) < 0;
	fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	if (fd >= 0 && fresh && fstat(fd, &st) == 0)
		disk_note_name(DISK_LINK, disk_number(st.st_ino, true), name);
	else if (fd >= 0 && (flags & O_TRUNC))
		disk_note(DISK_SIZE, disk_file(fd));
	pthread_mutex_unlock(&disk->lock);
	return fd;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	char full[512];
	const char *name = disk_below(dir, path, full);
	int r = (int)syscall(SYS_mkdirat, dir, path, mode);

	if (!name || r < 0)
		return r;
	pthread_mutex_lock(&disk->lock);
	disk_note_name(DISK_LINK, DISK_FOLDER, name);
	pthread_mutex_unlock(&disk->lock);
	return r;
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

#define DISK_MODE(flags) \
	mode_t mode = 0; \
	if ((flags) & O_CREAT) { \
		va_list ap; \
		va_start(ap, flags); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
	}

int open(const char *path, int flags, ...)
{
	DISK_MODE(flags)
	return disk_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	DISK_MODE(flags)
	return disk_open(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	DISK_MODE(flags)
	return disk_open(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	DISK_MODE(flags)
	return disk_open(dir, path, flags, mode);
}

int unlinkat(int dir, const char *path, int flags)
{
	char full[512];
	const char *name = disk_below(dir, path, full);
	int r;

	if (!name)
		return (int)syscall(SYS_unlinkat, dir, path, flags);
	pthread_mutex_lock(&disk->lock);
	r = (int)syscall(SYS_unlinkat, dir, path, flags);
	if (r == 0)
		disk_note_name(DISK_UNLINK, DISK_FOLDER, name);
	pthread_mutex_unlock(&disk->lock);
	return r;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int renameat(int dir, const char *from, int to_dir, const char *to)
{
	char full[512], full_to[512];
	const char *name = disk_below(dir, from, full), *new_name = disk_below(to_dir, to, full_to);
	struct stat st;
	int r;

	if (!name || !new_name || fstatat(dir, from, &st, 0) < 0)
		return (int)syscall(SYS_renameat, dir, from, to_dir, to);
	pthread_mutex_lock(&disk->lock);
	r = (int)syscall(SYS_renameat, dir, from, to_dir, to);
	if (r == 0) {
		/* Two steps, between which there are both names: more than a file system would do to us. */
		disk_note_name(DISK_LINK, disk_number(st.st_ino, false), new_name);
		disk_note_name(DISK_UNLINK, DISK_FOLDER, name);
	}
	pthread_mutex_unlock(&disk->lock);
	return r;
}

#endif
