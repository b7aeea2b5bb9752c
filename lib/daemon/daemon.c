/* SPDX-License-Identifier: Apache-2.0 */
/* The wiring: start, the order of a loop turn, stop. */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/jw.h"
#include "core/lines.h"
#include "core/say.h"
#include "core/time.h"
#include "daemon/api.h"
#include "daemon/chunk.h"
#include "daemon/door.h"
#include "daemon/feed.h"
#include "daemon/lock.h"
#include "daemon/peer.h"
#include "daemon/successor.h"
#include "daemon/trouble.h"
#include "outlet/deliver.h"

#define WS_MESSAGE_MAX (16u << 20)
#define ROUNDS 8  /* of work in one loop turn */
#define STOP_MARGIN_MS 5000
#define DAEMON_LINE_MAX (AMK_PATH_MAX * 18 + 4096)

static bool turn_round(struct amk_daemon *d)
{
	struct amk_err e = { 0 };
	bool more = false;

	if (d->sessions)
		more = amk_sessions_work(d->sessions);
	if (d->hooks && !d->in_trouble)
		amk_deliver_work(d->hooks);
	if (!d->in_trouble && amk_store_commit(d->store, &e) < 0)
		amk_trouble_met(d, &e);
	if (!d->in_trouble && !d->frozen && !amk_store_is_sound(d->store)) {
		amk_err_set(&e, AMK_EUNAVAILABLE, "a flush to the disk has failed");
		amk_err_hint(&e, "the disk of the state folder reports errors: see the kernel's log (dmesg)");
		amk_trouble_met(d, &e);
	}
	if (d->in_trouble) {
		amk_trouble_freeze(d);
		more = false;
	} else if (d->sessions && amk_sessions_committed(d->sessions)) {
		more = true;
	}
	if (d->hooks && amk_deliver_committed(d->hooks))
		more = true;
	if (amk_http_turn(d->http))
		more = true;
	if (d->network && amk_http_turn(d->network))
		more = true;
	return more;
}

static void turn(void *arg)
{
	struct amk_daemon *d = arg;

	for (int i = 0; i < ROUNDS; i++)
		if (!turn_round(d))
			return;
	amk_loop_again(d->loop);
}

static void keepalive(void *arg)
{
	struct amk_daemon *d = arg;

	amk_feed_keepalive(d);
	amk_chunks_age(d->chunks);
	amk_loop_timer_arm(d->keepalive, (uint64_t)d->settings.keepalive_ms);
}

static void stopped(void *arg)
{
	struct amk_daemon *d = arg;

	if (--d->leaving == 0)
		amk_loop_stop(d->loop);
}

static void stop_late(void *arg)
{
	struct amk_daemon *d = arg;

	amk_say(AMK_SAY_WARN, "daemon", "some programs would not end; they are left to their shims");
	amk_loop_stop(d->loop);
}

static void daemon_line(const struct amk_daemon *d, struct amk_buf *b)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "daemon");
	amk_jw_int(b, "pid", getpid());
	amk_jw_cstr(b, "version", PACKAGE_VERSION);
	amk_buf_addf(b, ",\"socket\":\"");
	amk_jw_escape(b, d->path, strlen(d->path));
	amk_buf_adds(b, "/socket\"");
	if (d->log_kept) {
		amk_buf_adds(b, ",\"log\":\"");
		amk_jw_escape(b, d->path, strlen(d->path));
		amk_buf_adds(b, "/amikad.log\"");
	} else {
		amk_jw_null(b, "log");
	}
	if (d->door) {
		amk_jw_cstr(b, "url", d->door->url);
		amk_jw_cstr(b, "token_file", d->door->token_file);
	}
	if (d->refused[0])
		amk_jw_cstr(b, "refused", d->refused);
	amk_jw_close(b, '}');
	amk_buf_addc(b, '\n');
}

static int line_write(const struct amk_daemon *d, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(DAEMON_LINE_MAX);

	daemon_line(d, &line);
	return amk_lock_write(d->lock_fd, line.s, e);
}

