/* SPDX-License-Identifier: Apache-2.0 */
/* Where a path leads: as far as it is there by the system's word, and the rest by its name. */
#include "decision/resolve.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int refuse(struct amk_err *e, const char *path, const char *why)
{
	return amk_err_set(e, AMK_EINVALID, "path %.200s: %s", path, why);
}

static int check(const char *path, struct amk_err *e)
{
	if (!path[0] || path[0] == '~')
		return refuse(e, path, "it does not say where it begins");
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return amk_err_set(e, AMK_EINVALID, "the path has a control character");
	return 0;
}

/* Cuts the last component of `path` off; NULL when it is no name. */
static char *cut_name(char *path)
{
	size_t n = strlen(path);
	char *slash;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	slash = strrchr(path, '/');
	if (!slash || !slash[1] || strcmp(slash + 1, ".") == 0 || strcmp(slash + 1, "..") == 0)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* `path` is cut until what is left is there; what was cut is put behind the real path of that. */
static int resolve(char to[AMK_PATH_MAX], char *path, struct amk_err *e)
{
	char rest[AMK_PATH_MAX] = "", longer[AMK_PATH_MAX], real[PATH_MAX];
	struct stat st;
	char *name;

	while (!realpath(path[0] ? path : "/", real)) {
		if (errno != ENOENT)
			return refuse(e, path, strerror(errno));
		if (lstat(path, &st) == 0)
			return refuse(e, path, "a link that leads nowhere");
		name = cut_name(path);
		if (!name)
			return refuse(e, path, "it goes through what is not there");
		if (snprintf(longer, sizeof longer, "/%s%s", name, rest) >= (int)sizeof longer)
			return refuse(e, path, "it is too long");
		memcpy(rest, longer, sizeof rest);
	}
	if (snprintf(to, AMK_PATH_MAX, "%s%s", strcmp(real, "/") == 0 && rest[0] ? "" : real, rest) >= AMK_PATH_MAX)
		return refuse(e, path, "it is too long");
	return 0;
}

int amk_resolve(char to[AMK_PATH_MAX], const char *directory, const char *path, struct amk_err *e)
{
	char whole[AMK_PATH_MAX];
	int n;

	if (check(path, e) < 0)
		return -1;
	n = snprintf(whole, sizeof whole, "%s%s%s", path[0] == '/' ? "" : directory, path[0] == '/' ? "" : "/", path);
	if (n >= (int)sizeof whole)
		return refuse(e, path, "it is too long");
	if (whole[0] != '/')
		return refuse(e, path, "it does not say where it begins");
	return resolve(to, whole, e);
}
