/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that belongs to the manager is not ended with the terminal, ssh login or cron job whose
 * cgroup its starter lives in. KillMode=process leaves the shims alone when it is stopped.
 */
#include "client/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/start.h"
#include "core/path.h"

static bool manager_listens(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int s AMK_AUTO(fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int dir AMK_AUTO(fd) = -1;
	struct sockaddr_un at;
	char *path;

	if (!runtime || runtime[0] != '/' || s < 0)
		return false;
	path = amk_strf("%s/systemd", runtime);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (dir < 0)
		return false;
	amk_path_socket(&at, dir, "private");
	return connect(s, (struct sockaddr *)&at, sizeof at) == 0;
}

static bool find_run(char to[AMK_PATH_MAX])
{
	const char *path = getenv("PATH");

	return path && amk_path_program(to, "systemd-run", path, NULL) == 0;
}

bool amk_unit_possible(void)
{
	char run[AMK_PATH_MAX];

	return find_run(run) && manager_listens();
}

/* FNV-1a: tells state folders apart in unit names. */
static uint64_t hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

static void arguments(struct amk_strv *argv, const char *program, const char *state)
{
	struct amk_strv env AMK_AUTO(strv) = { 0 };

	amk_start_environment(&env, state);
	amk_strv_add(argv, "systemd-run");
	amk_strv_add(argv, "--user");
	amk_strv_add(argv, "--quiet");
	amk_strv_add(argv, "--collect");
	amk_strv_addf(argv, "--unit=amikad-%016llx", (unsigned long long)hash(state));
	amk_strv_add(argv, "--property=Type=notify");
	amk_strv_add(argv, "--property=KillMode=process");
	amk_strv_add(argv, "--property=WorkingDirectory=/");
	amk_strv_addf(argv, "--property=StandardOutput=append:%s/amikad.log", state);
	for (size_t i = 0; i < env.n; i++)
		amk_strv_addf(argv, "--setenv=%s", env.v[i]);
	amk_strv_add(argv, program);
	amk_strv_add(argv, "serve");
}

static _Noreturn void become_run(const char *run, char *const *argv)
{
	int null = open("/dev/null", O_RDWR);

	amk_start_reset_signals();
	if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2 &&
	    close_range(3, ~0u, 0) == 0)
		execv(run, argv);
	_exit(127);
}

int amk_unit_start(const char *state)
{
	struct amk_strv argv AMK_AUTO(strv) = { 0 };
	char run[AMK_PATH_MAX], program[AMK_PATH_MAX];
	int status = -1;
	pid_t pid;

	if (!find_run(run) || amk_path_helper(program, "amikad", NULL) < 0)
		return -1;
	arguments(&argv, program, state);
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		become_run(run, argv.v);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