static void stop(struct amk_daemon *d)
{
	amk_say(AMK_SAY_INFO, "daemon", "stopping");
	d->stopping = true;
	if (d->frozen) {
		amk_loop_stop(d->loop);
		return;
	}
	amk_loop_timer_arm(d->deadline, (uint64_t)d->settings.grace_ms + STOP_MARGIN_MS);
	d->leaving = 2;
	amk_sessions_stop(d->sessions, stopped, d);
	amk_deliver_stop(d->hooks, d->settings.grace_ms, stopped, d);
}

static void give_way(struct amk_daemon *d)
{
	amk_say(AMK_SAY_INFO, "daemon", "restarting");
	d->stopping = d->restarting = true;
	if (!d->hooks) {
		amk_loop_stop(d->loop);
		return;
	}
	d->leaving = 1;
	amk_loop_timer_arm(d->deadline, (uint64_t)d->settings.grace_ms + STOP_MARGIN_MS);
	amk_deliver_stop(d->hooks, 0, stopped, d);
}

/* What is written where the daemon's line stands is what `amikad restart` waits for. */
static void successor_answers(void *arg, const char *why)
{
	struct amk_daemon *d = arg;
	struct amk_err e = { 0 };

	d->successor = NULL;
	if (d->stopping)
		return;
	if (!why) {
		give_way(d);
		return;
	}
	amk_say(AMK_SAY_ERROR, "daemon", "not restarted: %s", why);
	snprintf(d->refused, sizeof d->refused, "%s", why);
	if (line_write(d, &e) < 0)
		amk_say(AMK_SAY_ERROR, "daemon", "%s", e.msg);
}

/* With the store in trouble nothing can become worse by it. */
static void restart(struct amk_daemon *d)
{
	if (d->frozen)
		give_way(d);
	else if (!d->successor)
		d->successor = amk_successor_ask(d->loop, successor_answers, d);
}

static void caught(void *arg, int signum)
{
	struct amk_daemon *d = arg;

	if (d->stopping)
		return;
	if (signum == SIGHUP)
		restart(d);
	else
		stop(d);
}

static int listen_on(struct amk_daemon *d, struct amk_err *e)
{
	struct sockaddr_un sa;

	amk_path_socket(&sa, d->dir, "socket");
	if (unlinkat(d->dir, "socket", 0) < 0 && errno != ENOENT)
		return amk_err_sys(e, "removing the old socket");
	d->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->listen_fd < 0 || bind(d->listen_fd, (struct sockaddr *)&sa, sizeof sa) < 0 ||
	    fchmodat(d->dir, "socket", 0600, 0) < 0 || listen(d->listen_fd, 1024) < 0)
		return amk_err_sys(e, "listening on %.200s/socket", d->path);
	return 0;
}

static bool admit(void *arg, uid_t uid, pid_t pid)
{
	struct amk_daemon *d = arg;

	return amk_peer_admit(d->frozen ? NULL : d->sessions, uid, pid);
}

static bool guard(void *arg, struct amk_request *rq)
{
	struct amk_daemon *d = arg;

	return amk_door_judge(d->door, rq);
}

/* Two servers with limits of their own: whatever comes over the network, the socket answers. */
static int http_open(struct amk_daemon *d, struct amk_err *e)
{
	struct amk_http_conf conf = {
		.routes = amk_api_routes,
		.arg = d,
		.body_max = (size_t)d->settings.body_bytes,
		.pool = (size_t)d->settings.header_bytes,
		.requests = (unsigned)d->settings.requests,
		.connections = (unsigned)d->settings.connections,
		.streams = (unsigned)d->settings.streams,
		.ws_message_max = WS_MESSAGE_MAX,
		.ws_ping_ms = (uint64_t)d->settings.keepalive_ms,
		.peer_streams = (unsigned)d->settings.streams_per_peer,
		.header_ms = (uint64_t)d->settings.header_ms,
		.body_ms = (uint64_t)d->settings.body_ms,
		.idle_ms = (uint64_t)d->settings.idle_ms,
		.admit = admit,
	};

	if (listen_on(d, e) < 0)
		return -1;
	conf.listen_fd = d->listen_fd;
	d->http = amk_http_start(d->loop, &conf, e);
	if (!d->http || !d->door)
		return d->http ? 0 : -1;
	conf.listen_fd = d->door->listen_fd;
	conf.guard = guard;
	conf.guard_bytes = amk_cors_bytes(&d->door->cors);
	d->network = amk_http_start(d->loop, &conf, e);
	return d->network ? 0 : -1;
}

