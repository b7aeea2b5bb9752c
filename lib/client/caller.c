/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's environment is chosen by name; nothing is taken because it happens to be there. */
#include "client/caller.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/jw.h"
#include "core/utf8.h"

/* '*' at the end matches. */
static const char *const usual[] = { "PATH",	   "HOME",	  "USER",     "SHELL",	       "LANG", "LC_*", "TZ",
				     "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", NULL };

static bool name_is_ours(const char *name, size_t n)
{
	return amk_strv_name_is(name, n, "AMIKA_*");
}

static bool name_is_usable(const char *name, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

	return n > 0 && !(name[0] >= '0' && name[0] <= '9') && strspn(name, set) >= n;
}

static bool name_is_wanted(const char *name, size_t n, const struct amk_json *patterns)
{
	for (size_t i = 0; usual[i]; i++)
		if (amk_strv_name_is(name, n, usual[i]))
			return true;
	for (const struct amk_json *p = amk_json_first(patterns); p; p = amk_json_next(p))
		if (amk_json_str(p) && amk_strv_name_is(name, n, amk_json_str(p)))
			return true;
	return false;
}

/* A later value of a name takes the earlier one's place. */
static int pair_put(struct amk_strv *to, const char *name, size_t n, const char *value, struct amk_err *e)
{
	char *pair = amk_strf("%.*s=%s", (int)n, name, value);

	if (!amk_utf8_valid(value, strlen(value))) {
		free(pair);
		return amk_err_set(e, AMK_EINVALID, "the value of %.*s is not UTF-8", (int)n, name);
	}
	for (size_t i = 0; i < to->n; i++)
		if (strncmp(to->v[i], pair, n + 1) == 0) {
			free(to->v[i]);
			to->v[i] = pair;
			return 0;
		}
	amk_strv_add(to, pair);
	free(pair);
	return 0;
}

static int given_put(struct amk_strv *to, const char *given, struct amk_err *e)
{
	size_t n = strcspn(given, "=");
	char *name;
	const char *value;

	if (!name_is_usable(given, n))
		return amk_err_set(e, AMK_EUSAGE, "--env: \"%.*s\" is not a variable's name", (int)(n < 80 ? n : 80),
				   given);
	if (name_is_ours(given, n))
		return amk_err_set(e, AMK_EUSAGE, "--env: %.*s is amika's own and goes to no session", (int)n, given);
	if (given[n])
		return pair_put(to, given, n, given + n + 1, e);
	name = amk_strndup(given, n);
	value = getenv(name);
	free(name);
	if (!value) {
		amk_err_set(e, AMK_EUSAGE, "--env: %.200s is not set here", given);
		return amk_err_hint(e, "set it, or give %.60s=VALUE", given);
	}
	return pair_put(to, given, n, value, e);
}

int amk_caller_given(struct amk_strv *to, const struct amk_strv *given, struct amk_err *e)
{
	for (size_t i = 0; i < given->n; i++)
		if (given_put(to, given->v[i], e) < 0)
			return -1;
	return 0;
}

int amk_caller_environment(struct amk_strv *to, const struct amk_json *patterns, const struct amk_strv *given,
			   struct amk_err *e)
{
	for (char **v = environ; v && *v; v++) {
		size_t n = strcspn(*v, "=");

		if (!(*v)[n] || !name_is_usable(*v, n) || name_is_ours(*v, n) || !name_is_wanted(*v, n, patterns))
			continue;
		if (pair_put(to, *v, n, *v + n + 1, e) < 0)
			return -1;
	}
	return amk_caller_given(to, given, e);
}

void amk_caller_write(struct amk_buf *b, const char *key, const struct amk_strv *pairs)
{
	amk_jw_open(b, key, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		char *name AMK_AUTO(mem) = amk_strndup(pairs->v[i], strcspn(pairs->v[i], "="));

		amk_jw_cstr(b, name, pairs->v[i] + strlen(name) + 1);
	}
	amk_jw_close(b, '}');
}

int amk_caller_directory(char to[AMK_PATH_MAX], const char *given, struct amk_err *e)
{
	char *path AMK_AUTO(mem) = realpath(given ? given : ".", NULL);
	struct stat st;

	if (!path && !given) {
		amk_err_sys(e, "the current directory");
		return amk_err_hint(e, "name one with -C DIR");
	}
	if (!path || stat(path, &st) < 0)
		return amk_err_sys(e, "directory %.300s", given);
	if (!S_ISDIR(st.st_mode))
		return amk_err_set(e, AMK_EINVALID, "%.300s is not a directory", given);
	if (!amk_utf8_valid(path, strlen(path)))
		return amk_err_set(e, AMK_EINVALID, "the path of the directory is not UTF-8");
	if (strlen(path) >= AMK_PATH_MAX)
		return amk_err_set(e, AMK_EINVALID, "the path of the directory is too long");
	memcpy(to, path, strlen(path) + 1);
	return 0;
}

int amk_caller_far_directory(const char *given, struct amk_err *e)
{
	if (given[0] != '/') {
		amk_err_set(e, AMK_EUSAGE, "-C %.300s is not an absolute path", given);
		return amk_err_hint(e, "a folder of the daemon's machine is meant");
	}
	if (!amk_utf8_valid(given, strlen(given)))
		return amk_err_set(e, AMK_EINVALID, "the path of the directory is not UTF-8");
	if (strlen(given) >= AMK_PATH_MAX)
		return amk_err_set(e, AMK_EINVALID, "the path of the directory is too long");
	return 0;
}

void amk_caller_name(char to[AMK_CALLER_NAME], const char *program, bool terminal)
{
	struct passwd *pw = getpwuid(geteuid());
	const char *tty = terminal ? ttyname(STDIN_FILENO) : NULL;
	char user[64];

	if (pw && amk_utf8_valid(pw->pw_name, strlen(pw->pw_name)))
		snprintf(user, sizeof user, "%.60s", pw->pw_name);
	else
		snprintf(user, sizeof user, "uid %u", (unsigned)geteuid());
	if (tty)
		snprintf(to, AMK_CALLER_NAME, "%s on %.100s", user, tty);
	else
		snprintf(to, AMK_CALLER_NAME, "%s (%.100s)", user, program);
}
