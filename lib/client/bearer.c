/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens come from the environment and from files, never from a command line others can read. */
#include "client/bearer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lines.h"
#include "core/path.h"

/* What may stand in a header without becoming something else there. */
static int check(const char *s, size_t n, const char *source, struct amk_err *e)
{
	if (n == 0)
		return amk_err_set(e, AMK_EUSAGE, "%s holds no token", source);
	if (n > AMK_BEARER_MAX)
		return amk_err_set(e, AMK_EUSAGE, "%s holds more than a token's %d bytes", source, AMK_BEARER_MAX);
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return amk_err_set(e, AMK_EUSAGE, "%s holds a byte that no token has: only ASCII without spaces",
					   source);
	return 0;
}

/* The file's one line. */
static int fd_read(char **token, int fd, const char *source, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_BEARER_MAX + 2);
	int r = amk_lines_all(fd, &b, e);

	if (r < 0)
		return amk_err_wrap(e, "%s", source);
	while (b.n && (b.s[b.n - 1] == '\n' || b.s[b.n - 1] == '\r'))
		b.n--;
	r = check(b.s, b.n, source, e);
	if (r == 0)
		*token = amk_strndup(b.s, b.n);
	explicit_bzero(b.s, b.n);
	return r;
}

static int file_read(char **token, const char *path, const char *source, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return amk_err_sys(e, "%s %.200s", source, path);
	return fd_read(token, fd, source, e);
}

/* Somebody else's file would make us show somebody else's token. */
static void own_read(char **token)
{
	char state[AMK_PATH_MAX], *path AMK_AUTO(mem) = NULL;
	int fd AMK_AUTO(fd) = -1;
	struct stat st;

	if (amk_path_state(state, NULL) < 0)
		return;
	path = amk_strf("%s/token", state);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		fd_read(token, fd, "STATE/token", NULL); /* nobody asked for it: without one the daemon says what it wants */
}

int amk_bearer_find(char **token, const char *given, bool own, struct amk_err *e)
{
	const char *value = getenv("AMIKA_TOKEN"), *file = getenv("AMIKA_TOKEN_FILE");

	*token = NULL;
	if (given)
		return file_read(token, given, "--token-file", e);
	if (value && value[0]) {
		if (check(value, strlen(value), "AMIKA_TOKEN", e) < 0)
			return -1;
		*token = amk_strdup(value);
		return 0;
	}
	if (file && file[0])
		return file_read(token, file, "AMIKA_TOKEN_FILE", e);
	if (own)
		own_read(token);
	return 0;
}

void amk_bearer_free(char *token)
{
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
}
