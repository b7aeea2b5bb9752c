/* SPDX-License-Identifier: Apache-2.0 */
/* The copy loop of amika-shim: one poll(2), spools, doorbell, keeper, lease. */
#include "run/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/crash.h"
#include "run/bell.h"
#include "run/keeper.h"
#include "run/sweep.h"
#include "run/tail.h"
#include "run/tree.h"

#define NEVER AMK_KEEPER_NEVER
#define PIECE 32768	     /* of input; a longer frame goes in several */
#define CHUNK 65536	     /* of output: what a pipe holds */
#define DISK_AGAIN_MS 1000   /* a full disk is tried again after so long */
#define FOLDER_AGAIN_MS 60000 /* between looks at the folder where the kernel does not tell */
#define BACKLOG 8

enum { SIGNALS, LISTEN, BELL, TO, FROM, FROM_ERR, POLLS };

struct shim {
	const struct amk_shim_spec *spec;
	struct amk_keeper keeper;
	struct amk_bell bell;
	struct amk_tree tree;
	struct amk_sweep sweep;
	int signals; /* signalfd */
	int in, out;	     /* files of the run folder */
	struct amk_tail err;
	int to, from, from_err; /* the program's stdin, stdout, stderr; -1 when closed */
	struct amk_shim_pos *pos;

	char piece[PIECE];
	size_t piece_n, piece_put;
	uint64_t in_at, in_upto;

	char chunk[CHUNK], err_chunk[4096];
	size_t chunk_n, chunk_put; /* read from the program, not yet all in `out` */
	uint64_t out_n;

	int64_t now, alone_since; /* ms; alone_since counts while no daemon is there */
	int64_t disk_again;	  /* when to try the disk again, or NEVER */
	int code, signum;	  /* how the program ended; -1 and 0 while unknown */
	char reason[160];	  /* why it ends, once it does */
	bool removed, over;	  /* the folder is gone; all is done */
	bool is_watched;	  /* the kernel tells when something of the folder goes */
};

static int64_t read_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void note_reason(struct shim *s, const char *what, const char *detail)
{
	if (s->reason[0] == '\0')
		snprintf(s->reason, sizeof s->reason, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
}

static void begin_end(struct shim *s, const char *why, uint64_t grace_ms)
{
	const uint64_t most = 24 * 3600 * 1000;

	note_reason(s, why, NULL);
	amk_keeper_end(&s->keeper, s->now, (int64_t)(grace_ms < most ? grace_ms : most));
}

/* in spool → stdin */

static bool next_piece(struct shim *s)
{
	uint64_t left = s->in_upto - s->in_at;
	char *newline;
	ssize_t n;

	if (left == 0)
		return false;
	n = pread(s->in, s->piece, left < PIECE ? (size_t)left : PIECE, (off_t)s->in_at);
	newline = n > 0 ? memchr(s->piece, '\n', (size_t)n) : NULL;
	/* Of an unfinished frame only a full buffer goes: the rest is still to be written. */
	if (n <= 0 || (!newline && n < PIECE))
		return false;
	s->piece_n = newline ? (size_t)(newline + 1 - s->piece) : (size_t)n;
	s->piece_put = 0;
	AMK_CRASH("shim.begun.before");
	__atomic_store_n(&s->pos->begun, s->in_at + s->piece_n, __ATOMIC_RELEASE);
	AMK_CRASH("shim.begun.after");
	amk_bell_ring(&s->bell, AMK_BELL_BEGUN, s->in_at + s->piece_n);
	return true;
}

/*
 * Nobody reads any more: what still stands in the pipe never went to the program. To say so is what lets a
 * message that crossed the end of its program be sent to the next one.
 */
static void stop_feeding(struct shim *s)
{
	uint64_t put = s->in_at + s->piece_put;
	int unread = 0;

	if (s->to < 0)
		return;
	if (ioctl(s->to, FIONREAD, &unread) < 0 || unread < 0 || (uint64_t)unread > put)
		unread = 0;
	close_fd(&s->to);
	put -= (uint64_t)unread;
	if (put < s->pos->done)
		__atomic_store_n(&s->pos->done, put, __ATOMIC_RELEASE);
	if (put < s->pos->begun)
		__atomic_store_n(&s->pos->begun, put, __ATOMIC_RELEASE);
}

static void finish_piece(struct shim *s)
{
	bool whole = s->piece[s->piece_n - 1] == '\n';

	s->in_at += s->piece_n;
	s->piece_n = s->piece_put = 0;
	if (!whole)
		return;
	AMK_CRASH("shim.done.before");
	__atomic_store_n(&s->pos->done, s->in_at, __ATOMIC_RELEASE);
	AMK_CRASH("shim.done.after");
	amk_bell_ring(&s->bell, AMK_BELL_DONE, s->in_at);
	amk_tree_stir(&s->tree, s->now);
}

static void feed(struct shim *s)
{
	while (s->to >= 0 && !s->sweep.busy) {
		ssize_t n;

		if (s->piece_put == s->piece_n && !next_piece(s))
			return;
		n = write(s->to, s->piece + s->piece_put, s->piece_n - s->piece_put);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE)
			stop_feeding(s);
		if (n < 0)
			return; /* the pipe is full, or the kernel has no memory for it now */
		s->piece_put += (size_t)n;
		if (s->piece_put == s->piece_n)
			finish_piece(s);
	}
}

