/* SPDX-License-Identifier: Apache-2.0 */
/* A live program from the daemon's side: the doorbell on the loop, the spools by descriptor. */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/path.h"
#include "core/say.h"
#include "core/strv.h"
#include "run/bell.h"
#include "run/folder.h"
#include "run/shim.h"
#include "run/stray.h"

#define AGAIN_MS 20   /* a shim that is just starting or ending is looked at again after so long */
#define PACKETS 64    /* taken in one callback */
#define STRAYS_MS 10000 /* what does not die of KILL in this time (the kernel holds it) is left */

/* The ending of what a dead shim left behind, on a helper thread; it outlives the run if that is freed. */
struct search {
	struct amk_run *run; /* NULL: freed meanwhile */
	int64_t id;
	int folder; /* a descriptor of its own */
	uint64_t alive;
	unsigned left;
};

struct amk_run {
	struct amk_loop *loop;
	const struct amk_run_ops *ops;
	void *arg;
	int64_t id;
	int folder, in, out; /* the folder and its spools */
	pid_t pid;	     /* the shim's */
	struct amk_bell bell;
	struct amk_watch *watch; /* of the bell, while connected */
	struct amk_timer *timer; /* to look again */
	struct search *search;	 /* under way, or NULL */
	uint64_t in_n;		 /* rung */
	int64_t grace_ms;	 /* asked to end the tree; -1: not */
	struct amk_shim_pos pos; /* told */
	uint64_t out_n;		 /* told */
	uint64_t alive;		 /* when its shim was last seen alive; 0: not by us */
	bool over, calling, freed;
};

static void destroy(struct amk_run *r)
{
	amk_auto_fd(&r->folder);
	amk_auto_fd(&r->in);
	amk_auto_fd(&r->out);
	free(r);
}

static void disconnect(struct amk_run *r)
{
	amk_loop_watch_free(r->watch);
	r->watch = NULL;
	amk_bell_close(&r->bell);
	r->pid = 0;
}

static void send_numbers(struct amk_run *r)
{
	amk_bell_flush(&r->bell);
	if (r->watch)
		amk_loop_watch_set(r->watch, AMK_READY_READ | (r->bell.waiting ? AMK_READY_WRITE : 0));
}

/* Telling the owner, who may free the run in any of these */

static void tell_positions(struct amk_run *r, const struct amk_shim_pos *pos)
{
	if (r->freed || (pos->begun <= r->pos.begun && pos->done <= r->pos.done))
		return;
	r->pos.done = pos->done > r->pos.done ? pos->done : r->pos.done;
	r->pos.begun = pos->begun > r->pos.done ? pos->begun : r->pos.done;
	r->ops->positions(r->arg, r->pos.begun, r->pos.done);
}

static void tell_out(struct amk_run *r, uint64_t out_n)
{
	if (r->freed || out_n <= r->out_n)
		return;
	r->out_n = out_n;
	r->ops->out(r->arg, out_n);
}

static void tell_end(struct amk_run *r, const struct amk_run_end *end)
{
	struct amk_shim_pos pos;
	struct stat st;

	r->over = true;
	disconnect(r);
	amk_folder_positions(r->folder, &pos);
	r->pos = pos;
	r->ops->positions(r->arg, pos.begun, pos.done);
	if (fstat(r->out, &st) == 0)
		r->out_n = (uint64_t)st.st_size;
	if (!r->freed)
		r->ops->ended(r->arg, end, r->out_n);
}

static void call(struct amk_run *r, void (*what)(struct amk_run *r))
{
	r->calling = true;
	what(r);
	r->calling = false;
	if (r->freed)
		destroy(r);
}

/* Finding out what there is: an end, a shim, or neither */

static void on_bell(void *arg, unsigned ready);

