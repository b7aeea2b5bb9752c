/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are. */
#include "core/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/lines.h"

static int put(char to[AMK_PATH_MAX], struct amk_err *e, const char *a, const char *b)
{
	int n = snprintf(to, AMK_PATH_MAX, "%s%s", a, b);

	if (n < 0 || n >= AMK_PATH_MAX)
		return amk_err_set(e, AMK_EINVALID, "path of more than %d bytes: %.60s…", AMK_PATH_MAX, a);
	return 0;
}

int amk_path_state(char to[AMK_PATH_MAX], struct amk_err *e)
{
	const char *own = getenv("AMIKA_STATE_DIRECTORY");
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	struct passwd *pw;

	if (own && own[0] && own[0] != '/')
		return amk_err_set(e, AMK_EUSAGE, "AMIKA_STATE_DIRECTORY is not an absolute path: %.200s", own);
	if (own && own[0])
		return put(to, e, own, "");
	if (xdg && xdg[0] == '/')
		return put(to, e, xdg, "/amika");
	if (!home || home[0] != '/') {
		pw = getpwuid(getuid());
		home = pw ? pw->pw_dir : NULL;
	}
	if (!home || home[0] != '/') {
		amk_err_set(e, AMK_EFAILED, "no home directory to keep state in");
		return amk_err_hint(e, "set AMIKA_STATE_DIRECTORY");
	}
	return put(to, e, home, "/.local/state/amika");
}

static int mkdirs(const char *path, struct amk_err *e)
{
	char part[AMK_PATH_MAX];
	size_t n = strlen(path);

	if (put(part, e, path, "") < 0)
		return -1;
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST) {
			amk_err_sys(e, "creating %s", part);
			return amk_err_hint(e, "make it writable, or set AMIKA_STATE_DIRECTORY");
		}
		part[i] = path[i];
	}
	return 0;
}

int amk_path_state_open(const char *path, int *fd, struct amk_err *e)
{
	int dir AMK_AUTO(fd) = -1;
	struct stat st;

	if (mkdirs(path, e) < 0)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0)
		return amk_err_sys(e, "opening the state folder %s", path);
	if (st.st_uid != geteuid()) {
		amk_err_set(e, AMK_EDENIED, "the state folder %s belongs to another user", path);
		return amk_err_hint(e, "set AMIKA_STATE_DIRECTORY to a folder of your own");
	}
	if (st.st_mode & 0022) {
		amk_err_set(e, AMK_EDENIED, "the state folder %s is writable by others", path);
		return amk_err_hint(e, "chmod 700 %s", path);
	}
	if ((st.st_mode & 0777) != 0700 && fchmod(dir, 0700) < 0)
		return amk_err_sys(e, "making %s private", path);
	if (faccessat(dir, ".", W_OK, 0) < 0) {
		amk_err_sys(e, "the state folder %s cannot be written", path);
		return amk_err_hint(e, "make it writable, or set AMIKA_STATE_DIRECTORY");
	}
	*fd = amk_take_fd(&dir);
	return 0;
}

int amk_path_self_dir(char to[AMK_PATH_MAX], struct amk_err *e)
{
	ssize_t n = readlink("/proc/self/exe", to, AMK_PATH_MAX - 1);

	if (n < 0)
		return amk_err_sys(e, "finding the running program");
	to[n] = '\0';
	*strrchr(to, '/') = '\0';
	return 0;
}

int amk_path_helper(char to[AMK_PATH_MAX], const char *name, struct amk_err *e)
{
	static const char *const near[] = { "/", "/../libexec/amika/" };
	char dir[AMK_PATH_MAX], tail[256];

	if (amk_path_self_dir(dir, e) < 0)
		return -1;
	for (size_t i = 0; i < AMK_COUNT(near); i++) {
		snprintf(tail, sizeof tail, "%s%s", near[i], name);
		if (put(to, e, dir, tail) < 0)
			return -1;
		if (access(to, X_OK) == 0)
			return 0;
	}
	snprintf(tail, sizeof tail, "/%s", name);
	if (put(to, e, AMIKA_LIBEXECDIR, tail) < 0)
		return -1;
	if (access(to, X_OK) == 0)
		return 0;
	amk_err_set(e, AMK_ENOTFOUND, "%s is not installed beside %s", name, dir);
	return amk_err_hint(e, "install amika again");
}

/* Puts dir/name (just name without a dir): 1 when it is a program, 0 when there is none, -1 when it may not be run. */
static int program_at(char to[AMK_PATH_MAX], const char *dir, size_t n, const char *name)
{
	struct stat st;
	int len = snprintf(to, AMK_PATH_MAX, "%.*s%s%s", (int)n, dir, n ? "/" : "", name);

	if (len >= AMK_PATH_MAX || stat(to, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return access(to, X_OK) == 0 ? 1 : -1;
}

int amk_path_program(char to[AMK_PATH_MAX], const char *name, const char *path, struct amk_err *e)
{
	bool direct = strchr(name, '/'), there = false;
	const char *dir = direct ? "" : path, *end;

	for (; dir; dir = *end ? end + 1 : NULL) {
		int r;

		end = strchrnul(dir, ':');
		/* An empty folder would mean whatever folder this process is in. */
		r = end > dir || direct ? program_at(to, dir, (size_t)(end - dir), name) : 0;
		if (r > 0)
			return 0;
		there = there || r < 0;
	}
	if (there)
		return amk_err_set(e, AMK_EDENIED, "%s is there but may not be executed", name);
	return amk_err_set(e, AMK_ENOTFOUND, "no program %s%s", name, direct ? "" : " on PATH");
}

void amk_path_socket(struct sockaddr_un *to, int dirfd, const char *name)
{
	memset(to, 0, sizeof *to);
	to->sun_family = AF_UNIX;
	snprintf(to->sun_path, sizeof to->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
}

int amk_path_write(int dirfd, const char *name, const void *s, size_t n, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = -1;
	char tmp[256];

	snprintf(tmp, sizeof tmp, ".%s.new", name);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && amk_write_all(fd, s, n) == 0 && fsync(fd) == 0 && renameat(dirfd, tmp, dirfd, name) == 0 &&
	    fsync(dirfd) == 0)
		return 0;
	amk_err_sys(e, "writing %s", name);
	unlinkat(dirfd, tmp, 0);
	return -1;
}

int amk_path_read(int dirfd, const char *name, struct amk_buf *b, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return amk_err_sys(e, "opening %s", name);
	return amk_lines_all(fd, b, e) < 0 ? amk_err_wrap(e, "%s", name) : 0;
}
