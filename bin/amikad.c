/* SPDX-License-Identifier: Apache-2.0 */
/* amikad: the daemon, and the verbs that steer it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cmd.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/path.h"
#include "core/time.h"
#include "daemon/daemon.h"
#include "daemon/door.h"
#include "daemon/inspect.h"
#include "daemon/lock.h"

#define STOP_TIMEOUT_MS 60000
#define RESTART_TIMEOUT_MS 30000

static int64_t opt_ready_fd = -1, opt_lock_fd = -1, opt_door_fd = -1, opt_port = 2468;
static const char *opt_listen, *opt_host = "127.0.0.1", *opt_token_file;
static char *opt_token;
static bool opt_far, opt_no_token, opt_credentials, opt_check;
static struct amk_strv opt_hosts, opt_origins, opt_methods, opt_headers;

/* The same program anew, in this process: the lock never becomes free in between, nor does the port. */
static int serve_again(const struct amk_daemon_left *left, struct amk_err *e)
{
	struct amk_strv argv AMK_AUTO(strv) = { 0 };
	char path[AMK_PATH_MAX];

	if (amk_path_helper(path, "amikad", e) < 0)
		return -1;
	amk_strv_add(&argv, path);
	amk_strv_add(&argv, "serve");
	amk_strv_addf(&argv, "--lock-fd=%d", left->lock_fd);
	if (left->door_fd >= 0)
		amk_strv_addf(&argv, "--door-fd=%d", left->door_fd);
	fcntl(left->lock_fd, F_SETFD, 0);
	execv(path, argv.v);
	return amk_err_sys(e, "starting %s", path);
}

/* Out of our environment too: whoever we start could read it there, in /proc, whatever it is given itself. */
static char *token_of_environment(void)
{
	char *value = getenv("AMIKA_TOKEN"), *token;

	if (!value)
		return NULL;
	token = amk_strdup(value);
	unsetenv("AMIKA_TOKEN");
	value -= strlen("AMIKA_TOKEN=");
	explicit_bzero(value, strlen(value));
	return token;
}

static void passed_on(int64_t fd)
{
	if (fd >= 0)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

static int serve_with(struct amk_door_conf *door, struct amk_err *e)
{
	struct amk_daemon_left left;
	char path[AMK_PATH_MAX];
	struct amk_daemon_conf conf = { path, (int)opt_ready_fd, (int)opt_lock_fd, door };
	int r;

	if (amk_path_state(path, e) < 0)
		return -1;
	passed_on(opt_ready_fd);
	passed_on(opt_lock_fd);
	r = amk_daemon_serve(&conf, &left, e);
	return r == 1 ? serve_again(&left, e) : r;
}

/* What both verbs say of the door. A token that was asked for by name goes before the environment's. */
static void door_describe(struct amk_door_conf *door, char *environments)
{
	door->token = opt_token ? opt_token : opt_token_file || !environments || !*environments ? NULL : environments;
	door->token_file = opt_token_file;
	door->far = opt_far;
	door->inherited = -1;
	door->cors = (struct amk_cors){ .hosts = opt_hosts, .origins = opt_origins, .methods = opt_methods,
					.headers = opt_headers, .credentials = opt_credentials };
}

static int check(struct amk_err *e)
{
	char path[AMK_PATH_MAX];

	return amk_path_state(path, e) < 0 ? -1 : amk_daemon_check(path, e);
}

static int serve(const struct amk_args *a, struct amk_err *e)
{
	char *token AMK_AUTO(mem) = token_of_environment();
	struct amk_door_conf door = { .listen = opt_listen };

	(void)a;
	if (opt_check)
		return check(e);
	door_describe(&door, token);
	door.inherited = (int)opt_door_fd;
	if (opt_listen || opt_door_fd >= 0)
		return serve_with(&door, e);
	if (opt_token || opt_token_file || opt_far || opt_credentials || opt_hosts.n || opt_origins.n ||
	    opt_methods.n || opt_headers.n) {
		amk_err_set(e, AMK_EUSAGE, "tokens, hosts and origins are for a network door");
		return amk_err_hint(e, "say --listen 127.0.0.1:PORT");
	}
	return serve_with(NULL, e);
}

/* For whoever started it by hand, or reads along; the log may be elsewhere and say less. */
static int token_say(const struct amk_door_conf *door, struct amk_err *e)
{
	char path[AMK_PATH_MAX];

	if (amk_path_state(path, e) < 0)
		return -1;
	if (door->token_file)
		fprintf(stderr, "amikad: the token is in %s\n", door->token_file);
	else if (!door->token)
		fprintf(stderr, "amikad: the token is in %s/token\n", path);
	return 0;
}

/* The original's spelling. */
static int server(const struct amk_args *a, struct amk_err *e)
{
	char *token AMK_AUTO(mem) = token_of_environment(), *address AMK_AUTO(mem) = NULL;
	struct amk_door_conf door = { .owner = true };
	bool bare = strchr(opt_host, ':') && opt_host[0] != '[';

	(void)a;
	if (opt_no_token) {
		amk_err_set(e, AMK_EUSAGE, "every program and every web page on this machine could steer the agents");
		return amk_err_hint(e, "leave --no-token out: the token is then in a file of yours");
	}
	address = amk_strf("%s%s%s:%lld", bare ? "[" : "", opt_host, bare ? "]" : "", (long long)opt_port);
	door.listen = address;
	door_describe(&door, token);
	door.far = opt_far || door.token || door.token_file;
	return token_say(&door, e) < 0 ? -1 : serve_with(&door, e);
}

/* The running daemon: its line, and a pidfd that cannot come to mean another process. */
static int running(char path[AMK_PATH_MAX], int *dir, struct amk_buf *line, int *pidfd, struct amk_err *e)
{
	pid_t pid;

	if (amk_path_state(path, e) < 0 || amk_path_state_open(path, dir, e) < 0)
		return -1;
	if (amk_lock_read(*dir, line, &pid, e) < 0)
		return -1;
	*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (*pidfd < 0)
		return amk_err_sys(e, "amikad %d", (int)pid);
	amk_buf_clear(line); /* read again: the lock is still held by the process pidfd stands for */
	return amk_lock_read(*dir, line, &pid, e);
}

static int send_signal(int pidfd, int signum, struct amk_err *e)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) < 0)
		return amk_err_sys(e, "signalling amikad");
	return 0;
}

