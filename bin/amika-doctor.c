/* SPDX-License-Identifier: Apache-2.0 */
/* amika-doctor: what this machine can and cannot do for amika, a remedy for each gap. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"
#include "client/offer.h"
#include "client/show.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/path.h"

#define QUERY_MAX 7000

struct check {
	const char *name, *needed_for;
	bool optional; /* a gap here is no failure */
};

static const struct amk_show_column columns[] = {
	{ "CHECK", "name" }, { "OK", "ok" }, { "NEEDED FOR", "needed_for" }, { "FOUND", "detail" }, { "REMEDY", "remedy" },
};
static struct amk_show_table table = { .type = "check", .columns = columns, .n = AMK_COUNT(columns) };
static bool gap; /* the default path lacks something */

static int report(const struct check *k, bool good, const char *detail, const char *remedy, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct amk_json *record AMK_AUTO(json) = NULL;

	if (!good && !k->optional)
		gap = true;
	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "name", k->name);
	amk_jw_bool(&b, "ok", good);
	amk_jw_cstr(&b, "needed_for", k->needed_for);
	amk_jw_cstr(&b, "remedy", good ? NULL : remedy);
	amk_jw_cstr(&b, "detail", detail);
	amk_jw_close(&b, '}');
	record = amk_json_parse(b.s, b.n, e);
	return record ? amk_show_add(&table, record, e) : -1;
}

/* What went wrong is the detail, its hint the remedy. */
static int report_err(const struct check *k, const struct amk_err *why, const char *remedy, struct amk_err *e)
{
	return report(k, false, why->msg, why->hint[0] ? why->hint : remedy, e);
}

