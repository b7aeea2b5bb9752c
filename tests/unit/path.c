/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: the state folder and its rules, programs, sockets on long paths, files written whole. */
#include "core/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

static struct amk_err err;
static int scratch_fd;

static const char *under(char to[AMK_PATH_MAX], const char *name)
{
	snprintf(to, AMK_PATH_MAX, "%s/%s", scratch, name);
	return to;
}

/* The state folder's path under these variables; NULL: unset. */
static const char *state_of(const char *own, const char *xdg, const char *home)
{
	static char to[AMK_PATH_MAX];
	const char *const names[] = { "AMIKA_STATE_DIRECTORY", "XDG_STATE_HOME", "HOME" };
	const char *const values[] = { own, xdg, home };

	for (size_t i = 0; i < AMK_COUNT(names); i++)
		if (values[i])
			setenv(names[i], values[i], 1);
		else
			unsetenv(names[i]);
	return amk_path_state(to, &err) < 0 ? err.msg : to;
}

static void test_state_path(void)
{
	char want[AMK_PATH_MAX], longest[AMK_PATH_MAX + 10];
	const struct passwd *pw = getpwuid(getuid());

	is_str(state_of("/own", "/xdg", "/users/x"), "/own", "AMIKA_STATE_DIRECTORY first");
	is_str(state_of("", "/xdg", "/users/x"), "/xdg/amika", "empty counts as unset; XDG_STATE_HOME");
	is_str(state_of(NULL, "/xdg", "/users/x"), "/xdg/amika", "unset");
	is_str(state_of(NULL, "", "/users/x"), "/users/x/.local/state/amika", "the home folder");
	is_str(state_of(NULL, "relative", "/users/x"), "/users/x/.local/state/amika", "a relative XDG folder is ignored, as its rules say");
	is_str(state_of("own", NULL, "/users/x"), "AMIKA_STATE_DIRECTORY is not an absolute path: own", "a relative own one is refused");
	is_int(err.code, AMK_EUSAGE, "as a mistake of the caller");
	if (pw) {
		snprintf(want, sizeof want, "%s/.local/state/amika", pw->pw_dir);
		is_str(state_of(NULL, NULL, NULL), want, "without HOME, the user database");
		is_str(state_of(NULL, NULL, "relative"), want, "a relative HOME is none");
	}
	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	state_of(longest, NULL, NULL);
	ok(err.code == AMK_EINVALID && strstr(err.msg, "more than"), "one that is too long");
}

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

static bool refused(const char *path, enum amk_code code, const char *text)
{
	int fd = -1;

	err = (struct amk_err){ 0 };
	if (amk_path_state_open(path, &fd, &err) == 0) {
		close(fd);
		return false;
	}
	if (err.code != code || !strstr(err.msg, text))
		printf("# %s (%s)\n", err.msg, err.hint);
	return fd == -1 && err.code == code && strstr(err.msg, text);
}

static void test_state_open(void)
{
	char path[AMK_PATH_MAX], parent[AMK_PATH_MAX];
	int fd = -1;

	umask(0);
	ok(amk_path_state_open(under(path, "a/b//c/"), &fd, &err) == 0, "made, with its parents");
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC, "its descriptor is not inherited");
	close(fd);
	ok(mode_of(path) == 0700 && mode_of(under(parent, "a")) == 0700 && mode_of(under(parent, "a/b")) == 0700,
	   "all private, whatever the umask");
	ok(amk_path_state_open(path, &fd, &err) == 0, "opened again");
	close(fd);
	chmod(path, 0755);
	ok(amk_path_state_open(path, &fd, &err) == 0 && mode_of(path) == 0700, "readable by others: made private");
	close(fd);
	chmod(path, 0770);
	ok(refused(path, AMK_EDENIED, "writable by others"), "writable by its group: refused");
	ok(strncmp(err.hint, "chmod 700 ", 10) == 0, "with the remedy");
	chmod(path, 0702);
	ok(refused(path, AMK_EDENIED, "writable by others"), "writable by all: refused");
	is_int(mode_of(path), 0702, "and left as it was");
	chmod(path, 0700);
	close(openat(scratch_fd, "file", O_WRONLY | O_CREAT, 0600));
	ok(refused(under(path, "file"), AMK_EFAILED, "Not a directory"), "a file");
	ok(refused(under(path, "file/below"), AMK_EFAILED, "Not a directory"), "below a file");
	umask(022);
}

/* Runs as another user when this one is root, whom nothing is forbidden. */
static void test_state_of_others(void)
{
	char path[AMK_PATH_MAX];
	int status = -1;
	pid_t pid;

	if (geteuid() == 0) {
		mkdir(under(path, "foreign"), 0700);
		ok(chown(path, 12345, 12345) == 0 && refused(path, AMK_EDENIED, "belongs to another user"),
		   "another user's folder");
	} else {
		ok(refused("/", AMK_EDENIED, "belongs to another user"), "another user's folder");
	}
	mkdir(under(path, "closed"), 0555);
	chmod(scratch, 0755);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && (chown(path, 12345, 12345) < 0 || setuid(12345) < 0))
			_exit(2);
		_exit(refused(under(path, "closed/new/state"), AMK_EDENIED, "creating") &&
		      strstr(err.hint, "AMIKA_STATE_DIRECTORY") ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a parent that cannot be written, said with the remedy");
}

static void make_program(const char *name, int mode)
{
	int fd = openat(scratch_fd, name, O_WRONLY | O_CREAT, 0600);

	fchmod(fd, (mode_t)mode);
	close(fd);
}

static const char *program(const char *name, const char *path)
{
	static char to[AMK_PATH_MAX];

	return amk_path_program(to, name, path, &err) < 0 ? amk_codes[err.code].name : to;
}

