/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk of disk.h may hold after a power cut, put together from its log. */
#ifndef AMK_TESTS_UNIT_DISK_CUT_H
#define AMK_TESTS_UNIT_DISK_CUT_H

#include "disk.h"

enum cut_mode {
	CUT_STRICT, /* only what was flushed */
	CUT_ALL,    /* all that was written: not the power, only the process has gone */
	CUT_TORN,   /* of the rest any sectors of 512 or 4096 bytes, and of what was done to folders the first part */
	CUT_MODES
};

struct cut_bytes {
	char *s;
	size_t n, cap;
};

/* The disk after the first `at` operations: what is durable, and what has come since. */
struct cut {
	unsigned at;
	struct cut_bytes file[DISK_FILES];
	unsigned *pending[DISK_FILES], npending[DISK_FILES];
	unsigned *names, nnames; /* LINKs and UNLINKs that are not durable */
	struct {
		char name[56];
		int file;
	} entry[DISK_FILES];
	unsigned nentries; /* durable */
	uint64_t random;
};

static uint64_t cut_random(struct cut *c)
{
	c->random ^= c->random << 13; /* xorshift64 */
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

static void cut_bytes_size(struct cut_bytes *b, size_t n)
{
	if (n > b->cap) {
		b->cap = n * 2;
		b->s = amk_realloc(b->s, b->cap);
	}
	if (n > b->n)
		memset(b->s + b->n, 0, n - b->n);
	b->n = n;
}

static void cut_bytes_put(struct cut_bytes *b, size_t at, const char *s, size_t n)
{
	if (at + n > b->n)
		cut_bytes_size(b, at + n);
	memcpy(b->s + at, s, n);
}

static void cut_apply(struct cut_bytes *b, const struct disk_op *op)
{
	if (op->kind == DISK_WRITE)
		cut_bytes_put(b, op->at, disk->arena + op->bytes, op->n);
	else
		cut_bytes_size(b, op->at);
}

static void cut_list_add(unsigned **list, unsigned *n, unsigned i)
{
	*list = amk_realloc(*list, (*n + 1) * sizeof **list);
	(*list)[(*n)++] = i;
}

/* Folders themselves are entries too. */
static void cut_entry(struct cut *c, const struct disk_op *op)
{
	for (unsigned i = 0; i < c->nentries; i++) {
		if (strcmp(c->entry[i].name, op->name) != 0)
			continue;
		c->entry[i] = c->entry[--c->nentries];
		break;
	}
	if (op->kind == DISK_UNLINK)
		return;
	if (c->nentries == DISK_FILES)
		AMK_BUG("more than %d names", DISK_FILES);
	memcpy(c->entry[c->nentries].name, op->name, sizeof op->name);
	c->entry[c->nentries++].file = op->file;
}

static bool cut_is_in(const char *name, const char *folder)
{
	size_t n = strlen(folder);
	const char *last = strrchr(name, '/');

	return last ? (size_t)(last - name) == n && strncmp(name, folder, n) == 0 : n == 0;
}

static void cut_sync_folder(struct cut *c, const struct disk_op *sync)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->nnames; i++) {
		const struct disk_op *op = &disk->ops[c->names[i]];

		if (c->names[i] < sync->at && cut_is_in(op->name, sync->name))
			cut_entry(c, op);
		else
			c->names[kept++] = c->names[i];
	}
	c->nnames = kept;
}

/* After a flush that failed the kernel takes for written what it has dropped. */
static void cut_sync_file(struct cut *c, const struct disk_op *sync)
{
	unsigned kept = 0, *pending = c->pending[sync->file];

	for (unsigned i = 0; i < c->npending[sync->file]; i++) {
		if (pending[i] >= sync->at)
			pending[kept++] = pending[i];
		else if (sync->kind == DISK_SYNC)
			cut_apply(&c->file[sync->file], &disk->ops[pending[i]]);
	}
	c->npending[sync->file] = kept;
}

