/* SPDX-License-Identifier: Apache-2.0 */
/* The token: a secret in a file, a digest in memory, three ways to spell it in a header. */
#include "daemon/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/lines.h"
#include "core/path.h"

#define RANDOM_BYTES 32

static bool is_sendable(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > AMK_TOKEN_MAX)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

int amk_token_set(struct amk_token *t, const char *text, struct amk_err *e)
{
	if (!is_sendable(text))
		return amk_err_set(e, AMK_EUSAGE, "a token is 1 to %d printable ASCII characters without spaces",
				   AMK_TOKEN_MAX);
	amk_sha256(text, strlen(text), t->digest);
	return 0;
}

/* The folder of a path, opened; *name is the rest. */
static int folder_open(const char *path, const char **name, struct amk_err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir AMK_AUTO(mem) = slash ? amk_strndup(path, (size_t)(slash - path) + 1) : amk_strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*name = slash ? slash + 1 : path;
	return fd < 0 ? amk_err_sys(e, "opening the token's folder %.200s", dir) : fd;
}

static int file_make(const char *path, struct amk_err *e)
{
	uint8_t bytes[RANDOM_BYTES];
	char text[2 * RANDOM_BYTES + 2];
	const char *name;
	int dir AMK_AUTO(fd) = folder_open(path, &name, e), r;

	if (dir < 0)
		return -1;
	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return amk_err_sys(e, "making a token");
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(text + 2 * i, 4, "%02x\n", bytes[i]);
	r = amk_path_write(dir, name, text, sizeof text - 1, e);
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
	return r;
}

static int file_check(int fd, const char *path, struct amk_err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return amk_err_sys(e, "looking at %.200s", path);
	if (!S_ISREG(st.st_mode))
		return amk_err_set(e, AMK_EINVALID, "the token file %.200s is no file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return amk_err_set(e, AMK_EDENIED, "the token file %.200s belongs to another user", path);
	if (st.st_mode & 0077) {
		amk_err_set(e, AMK_EDENIED, "the token file %.200s can be read by others", path);
		return amk_err_hint(e, "chmod 600 %.120s", path);
	}
	return 0;
}

int amk_token_load(struct amk_token *t, const char *path, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(AMK_TOKEN_MAX + 2);
	int fd AMK_AUTO(fd) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r = -1;

	if (fd < 0 && errno == ENOENT) {
		if (file_make(path, e) < 0)
			return -1;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	}
	if (fd < 0)
		return amk_err_sys(e, "opening the token file %.200s", path);
	if (file_check(fd, path, e) < 0)
		return -1;
	if (amk_lines_all(fd, &text, e) == 0) {
		for (size_t n = text.n; n && strchr("\r\n", text.s[n - 1]); n--)
			text.s[n - 1] = '\0';
		r = amk_token_set(t, text.s, e);
	}
	explicit_bzero(text.s, text.n);
	if (r < 0)
		amk_err_set(e, AMK_EINVALID, "the token file %.200s holds no token of 1 to %d characters", path,
			    AMK_TOKEN_MAX);
	return r;
}

static bool is_token(const struct amk_token *t, const void *s, size_t n)
{
	uint8_t digest[AMK_SHA256_SIZE];

	amk_sha256(s, n, digest);
	return amk_sha256_equal(digest, t->digest);
}

static bool basic_allows(const struct amk_token *t, const char *s, size_t n)
{
	struct amk_buf both AMK_AUTO(buf) = AMK_BUF_INIT(2 * AMK_TOKEN_MAX);
	const char *password, *colon;
	bool allowed;

	if (!amk_base64_decode(&both, s, n))
		return false;
	colon = memchr(both.s, ':', both.n);
	password = colon ? colon + 1 : both.s;
	allowed = is_token(t, password, both.n - (size_t)(password - both.s));
	explicit_bzero(both.s, both.n);
	return allowed;
}

bool amk_token_allows(const struct amk_token *t, const char *authorization)
{
	size_t scheme = authorization ? strcspn(authorization, " \t") : 0, n;
	const char *s;

	if (scheme == 0)
		return false;
	s = authorization + scheme;
	s += strspn(s, " \t");
	n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (scheme == 5 && strncasecmp(authorization, "basic", 5) == 0)
		return basic_allows(t, s, n);
	if ((scheme == 6 && strncasecmp(authorization, "bearer", 6) == 0) ||
	    (scheme == 5 && strncasecmp(authorization, "token", 5) == 0))
		return is_token(t, s, n);
	return false;
}
