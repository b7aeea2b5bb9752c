/* SPDX-License-Identifier: Apache-2.0 */
/* libuv with one allocation per handle, freed when libuv says it has let go. */
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

struct caught {
	uv_signal_t uv;
	struct caught *next;
	void (*caught)(void *arg, int signum);
	void *arg;
};

struct child {
	uv_process_t uv;
	struct child *next, **at; /* *at is this child */
	void (*exited)(void *arg, int status, int signum);
	void *arg;
};

struct job {
	uv_work_t uv;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct amk_loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_idle_t idle; /* active while the next wait must not sleep */
	bool again;
	void (*turn)(void *arg);
	void *turn_arg;
	struct caught *signals;
	struct child *children;
};

struct amk_timer {
	uv_timer_t uv;
	void (*fire)(void *arg);
	void *arg;
};

struct amk_watch {
	uv_poll_t uv;
	unsigned asked;
	void (*ready)(void *arg, unsigned ready);
	void *arg;
};

static int uv_failed(struct amk_err *e, int code, const char *what)
{
	errno = -code; /* libuv's codes are negated errno on Linux */
	return amk_err_sys(e, "%s", what);
}

static void must(int code, const char *what)
{
	if (code < 0)
		AMK_BUG("%s: %s", what, uv_strerror(code));
}

static void idle_spin(uv_idle_t *idle)
{
	(void)idle; /* that it is active is all it is for */
}

/* Runs right before the wait, so whoever asked for another turn since the last wait gets it. */
static void turn_end(uv_prepare_t *prepare)
{
	struct amk_loop *l = prepare->data;

	if (l->turn)
		l->turn(l->turn_arg);
	if (l->again)
		uv_idle_start(&l->idle, idle_spin);
	else
		uv_idle_stop(&l->idle);
	l->again = false;
}

struct amk_loop *amk_loop_new(struct amk_err *e)
{
	struct amk_loop *l = amk_calloc(1, sizeof *l);
	int r = uv_loop_init(&l->uv);

	if (r < 0) {
		uv_failed(e, r, "cannot make an event loop");
		free(l);
		return NULL;
	}
	l->prepare.data = l;
	must(uv_prepare_init(&l->uv, &l->prepare), "uv_prepare_init");
	must(uv_idle_init(&l->uv, &l->idle), "uv_idle_init");
	must(uv_prepare_start(&l->prepare, turn_end), "uv_prepare_start");
	return l;
}

static void handle_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void handle_is_closing(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		AMK_BUG("a %s outlives its loop", uv_handle_type_name(handle->type));
}

static void child_unlink(struct child *c)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
}

void amk_loop_free(struct amk_loop *l)
{
	if (!l)
		return;
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	while (l->children) {
		struct child *c = l->children;

		child_unlink(c);
		uv_close((uv_handle_t *)&c->uv, handle_free);
	}
	while (l->signals) {
		struct caught *s = l->signals;

		l->signals = s->next;
		uv_close((uv_handle_t *)&s->uv, handle_free);
	}
	uv_walk(&l->uv, handle_is_closing, NULL);
	while (uv_run(&l->uv, UV_RUN_DEFAULT))
		;
	must(uv_loop_close(&l->uv), "uv_loop_close");
	free(l);
}

void amk_loop_run(struct amk_loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void amk_loop_stop(struct amk_loop *l)
{
	uv_stop(&l->uv);
}

void amk_loop_on_turn(struct amk_loop *l, void (*turn)(void *arg), void *arg)
{
	l->turn = turn;
	l->turn_arg = arg;
}

void amk_loop_again(struct amk_loop *l)
{
	l->again = true;
}

static void timer_fire(uv_timer_t *uv)
{
	struct amk_timer *t = uv->data;

	t->fire(t->arg);
}

struct amk_timer *amk_loop_timer(struct amk_loop *l, void (*fire)(void *arg), void *arg)
{
	struct amk_timer *t = amk_malloc(sizeof *t);

	t->fire = fire;
	t->arg = arg;
	must(uv_timer_init(&l->uv, &t->uv), "uv_timer_init");
	t->uv.data = t;
	return t;
}

void amk_loop_timer_arm(struct amk_timer *t, uint64_t ms)
{
	/* libuv counts from the time it last looked, which a long turn makes too early; and a timer of 0
	 * armed again in its own callback would never let it get to the descriptors. */
	uv_update_time(t->uv.loop);
	must(uv_timer_start(&t->uv, timer_fire, ms ? ms : 1, 0), "uv_timer_start");
}

void amk_loop_timer_disarm(struct amk_timer *t)
{
	uv_timer_stop(&t->uv);
}

void amk_loop_timer_free(struct amk_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->uv, handle_free);
}

static int poll_events(unsigned ready)
{
	return (ready & AMK_READY_READ ? UV_READABLE : 0) | (ready & AMK_READY_WRITE ? UV_WRITABLE : 0) |
	       (ready & AMK_READY_GONE ? UV_DISCONNECT : 0);
}

static void watch_ready(uv_poll_t *uv, int status, int events)
{
	struct amk_watch *w = uv->data;
	unsigned ready = 0;

	if (events & UV_READABLE)
		ready |= AMK_READY_READ;
	if (events & UV_WRITABLE)
		ready |= AMK_READY_WRITE;
	if (events & UV_DISCONNECT)
		ready |= AMK_READY_GONE;
	/* libuv has stopped looking at a descriptor in error; its owner learns why by using it. */
	if (status < 0)
		ready = w->asked;
	w->ready(w->arg, ready);
}