/* Who starts it has the first word, STATE/settings.json the last. */
static int log_begin(const struct amk_settings *st, struct amk_err *e)
{
	const char *asked = getenv("AMIKA_LOG");

	if (asked && *asked)
		return amk_say_levels(asked, e) < 0 ? amk_err_wrap(e, "AMIKA_LOG") : 0;
	return amk_say_levels(st->log_level, e);
}

static void log_again(void *arg, int signum)
{
	struct amk_settings st;
	struct amk_daemon *d = arg;
	struct amk_err e = { 0 };

	(void)signum;
	if (amk_settings_load(&st, d->dir, &e) < 0 || amk_say_levels(st.log_level, &e) < 0)
		amk_say(AMK_SAY_ERROR, "daemon", "the log stays as it is: %s", e.msg);
	else
		amk_say(AMK_SAY_INFO, "daemon", "what is said from now on: %s", st.log_level);
	amk_settings_release(&st);
}

static int folders_open(struct amk_daemon *d, const struct amk_daemon_conf *conf, struct amk_err *e)
{
	snprintf(d->path, sizeof d->path, "%s", conf->path);
	if (amk_path_state_open(conf->path, &d->dir, e) < 0)
		return -1;
	d->lock_fd = conf->lock_fd;
	if (d->lock_fd < 0 && amk_lock_take(d->dir, &d->lock_fd, e) < 0)
		return -1;
	if (amk_settings_load(&d->settings, d->dir, e) < 0)
		return -1;
	d->log_kept = amk_say_keep(d->dir, "amikad.log", d->settings.log_bytes);
	if (log_begin(&d->settings, e) < 0 || (conf->door && !(d->door = amk_door_open(conf->door, d->path, e))))
		return -1;
	if (mkdirat(d->dir, "run", 0700) < 0 && errno != EEXIST)
		return amk_err_sys(e, "making %.200s/run", d->path);
	d->run_dir = openat(d->dir, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->run_dir < 0 ? amk_err_sys(e, "opening %.200s/run", d->path) : 0;
}

/* A descriptor for each reader: the usual soft limit of 1024 is too low. Programs get theirs back. */
static void raise_files(struct amk_daemon *d)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	d->files = rl.rlim_cur == RLIM_INFINITY ? 0 : rl.rlim_cur;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

/*
 * A part of the descriptors is left to the daemon's own work, the rest shared out: clients in any number can
 * neither stop a session from starting nor, over the network, keep the user of this machine out.
 */
static void fit_connections(struct amk_daemon *d)
{
	int64_t most;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur > INT_MAX)
		return;
	most = (int64_t)rl.rlim_cur / 4 * 3 / (d->door ? 2 : 1);
	if (d->settings.connections <= most || most < 2)
		return;
	amk_say(AMK_SAY_INFO, "daemon", "%lld descriptors are enough for %lld connections, not %lld",
		(long long)rl.rlim_cur, (long long)most, (long long)d->settings.connections);
	d->settings.connections = most;
	if (d->settings.streams >= most)
		d->settings.streams = most - 1;
}

/* What is started in our place finds the limit as we did. */
static void restore_files(const struct amk_daemon *d)
{
	struct rlimit rl;

	if (d->files == 0 || getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	rl.rlim_cur = d->files;
	setrlimit(RLIMIT_NOFILE, &rl);
}

static int rooms_open(struct amk_daemon *d, struct amk_err *e)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	signal(SIGPIPE, SIG_IGN);
	raise_files(d);
	fit_connections(d);
	d->loop = amk_loop_new(e);
	if (!d->loop)
		return -1;
	for (size_t i = 0; i < AMK_COUNT(signals); i++)
		if (amk_loop_signal(d->loop, signals[i], caught, d, e) < 0)
			return -1;
	if (amk_loop_signal(d->loop, SIGUSR1, log_again, d, e) < 0)
		return -1;
	d->keepalive = amk_loop_timer(d->loop, keepalive, d);
	d->recover = amk_loop_timer(d->loop, amk_trouble_look_again, d);
	d->deadline = amk_loop_timer(d->loop, stop_late, d);
	d->chunks = amk_chunks_new(d);
	d->store = amk_store_open(d->loop, d->dir, d->path, e);
	if (!d->store || amk_trouble_sessions(d, false, e) < 0 || http_open(d, e) < 0)
		return -1;
	amk_loop_timer_arm(d->keepalive, (uint64_t)d->settings.keepalive_ms);
	amk_loop_on_turn(d->loop, turn, d);
	return 0;
}