/* A pidfd can be read once its process is over (pidfd_open(2)). */
static int wait_gone(int pidfd, struct amk_err *e)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, STOP_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		return 0;
	return amk_err_set(e, AMK_ETIMEOUT, "amikad is still stopping after %d s", STOP_TIMEOUT_MS / 1000);
}

static int print_line(const struct amk_buf *line, struct amk_err *e)
{
	return amk_out_record(line->s, line->n, e);
}

static int stop(const struct amk_args *a, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	int dir AMK_AUTO(fd) = -1, pidfd AMK_AUTO(fd) = -1;
	char path[AMK_PATH_MAX];

	(void)a;
	if (running(path, &dir, &line, &pidfd, e) < 0)
		return e->code == AMK_EUNREACHABLE ? 0 : -1;
	if (send_signal(pidfd, SIGTERM, e) < 0 || wait_gone(pidfd, e) < 0)
		return -1;
	return print_line(&line, e);
}

/* The daemon goes on, and has written why. */
static bool was_refused(const struct amk_buf *line, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line->s, line->n, e);
	const char *why = amk_json_get_str(j, "refused");

	if (j && !why)
		return false;
	if (why)
		amk_err_set(e, AMK_EFAILED, "not restarted: %s", why);
	return true;
}

static int restart(const struct amk_args *a, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	int dir AMK_AUTO(fd) = -1, pidfd AMK_AUTO(fd) = -1, watch AMK_AUTO(fd) = -1;
	char path[AMK_PATH_MAX];
	pid_t pid;

	(void)a;
	if (running(path, &dir, &line, &pidfd, e) < 0)
		return -1;
	watch = amk_lock_watch(path, e);
	if (watch < 0 || send_signal(pidfd, SIGHUP, e) < 0 ||
	    amk_lock_wait_written(watch, RESTART_TIMEOUT_MS, e) < 0)
		return -1;
	amk_buf_clear(&line);
	if (amk_lock_read(dir, &line, &pid, e) < 0 || was_refused(&line, e))
		return -1;
	return print_line(&line, e);
}

static int status(const struct amk_args *a, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	int dir AMK_AUTO(fd) = -1, pidfd AMK_AUTO(fd) = -1;
	char path[AMK_PATH_MAX];

	(void)a;
	if (running(path, &dir, &line, &pidfd, e) < 0)
		return -1;
	return print_line(&line, e);
}

/* What a terminal sees of a long check: its name, and that time passes. */
static void show_working(void *arg, const char *name)
{
	static const int64_t pause = 200 * 1000000LL;
	int64_t *shown = arg, now = amk_time_monotonic();

	if (now - *shown < pause)
		return;
	*shown = now;
	fprintf(stderr, "\r\033[Kchecking: %s", name);
}

struct verification {
	int64_t shown; /* when progress was; 0: never */
	bool wrong;
	struct amk_err *e;
	int failed;
};

static void print_finding(void *arg, const struct amk_finding *f)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct verification *v = arg;

	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "type", "check");
	amk_jw_cstr(&b, "name", f->name);
	amk_jw_bool(&b, "ok", f->good);
	amk_jw_cstr(&b, "needed_for", f->needed_for);
	amk_jw_cstr(&b, "remedy", f->good ? NULL : f->remedy);
	amk_jw_cstr(&b, "detail", f->detail);
	amk_jw_close(&b, '}');
	if (v->shown)
		fputs("\r\033[K", stderr);
	v->wrong = v->wrong || !f->good;
	if (v->failed == 0)
		v->failed = amk_out_record(b.s, b.n, v->e);
}

