/* SPDX-License-Identifier: Apache-2.0 */
/* Starting amikad: detached, told when it is ready by a pipe. */
#include "client/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/holder.h"
#include "client/unit.h"
#include "core/lines.h"
#include "core/path.h"
#include "core/time.h"

#define READY_MS 30000
#define LOG_TAIL 600 /* bytes of the daemon's log looked at for a reason */
#define SAFE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

bool amk_start_answers(int dir)
{
	int s AMK_AUTO(fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at;

	amk_path_socket(&at, dir, "socket");
	return s >= 0 && connect(s, (struct sockaddr *)&at, sizeof at) == 0;
}

/* What the daemon reads of our environment. */
static bool is_setting(const char *pair)
{
	static const char *const names[] = { "AMIKA_LOG", "AMIKA_CRASH" };
	size_t n = strcspn(pair, "=");

	for (size_t i = 0; i < AMK_COUNT(names); i++)
		if (pair[n] && n == strlen(names[i]) && memcmp(pair, names[i], n) == 0)
			return true;
	return false;
}

void amk_start_environment(struct amk_strv *to, const char *state)
{
	const char *home = getenv("HOME");
	struct passwd *pw = home ? NULL : getpwuid(getuid());

	amk_strv_add(to, "PATH=" SAFE_PATH);
	amk_strv_addf(to, "HOME=%s", home ? home : pw ? pw->pw_dir : "/");
	amk_strv_addf(to, "AMIKA_STATE_DIRECTORY=%s", state);
	for (char **v = environ; v && *v; v++)
		if (is_setting(*v))
			amk_strv_add(to, *v);
}

void amk_start_reset_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

struct launch {
	const char *program;
	char *const *env;
	int log, null, ready; /* above the standard descriptors and 3 */
};

/* Runs in a forked child; becomes the daemon, with the readiness pipe as descriptor 3. */
static _Noreturn void become_daemon(const struct launch *l)
{
	char name[] = "amikad", verb[] = "serve", option[] = "--ready-fd", number[] = "3";
	char *const argv[] = { name, verb, option, number, NULL };

	setsid();
	amk_start_reset_signals();
	if (chdir("/") == 0 && dup2(l->null, 0) == 0 && dup2(l->log, 1) == 1 && dup2(l->log, 2) == 2 &&
	    dup2(l->ready, 3) == 3 && close_range(4, ~0u, 0) == 0)
		execve(l->program, argv, l->env);
	dprintf(2, "cannot execute %s: %s\n", l->program, strerror(errno));
	_exit(127);
}

/* Two forks: the daemon is nobody's child, so nobody has to wait for it. */
static int detach(const struct launch *l, struct amk_err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return amk_err_sys(e, "starting a process");
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			become_daemon(l);
		_exit(pid < 0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* 1: the daemon said its line; 0: it ended without; -1: neither in time. */
static int wait_ready(int fd)
{
	int64_t end = amk_time_monotonic() + READY_MS * INT64_C(1000000);
	char s[512];

	for (;;) {
		int64_t left = (end - amk_time_monotonic()) / 1000000;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (left <= 0)
			return -1;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, s, sizeof s);
		if (n <= 0)
			return 0;
		if (memchr(s, '\n', (size_t)n))
			return 1;
	}
}

/* What the log got since `from`: its last line is the reason. */
static void reason(int log, off_t from, struct amk_err *e)
{
	char s[LOG_TAIL + 1], *line;
	off_t end = lseek(log, 0, SEEK_END);
	ssize_t n;

	if (end - from > LOG_TAIL)
		from = end - LOG_TAIL;
	n = pread(log, s, LOG_TAIL, from);
	while (n > 0 && s[n - 1] == '\n')
		n--;
	if (n <= 0) {
		amk_err_set(e, AMK_EUNREACHABLE, "the daemon ended before it was ready and said nothing");
		return;
	}
	s[n] = '\0';
	line = strrchr(s, '\n');
	amk_err_set(e, AMK_EUNREACHABLE, "the daemon did not start: %.300s", line ? line + 1 : s);
}

/* Out of the way of the numbers the daemon gets. */
static int high(int fd)
{
	int r = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (fd >= 0)
		close(fd);
	return r;
}

static int launch(int dir, const char *state, struct amk_err *e)
{
	struct amk_strv env AMK_AUTO(strv) = { 0 };
	int log AMK_AUTO(fd) =
		high(openat(dir, "amikad.log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
	int null AMK_AUTO(fd) = high(open("/dev/null", O_RDWR | O_CLOEXEC));
	int out AMK_AUTO(fd) = -1, in AMK_AUTO(fd) = -1;
	char program[AMK_PATH_MAX];
	off_t from;
	int p[2], r;

	if (log < 0 || null < 0 || pipe2(p, O_CLOEXEC) < 0)
		return amk_err_sys(e, "preparing to start a daemon in %.200s", state);
	out = p[0];
	in = high(p[1]);
	from = lseek(log, 0, SEEK_END);
	amk_start_environment(&env, state);
	if (amk_path_helper(program, "amikad", e) < 0)
		return -1;
	if (detach(&(struct launch){ program, env.v, log, null, in }, e) < 0)
		return -1;
	amk_auto_fd(&in);
	in = -1;
	r = wait_ready(out);
	if (r == 0 && !amk_start_answers(dir))
		reason(log, from, e);
	else if (r < 0)
		amk_err_set(e, AMK_EUNREACHABLE, "the daemon is not ready after %d s", READY_MS / 1000);
	else
		return 0;
	return amk_err_hint(e, "see %.140s/amikad.log", state);
}

static int lock(int dir, int *fd, struct amk_err *e)
{
	*fd = openat(dir, "start.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return amk_err_sys(e, "opening start.lock in the state folder");
	while (flock(*fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return amk_err_sys(e, "locking start.lock in the state folder");
	return 0;
}

int amk_start_daemon(int dir, const char *state, bool allowed, struct amk_err *e)
{
	int held AMK_AUTO(fd) = -1;
	enum amk_holder r;

	if (lock(dir, &held, e) < 0)
		return -1;
	if (amk_start_answers(dir))
		return 0;
	r = amk_holder_wait(dir, READY_MS);
	if (r == AMK_HOLDER_ANSWERS)
		return 0;
	if (r == AMK_HOLDER_SILENT) {
		amk_err_set(e, AMK_EUNREACHABLE, "a daemon holds %.250s but does not answer", state);
		return amk_err_hint(e, "see: amikad status");
	}
	if (!allowed) {
		amk_err_set(e, AMK_EUNREACHABLE, "no daemon runs in %.250s", state);
		return amk_err_hint(e, "start one: amikad serve");
	}
	if (amk_unit_possible() && amk_unit_start(state) == 0 && amk_start_answers(dir))
		return 0;
	return launch(dir, state, e);
}