/* One operation further. */
static const struct disk_op *cut_step(struct cut *c)
{
	const struct disk_op *op = &disk->ops[c->at];

	if (op->kind == DISK_WRITE || op->kind == DISK_SIZE)
		cut_list_add(&c->pending[op->file], &c->npending[op->file], c->at);
	else if (op->kind == DISK_LINK || op->kind == DISK_UNLINK)
		cut_list_add(&c->names, &c->nnames, c->at);
	else if (op->kind != DISK_TOLD && op->file == DISK_FOLDER)
		cut_sync_folder(c, op);
	else if (op->kind != DISK_TOLD)
		cut_sync_file(c, op);
	c->at++;
	return op;
}

/* Each sector of a write may be there or not. A length is that after the first `sized` operations. */
static void cut_tear(struct cut *c, struct cut_bytes *b, int file)
{
	unsigned n = c->npending[file], sized = (unsigned)(cut_random(c) % (n + 1));
	size_t sector = cut_random(c) & 1 ? 512 : 4096, size = b->n;
	uint64_t often = 1 + cut_random(c) % 9;

	for (unsigned i = 0; i < n; i++) {
		const struct disk_op *op = &disk->ops[c->pending[file][i]];

		if (op->kind == DISK_SIZE) {
			if (i >= sized)
				break; /* what comes after it went to blocks that are not the file's yet */
			cut_bytes_size(b, size = op->at);
			continue;
		}
		if (i < sized && op->at + op->n > size)
			size = op->at + op->n;
		for (size_t at = op->at, end; at < op->at + op->n; at = end) {
			end = (at / sector + 1) * sector;
			end = end < op->at + op->n ? end : op->at + op->n;
			if (cut_random(c) % 10 < often)
				cut_bytes_put(b, at, disk->arena + op->bytes + (at - op->at), end - at);
		}
	}
	cut_bytes_size(b, size);
}

static void cut_write_file(struct cut *c, const char *path, int file, enum cut_mode mode)
{
	static struct cut_bytes b;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cut_bytes_size(&b, 0);
	if (c->file[file].n)
		cut_bytes_put(&b, 0, c->file[file].s, c->file[file].n);
	if (mode == CUT_TORN)
		cut_tear(c, &b, file);
	for (unsigned i = 0; mode == CUT_ALL && i < c->npending[file]; i++)
		cut_apply(&b, &disk->ops[c->pending[file][i]]);
	for (size_t done = 0; fd >= 0 && done < b.n;) {
		ssize_t n = syscall(SYS_write, fd, b.s + done, b.n - done);

		if (n <= 0)
			AMK_BUG("writing %s", path);
		done += (size_t)n;
	}
	syscall(SYS_close, fd); /* where a folder is missing the file is too */
}

static int cut_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	return at->level ? remove(path) : 0;
}

/* Makes `folder`, outside of the disk's, hold what the disk may hold now. */
__attribute__((unused)) static void cut_make(struct cut *c, enum cut_mode mode, const char *folder)
{
	unsigned names = mode == CUT_STRICT ? 0 : mode == CUT_ALL ? c->nnames : (unsigned)(cut_random(c) % (c->nnames + 1));
	struct cut with = *c;
	char path[512];

	nftw(folder, cut_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	for (unsigned i = 0; i < names; i++)
		cut_entry(&with, &disk->ops[c->names[i]]);
	for (unsigned i = 0; i < 2 * with.nentries; i++) { /* twice: one may be in another that comes later */
		snprintf(path, sizeof path, "%s/%s", folder, with.entry[i % with.nentries].name);
		if (with.entry[i % with.nentries].file == DISK_FOLDER)
			syscall(SYS_mkdirat, AT_FDCWD, path, 0700);
	}
	for (unsigned i = 0; i < with.nentries; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, with.entry[i].name);
		if (with.entry[i].file != DISK_FOLDER)
			cut_write_file(c, path, with.entry[i].file, mode);
	}
}

__attribute__((unused)) static struct cut *cut_new(uint64_t seed)
{
	struct cut *c = amk_calloc(1, sizeof *c);

	c->random = seed * 2654435761u + 88172645463325252u;
	return c;
}

__attribute__((unused)) static void cut_free(struct cut *c)
{
	for (unsigned i = 0; i < DISK_FILES; i++) {
		free(c->file[i].s);
		free(c->pending[i]);
	}
	free(c->names);
	free(c);
}

#endif
