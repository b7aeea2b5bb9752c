/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spools against what is on record of them. A daemon may be at work meanwhile, and a spool only grows: what must not be
 * behind the record is measured after it was read, what must not be ahead of it before.
 */
#include "daemon/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "run/folder.h"

#define SHOWN 3

/* A folder below run/, as it was before the record was read. */
struct spool {
	int64_t id;
	uint64_t in_n;
	bool known; /* to the record */
};

/* What is wrong, the first of it. */
struct fault {
	struct amk_buf text;
	unsigned n;
};

struct inspection {
	int dir, run_dir;
	const struct amk_verify_to *to;
	struct spool *spools;
	size_t n;
	struct fault positions, folders, leftovers;
};

__attribute__((format(printf, 2, 3))) static void note(struct fault *f, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (f->n++ >= SHOWN)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	amk_buf_addf(&f->text, "%s%s", f->n > 1 ? "; " : "", text);
}

static void report(const struct inspection *in, struct fault *f, struct amk_finding *found)
{
	if (f->n > SHOWN)
		amk_buf_addf(&f->text, "; and %u more", f->n - SHOWN);
	found->good = f->n == 0;
	found->detail = f->n ? f->text.s : NULL;
	in->to->found(in->to->arg, found);
	amk_buf_release(&f->text);
}

/* 0 when there is no such file. */
static uint64_t size_of(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (uint64_t)st.st_size;
}

/* What amk_path_write and the shim write before they rename it. */
static bool is_temporary(const char *name)
{
	size_t n = strlen(name);

	return name[0] == '.' && n > 5 && strcmp(name + n - 4, ".new") == 0;
}

static void each_entry(int dir, void (*each)(struct inspection *in, const char *name), struct inspection *in)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			each(in, entry->d_name);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

static void see_state_file(struct inspection *in, const char *name)
{
	if (is_temporary(name))
		note(&in->leftovers, "%.80s", name);
}

static void see_folder(struct inspection *in, const char *name)
{
	int folder AMK_AUTO(fd) = -1;
	int64_t id;
	char *end;

	id = strtoll(name, &end, 10);
	folder = openat(in->run_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*end || id <= 0 || folder < 0) {
		note(&in->folders, "run/%.80s is no folder of a program", name);
		return;
	}
	in->spools = amk_realloc(in->spools, (in->n + 1) * sizeof *in->spools);
	in->spools[in->n++] = (struct spool){ .id = id, .in_n = size_of(folder, "in") };
}

static int spool_cmp(const void *a, const void *b)
{
	const struct spool *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* What is missing in `in` must still be recorded: a daemon puts it there when it starts. */
static bool in_is_complete(const struct amk_verify_run *r, uint64_t size)
{
	return size >= r->in_n || (r->recorded_from <= size && r->recorded_to == r->in_n);
}

static void compare_positions(struct inspection *in, const struct amk_verify_run *r, const struct spool *s, int folder)
{
	uint64_t in_n, out_n = size_of(folder, "out");
	struct amk_shim_pos pos;
	bool sent;

	amk_folder_positions(folder, &pos);
	in_n = size_of(folder, "in");
	sent = pos.done > pos.begun || (pos.begun > in_n && pos.begun != UINT64_MAX);
	if (r->out_n > out_n)
		note(&in->positions, "run %" PRId64 " (%s): the log has %" PRIu64 " bytes of its output, out has %" PRIu64,
		     r->row, r->session_id, r->out_n, out_n);
	if (s->in_n > r->in_n)
		note(&in->positions, "run %" PRId64 " (%s): in has %" PRIu64 " bytes, recorded are %" PRIu64, r->row,
		     r->session_id, s->in_n, r->in_n);
	if (!r->ended && !in_is_complete(r, in_n))
		note(&in->positions, "run %" PRId64 " (%s): in has %" PRIu64 " bytes of %" PRIu64 ", and the rest is not "
		     "recorded", r->row, r->session_id, in_n, r->in_n);
	if (sent)
		note(&in->positions, "run %" PRId64 " (%s): pos says begun %" PRIu64 ", done %" PRIu64 ", in has %" PRIu64,
		     r->row, r->session_id, pos.begun, pos.done, in_n);
}

static void compare_run(void *arg, const struct amk_verify_run *r)
{
	struct inspection *in = arg;
	struct spool *s = NULL, key = { .id = r->row };
	int folder AMK_AUTO(fd) = amk_folder_open(in->run_dir, r->row, NULL);
	struct amk_verify_run run = *r;

	if (in->n)
		s = bsearch(&key, in->spools, in->n, sizeof key, spool_cmp);
	if (s)
		s->known = true;
	run.session_id = r->session_id ? r->session_id : "of no session";
	/* Without output it was not started yet: the next daemon does it. */
	if (folder < 0 && !r->ended && r->out_n > 0)
		note(&in->folders, "run %" PRId64 " (%s) has not ended and has no folder", r->row, run.session_id);
	if (folder < 0 || !s)
		return;
	compare_positions(in, &run, s, folder);
	if (r->ended && faccessat(folder, ".end.new", F_OK, 0) == 0)
		note(&in->leftovers, "run/%" PRId64 "/.end.new", r->row);
}

static void look_at_spools(struct inspection *in, struct amk_verify *v)
{
	struct amk_finding positions = { .name = "positions", .needed_for = "programs that outlive the daemon",
					 .remedy = "end these sessions (amika session end); nothing before is lost" };
	struct amk_finding folders = { .name = "spools", .needed_for = "programs that outlive the daemon",
				       .remedy = "remove folders of nothing by hand; a program without its folder is "
						 "taken for lost at the next start" };
	struct amk_finding leftovers = { .name = "leftovers", .needed_for = "order",
					 .remedy = "remove them, if no amikad runs" };
	struct amk_err e = { 0 };

	if (amk_verify_runs(v, compare_run, in, &e) < 0)
		note(&in->positions, "%s", e.msg);
	for (size_t i = 0; i < in->n; i++)
		if (!in->spools[i].known)
			note(&in->folders, "run/%" PRId64 " belongs to no run on record", in->spools[i].id);
	each_entry(in->dir, see_state_file, in);
	report(in, &in->positions, &positions);
	report(in, &in->folders, &folders);
	report(in, &in->leftovers, &leftovers);
}

int amk_inspect(int dir, const char *path, const struct amk_verify_to *to, struct amk_err *e)
{
	const struct fault none = { .text = AMK_BUF_INIT(4096) };
	struct inspection in = { .dir = dir, .to = to, .positions = none, .folders = none, .leftovers = none };
	char *file AMK_AUTO(mem) = amk_strf("%s/amika.db", path);
	int run_dir AMK_AUTO(fd) = openat(dir, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct amk_verify *v;

	if (run_dir < 0 && errno != ENOENT)
		return amk_err_sys(e, "opening %s/run", path);
	in.run_dir = run_dir;
	if (run_dir >= 0)
		each_entry(run_dir, see_folder, &in);
	if (in.n)
		qsort(in.spools, in.n, sizeof *in.spools, spool_cmp);
	v = amk_verify_begin(file, to);
	if (v) {
		amk_verify_tables(v);
		look_at_spools(&in, v);
	}
	amk_verify_end(v);
	free(in.spools);
	return 0;
}
