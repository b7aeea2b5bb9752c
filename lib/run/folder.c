/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a run. */
#include "run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/path.h"
#include "run/tail.h"

#define BACKLOG 8
#define END_MAX 1024
#define COOKIE "AMIKA_RUN="

static void name_folder(char to[24], int64_t id)
{
	snprintf(to, 24, "%" PRId64, id);
}

int amk_folder_open(int dir, int64_t id, struct amk_err *e)
{
	char name[24];
	int fd;

	name_folder(name, id);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? amk_err_sys(e, "opening the folder of run %s", name) : fd;
}

static int make_file(int folder, const char *name, const void *s, size_t n, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || amk_write_all(fd, s, n) < 0)
		return amk_err_sys(e, "making %s of a run", name);
	return 0;
}

int amk_folder_make(int dir, int64_t id, struct amk_err *e)
{
	/* Written out, so that what the shim rewrites in place has its place on the disk. */
	static const struct amk_shim_pos none;
	struct amk_tree_page nobody = { .n = 0 };
	int folder AMK_AUTO(fd) = -1;
	char name[24], cookie[AMK_FOLDER_COOKIE] = COOKIE;

	name_folder(name, id);
	if (mkdirat(dir, name, 0700) < 0)
		return amk_err_sys(e, "making the folder of run %s", name);
	amk_id_random(cookie + strlen(COOKIE), 32);
	amk_tree_place(&nobody.place);
	folder = amk_folder_open(dir, id, e);
	if (folder < 0 || make_file(folder, "in", "", 0, e) < 0 || make_file(folder, "out", "", 0, e) < 0 ||
	    make_file(folder, "pos", &none, sizeof none, e) < 0 ||
	    make_file(folder, "tree", &nobody, sizeof nobody, e) < 0 ||
	    make_file(folder, "cookie", cookie, strlen(cookie), e) < 0) {
		amk_folder_remove(dir, id, NULL);
		return -1;
	}
	/* After a power cut a run on record without its folder would be taken for one that never started. */
	if (fsync(folder) < 0 || fsync(dir) < 0) {
		amk_err_sys(e, "making the folder of run %s", name);
		amk_folder_remove(dir, id, NULL);
		return -1;
	}
	return amk_take_fd(&folder);
}

int amk_folder_remove(int dir, int64_t id, struct amk_err *e)
{
	int folder = amk_folder_open(dir, id, e);
	struct dirent *entry;
	char name[24];
	DIR *d;

	if (folder < 0)
		return -1;
	d = fdopendir(folder);
	while (d && (entry = readdir(d))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(folder, entry->d_name, 0);
	}
	if (d)
		closedir(d);
	else
		close(folder);
	name_folder(name, id);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return amk_err_sys(e, "removing the folder of run %s", name);
	return 0;
}

static int bell_socket(int folder, struct sockaddr_un *to)
{
	amk_path_socket(to, folder, "bell");
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int amk_folder_listen(int folder, struct amk_err *e)
{
	struct sockaddr_un to;
	int fd AMK_AUTO(fd) = bell_socket(folder, &to);

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) < 0 || listen(fd, BACKLOG) < 0)
		return amk_err_sys(e, "making the doorbell of a run");
	return amk_take_fd(&fd);
}

int amk_folder_connect(int folder, bool *nobody)
{
	struct sockaddr_un to;
	int fd AMK_AUTO(fd) = bell_socket(folder, &to);

	*nobody = false;
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
		*nobody = errno == ECONNREFUSED || errno == ENOENT;
		return -1;
	}
	return amk_take_fd(&fd);
}

bool amk_folder_is_kept(int folder)
{
	int fd AMK_AUTO(fd) = openat(folder, "pos", O_RDONLY | O_CLOEXEC);

	/* For want of descriptors, say, nobody is declared dead. */
	if (fd < 0)
		return errno != ENOENT;
	return flock(fd, LOCK_SH | LOCK_NB) < 0;
}