static int connect_bell(struct amk_run *r, bool *nobody)
{
	int fd = amk_folder_connect(r->folder, nobody);

	if (fd < 0)
		return -1;
	amk_bell_connect(&r->bell, fd);
	r->pid = amk_bell_peer(&r->bell);
	if (r->pid >= 0)
		r->watch = amk_loop_watch(r->loop, fd, AMK_READY_READ, on_bell, r, NULL);
	if (!r->watch) {
		disconnect(r);
		return -1;
	}
	amk_bell_ring(&r->bell, AMK_BELL_ASK, 0);
	amk_bell_ring(&r->bell, AMK_BELL_IN, r->in_n);
	/* The connection before this one may have taken it along. */
	if (r->grace_ms >= 0)
		amk_bell_ring(&r->bell, AMK_BELL_END, (uint64_t)r->grace_ms);
	send_numbers(r);
	return 0;
}

/* The shim is dead and left no end: what it kept must not work on unseen. */
static void search_work(void *arg)
{
	struct search *s = arg;

	AMK_CRASH("stray.before");
	s->left = amk_stray_end(s->folder, s->alive, STRAYS_MS);
	AMK_CRASH("stray.after");
}

static void tell_lost(struct amk_run *r)
{
	tell_end(r, &(struct amk_run_end){ .code = -1, .reason = "lost" });
}

static void search_done(void *arg)
{
	struct search *s = arg;

	if (s->left > 0)
		amk_say_of(AMK_SAY_ERROR, "run", AMK_SAY_WITH(AMK_SAY_INT("run", s->id)),
			   "its shim died, and %u processes it kept do not end", s->left);
	amk_auto_fd(&s->folder);
	if (s->run) {
		s->run->search = NULL;
		call(s->run, tell_lost);
	}
	free(s);
}

static void search_start(struct amk_run *r)
{
	int folder = fcntl(r->folder, F_DUPFD_CLOEXEC, 0);

	if (folder < 0) {
		amk_loop_timer_arm(r->timer, AGAIN_MS);
		return;
	}
	r->search = amk_calloc(1, sizeof *r->search);
	*r->search = (struct search){ .run = r, .id = r->id, .folder = folder, .alive = r->alive };
	amk_loop_work(r->loop, search_work, search_done, r->search);
}

static void look(struct amk_run *r)
{
	struct amk_run_end end;
	int got = amk_folder_end(r->folder, &end);
	bool nobody = false;

	if (got == 0 && connect_bell(r, &nobody) == 0)
		return;
	/* Its last act may have come between the two looks. One that is just starting has no lock yet. */
	if (got == 0 && nobody && !amk_folder_is_kept(r->folder)) {
		got = amk_folder_end(r->folder, &end);
		if (got == 0) {
			search_start(r);
			return;
		}
	}
	if (got > 0)
		tell_end(r, &end);
	else
		amk_loop_timer_arm(r->timer, AGAIN_MS);
}

static void hear(struct amk_run *r)
{
	struct amk_shim_pos pos = r->pos;
	uint64_t out_n = r->out_n;
	struct amk_bell_packet p;
	bool ended = false;
	int got = 1;

	for (int i = 0; i < PACKETS && (got = amk_bell_read(&r->bell, &p)) > 0; i++) {
		if (p.kind == AMK_BELL_BEGUN)
			pos.begun = p.value;
		else if (p.kind == AMK_BELL_DONE)
			pos.done = p.value;
		else if (p.kind == AMK_BELL_OUT)
			out_n = p.value;
		else if (p.kind == AMK_BELL_ENDED)
			ended = true;
	}
	tell_positions(r, &pos);
	tell_out(r, out_n);
	if (r->freed)
		return;
	if (got < 0 || ended) {
		r->alive = amk_tree_now();
		disconnect(r);
		look(r);
	} else {
		send_numbers(r);
	}
}

static void on_bell(void *arg, unsigned ready)
{
	(void)ready;
	call(arg, hear);
}

static void on_timer(void *arg)
{
	call(arg, look);
}

/* Beginning */

