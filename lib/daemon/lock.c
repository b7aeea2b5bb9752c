/* SPDX-License-Identifier: Apache-2.0 */
/* One daemon per state folder, by flock. */
#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/path.h"

#define LINE_MAX 16384
#define TAKE_MS 200

static int open_lock(int dirfd, int flags)
{
	return openat(dirfd, "lock", O_RDWR | O_CLOEXEC | flags, 0600);
}

static void on_alarm(int signum)
{
	(void)signum;
}

/* Whoever only asks who holds it has it for a moment: that long it is waited for. */
static int lock_soon(int fd)
{
	const struct itimerval some = { .it_value = { .tv_usec = TAKE_MS * 1000 } }, none = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm }, old; /* no SA_RESTART: flock returns */
	int r, err;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &some, NULL);
	r = flock(fd, LOCK_EX);
	err = errno;
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &old, NULL);
	errno = err;
	return r;
}

int amk_lock_take(int dirfd, int *fd, struct amk_err *e)
{
	int lock AMK_AUTO(fd) = open_lock(dirfd, O_CREAT);

	if (lock < 0)
		return amk_err_sys(e, "opening the lock");
	if (lock_soon(lock) < 0) {
		if (errno != EINTR)
			return amk_err_sys(e, "taking the lock");
		amk_err_set(e, AMK_ECONFLICT, "another amikad serves this state folder");
		return amk_err_hint(e, "see: amikad status");
	}
	/* The line of the one before names a process that is gone, or by now somebody else. */
	if (ftruncate(lock, 0) < 0)
		return amk_err_sys(e, "emptying the lock");
	*fd = amk_take_fd(&lock);
	return 0;
}

int amk_lock_write(int fd, const char *line, struct amk_err *e)
{
	size_t n = strlen(line);

	AMK_CRASH("lock.before");
	/* In this order there is a whole first line at every moment, and readers take only that. */
	if (pwrite(fd, line, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n) < 0)
		return amk_err_sys(e, "writing the lock");
	AMK_CRASH("lock.after");
	return 0;
}

static int none_runs(struct amk_err *e)
{
	amk_err_set(e, AMK_EUNREACHABLE, "no amikad runs on this state folder");
	return amk_err_hint(e, "start it: amikad serve");
}

int amk_lock_read(int dirfd, struct amk_buf *line, pid_t *pid, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = NULL;
	int lock AMK_AUTO(fd) = open_lock(dirfd, 0);

	if (lock < 0)
		return errno == ENOENT ? none_runs(e) : amk_err_sys(e, "opening the lock");
	if (flock(lock, LOCK_SH | LOCK_NB) == 0)
		return none_runs(e);
	if (amk_lines_all(lock, line, e) < 0)
		return -1;
	line->n = strcspn(line->s, "\n");
	line->s[line->n] = '\0';
	j = amk_json_parse(line->s, line->n, NULL);
	*pid = (pid_t)amk_json_get_int(j, "pid", 0);
	if (*pid <= 1)
		return amk_err_set(e, AMK_EUNREACHABLE, "amikad is just starting or stopping");
	return 0;
}

int amk_lock_watch(const char *state_path, struct amk_err *e)
{
	char path[AMK_PATH_MAX + 8];
	int fd AMK_AUTO(fd) = inotify_init1(IN_CLOEXEC);

	snprintf(path, sizeof path, "%s/lock", state_path);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return amk_err_sys(e, "watching %s", path);
	return amk_take_fd(&fd);
}

int amk_lock_wait_written(int watch, int64_t timeout_ms, struct amk_err *e)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };

	if (poll(&p, 1, (int)timeout_ms) == 1)
		return 0;
	return amk_err_set(e, AMK_ETIMEOUT, "amikad has not come back after %lld s", (long long)(timeout_ms / 1000));
}