static void test_programs(void)
{
	char a[AMK_PATH_MAX], b[AMK_PATH_MAX], search[2 * AMK_PATH_MAX + 100];

	mkdirat(scratch_fd, "bin1", 0700);
	mkdirat(scratch_fd, "bin2", 0700);
	mkdirat(scratch_fd, "bin1/folder", 0700);
	make_program("bin1/plain", 0600);
	make_program("bin2/plain", 0700);
	make_program("bin1/only-plain", 0600);
	make_program("bin2/folder", 0700);
	snprintf(search, sizeof search, "/nonexistent:%s::%s", under(a, "bin1"), under(b, "bin2"));
	is_str(program("plain", search), under(a, "bin2/plain"), "what may not be run is passed over");
	is_str(program("folder", search), under(a, "bin2/folder"), "so is a folder");
	is_str(program("only-plain", search), "permission_denied", "there, but not to be run");
	is_str(program("absent", search), "not_found", "not there");
	is_str(err.msg, "no program absent on PATH", "said");
	is_str(program("plain", NULL), "not_found", "no path at all");
	is_str(program("plain", ""), "not_found", "an empty one");
	is_str(program("", search), "not_found", "no name");
	is_str(program(under(a, "bin2/plain"), search), a, "a path is taken as it is");
	is_str(program(under(a, "bin1/plain"), search), "permission_denied", "and not searched for");
	is_str(program(under(a, "bin1/absent"), NULL), "not_found", "nor found");
	ok(chdir(scratch) == 0, "in the folder itself");
	is_str(program("bin2/plain", "/nonexistent"), "bin2/plain", "a relative path");
	ok(chdir(under(a, "bin2")) == 0, "among the programs");
	is_str(program("plain", ":/nonexistent:"), "not_found", "empty entries do not mean this folder");
	ok(chdir("/") == 0, "back");
}

static void test_helpers(void)
{
	char dir[AMK_PATH_MAX], to[AMK_PATH_MAX], want[AMK_PATH_MAX + 300];

	ok(amk_path_self_dir(dir, &err) == 0 && dir[0] == '/', "the folder of the running program");
	snprintf(want, sizeof want, "%s/%s", dir, program_invocation_short_name);
	ok(amk_path_helper(to, program_invocation_short_name, &err) == 0 && strcmp(to, want) == 0,
	   "a program beside it");
	ok(amk_path_helper(to, "amika-no-such-helper", &err) < 0 && err.code == AMK_ENOTFOUND, "one that is not there");
}

/* Makes folders until the path has more than n bytes; opens the last. */
static int deep_folder(size_t n)
{
	int dir = dup(scratch_fd);
	char name[101];

	memset(name, 'd', 100);
	name[100] = '\0';
	for (size_t have = strlen(scratch); have < n; have += 101) {
		int next;

		mkdirat(dir, name, 0700);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY);
		close(dir);
		dir = next;
	}
	return dir;
}

static void test_sockets(void)
{
	int dir = deep_folder(500), server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un at;

	amk_path_socket(&at, dir, "socket");
	ok(bind(server, (struct sockaddr *)&at, sizeof at) == 0 && listen(server, 1) == 0,
	   "a socket in a folder of more than 500 bytes");
	ok(faccessat(dir, "socket", F_OK, 0) == 0, "is in that folder");
	ok(connect(client, (struct sockaddr *)&at, sizeof at) == 0, "and is reached");
	close(client);
	close(server);
	close(dir);
}

static const char *content(struct amk_buf *b, const char *name)
{
	amk_buf_clear(b);
	return amk_path_read(scratch_fd, name, b, &err) < 0 ? err.msg : b->s;
}

static void test_files(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10);
	char path[AMK_PATH_MAX];
	struct stat st;
	int old;

	is_int(amk_path_write(scratch_fd, "note", "one", 3, &err), 0, "a file is written");
	is_str(content(&b, "note"), "one", "and read");
	ok(mode_of(under(path, "note")) == 0600, "private");
	old = openat(scratch_fd, "note", O_RDONLY);
	is_int(amk_path_write(scratch_fd, "note", "t", 1, &err), 0, "written anew");
	is_str(content(&b, "note"), "t", "replaced whole");
	ok(fstat(old, &st) == 0 && st.st_size == 3 && st.st_nlink == 0, "who has the old one open keeps it");
	close(old);
	is_int(amk_path_write(scratch_fd, "empty", "", 0, &err), 0, "an empty one");
	is_str(content(&b, "empty"), "", "is empty");
	is_int(amk_path_write(scratch_fd, "large", "12345678901", 11, &err), 0, "one larger than a reader takes");
	is_str(content(&b, "large"), "large: input of more than 10 bytes", "is refused by it");
	content(&b, "absent");
	ok(err.code == AMK_ENOTFOUND && strstr(err.msg, "absent"), "one that is not there");
	mkdirat(scratch_fd, "taken", 0700);
	ok(amk_path_write(scratch_fd, "taken", "x", 1, &err) < 0 && strstr(err.msg, "taken"), "a name that is a folder's");
	ok(faccessat(scratch_fd, ".taken.new", F_OK, 0) < 0 && errno == ENOENT, "leaves nothing behind");
	ok(amk_path_write(-1, "x", "x", 1, &err) < 0 && err.sys == EBADF, "no folder");
}

int main(void)
{
	scratch_fd = scratch_make();
	test_state_path();
	test_state_open();
	test_state_of_others();
	test_programs();
	test_helpers();
	test_sockets();
	test_files();
	close(scratch_fd);
	return tap_done();
}