static struct amk_run *new_run(struct amk_loop *l, int64_t id, const struct amk_run_ops *ops, void *arg)
{
	struct amk_run *r = amk_calloc(1, sizeof *r);

	r->loop = l;
	r->id = id;
	r->ops = ops;
	r->arg = arg;
	r->folder = r->in = r->out = -1;
	r->grace_ms = -1;
	amk_bell_init(&r->bell);
	r->timer = amk_loop_timer(l, on_timer, r);
	return r;
}

/* What stands in the in spool counts as rung: an earlier daemon may have died with the ring unsent. */
static int open_spools(struct amk_run *r, struct amk_err *e)
{
	struct stat st;

	r->in = openat(r->folder, "in", O_WRONLY | O_CLOEXEC);
	r->out = openat(r->folder, "out", O_RDONLY | O_CLOEXEC);
	if (r->in < 0 || r->out < 0 || fstat(r->in, &st) < 0)
		return amk_err_sys(e, "opening the spools of a run");
	r->in_n = (uint64_t)st.st_size;
	return 0;
}

static int spawn_shim(struct amk_run *r, const struct amk_run_spec *spec, const int fds[AMK_SHIM_FD_COUNT],
		      struct amk_err *e)
{
	struct amk_strv argv AMK_AUTO(strv) = { 0 };
	struct amk_strv env AMK_AUTO(strv) = { 0 };
	char path[AMK_PATH_MAX], cookie[AMK_FOLDER_COOKIE];
	struct amk_spawn sp = { .path = spec->shim, .directory = "/", .fds = fds, .nfds = AMK_SHIM_FD_COUNT,
				.session = true };

	if (!spec->shim) {
		if (amk_path_helper(path, "amika-shim", e) < 0)
			return -1;
		sp.path = path;
	}
	amk_strv_add(&argv, "amika-shim");
	amk_strv_addf(&argv, "%" PRId64, spec->lease_ms);
	amk_strv_addf(&argv, "%" PRId64, spec->end_ms);
	amk_strv_addf(&argv, "%" PRIu64, spec->files);
	amk_strv_add(&argv, spec->directory);
	amk_strv_add(&argv, spec->program);
	for (char *const *a = spec->argv; *a; a++)
		amk_strv_add(&argv, *a);
	amk_folder_cookie(r->folder, cookie);
	for (char *const *v = spec->env; *v; v++)
		amk_strv_add(&env, *v);
	amk_strv_add(&env, cookie);
	sp.argv = argv.v;
	sp.env = env.v;
	r->pid = amk_loop_spawn(r->loop, &sp, NULL, NULL, e);
	return r->pid > 0 ? 0 : -1;
}

static int start_shim(struct amk_run *r, const struct amk_run_spec *spec, struct amk_err *e)
{
	int listening AMK_AUTO(fd) = amk_folder_listen(r->folder, e);
	int far AMK_AUTO(fd) = -1;
	int pair[2];

	if (listening < 0)
		return -1;
	AMK_CRASH("start.folder");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return amk_err_sys(e, "making the doorbell of a run");
	amk_bell_connect(&r->bell, pair[0]);
	far = pair[1];
	r->watch = amk_loop_watch(r->loop, r->bell.fd, AMK_READY_READ, on_bell, r, e);
	if (!r->watch)
		return -1;
	return spawn_shim(r, spec, (const int[AMK_SHIM_FD_COUNT]){ -1, -1, -1, r->folder, listening, far }, e);
}

struct amk_run *amk_run_start(struct amk_loop *l, const struct amk_run_spec *spec, const struct amk_run_ops *ops,
			      void *arg, struct amk_err *e)
{
	struct amk_run *r = new_run(l, spec->id, ops, arg);

	r->folder = amk_folder_make(spec->dir, spec->id, e);
	if (r->folder >= 0 && open_spools(r, e) == 0 && start_shim(r, spec, e) == 0)
		return r;
	if (r->folder >= 0)
		amk_folder_remove(spec->dir, spec->id, NULL);
	amk_run_free(r);
	return NULL;
}

