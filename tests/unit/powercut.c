/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts, simulated: what the disk holds is each file as it was at its last sync. This program's
 * fsync and fdatasync keep such copies; the store is opened on them and must hold all that was
 * acknowledged before.
 */
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/lines.h"
#include "store_fixture.h"

static const char *const names[] = { "amika.db", "amika.db-wal" };

static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static struct disk_file {
	char *s;
	size_t n;
} disk[AMK_COUNT(names)];
static unsigned syncs;

/* Which of the store's files fd is, -1 for another. */
static int which(int fd)
{
	char link[64], path[PATH_MAX], want[300];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return -1;
	path[n] = '\0';
	for (size_t i = 0; i < AMK_COUNT(names); i++) {
		snprintf(want, sizeof want, "%s/%s", scratch, names[i]);
		if (strcmp(path, want) == 0)
			return (int)i;
	}
	return -1;
}

/*
 * Keeps the file as it is now. The loop may write meanwhile: only more than was there is copied then. Its
 * length is asked for under the lock, or a sync that had to wait would take back what another has kept.
 */
static int synced(int fd, long call)
{
	int i = which(fd);
	struct stat st;
	ssize_t n = 0;

	if (i < 0)
		return (int)syscall(call, fd);
	pthread_mutex_lock(&disk_lock);
	if (fstat(fd, &st) == 0) {
		disk[i].s = amk_realloc(disk[i].s, (size_t)st.st_size + 1);
		n = pread(fd, disk[i].s, (size_t)st.st_size, 0);
		disk[i].n = n < 0 ? 0 : (size_t)n;
		syncs++;
	}
	pthread_mutex_unlock(&disk_lock);
	return (int)syscall(call, fd);
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

/* Opens a store on what the disk holds and counts its lines, -1 if there are holes. */
static int lines_on_disk(int64_t session)
{
	char path[300];
	struct amk_store *was = store;
	int dir, n;

	snprintf(path, sizeof path, "%s/cut", scratch);
	mkdir(path, 0700);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pthread_mutex_lock(&disk_lock);
	for (size_t i = 0; i < AMK_COUNT(names); i++) {
		int fd = openat(dir, names[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (amk_write_all(fd, disk[i].s, disk[i].n) < 0)
			perror(names[i]);
		close(fd);
	}
	pthread_mutex_unlock(&disk_lock);
	store = amk_store_open(loop, dir, path, &err);
	n = store ? fixture_lines(session) : -1;
	if (!store)
		printf("# %s\n", err.msg);
	amk_store_close(store);
	close(dir);
	store = was;
	return n;
}

/* One turn of 10 lines of 4 KiB a flush; after each eleventh the power is cut. */
struct writer {
	int64_t session;
	uint64_t written, acknowledged;
	int turns, cuts, lost;
};

static void write_turn(void *arg, bool good)
{
	static char line[4096];
	struct writer *w = arg;

	memset(line, 'x', sizeof line - 1);
	w->acknowledged = w->written;
	if (!good || w->turns-- == 0) {
		amk_loop_stop(loop);
		return;
	}
	if (w->turns % 11 == 0) {
		w->cuts++;
		if (lines_on_disk(w->session) < (int)w->acknowledged)
			w->lost++;
	}
	for (int i = 0; i < 10; i++)
		fixture_append(w->session, ++w->written, line);
	amk_store_flush(store, write_turn, w);
	amk_store_commit(store, &err);
}

int main(void)
{
	struct writer w = { .turns = 300 };
	unsigned before;

	fixture_begin();
	w.session = fixture_session("cut");
	amk_store_commit(store, &err);
	before = syncs;
	write_turn(&w, true);
	fixture_run();
	ok(syncs - before >= 300, "every flush has synced: %u", syncs - before);
	is_int(w.acknowledged, 3000, "all turns were acknowledged");
	ok(w.cuts > 20 && w.lost == 0, "after %d power cuts all that was acknowledged is there", w.cuts);
	fixture_append(w.session, ++w.written, "not flushed");
	amk_store_commit(store, &err);
	is_int(lines_on_disk(w.session), 3000, "a commit alone is not on disk: the simulation can fail");
	fixture_end();
	for (size_t i = 0; i < AMK_COUNT(names); i++)
		free(disk[i].s);
	return tap_done();
}
