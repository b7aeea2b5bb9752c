/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer: sandbox-agent 0.4.2, the npm package @sandbox-agent/cli. It speaks ACP with its agents; its own
 * mock only prints text, so this program stands in for it: a symbolic link named mock-acp.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "core/lines.h"
#include "core/path.h"

#include "bench.h"

pid_t bench_peer_pid;
struct bench_at bench_peer_at;

static void make_folder(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		bench_give_up("%s: %s", path, strerror(errno));
}

/* The folders it keeps its agents in, with ours among them. */
static void install_agent(const char *home)
{
	static const char *const parts[] = { "", "/sandbox-agent", "/sandbox-agent/bin",
					     "/sandbox-agent/bin/agent_processes" };
	char path[AMK_PATH_MAX + 64], self[AMK_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	for (size_t i = 0; i < AMK_COUNT(parts); i++) {
		snprintf(path, sizeof path, "%s%s", home, parts[i]);
		make_folder(path);
	}
	self[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof path, "%s/sandbox-agent/bin/agent_processes/mock-acp", home);
	if (symlink(self, path) < 0 && errno != EEXIST)
		bench_give_up("%s: %s", path, strerror(errno));
}

static void exec_peer(const char *home, bool log_http, int port)
{
	int null = open("/dev/null", O_RDWR);
	char number[16];

	snprintf(number, sizeof number, "%d", port);
	setenv("HOME", home, 1);
	setenv("XDG_DATA_HOME", home, 1);
	setenv("SANDBOX_AGENT_LOG_DIR", home, 1);
	setenv("SANDBOX_AGENT_TELEMETRY_DISABLED", "1", 1);
	if (!log_http)
		setenv("SANDBOX_AGENT_LOG_HTTP", "0", 1);
	dup2(null, 0);
	if (!getenv("BENCH_STDERR")) {
		dup2(null, 1);
		dup2(null, 2);
	}
	if (chdir(home) == 0)
		execl(bench_conf.peer, "sandbox-agent", "server", "--host", "127.0.0.1", "--port", number, "--no-token",
		      "--no-telemetry", (char *)NULL);
	_exit(127);
}

double bench_peer_start(bool log_http)
{
	char home[AMK_PATH_MAX];
	int port = bench_free_port(&bench_peer_at);
	int64_t began;

	snprintf(home, sizeof home, "%s/peer", bench_conf.scratch);
	install_agent(home);
	began = bench_now();
	bench_peer_pid = fork();
	if (bench_peer_pid == 0)
		exec_peer(home, log_http, port);
	while (bench_try(&bench_peer_at, "GET", "/v1/health", NULL) != 200) {
		if (waitpid(bench_peer_pid, NULL, WNOHANG) != 0 || bench_now() - began > 10000000000)
			bench_give_up("the peer did not start");
		bench_wait_ms(1);
	}
	return (double)(bench_now() - began) / 1e9;
}

void bench_peer_stop(void)
{
	kill(bench_peer_pid, SIGTERM);
	waitpid(bench_peer_pid, NULL, 0);
	bench_peer_pid = 0;
}

/* ---- its agent ---- */

static void say(const char *line)
{
	if (amk_write_all(STDOUT_FILENO, line, strlen(line)) < 0)
		exit(1);
}

/* As many updates as the prompt says, all at once. */
static void burst(int n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64 << 20);

	for (int i = 0; i < n; i++)
		amk_buf_addf(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"sessionId\":\"ses-1\","
				 "\"update\":{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":\"text\","
				 "\"text\":\"%06d xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}}}}\n", i);
	say(b.s);
}

static void answer(const struct amk_json *j)
{
	const char *method = amk_json_get_str(j, "method");
	const struct amk_json *prompt = amk_json_first(amk_json_get(amk_json_get(j, "params"), "prompt"));
	char line[512];

	if (!method)
		return;
	if (strcmp(method, "session/prompt") == 0)
		burst((int)strtol(amk_json_get_str(prompt, "text") ? amk_json_get_str(prompt, "text") : "0", NULL, 10));
	snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n",
		 (long long)amk_json_get_int(j, "id", 0),
		 strcmp(method, "initialize") == 0 ? "{\"protocolVersion\":1,\"agentInfo\":{\"name\":\"probe\","
						     "\"version\":\"0\"},\"agentCapabilities\":{\"loadSession\":false}}"
		 : strcmp(method, "session/new") == 0 ? "{\"sessionId\":\"ses-1\"}"
						      : "{\"stopReason\":\"end_turn\"}");
	say(line);
}

int bench_acp_main(void)
{
	struct amk_lines in;
	struct amk_err e;
	char *line;
	size_t n;

	amk_lines_init(&in, STDIN_FILENO);
	while (amk_lines_next(&in, &line, &n, &e) == 1) {
		struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, NULL);

		if (j)
			answer(j);
	}
	amk_lines_release(&in);
	return 0;
}