static bool nobody_listens(int folder)
{
	bool nobody;
	int fd AMK_AUTO(fd) = amk_folder_connect(folder, &nobody);

	return fd < 0 && nobody;
}

struct amk_run *amk_run_attach(struct amk_loop *l, int dir, int64_t id, const struct amk_run_ops *ops, void *arg,
			       struct amk_err *e)
{
	struct amk_run *r = new_run(l, id, ops, arg);
	struct amk_run_end end;
	bool whole, nobody = false;

	r->folder = amk_folder_open(dir, id, e);
	whole = r->folder >= 0 && open_spools(r, e) == 0;
	/* Reached at once if it can be: amk_run_pid must know the shim before any peer is let in. */
	if (whole && amk_folder_end(r->folder, &end) == 0 && connect_bell(r, &nobody) == 0)
		return r;
	if (r->folder >= 0 && !whole)
		nobody = nobody_listens(r->folder);
	if (nobody && !amk_folder_is_kept(r->folder) && !amk_folder_has_begun(r->folder)) {
		whole = false;
		amk_folder_remove(dir, id, NULL);
		amk_err_set(e, AMK_ENOTFOUND, "run %" PRId64 " was never started", id);
	}
	if (!whole) {
		amk_run_free(r);
		return NULL;
	}
	amk_loop_timer_arm(r->timer, 0);
	return r;
}

void amk_run_free(struct amk_run *r)
{
	if (!r || r->freed)
		return;
	r->freed = true;
	if (r->search)
		r->search->run = NULL;
	disconnect(r);
	amk_loop_timer_free(r->timer);
	r->timer = NULL;
	if (!r->calling)
		destroy(r);
}

/* Using it */

int amk_run_write(struct amk_run *r, uint64_t at, const void *s, size_t n, struct amk_err *e)
{
	const char *from = s;

	AMK_CRASH("in.before");
	for (size_t put = 0; put < n;) {
		ssize_t w = pwrite(r->in, from + put, n - put, (off_t)(at + put));

		if (w < 0 && errno != EINTR)
			return amk_err_sys(e, "writing to the in spool");
		put += w > 0 ? (size_t)w : 0;
	}
	AMK_CRASH("in.after");
	if (at + n > r->in_n)
		r->in_n = at + n;
	amk_bell_ring(&r->bell, AMK_BELL_IN, r->in_n);
	AMK_CRASH("ring.before");
	send_numbers(r);
	AMK_CRASH("ring.after");
	return 0;
}

ssize_t amk_run_read(struct amk_run *r, uint64_t at, void *to, size_t max, struct amk_err *e)
{
	ssize_t n;

	do
		n = pread(r->out, to, max, (off_t)at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? amk_err_sys(e, "reading the out spool") : n;
}

uint64_t amk_run_out(const struct amk_run *r)
{
	struct stat st;

	return fstat(r->out, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

void amk_run_stderr(struct amk_run *r, struct amk_buf *b)
{
	amk_folder_stderr(r->folder, b);
}

void amk_run_turn(struct amk_run *r, uint64_t turn)
{
	amk_bell_ring(&r->bell, AMK_BELL_TURN, turn);
	send_numbers(r);
}

void amk_run_sweep(struct amk_run *r, uint64_t turn)
{
	amk_bell_ring(&r->bell, AMK_BELL_SWEEP, turn);
	send_numbers(r);
}

void amk_run_terminate(struct amk_run *r, int64_t grace_ms)
{
	r->grace_ms = grace_ms > 0 ? grace_ms : 0;
	amk_bell_ring(&r->bell, AMK_BELL_END, (uint64_t)r->grace_ms);
	send_numbers(r);
}

pid_t amk_run_pid(const struct amk_run *r)
{
	return r->pid;
}

int amk_run_remove(int dir, int64_t id, struct amk_err *e)
{
	return amk_folder_remove(dir, id, e);
}