static void daemon_close(struct amk_daemon *d)
{
	d->closing = true;
	amk_successor_free(d->successor);
	amk_http_stop(d->http);
	amk_http_stop(d->network);
	amk_chunks_free(d->chunks);
	amk_deliver_close(d->hooks);
	if (d->sessions)
		amk_sessions_close(d->sessions);
	if (d->store)
		amk_store_close(d->store);
	amk_loop_timer_free(d->keepalive);
	amk_loop_timer_free(d->recover);
	amk_loop_timer_free(d->deadline);
	if (d->loop)
		amk_loop_free(d->loop);
	if (d->listen_fd >= 0) {
		close(d->listen_fd);
		unlinkat(d->dir, "socket", 0);
	}
	amk_door_close(d->door);
	if (d->run_dir >= 0)
		close(d->run_dir);
	amk_say_keep(-1, NULL, 0);
	if (d->dir >= 0)
		close(d->dir);
	amk_settings_release(&d->settings);
	restore_files(d);
}

/* sd_notify(3): one datagram to $NOTIFY_SOCKET. */
static void notify_manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd AMK_AUTO(fd) = -1;
	size_t n = path ? strlen(path) : 0;

	if (n == 0 || n >= sizeof sa.sun_path)
		return;
	memcpy(sa.sun_path, path, n);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&sa,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		amk_say(AMK_SAY_WARN, "daemon", "the service manager was not told: %s", strerror(errno));
}

static int announce(struct amk_daemon *d, int ready_fd, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(DAEMON_LINE_MAX);

	if (line_write(d, e) < 0)
		return -1;
	if (ready_fd >= 0) {
		daemon_line(d, &line);
		if (amk_write_all(ready_fd, line.s, line.n) < 0)
			amk_say(AMK_SAY_WARN, "daemon", "nobody waits for readiness: %s", strerror(errno));
		close(ready_fd);
	}
	notify_manager();
	amk_say(AMK_SAY_INFO, "daemon", "serving %s/socket", d->path);
	if (d->door)
		amk_say(AMK_SAY_INFO, "daemon", "serving %s", d->door->url);
	if (d->door && d->door->token_file)
		amk_say(AMK_SAY_INFO, "daemon", "its token is in %s", d->door->token_file);
	return 0;
}

int amk_daemon_check(const char *path, struct amk_err *e)
{
	struct amk_settings settings;
	int dir AMK_AUTO(fd) = -1, r;

	if (amk_path_state_open(path, &dir, e) < 0)
		return -1;
	r = amk_settings_load(&settings, dir, e);
	amk_settings_release(&settings);
	return r < 0 ? -1 : amk_store_check(dir, path, e);
}

/*
 * The buffers of readers and of lines come and go: from this size on each has pages of its own, which go back to
 * the system at once. glibc would begin to keep them between small ones after the first.
 */
static void settle_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
#endif
}

int amk_daemon_serve(const struct amk_daemon_conf *conf, struct amk_daemon_left *left, struct amk_err *e)
{
	struct amk_daemon d = { .dir = -1, .run_dir = -1, .lock_fd = -1, .listen_fd = -1 };
	int r = -1;

	settle_memory();
	d.began = amk_time_monotonic();
	left->door_fd = -1;
	if (folders_open(&d, conf, e) == 0 && rooms_open(&d, e) == 0 && announce(&d, conf->ready_fd, e) == 0) {
		amk_loop_run(d.loop);
		r = d.restarting;
		if (r == 1 && d.door && (left->door_fd = amk_door_leave(d.door, e)) < 0)
			r = -1;
	}
	daemon_close(&d);
	if (r == 1)
		left->lock_fd = d.lock_fd;
	else if (d.lock_fd >= 0)
		close(d.lock_fd);
	return r;
}
