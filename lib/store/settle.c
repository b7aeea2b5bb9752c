/* SPDX-License-Identifier: Apache-2.0 */
/* The WAL written once more, byte for byte. */
#include "store/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"

#define PIECE (256u << 10)

static int trouble(struct amk_err *e)
{
	amk_err_sys(e, "settling the WAL of the database");
	e->code = AMK_EUNAVAILABLE;
	return amk_err_hint(e, "%s", amk_sql_remedy(e->sys));
}

static int write_again(int fd, off_t size, struct amk_err *e)
{
	char *piece AMK_AUTO(mem) = amk_malloc(PIECE);
	ssize_t n, put;

	for (off_t at = 0; at < size; at += n) {
		n = pread(fd, piece, PIECE, at);
		if (n <= 0)
			return n < 0 ? trouble(e) : 0;
		for (ssize_t done = 0; done < n; done += put) {
			put = pwrite(fd, piece + done, (size_t)(n - done), at + done);
			if (put < 0)
				return trouble(e);
		}
	}
	return fdatasync(fd) < 0 ? trouble(e) : 0;
}

int amk_settle(struct amk_sql *q, int dirfd, const char *wal, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = openat(dirfd, wal, O_RDWR | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : trouble(e);
	if (fstat(fd, &st) < 0)
		return trouble(e);
	if (st.st_size == 0)
		return 0;
	if (amk_sql_exec(q, "settling the WAL of the database", "BEGIN IMMEDIATE", e) < 0)
		return -1;
	r = write_again(fd, st.st_size, e);
	amk_sql_exec(q, "settling the WAL of the database", "ROLLBACK", NULL);
	return r;
}
