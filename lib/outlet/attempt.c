/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a command with what is fixed, and hearing how it ended. */
#include "outlet/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/lines.h"
#include "core/path.h"
#include "run/once.h"

struct amk_attempt {
	struct amk_watch *report_watch, *output_watch;
	int life, report, output; /* our ends; -1 when closed */
	char said[AMK_ONCE_REPORT_MAX];
	size_t said_n;
	char text[AMK_ATTEMPT_OUTPUT + 1];
	size_t text_n;
	void (*over)(void *arg);
	void *arg;
};

const char *amk_attempt_id(char to[AMK_ATTEMPT_ID], int64_t delivery)
{
	return amk_id_of_row(to, 'h', delivery);
}

int64_t amk_attempt_row(const char *id)
{
	return amk_id_row(id, 'h');
}

int amk_attempt_record(const char *line, size_t n, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = memfd_create("amika-record", MFD_CLOEXEC);

	if (fd < 0 || amk_write_all(fd, line, n) < 0 || amk_write_all(fd, "\n", 1) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		amk_err_sys(e, "keeping the record for a hook");
		return -1;
	}
	return amk_take_fd(&fd);
}

/* What comes is read and thrown away beyond what is kept: a command that says much must not stand still. */
static void output_take(struct amk_attempt *a)
{
	char piece[4096];
	ssize_t n;

	for (int i = 0; i < 16; i++) {
		size_t room = AMK_ATTEMPT_OUTPUT - a->text_n;

		n = read(a->output, piece, sizeof piece);
		if (n <= 0)
			break;
		if ((size_t)n < room)
			room = (size_t)n;
		memcpy(a->text + a->text_n, piece, room);
		a->text_n += room;
	}
	a->text[a->text_n] = '\0';
	if (n == 0)
		amk_loop_watch_set(a->output_watch, 0);
}

static void on_output(void *arg, unsigned ready)
{
	(void)ready;
	output_take(arg);
}

/* Its end is the end of the report: amika-once holds that alone, and to the last. */
static void on_report(void *arg, unsigned ready)
{
	struct amk_attempt *a = arg;
	ssize_t n = read(a->report, a->said + a->said_n, sizeof a->said - 1 - a->said_n);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		a->said_n += (size_t)n;
		return;
	}
	amk_loop_watch_set(a->report_watch, 0);
	output_take(a);
	a->over(a->arg);
}

static void environment_fill(struct amk_strv *env, const struct amk_attempt_spec *spec)
{
	const struct passwd *owner = getpwuid(geteuid());
	char own[AMK_PATH_MAX], id[AMK_ATTEMPT_ID];

	if (amk_path_self_dir(own, NULL) == 0 && !strchr(own, ':'))
		amk_strv_addf(env, "PATH=%s:" AMK_PATH_SYSTEM, own);
	else
		amk_strv_add(env, "PATH=" AMK_PATH_SYSTEM);
	amk_strv_addf(env, "HOME=%s", owner ? owner->pw_dir : "/");
	amk_strv_add(env, "LANG=C.UTF-8");
	amk_strv_addf(env, "AMIKA_STATE_DIRECTORY=%s", spec->state);
	amk_strv_addf(env, "AMIKA_HOOK=%s", spec->hook->name);
	amk_strv_addf(env, "AMIKA_EVENT=%s", spec->event);
	amk_strv_addf(env, "AMIKA_SESSION=%s", spec->session_id);
	amk_strv_addf(env, "AMIKA_DELIVERY=%s", amk_attempt_id(id, spec->delivery));
	amk_strv_addf(env, "AMIKA_ATTEMPT=%d", spec->number);
}

static int spawn(struct amk_loop *l, const struct amk_attempt_spec *spec, const int fds[AMK_ONCE_FD_COUNT],
		 struct amk_err *e)
{
	struct amk_strv argv AMK_AUTO(strv) = { 0 };
	struct amk_strv env AMK_AUTO(strv) = { 0 };
	char path[AMK_PATH_MAX];
	struct amk_spawn sp = { .path = path, .directory = "/", .fds = fds, .nfds = AMK_ONCE_FD_COUNT, .session = true };

	if (amk_path_helper(path, "amika-once", e) < 0)
		return -1;
	environment_fill(&env, spec);
	amk_strv_add(&argv, "amika-once");
	amk_strv_addf(&argv, "%" PRId64, spec->hook->deadline_ms);
	amk_strv_addf(&argv, "%" PRId64, spec->grace_ms);
	amk_strv_addf(&argv, "%" PRIu64, spec->files);
	amk_strv_add(&argv, "/");
	amk_strv_add(&argv, spec->hook->command.v[0]);
	for (char *const *word = spec->hook->command.v; *word; word++)
		amk_strv_add(&argv, *word);
	sp.argv = argv.v;
	sp.env = env.v;
	return amk_loop_spawn(l, &sp, NULL, NULL, e) > 0 ? 0 : -1;
}

/* *ours and *theirs of one pipe: `reading` is which end is ours. */
static int pipe_make(int *ours, int *theirs, bool reading, struct amk_err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return amk_err_sys(e, "making a pipe for a hook");
	*ours = ends[reading ? 0 : 1];
	*theirs = ends[reading ? 1 : 0];
	return 0;
}

static int attempt_begin(struct amk_attempt *a, struct amk_loop *l, const struct amk_attempt_spec *spec,
			 struct amk_err *e)
{
	int output AMK_AUTO(fd) = -1, life AMK_AUTO(fd) = -1, report AMK_AUTO(fd) = -1;

	if (pipe_make(&a->output, &output, true, e) < 0 || pipe_make(&a->life, &life, false, e) < 0 ||
	    pipe_make(&a->report, &report, true, e) < 0)
		return -1;
	a->output_watch = amk_loop_watch(l, a->output, AMK_READY_READ, on_output, a, e);
	a->report_watch = a->output_watch ? amk_loop_watch(l, a->report, AMK_READY_READ, on_report, a, e) : NULL;
	if (!a->report_watch)
		return -1;
	AMK_CRASH("hook.start");
	return spawn(l, spec, (const int[]){ spec->record, output, -1, life, report }, e);
}

struct amk_attempt *amk_attempt_start(struct amk_loop *l, const struct amk_attempt_spec *spec, void (*over)(void *arg),
				      void *arg, struct amk_err *e)
{
	struct amk_attempt *a = amk_calloc(1, sizeof *a);

	a->life = a->report = a->output = -1;
	a->over = over;
	a->arg = arg;
	if (attempt_begin(a, l, spec, e) == 0)
		return a;
	amk_attempt_free(a);
	return NULL;
}

const char *amk_attempt_why(const struct amk_attempt *a)
{
	if (a->said_n == 0)
		return "was lost: amika-once was killed";
	return strcmp(a->said, AMK_ONCE_DONE) == 0 ? NULL : a->said;
}

const char *amk_attempt_output(const struct amk_attempt *a)
{
	return a->text;
}

void amk_attempt_end(struct amk_attempt *a)
{
	amk_auto_fd(&a->life);
	a->life = -1;
}

void amk_attempt_free(struct amk_attempt *a)
{
	if (!a)
		return;
	amk_loop_watch_free(a->report_watch);
	amk_loop_watch_free(a->output_watch);
	amk_auto_fd(&a->life);
	amk_auto_fd(&a->report);
	amk_auto_fd(&a->output);
	free(a);
}
