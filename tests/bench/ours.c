/* SPDX-License-Identifier: Apache-2.0 */
/* Our daemon: started in a folder of the scratch folder, spoken to on its socket and over TCP with its token. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "core/path.h"

#include "bench.h"

pid_t bench_ours_pid;
struct bench_at bench_ours_at, bench_ours_unix;
static int state_dir = -1;

/* As many open files as a login gives: it is for the daemon to ask for more. */
static void limit_files(rlim_t soft)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = soft < files.rlim_max ? soft : files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static void address(void)
{
	struct sockaddr_un at;

	amk_path_socket(&at, state_dir, "socket");
	memcpy(&bench_ours_unix.sa, &at, sizeof at);
	bench_ours_unix.n = sizeof at;
}

/* The daemon made its token when it had none. */
static void read_token(void)
{
	static char header[256];
	struct amk_buf token AMK_AUTO(buf) = AMK_BUF_INIT(200);

	if (amk_path_read(state_dir, "token", &token, NULL) < 0)
		bench_give_up("amikad made no token");
	snprintf(header, sizeof header, "Authorization: Bearer %.*s\r\n", (int)strcspn(token.s, "\n"), token.s);
	bench_ours_at.headers = header;
}

static void exec_daemon(int ready, int port)
{
	char program[AMK_PATH_MAX], listen[32];
	int null = open("/dev/null", O_RDWR);

	snprintf(program, sizeof program, "%s/amikad", bench_conf.bindir);
	snprintf(listen, sizeof listen, "127.0.0.1:%d", port);
	limit_files(1024);
	dup2(ready, 3);
	dup2(null, 0);
	if (!getenv("BENCH_STDERR"))
		dup2(null, 2);
	execl(program, "amikad", "serve", "--ready-fd", "3", "--listen", listen, (char *)NULL);
	_exit(127);
}

double bench_ours_start(const char *name)
{
	int ready[2], port = bench_free_port(&bench_ours_at);
	char state[AMK_PATH_MAX], c;
	int64_t began;
	double took;

	snprintf(state, sizeof state, "%s/%s", bench_conf.scratch, name);
	if (mkdir(state, 0700) < 0 && errno != EEXIST)
		bench_give_up("%s: %s", state, strerror(errno));
	setenv("AMIKA_STATE_DIRECTORY", state, 1);
	if (state_dir >= 0)
		close(state_dir);
	state_dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_dir < 0 || pipe2(ready, O_CLOEXEC) < 0)
		bench_give_up("%s: %s", state, strerror(errno));
	address();
	began = bench_now();
	bench_ours_pid = fork();
	if (bench_ours_pid == 0)
		exec_daemon(ready[1], port);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		bench_give_up("amikad did not start");
	close(ready[0]);
	bench_call(&bench_ours_unix, "GET", "/v1/health", NULL);
	took = (double)(bench_now() - began) / 1e9;
	read_token();
	return took;
}

void bench_ours_stop(void)
{
	kill(bench_ours_pid, SIGTERM);
	waitpid(bench_ours_pid, NULL, 0);
	bench_ours_pid = 0;
}

void bench_ours_session(const char *id)
{
	char path[256], body[AMK_PATH_MAX + 128];

	snprintf(path, sizeof path, "/v1/sessions/%s", id);
	snprintf(body, sizeof body, "{\"agent\":\"mock\",\"directory\":\"%s\",\"arguments\":[\"--pace\",\"0\"]}",
		 bench_conf.scratch);
	bench_call(&bench_ours_unix, "POST", path, body);
}

void bench_ours_say(const char *session, const char *text)
{
	char path[256], body[512];

	snprintf(path, sizeof path, "/v1/sessions/%s/messages", session);
	snprintf(body, sizeof body, "{\"message\":\"%s\"}", text);
	bench_call(&bench_ours_unix, "POST", path, body);
}

uint64_t bench_ours_after(const char *session, bool *idle)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);
	struct amk_json *j AMK_AUTO(json) = NULL;
	char path[256];
	int s;

	snprintf(path, sizeof path, "/v1/sessions/%s", session);
	s = bench_ask(&bench_ours_unix, "GET", path, NULL);
	if (s < 0 || bench_answer(s, &body) != 200)
		bench_give_up("no answer about session %s", session);
	close(s);
	j = amk_json_parse(body.s, body.n, NULL);
	*idle = amk_json_is(j, "state", "idle");
	return (uint64_t)amk_json_get_int(j, "after", 0);
}

uint64_t bench_ours_turn(const char *session, const char *text, struct bench_readers *rs)
{
	bool idle = false;
	uint64_t after;

	bench_ours_say(session, text);
	for (;;) {
		int64_t until = bench_now() + 50000000;

		after = bench_ours_after(session, &idle);
		if (idle)
			break;
		while (rs && bench_now() < until)
			bench_readers_pump(rs, 10);
		if (!rs)
			bench_wait_ms(5);
	}
	if (rs && !bench_readers_until(rs, after, 10000))
		bench_give_up("readers of %s did not come to its end, %llu", session, (unsigned long long)after);
	return after;
}