struct amk_watch *amk_loop_watch(struct amk_loop *l, int fd, unsigned ready,
				 void (*ready_cb)(void *arg, unsigned ready), void *arg, struct amk_err *e)
{
	struct amk_watch *w = amk_malloc(sizeof *w);
	int r = uv_poll_init(&l->uv, &w->uv, fd);

	if (r < 0) {
		uv_failed(e, r, "cannot watch a descriptor");
		free(w);
		return NULL;
	}
	w->uv.data = w;
	w->ready = ready_cb;
	w->arg = arg;
	amk_loop_watch_set(w, ready);
	return w;
}

void amk_loop_watch_set(struct amk_watch *w, unsigned ready)
{
	w->asked = ready;
	must(uv_poll_start(&w->uv, poll_events(ready), watch_ready), "uv_poll_start");
}

void amk_loop_watch_free(struct amk_watch *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->uv, handle_free);
}

static void signal_caught(uv_signal_t *uv, int signum)
{
	struct caught *s = uv->data;

	s->caught(s->arg, signum);
}

int amk_loop_signal(struct amk_loop *l, int signum, void (*caught)(void *arg, int signum), void *arg,
		    struct amk_err *e)
{
	struct caught *s = amk_malloc(sizeof *s);
	int r = uv_signal_init(&l->uv, &s->uv);

	if (r < 0) {
		free(s);
		return uv_failed(e, r, "cannot watch signals");
	}
	s->uv.data = s;
	s->caught = caught;
	s->arg = arg;
	r = uv_signal_start(&s->uv, signal_caught, signum);
	if (r < 0) {
		uv_close((uv_handle_t *)&s->uv, handle_free);
		return uv_failed(e, r, "cannot watch a signal");
	}
	s->next = l->signals;
	l->signals = s;
	return 0;
}

static void child_exited(uv_process_t *uv, int64_t status, int signum)
{
	struct child *c = uv->data;

	child_unlink(c);
	if (c->exited)
		c->exited(c->arg, (int)status, signum);
	uv_close((uv_handle_t *)&c->uv, handle_free);
}

static int spawn_failed(struct amk_err *e, const struct amk_spawn *sp, int code)
{
	if (sp->directory && access(sp->directory, X_OK) < 0)
		return amk_err_sys(e, "cannot start %s in %s", sp->path, sp->directory);
	errno = -code;
	return amk_err_sys(e, "cannot start %s", sp->path);
}

/* Fills `stdio` for sp->fds; *null is opened when one of them is -1. */
static int stdio_fill(const struct amk_spawn *sp, uv_stdio_container_t *stdio, int *null, struct amk_err *e)
{
	for (unsigned i = 0; i < sp->nfds; i++) {
		if (sp->fds[i] < 0 && *null < 0) {
			*null = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (*null < 0)
				return amk_err_sys(e, "cannot open /dev/null");
		}
		stdio[i].flags = UV_INHERIT_FD;
		stdio[i].data.fd = sp->fds[i] < 0 ? *null : sp->fds[i];
	}
	return 0;
}

pid_t amk_loop_spawn(struct amk_loop *l, const struct amk_spawn *sp,
		     void (*exited)(void *arg, int status, int signum), void *arg, struct amk_err *e)
{
	uv_stdio_container_t stdio[AMK_SPAWN_FDS];
	uv_process_options_t o = { .exit_cb = child_exited, .file = sp->path, .args = (char **)sp->argv,
				   .env = (char **)sp->env, .cwd = sp->directory, .stdio = stdio,
				   .stdio_count = (int)sp->nfds,
				   .flags = sp->session ? UV_PROCESS_DETACHED : 0 };
	int null AMK_AUTO(fd) = -1;
	struct child *c;
	int r;

	if (sp->nfds > AMK_SPAWN_FDS)
		AMK_BUG("%u descriptors for a child", sp->nfds);
	if (stdio_fill(sp, stdio, &null, e) < 0)
		return -1;
	c = amk_calloc(1, sizeof *c);
	c->uv.data = c;
	c->exited = exited;
	c->arg = arg;
	r = uv_spawn(&l->uv, &c->uv, &o);
	if (r < 0) {
		uv_close((uv_handle_t *)&c->uv, handle_free);
		return spawn_failed(e, sp, r);
	}
	c->next = l->children;
	c->at = &l->children;
	if (c->next)
		c->next->at = &c->next;
	l->children = c;
	return c->uv.pid;
}

static void job_work(uv_work_t *uv)
{
	struct job *j = uv->data;

	j->work(j->arg);
}

static void job_done(uv_work_t *uv, int status)
{
	struct job *j = uv->data;

	(void)status; /* jobs are never cancelled */
	j->done(j->arg);
	free(j);
}

void amk_loop_work(struct amk_loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *j = amk_malloc(sizeof *j);

	*j = (struct job){ .work = work, .done = done, .arg = arg };
	j->uv.data = j;
	must(uv_queue_work(&l->uv, &j->uv, job_work, job_done), "uv_queue_work");
}