/* stdout → out spool, stderr → err */

/* False while the disk does not take it. Nothing more is read then: the program waits in its pipe. */
static bool save_chunk(struct shim *s)
{
	while (s->chunk_put < s->chunk_n) {
		ssize_t n;

		AMK_CRASH("shim.out.before");
		n = pwrite(s->out, s->chunk + s->chunk_put, s->chunk_n - s->chunk_put, (off_t)s->out_n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			s->disk_again = s->now + DISK_AGAIN_MS;
			return false;
		}
		s->chunk_put += (size_t)n;
		s->out_n += (uint64_t)n;
		AMK_CRASH("shim.out.after");
		amk_bell_ring(&s->bell, AMK_BELL_OUT, s->out_n);
	}
	return true;
}

/* True if there may be more at once. */
static bool collect_out(struct shim *s)
{
	bool failed;
	ssize_t n;

	if (!save_chunk(s) || s->from < 0)
		return false;
	n = read(s->from, s->chunk, CHUNK);
	failed = n < 0 && errno != EAGAIN;
	if (n == 0)
		close_fd(&s->from);
	s->chunk_n = n > 0 ? (size_t)n : 0;
	s->chunk_put = 0;
	amk_tree_stir(&s->tree, s->now);
	save_chunk(s);
	return n > 0 || failed;
}

static bool collect_err(struct shim *s)
{
	ssize_t n = s->from_err < 0 ? 0 : read(s->from_err, s->err_chunk, sizeof s->err_chunk);

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		close_fd(&s->from_err);
	if (n > 0)
		amk_tail_add(&s->err, s->err_chunk, (size_t)n);
	return n > 0;
}

/* The doorbell */

static void answer_packet(struct shim *s, const struct amk_bell_packet *p)
{
	switch ((enum amk_bell_kind)p->kind) {
	case AMK_BELL_IN:
		if (p->value > s->in_upto)
			s->in_upto = p->value;
		break;
	case AMK_BELL_END:
		begin_end(s, "terminated", p->value);
		break;
	case AMK_BELL_ASK:
		amk_bell_ring(&s->bell, AMK_BELL_BEGUN, s->pos->begun);
		amk_bell_ring(&s->bell, AMK_BELL_DONE, s->pos->done);
		amk_bell_ring(&s->bell, AMK_BELL_OUT, s->out_n);
		break;
	case AMK_BELL_TURN:
		amk_sweep_turn(&s->sweep, p->value);
		break;
	case AMK_BELL_SWEEP:
		amk_sweep_begin(&s->sweep, p->value, s->now);
		break;
	default:
		break;
	}
}

static void answer_bell(struct shim *s)
{
	struct amk_bell_packet p;
	int got;

	while ((got = amk_bell_read(&s->bell, &p)) > 0)
		answer_packet(s, &p);
	if (got < 0) {
		amk_bell_close(&s->bell);
		s->alone_since = s->now;
	}
}

/* The newest daemon is the one that counts. */
static void accept_daemon(struct shim *s)
{
	struct amk_bell peer;

	amk_bell_init(&peer);
	peer.fd = accept4(AMK_SHIM_LISTEN, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer.fd < 0)
		return;
	if (amk_bell_peer(&peer) < 0)
		amk_bell_close(&peer);
	else
		amk_bell_connect(&s->bell, peer.fd);
}

/* Without its `bell` no daemon finds this run again. */
static void check_folder(struct shim *s)
{
	if (faccessat(AMK_SHIM_FOLDER, "bell", F_OK, 0) == 0 || errno != ENOENT)
		return;
	s->removed = true;
	begin_end(s, "folder", (uint64_t)s->spec->end_ms);
}

static void take_signals(struct shim *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGTERM)
			begin_end(s, "terminated", (uint64_t)s->spec->end_ms);
		if (info.ssi_signo == SIGIO)
			check_folder(s);
	}
	amk_keeper_reap(&s->keeper);
	amk_tree_stir(&s->tree, s->now);
	if (s->keeper.pid != 0)
		return;
	stop_feeding(s);
	if (WIFEXITED(s->keeper.status))
		s->code = WEXITSTATUS(s->keeper.status);
	if (WIFSIGNALED(s->keeper.status))
		s->signum = WTERMSIG(s->keeper.status);
	begin_end(s, "exited", (uint64_t)s->spec->end_ms);
}