static int check_folder(struct amk_err *e)
{
	static const struct check folder = { "state folder", "keeping sessions", false };
	static const struct check lock = { "flock", "one daemon for each state folder", false };
	int dir AMK_AUTO(fd) = -1, fd AMK_AUTO(fd) = -1;
	char path[AMK_PATH_MAX];
	struct amk_err why = { 0 };
	bool good;

	if (amk_path_state(path, &why) < 0 || amk_path_state_open(path, &dir, &why) < 0)
		return report_err(&folder, &why, "set AMIKA_STATE_DIRECTORY", e);
	if (report(&folder, true, path, NULL, e) < 0)
		return -1;
	fd = openat(dir, "start.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	good = fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno == EWOULDBLOCK);
	return report(&lock, good, good ? NULL : strerror(errno),
		      "put the state folder on a file system with locks (AMIKA_STATE_DIRECTORY)", e);
}

static int check_proc(struct amk_err *e)
{
	static const struct check proc = { "/proc", "finding our own programs, knowing agents from people", false };
	char self[AMK_PATH_MAX];
	bool good = access("/proc/self/fd/0", F_OK) == 0 && access("/proc/self/status", R_OK) == 0 &&
		    readlink("/proc/self/exe", self, sizeof self) > 0;

	return report(&proc, good, NULL, "mount -t proc proc /proc", e);
}

static int check_programs(struct amk_err *e)
{
	static const struct check programs[] = {
		{ "amikad", "everything", false },
		{ "amika-shim", "running agents", false },
		{ "amika-once", "hooks", false },
		{ "amika-mock", "trying amika without an agent", false },
	};

	for (size_t i = 0; i < AMK_COUNT(programs); i++) {
		char path[AMK_PATH_MAX];
		struct amk_err why = { 0 };
		int r;

		if (amk_path_helper(path, programs[i].name, &why) < 0)
			r = report_err(&programs[i], &why, "install amika again", e);
		else
			r = report(&programs[i], true, path, NULL, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int check_health(const struct amk_json *health, const struct check *daemon, struct amk_err *e)
{
	const char *version = amk_json_get_str(health, "version");
	char text[200];

	snprintf(text, sizeof text, "version %.60s, pid %lld", version ? version : "unknown",
		 (long long)amk_json_get_int(health, "pid", 0));
	return report(daemon, version && strcmp(version, PACKAGE_VERSION) == 0, text,
		      "the daemon is of another version: amikad restart", e);
}

static int check_daemon(struct amk_client **c, struct amk_err *e)
{
	static const struct check daemon = { "daemon", "everything", false };
	struct amk_json *health AMK_AUTO(json) = NULL;
	char found[AMK_PATH_MAX];
	struct amk_err why = { 0 };

	if (amk_client_open(c, &why) == 0 && amk_client_get(*c, &health, &why, "/v1/health") == 0)
		return check_health(health, &daemon, e);
	amk_client_free(*c);
	*c = NULL;
	if (amk_client_url() && why.code == AMK_EUSAGE) {
		*e = why;
		return -1;
	}
	if (!amk_client_url() && !amk_client_may_start() && why.code == AMK_EUNREACHABLE && amk_path_helper(found, "amikad", NULL) == 0)
		return report(&daemon, true, "none runs; it is started when needed", NULL, e);
	return report_err(&daemon, &why, "amikad serve says why", e);
}

static int report_agent(const struct amk_json *row, struct amk_err *e)
{
	struct check k = { .optional = true };
	const char *id = amk_json_get_str(row, "id"), *install = amk_json_get_str(row, "install");
	char *name AMK_AUTO(mem) = amk_strf("agent %s", id ? id : "?");
	char *needed AMK_AUTO(mem) = amk_strf("sessions with %s", id ? id : "?");
	char *remedy AMK_AUTO(mem) = amk_strf("%s", install ? install : "install amika again");

	k.name = name;
	k.needed_for = needed;
	return report(&k, amk_json_true(amk_json_get(row, "installed")), amk_json_get_str(row, "path"), remedy, e);
}

static int check_agents(struct amk_client *c, struct amk_err *e)
{
	static const struct check agents = { "agents", "knowing which agents there are", false };
	struct amk_buf path AMK_AUTO(buf) = AMK_BUF_INIT(QUERY_MAX);
	struct amk_json *reply AMK_AUTO(json) = NULL;
	const char *own = getenv("PATH");
	struct amk_err why = { 0 };

	if (!amk_client_url())
		amk_client_escape(&path, own ? own : "/usr/local/bin:/usr/bin:/bin");
	if (!amk_buf_ok(&path))
		amk_buf_clear(&path);
	if (amk_client_get(c, &reply, &why, path.n ? "/v1/agents?path=%s" : "/v1/agents%s", path.s) < 0)
		return report_err(&agents, &why, "amikad restart", e);
	for (const struct amk_json *a = amk_json_first(amk_json_get(reply, "agents")); a; a = amk_json_next(a))
		if (report_agent(a, e) < 0)
			return -1;
	return 0;
}

static int report_hook(const struct amk_json *row, struct amk_err *e)
{
	const char *name = amk_json_get_str(row, "name"), *problem = amk_json_get_str(row, "problem");
	char *called AMK_AUTO(mem) = amk_strf("hook %s", name ? name : "?");
	const struct check k = { called, "telling you what happens", true };
	long long retrying = (long long)amk_json_get_int(row, "retrying", 0);
	long long failed = (long long)amk_json_get_int(row, "failed", 0);
	char text[100];

	if (problem)
		return report(&k, false, problem, "mend its command in STATE/settings.json, then: amikad restart", e);
	snprintf(text, sizeof text, "%lld to be tried again, %lld given up", retrying, failed);
	return report(&k, !retrying && !failed, retrying || failed ? text : NULL, "see: amika hook deliveries", e);
}

static int check_hooks(struct amk_client *c, struct amk_err *e)
{
	static const struct check hooks = { "hooks", "telling you what happens", true };
	struct amk_json *reply AMK_AUTO(json) = NULL;
	struct amk_err why = { 0 };

	if (amk_client_get(c, &reply, &why, "/v1/hooks") < 0)
		return report_err(&hooks, &why, "amikad restart", e);
	for (const struct amk_json *h = amk_json_first(amk_json_get(reply, "hooks")); h; h = amk_json_next(h))
		if (report_hook(h, e) < 0)
			return -1;
	return 0;
}

/* Only amikad knows the database. It says what it finds in check lines; its progress goes to our stderr. */
static pid_t start_verify(const char *amikad, int *from, struct amk_err *e)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return amk_err_sys(e, "starting %s", amikad);
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			execl(amikad, "amikad", "verify", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*from = ends[0];
	return pid;
}

static int pass_on(int from, struct amk_err *e)
{
	struct amk_lines lines;
	char *line;
	size_t n;
	int r;

	amk_lines_init(&lines, from);
	while ((r = amk_lines_next(&lines, &line, &n, e)) > 0) {
		struct amk_json *record AMK_AUTO(json) = amk_json_parse(line, n, e);

		if (!record || amk_show_add(&table, record, e) < 0) {
			r = -1;
			break;
		}
	}
	amk_lines_release(&lines);
	return r;
}

static int check_store(struct amk_err *e)
{
	char amikad[AMK_PATH_MAX];
	int from AMK_AUTO(fd) = -1, r, status;
	pid_t pid;

	if (amk_path_helper(amikad, "amikad", e) < 0)
		return -1;
	pid = start_verify(amikad, &from, e);
	if (pid < 0)
		return -1;
	r = pass_on(from, e);
	amk_auto_fd(&from);
	from = -1;
	if (waitpid(pid, &status, 0) < 0)
		return amk_err_sys(e, "waiting for amikad");
	if (r < 0 || amk_show_end(&table, e) < 0)
		return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return amk_err_set(e, AMK_EFAILED, "amikad verify was ended by signal %d", WTERMSIG(status));
}

static bool opt_store;

static int run(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	(void)a;
	if (opt_store)
		return check_store(e);
	/* Of a daemon at a URL only it can be asked what it has. */
	if (!amk_client_url() && (check_folder(e) < 0 || check_proc(e) < 0 || check_programs(e) < 0))
		return -1;
	if (check_daemon(&c, e) < 0)
		return -1;
	if (c && (check_agents(c, e) < 0 || check_hooks(c, e) < 0))
		return -1;
	if (amk_show_end(&table, e) < 0)
		return -1;
	return gap ? AMK_EXIT_FAILED : AMK_EXIT_DONE;
}

static const struct amk_opt options[] = {
	{ 0, "store", AMK_OPT_FLAG, &opt_store, NULL, "check all that is stored, and only that" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

static const struct amk_cmd cmd = {
	.name = "amika-doctor",
	.summary = "Check what this machine can do, and say what is missing",
	.writes = "check",
	.opts = options,
	.run = run,
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika doctor",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