bool amk_folder_has_begun(int folder)
{
	return faccessat(folder, "err", F_OK, 0) == 0 || errno != ENOENT ||
	       faccessat(folder, "end", F_OK, 0) == 0 || errno != ENOENT;
}

int amk_folder_end(int folder, struct amk_run_end *end)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(END_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	struct amk_err e = { 0 };
	const char *reason;

	if (amk_path_read(folder, "end", &text, &e) < 0)
		return e.code == AMK_ENOTFOUND ? 0 : -1;
	j = amk_json_parse(text.s, text.n, &e);
	reason = amk_json_get_str(j, "reason");
	end->code = (int)amk_json_get_int(j, "code", -1);
	end->signum = (int)amk_json_get_int(j, "signal", 0);
	snprintf(end->reason, sizeof end->reason, "%s", reason ? reason : "lost");
	return 1;
}

/* True when the page is of this boot. */
static bool read_tree(int folder, struct amk_tree_page *page, struct amk_tree_place *here)
{
	int fd AMK_AUTO(fd) = openat(folder, "tree", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, page, sizeof *page, 0) != sizeof *page)
		return false;
	amk_tree_place(here);
	return here->boot[0] && strncmp(page->place.boot, here->boot, sizeof here->boot) == 0;
}

bool amk_folder_tree(int folder, struct amk_tree_page *page)
{
	struct amk_tree_place here;

	return read_tree(folder, page, &here) && page->place.space == here.space && page->n <= AMK_TREE_MAX;
}

void amk_folder_positions(int folder, struct amk_shim_pos *pos)
{
	int fd AMK_AUTO(fd) = openat(folder, "pos", O_RDONLY | O_CLOEXEC);
	struct amk_tree_page page;
	struct amk_tree_place here;

	if (fd < 0 || pread(fd, pos, sizeof *pos, 0) != sizeof *pos)
		*pos = (struct amk_shim_pos){ .begun = UINT64_MAX };
	else if (!read_tree(folder, &page, &here))
		pos->begun = UINT64_MAX;
}

static void add_part(int fd, uint64_t from, uint64_t to, struct amk_buf *b)
{
	while (from < to) {
		char *room = amk_buf_room(b, to - from);
		ssize_t n = room ? pread(fd, room, to - from, (off_t)from) : 0;

		if (n <= 0)
			return;
		b->n += (size_t)n;
		b->s[b->n] = '\0';
		from += (uint64_t)n;
	}
}

void amk_folder_stderr(int folder, struct amk_buf *b)
{
	const uint64_t head = AMK_TAIL_HEAD, kept = AMK_TAIL_KEPT;
	int fd AMK_AUTO(fd) = openat(folder, "err", O_RDONLY | O_CLOEXEC);
	uint64_t all, turn;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if ((uint64_t)st.st_size <= kept || pread(fd, &all, sizeof all, (off_t)kept) != sizeof all) {
		add_part(fd, 0, (uint64_t)st.st_size < kept ? (uint64_t)st.st_size : kept, b);
		return;
	}
	turn = head + (all - head) % AMK_TAIL_RING;
	add_part(fd, 0, head, b);
	amk_buf_addf(b, "\n[%" PRIu64 " bytes left out]\n", all - kept);
	add_part(fd, turn, kept, b);
	add_part(fd, head, turn, b);
}

void amk_folder_cookie(int folder, char to[AMK_FOLDER_COOKIE])
{
	int fd AMK_AUTO(fd) = openat(folder, "cookie", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : pread(fd, to, AMK_FOLDER_COOKIE - 1, 0);

	to[n > 0 ? n : 0] = '\0';
	/* Anything shorter would be found in strangers. */
	if (strncmp(to, COOKIE, strlen(COOKIE)) != 0 || strlen(to) != strlen(COOKIE) + 32)
		to[0] = '\0';
}