/* The end */

static bool write_end(const struct shim *s)
{
	char text[320];
	int n, fd;
	bool good;

	n = snprintf(text, sizeof text, "{\"code\":%d,\"signal\":%d,\"reason\":\"%s\"}\n", s->code, s->signum,
		     s->reason);
	fd = openat(AMK_SHIM_FOLDER, ".end.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = write(fd, text, (size_t)n) == n && fsync(fd) == 0;
	close(fd);
	AMK_CRASH("shim.end.before");
	if (!good || renameat(AMK_SHIM_FOLDER, ".end.new", AMK_SHIM_FOLDER, "end") < 0)
		return false;
	AMK_CRASH("shim.end.after");
	fsync(AMK_SHIM_FOLDER);
	return true;
}

/* The tree is gone: what it left in the pipes is saved, then the end is recorded. */
static void settle(struct shim *s)
{
	while (collect_err(s))
		;
	while (collect_out(s))
		;
	s->over = s->removed;
	if (s->over || s->chunk_put < s->chunk_n)
		return;
	fdatasync(s->out);
	if (!write_end(s)) {
		s->disk_again = s->now + DISK_AGAIN_MS;
		return;
	}
	amk_bell_ring(&s->bell, AMK_BELL_ENDED, 0);
	s->over = true;
}

/* One turn of the loop */

static int wait_ms(const struct shim *s, int64_t due)
{
	int64_t lease = s->alone_since + s->spec->lease_ms;

	if (s->tree.due < due)
		due = s->tree.due;
	if (s->sweep.busy && s->sweep.due < due)
		due = s->sweep.due;
	if (s->disk_again < due)
		due = s->disk_again;
	if (s->bell.fd < 0 && !s->keeper.ending && lease < due)
		due = lease;
	if (!s->is_watched && s->now + FOLDER_AGAIN_MS < due)
		due = s->now + FOLDER_AGAIN_MS;
	if (due <= s->now || (s->keeper.empty && s->disk_again == NEVER))
		return 0;
	if (due == NEVER)
		return -1;
	return due - s->now < INT32_MAX ? (int)(due - s->now) : INT32_MAX;
}

static void wait_for_work(struct shim *s, struct pollfd p[POLLS])
{
	bool full = s->chunk_put < s->chunk_n;
	const struct pollfd all[POLLS] = {
		[SIGNALS] = { .fd = s->signals, .events = POLLIN },
		[LISTEN] = { .fd = AMK_SHIM_LISTEN, .events = POLLIN },
		[BELL] = { .fd = s->bell.fd, .events = s->bell.waiting ? POLLIN | POLLOUT : POLLIN },
		[TO] = { .fd = s->to, .events = s->piece_put < s->piece_n && !s->sweep.busy ? POLLOUT : 0 },
		[FROM] = { .fd = full ? -1 : s->from, .events = POLLIN },
		[FROM_ERR] = { .fd = s->from_err, .events = POLLIN },
	};

	memcpy(p, all, sizeof all);
	if (poll(p, POLLS, wait_ms(s, amk_keeper_tick(&s->keeper, s->now))) < 0) {
		for (int i = 0; i < POLLS; i++)
			p[i].revents = 0;
	}
	s->now = read_clock();
}

static void ring(struct shim *s)
{
	if (s->bell.fd < 0 || !s->bell.waiting)
		return;
	AMK_CRASH("shim.ring.before");
	amk_bell_flush(&s->bell);
	AMK_CRASH("shim.ring.after");
}

static void turn(struct shim *s)
{
	struct pollfd p[POLLS];

	wait_for_work(s, p);
	if (p[SIGNALS].revents)
		take_signals(s);
	if (p[BELL].revents)
		answer_bell(s);
	if (p[LISTEN].revents)
		accept_daemon(s);
	if (!s->is_watched)
		check_folder(s);
	if (p[TO].revents & (POLLERR | POLLHUP))
		stop_feeding(s);
	amk_sweep_tick(&s->sweep, s->keeper.pid, s->now);
	feed(s);
	if (p[FROM].revents || s->disk_again <= s->now) {
		s->disk_again = NEVER;
		collect_out(s);
	}
	if (p[FROM_ERR].revents)
		collect_err(s);
	amk_tree_tick(&s->tree, s->now);
	if (s->bell.fd < 0 && s->now - s->alone_since >= s->spec->lease_ms)
		begin_end(s, "lease", (uint64_t)s->spec->end_ms);
	if (s->keeper.empty && s->disk_again == NEVER)
		settle(s);
	ring(s);
}

/* The beginning */

static int watch_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGPIPE, SIGXFSZ };
	sigset_t wanted;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	/* The starter may have ignored it: then ended children would vanish unseen. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGIO);
	sigprocmask(SIG_SETMASK, &wanted, NULL);
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* By signal, not by inotify: of that a user has but few instances, and every live program would take one. */
static void watch_folder(struct shim *s)
{
	int fd = openat(AMK_SHIM_FOLDER, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	s->is_watched = fd >= 0 && fcntl(fd, F_NOTIFY, DN_DELETE | DN_RENAME | DN_MULTISHOT) == 0;
	check_folder(s);
}

static int open_files(struct shim *s)
{
	int pos = openat(AMK_SHIM_FOLDER, "pos", O_RDWR | O_CLOEXEC);
	void *map;

	s->in = openat(AMK_SHIM_FOLDER, "in", O_RDONLY | O_CLOEXEC);
	s->out = openat(AMK_SHIM_FOLDER, "out", O_WRONLY | O_CLOEXEC);
	if (pos < 0 || s->in < 0 || s->out < 0)
		return -1;
	/* Held until this process is gone, so the descriptor is never closed. */
	if (flock(pos, LOCK_EX) < 0)
		return -1;
	/* Made here, not by the daemon: without it a daemon knows that no program was ever started. */
	s->err.fd = openat(AMK_SHIM_FOLDER, "err", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->err.fd < 0 || fsync(AMK_SHIM_FOLDER) < 0)
		return -1;
	amk_tree_init(&s->tree, openat(AMK_SHIM_FOLDER, "tree", O_RDWR | O_CLOEXEC));
	map = mmap(NULL, sizeof *s->pos, PROT_READ | PROT_WRITE, MAP_SHARED, pos, 0);
	if (map == MAP_FAILED)
		return -1;
	s->pos = map;
	return 0;
}

static int set_up(struct shim *s)
{
	for (int fd = AMK_SHIM_FOLDER; fd < AMK_SHIM_FD_COUNT; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -1;
	}
	amk_bell_connect(&s->bell, AMK_SHIM_BELL);
	s->signals = watch_signals();
	/* Listening once more makes this process the one a daemon sees as its peer. */
	if (s->signals < 0 || chdir("/") < 0 || listen(AMK_SHIM_LISTEN, BACKLOG) < 0)
		return -1;
	return open_files(s);
}

static int open_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++) {
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return -1;
		/* Ours must not block; the program's ends are as it expects them. */
		if (fcntl(pipes[i][i == 0], F_SETFL, O_NONBLOCK) < 0)
			return -1;
	}
	return 0;
}

