/* SPDX-License-Identifier: Apache-2.0 */
/* A line is built whole, then written; the file it goes to is kept short. */
#include "core/say.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/jw.h"
#include "core/time.h"

#define MESSAGE_MAX 1024
#define LINE_MAX 8192
#define AREAS 8

static const char *const level_names[] = { "error", "warn", "info", "debug", "trace" };

struct levels {
	enum amk_say_level general;
	struct {
		char name[16];
		enum amk_say_level level;
	} area[AREAS];
	size_t n;
};

static struct levels levels = { .general = AMK_SAY_INFO };

static struct {
	pthread_mutex_t lock; /* the thread pool says something, too, at times */
	int dir;	      /* -1: not kept */
	char name[64];
	int64_t max, size;
} file = { .lock = PTHREAD_MUTEX_INITIALIZER, .dir = -1 };

/* Levels */

static int level_read(const char *s, size_t n, enum amk_say_level *level, struct amk_err *e)
{
	for (size_t i = 0; i < AMK_COUNT(level_names); i++) {
		if (strlen(level_names[i]) == n && memcmp(level_names[i], s, n) == 0) {
			*level = (enum amk_say_level)i;
			return 0;
		}
	}
	return amk_err_set(e, AMK_EINVALID, "the log's level is error, warn, info, debug or trace, not \"%.*s\"",
			   n < 40 ? (int)n : 40, s);
}

/* One word of "info,http=trace". */
static int word_read(struct levels *to, const char *s, size_t n, struct amk_err *e)
{
	const char *equals = memchr(s, '=', n);
	size_t name_n = equals ? (size_t)(equals - s) : 0;

	if (!equals)
		return level_read(s, n, &to->general, e);
	if (to->n == AREAS || name_n == 0 || name_n >= sizeof to->area[0].name)
		return amk_err_set(e, AMK_EINVALID, "the log has no area \"%.*s\"", name_n < 40 ? (int)name_n : 40, s);
	memcpy(to->area[to->n].name, s, name_n);
	to->area[to->n].name[name_n] = '\0';
	return level_read(equals + 1, n - name_n - 1, &to->area[to->n++].level, e);
}

static int levels_read(struct levels *to, const char *text, struct amk_err *e)
{
	*to = (struct levels){ .general = AMK_SAY_INFO };
	if (strlen(text) >= AMK_SAY_LEVELS_MAX)
		return amk_err_set(e, AMK_EINVALID, "the log's levels are more than %d bytes", AMK_SAY_LEVELS_MAX - 1);
	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, ',');
		if (word_read(to, text, (size_t)(end - text), e) < 0)
			return -1;
	}
	return 0;
}

int amk_say_check(const char *text, struct amk_err *e)
{
	struct levels any;

	return levels_read(&any, text, e);
}

int amk_say_levels(const char *text, struct amk_err *e)
{
	struct levels read;

	if (levels_read(&read, text, e) < 0)
		return -1;
	levels = read;
	return 0;
}

static bool is_said(enum amk_say_level level, const char *area)
{
	for (size_t i = 0; i < levels.n; i++)
		if (strcmp(levels.area[i].name, area) == 0)
			return level <= levels.area[i].level;
	return level <= levels.general;
}

/* The file */

static bool is_same_file(int fd, const struct stat *named)
{
	struct stat open;

	return fstat(fd, &open) == 0 && open.st_dev == named->st_dev && open.st_ino == named->st_ino;
}

/* What cannot be begun anew is gone on with. */
static void file_turn(void)
{
	bool out_too = false;
	char old[sizeof file.name + 2];
	struct stat named;
	int fd;

	snprintf(old, sizeof old, "%s.1", file.name);
	if (fstatat(file.dir, file.name, &named, AT_SYMLINK_NOFOLLOW) == 0) {
		out_too = is_same_file(STDOUT_FILENO, &named);
		renameat(file.dir, file.name, file.dir, old);
	}
	file.size = 0;
	fd = openat(file.dir, file.name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	if (out_too)
		dup2(fd, STDOUT_FILENO);
	close(fd);
}

bool amk_say_keep(int dirfd, const char *name, int64_t max)
{
	struct stat named;

	file.dir = -1;
	if (dirfd < 0 || strlen(name) >= sizeof file.name ||
	    fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) < 0 || !is_same_file(STDERR_FILENO, &named))
		return false;
	file.dir = dirfd;
	file.max = max;
	file.size = named.st_size;
	snprintf(file.name, sizeof file.name, "%s", name);
	return true;
}

static void line_write(const char *s, size_t n)
{
	pthread_mutex_lock(&file.lock);
	if (file.dir >= 0 && file.size > 0 && file.size + (int64_t)n > file.max)
		file_turn();
	n = write(STDERR_FILENO, s, n) < 0 ? 0 : n; /* nowhere left to say it */
	file.size += (int64_t)n;
	pthread_mutex_unlock(&file.lock);
}

/* The line */

static void add_json(struct amk_buf *b, enum amk_say_level level, const char *area, const char *message,
		     const struct amk_say_member *m)
{
	char when[AMK_TIME_TEXT];

	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "time", amk_time_format(when, amk_time_now()));
	amk_jw_cstr(b, "level", level_names[level]);
	amk_jw_cstr(b, "area", area);
	amk_jw_cstr(b, "message", message);
	for (; m && m->key; m++) {
		if (m->text)
			amk_jw_cstr(b, m->key, m->text);
		else
			amk_jw_int(b, m->key, m->number);
	}
	amk_jw_close(b, '}');
}

static void add_text(struct amk_buf *b, enum amk_say_level level, const char *area, const char *message,
		     const struct amk_say_member *m)
{
	char when[AMK_TIME_TEXT];

	amk_buf_addf(b, "%s %s %s: ", amk_time_format(when, amk_time_now()), level_names[level], area);
	amk_jw_escape(b, message, strlen(message));
	for (; m && m->key; m++) {
		amk_buf_addf(b, " %s=", m->key);
		if (m->text)
			amk_jw_escape(b, m->text, strlen(m->text));
		else
			amk_buf_addf(b, "%lld", (long long)m->number);
	}
}

static void __attribute__((format(printf, 4, 0)))
say(enum amk_say_level level, const char *area, const struct amk_say_member *members, const char *fmt, va_list ap)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	char message[MESSAGE_MAX];

	if (vsnprintf(message, sizeof message, fmt, ap) < 0)
		return;
	if (isatty(STDERR_FILENO))
		add_text(&b, level, area, message, members);
	else
		add_json(&b, level, area, message, members);
	amk_buf_addc(&b, '\n');
	if (amk_buf_ok(&b))
		line_write(b.s, b.n);
}

void amk_say(enum amk_say_level level, const char *area, const char *fmt, ...)
{
	va_list ap;

	if (!is_said(level, area))
		return;
	va_start(ap, fmt);
	say(level, area, NULL, fmt, ap);
	va_end(ap);
}

void amk_say_of(enum amk_say_level level, const char *area, const struct amk_say_member *members, const char *fmt,
		...)
{
	va_list ap;

	if (!is_said(level, area))
		return;
	va_start(ap, fmt);
	say(level, area, members, fmt, ap);
	va_end(ap);
}
