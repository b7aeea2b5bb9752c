/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments: paths in, and what the agent is given of them. */
#include "session/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/jw.h"
#include "core/path.h"

#define WORD_MAX 255 /* of a type, of a name */
#define HEAD 16	     /* bytes that tell what a file is */

struct attachment {
	const char *path, *mime, *filename;
};

static int read_one(struct attachment *a, const struct amk_json *j, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(attachment, path, "path", STR, true),
		AMK_JSON_FIELD(attachment, mime, "mime", STR, false),
		AMK_JSON_FIELD(attachment, filename, "filename", STR, false),
	};

	*a = (struct attachment){ 0 };
	if (amk_json_read(j, fields, AMK_COUNT(fields), a, e) < 0)
		return amk_err_wrap(e, "attachments");
	return 0;
}

/* These words stand in a list of lines that the agent reads. */
static int check_word(const char *what, const char *s, size_t max, struct amk_err *e)
{
	if (s && strlen(s) > max)
		return amk_err_set(e, AMK_EINVALID, "attachments: a %s of more than %zu bytes", what, max);
	for (; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return amk_err_set(e, AMK_EINVALID, "attachments: a %s holds a control character", what);
	return 0;
}

/* Whether a component of a relative path is "..". */
static bool leads_out(const char *path)
{
	for (const char *p = path; path[0] != '/' && *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && memcmp(p, "..", 2) == 0)
			return true;
		p += n + (p[n] == '/');
	}
	return false;
}

static int check_one(const struct attachment *a, struct amk_err *e)
{
	if (check_word("path", a->path, AMK_PATH_MAX - 1, e) < 0 || check_word("type", a->mime, WORD_MAX, e) < 0 ||
	    check_word("name", a->filename, WORD_MAX, e) < 0)
		return -1;
	if (!a->path[0])
		return amk_err_set(e, AMK_EINVALID, "attachments: a path is empty");
	if (!leads_out(a->path))
		return 0;
	amk_err_set(e, AMK_EINVALID, "attachments: %.200s leads out of the session's directory", a->path);
	return amk_err_hint(e, "give a path below it, or an absolute one");
}

int amk_attach_check(const struct amk_json *list, struct amk_err *e)
{
	unsigned n = 0;

	for (const struct amk_json *j = amk_json_first(list); j; j = amk_json_next(j)) {
		struct attachment a;

		if (++n > AMK_ATTACH_MAX)
			return amk_err_set(e, AMK_EINVALID, "attachments: more than %d", AMK_ATTACH_MAX);
		if (read_one(&a, j, e) < 0 || check_one(&a, e) < 0)
			return -1;
	}
	return 0;
}

static bool same_word(const struct amk_json *one, const struct amk_json *other, const char *key)
{
	const char *a = amk_json_get_str(one, key), *b = amk_json_get_str(other, key);

	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool amk_attach_same(const char *stored, const struct amk_json *list)
{
	struct amk_json *j AMK_AUTO(json) = stored ? amk_json_parse(stored, strlen(stored), NULL) : NULL;
	const struct amk_json *one = amk_json_first(j), *other = amk_json_first(list);

	while (one && other && same_word(one, other, "path") && same_word(one, other, "mime") &&
	       same_word(one, other, "filename")) {
		one = amk_json_next(one);
		other = amk_json_next(other);
	}
	return !one && !other;
}

static int open_file(const char *directory, const char *path, struct amk_err *e)
{
	char whole[2 * AMK_PATH_MAX];
	struct stat st;
	int fd;

	snprintf(whole, sizeof whole, "%s%s%s", path[0] == '/' ? "" : directory, path[0] == '/' ? "" : "/", path);
	fd = open(whole, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return amk_err_set(e, AMK_EINVALID, "no such file to attach: %.200s", path);
	if (fd < 0)
		return amk_err_set(e, AMK_EINVALID, "cannot attach %.200s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return amk_err_set(e, AMK_EINVALID, "cannot attach %.200s: it is no file", path);
}

/* By its first bytes: a name may lie, and the model's API refuses an image of another kind than it is told. */
static const char *image_type(const char *s, ssize_t n)
{
	static const struct {
		const char *head;
		size_t n;
		const char *type;
	} rows[] = {
		{ "\x89PNG\r\n\x1a\n", 8, "image/png" },
		{ "\xff\xd8\xff", 3, "image/jpeg" },
		{ "GIF87a", 6, "image/gif" },
		{ "GIF89a", 6, "image/gif" },
	};

	for (size_t i = 0; i < AMK_COUNT(rows); i++)
		if (n >= (ssize_t)rows[i].n && memcmp(s, rows[i].head, rows[i].n) == 0)
			return rows[i].type;
	return n >= 12 && memcmp(s, "RIFF", 4) == 0 && memcmp(s + 8, "WEBP", 4) == 0 ? "image/webp" : NULL;
}

static bool wants_bytes(const struct attachment *a)
{
	return !a->mime || strncmp(a->mime, "image/", 6) == 0;
}

/* Adds the bytes of an image that is not too large. *room is what may still be read for this message. */
static int add_image(struct amk_buf *b, int fd, const char *path, size_t *room, struct amk_err *e)
{
	size_t max = *room < AMK_ATTACH_IMAGE_MAX ? *room : AMK_ATTACH_IMAGE_MAX;
	struct amk_buf bytes AMK_AUTO(buf) = AMK_BUF_INIT(AMK_ATTACH_IMAGE_MAX + 1);
	char head[HEAD];
	const char *type = image_type(head, pread(fd, head, sizeof head, 0));
	struct stat st;
	ssize_t n = 1;

	if (!type || fstat(fd, &st) < 0 || (uint64_t)st.st_size > max)
		return 0;
	/* One byte more than may be: it may have grown since. */
	while (n > 0 && bytes.n <= max) {
		n = read(fd, amk_buf_room(&bytes, max + 1 - bytes.n), max + 1 - bytes.n);
		bytes.n += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return amk_err_set(e, AMK_EINVALID, "cannot attach %.200s: %s", path, strerror(errno));
	if (bytes.n > max)
		return 0;
	*room -= bytes.n;
	amk_jw_cstr(b, "media_type", type);
	amk_buf_adds(b, ",\"data\":\"");
	amk_base64_encode(b, bytes.s, bytes.n);
	amk_buf_addc(b, '"');
	return 0;
}

static int add_one(struct amk_buf *b, const char *directory, const struct amk_json *j, size_t *room, struct amk_err *e)
{
	struct attachment a;
	int fd AMK_AUTO(fd) = -1;

	if (read_one(&a, j, e) < 0)
		return -1;
	fd = open_file(directory, a.path, e);
	if (fd < 0)
		return -1;
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "path", a.path);
	amk_jw_cstr(b, "mime", a.mime);
	amk_jw_cstr(b, "filename", a.filename);
	if (wants_bytes(&a) && add_image(b, fd, a.path, room, e) < 0)
		return -1;
	amk_jw_close(b, '}');
	return 0;
}

int amk_attach_read(struct amk_buf *b, const char *directory, const struct amk_json *list, struct amk_err *e)
{
	size_t room = AMK_ATTACH_BYTES_MAX;

	if (!amk_json_first(list))
		return 0;
	amk_jw_open(b, NULL, '[');
	for (const struct amk_json *j = amk_json_first(list); j; j = amk_json_next(j))
		if (add_one(b, directory, j, &room, e) < 0)
			return -1;
	amk_jw_close(b, ']');
	return amk_buf_ok(b) ? 0 : amk_err_set(e, AMK_ETOOBIG, "attachments of more than %zu bytes", b->max);
}