static int start_program(struct shim *s, const char **step)
{
	int pipes[3][2];
	struct amk_keeper_program p = {
		.directory = s->spec->directory,
		.path = s->spec->program,
		.argv = s->spec->argv,
		.env = s->spec->env,
		.files = s->spec->files,
	};

	*step = "pipe";
	if (open_pipes(pipes) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		p.fds[i] = pipes[i][i != 0];
	s->to = pipes[0][1];
	s->from = pipes[1][0];
	s->from_err = pipes[2][0];
	if (amk_keeper_start(&s->keeper, &p, step) < 0)
		return -1;
	amk_tree_program(&s->tree, s->keeper.pid);
	amk_tree_stir(&s->tree, s->now);
	for (int i = 0; i < 3; i++)
		close(p.fds[i]);
	return 0;
}

void amk_shim_run(const struct amk_shim_spec *spec)
{
	static struct amk_shim_pos unmapped;
	static struct shim s; /* large, and its pages are only taken when used */
	const char *step = "shim";

	s.spec = spec;
	s.pos = &unmapped;
	s.keeper = (struct amk_keeper){ .status = -1, .empty = true };
	s.code = -1;
	s.to = s.from = s.from_err = s.in = s.out = s.err.fd = s.signals = -1;
	s.tree = (struct amk_tree){ .fd = -1, .due = AMK_TREE_NEVER };
	s.disk_again = NEVER;
	amk_bell_init(&s.bell);
	s.now = s.alone_since = read_clock();
	AMK_CRASH_TAKE(AMK_SHIM_FOLDER, "../crash");
	AMK_CRASH("shim.start.before");
	if (set_up(&s) < 0 || start_program(&s, &step) < 0) {
		int err = errno;

		close_fd(&s.to);
		close_fd(&s.from);
		close_fd(&s.from_err);
		s.keeper.empty = true;
		note_reason(&s, step, strerror(err));
	}
	AMK_CRASH("shim.start.after");
	watch_folder(&s);
	while (!s.over)
		turn(&s);
}
