/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: libuv behind one header. One thread; only amk_loop_work leaves it. */
#ifndef AMK_LOOP_LOOP_H
#define AMK_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

struct amk_loop;

struct amk_loop *amk_loop_new(struct amk_err *e);
/*
 * Timers and watches made on it must have been freed. Work still on a thread is waited for and its
 * `done` called; children are left to run. NULL is fine.
 */
void amk_loop_free(struct amk_loop *l);
void amk_loop_run(struct amk_loop *l); /* until amk_loop_stop */
void amk_loop_stop(struct amk_loop *l);
/* Called once a turn, after all callbacks and before sleeping: commits, wakes, batches. One per loop. */
void amk_loop_on_turn(struct amk_loop *l, void (*turn)(void *arg), void *arg);
/* The next wait does not sleep: there is more to do. */
void amk_loop_again(struct amk_loop *l);

/* A timer, one shot; callbacks may arm it again or free it. */
struct amk_timer;
struct amk_timer *amk_loop_timer(struct amk_loop *l, void (*fire)(void *arg), void *arg);
void amk_loop_timer_arm(struct amk_timer *t, uint64_t ms); /* anew, if armed; 0 counts as 1 */
void amk_loop_timer_disarm(struct amk_timer *t);
void amk_loop_timer_free(struct amk_timer *t); /* NULL is fine */

/*
 * Readiness of a descriptor, level-triggered. The fd is borrowed, made non-blocking, and stays open until
 * after free; one watch per fd. A broken descriptor is reported once as everything asked for, then the
 * watch pauses. GONE also comes when the peer only shut down its sending side.
 */
enum amk_ready { AMK_READY_READ = 1, AMK_READY_WRITE = 2, AMK_READY_GONE = 4 /* peer hung up */ };
struct amk_watch;
struct amk_watch *amk_loop_watch(struct amk_loop *l, int fd, unsigned ready,
				 void (*ready_cb)(void *arg, unsigned ready), void *arg, struct amk_err *e);
void amk_loop_watch_set(struct amk_watch *w, unsigned ready); /* 0 pauses */
void amk_loop_watch_free(struct amk_watch *w);		      /* NULL is fine; may be called in its callback */

/* A signal of this process, delivered on the loop. Stays until the loop is freed. */
int amk_loop_signal(struct amk_loop *l, int signum, void (*caught)(void *arg, int signum), void *arg,
		    struct amk_err *e);

#define AMK_SPAWN_FDS 8

/*
 * A child process. fds[i] becomes descriptor i of the child (-1: /dev/null, and so are 0 to 2 when nfds is
 * less); nothing else is passed but what was opened without O_CLOEXEC. Descriptors 0 to 2 of the child
 * are made blocking, for everybody who shares their open file. Signals are reset to their defaults.
 */
struct amk_spawn {
	const char *path;
	char *const *argv, *const *env; /* NULL-terminated */
	const char *directory;		/* or NULL */
	const int *fds;
	unsigned nfds; /* AMK_SPAWN_FDS at most */
	bool session; /* in a session of its own (setsid) */
};
/* exited is called once, or never if the loop is freed first; it may be NULL. Returns the pid or -1. */
pid_t amk_loop_spawn(struct amk_loop *l, const struct amk_spawn *sp,
		     void (*exited)(void *arg, int status, int signum), void *arg, struct amk_err *e);

/* Runs work(arg) on a helper thread, then done(arg) on the loop. The thread touches only what arg owns. */
void amk_loop_work(struct amk_loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg);

#endif