static int verify(const struct amk_args *a, struct amk_err *e)
{
	struct verification v = { .e = e };
	const struct amk_verify_to to = { print_finding, isatty(STDERR_FILENO) ? show_working : NULL, &v };
	int dir AMK_AUTO(fd) = -1;
	char path[AMK_PATH_MAX];

	(void)a;
	if (amk_path_state(path, e) < 0)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return amk_err_sys(e, "opening the state folder %s", path);
	if (amk_inspect(dir, path, &to, e) < 0 || v.failed < 0)
		return -1;
	return v.wrong ? AMK_EXIT_FAILED : AMK_EXIT_DONE;
}

#define DOOR_OPTIONS \
	{ 0, "token-file", AMK_OPT_STR, &opt_token_file, "FILE", "the token is there; STATE/token by default" }, \
	{ 0, "insecure-listen", AMK_OPT_FLAG, &opt_far, NULL, "listen beyond loopback, without encryption" }, \
	{ 0, "allow-host", AMK_OPT_LIST, &opt_hosts, "NAME", "the daemon is also called so (Host header)" }, \
	{ 'O', "cors-allow-origin", AMK_OPT_LIST, &opt_origins, "ORIGIN", "web pages from there may ask" }, \
	{ 'M', "cors-allow-method", AMK_OPT_LIST, &opt_methods, "METHOD", "… with this method; any by default" }, \
	{ 'A', "cors-allow-header", AMK_OPT_LIST, &opt_headers, "HEADER", "… with this header; any by default" }, \
	{ 'C', "cors-allow-credentials", AMK_OPT_FLAG, &opt_credentials, NULL, "… with credentials" }, \
	{ 0, "ready-fd", AMK_OPT_INT, &opt_ready_fd, "FD", "write the daemon line there once it serves" }

static const struct amk_opt serve_options[] = {
	{ 0, "listen", AMK_OPT_STR, &opt_listen, "ADDRESS:PORT", "serve there too, over TCP with a token" },
	{ 0, "token", AMK_OPT_SECRET, &opt_token, "TOKEN", "the token; better kept in a file" },
	DOOR_OPTIONS,
	{ 0, "check", AMK_OPT_FLAG, &opt_check, NULL, "only say whether this state folder can be served" },
	{ 0, "lock-fd", AMK_OPT_INT, &opt_lock_fd, "FD", "the lock, inherited (used by restart)" },
	{ 0, "door-fd", AMK_OPT_INT, &opt_door_fd, "FD", "the network door, inherited (used by restart)" },
	AMK_OPT_END,
};
static const struct amk_opt server_options[] = {
	{ 'H', "host", AMK_OPT_STR, &opt_host, "ADDRESS", "listen on this address; 127.0.0.1 by default" },
	{ 'p', "port", AMK_OPT_INT, &opt_port, "PORT", "listen on this port; 2468 by default" },
	{ 't', "token", AMK_OPT_SECRET, &opt_token, "TOKEN", "the token; better kept in a file" },
	{ 'n', "no-token", AMK_OPT_FLAG, &opt_no_token, NULL, "refused: there is always a token" },
	DOOR_OPTIONS,
	AMK_OPT_END,
};

static const struct amk_cmd cmd_serve = {
	.name = "serve",
	.summary = "Serve the state folder in the foreground",
	.opts = serve_options,
	.run = serve,
};
static const struct amk_cmd cmd_server = {
	.name = "server",
	.summary = "Serve over TCP, lending sessions the environment",
	.opts = server_options,
	.run = server,
};
static const struct amk_cmd cmd_stop = {
	.name = "stop",
	.summary = "End the agents, resumably, and the daemon",
	.writes = "daemon",
	.run = stop,
};
static const struct amk_cmd cmd_restart = {
	.name = "restart",
	.summary = "Start the daemon anew; the agents go on",
	.writes = "daemon",
	.run = restart,
};
static const struct amk_cmd cmd_status = {
	.name = "status",
	.summary = "Show the running daemon",
	.writes = "daemon",
	.run = status,
};
static const struct amk_cmd cmd_verify = {
	.name = "verify",
	.summary = "Check the state folder, without changing anything",
	.writes = "check",
	.run = verify,
};
static const struct amk_cmd *const verbs[] = { &cmd_serve,  &cmd_server, &cmd_stop,   &cmd_restart,
					       &cmd_status, &cmd_verify, NULL };

static const struct amk_cmd cmd = {
	.name = "amikad",
	.summary = "Hold what must outlive a program: sessions, events, decisions",
	.verbs = verbs,
	.default_verb = "serve",
	.environment = "AMIKA_STATE_DIRECTORY AMIKA_TOKEN AMIKA_LOG",
	.example = "amikad status",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
