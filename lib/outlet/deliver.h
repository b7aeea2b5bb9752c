/* SPDX-License-Identifier: Apache-2.0 */
/* Telling hooks: each line of the log that a hook is to be told of reaches it, at least once, or is given up in the open. */
#ifndef AMK_OUTLET_DELIVER_H
#define AMK_OUTLET_DELIVER_H

#include "outlet/hook.h"
#include "store/store.h"

struct amk_deliver;

struct amk_deliver_conf {
	struct amk_loop *loop;
	struct amk_store *store;
	const struct amk_hooks *hooks; /* borrowed */
	const char *state;	       /* the state folder, borrowed */
	int64_t retry_ms;	       /* pause after the first failure; each further one doubles it */
	int64_t give_up_ms;	       /* after so long one is not tried any more */
	int64_t grace_ms;	       /* between TERM and KILL */
	uint64_t files;		       /* a command's soft limit of open files; 0: the daemon's */
	void (*trouble)(void *arg, const struct amk_err *e); /* the store failed: the turn will be undone */
	void *arg;
};

/* Listens to the log from now on, and goes on with what an earlier daemon left. */
struct amk_deliver *amk_deliver_open(const struct amk_deliver_conf *conf);
/* Commands that run are ended; the next one tells their hooks again. NULL is fine. */
void amk_deliver_close(struct amk_deliver *d);

/* Once per loop turn: what came of commands, and what is due, into the transaction. */
void amk_deliver_work(struct amk_deliver *d);
/* After its commit: starts what is due. True: there is more to work. */
bool amk_deliver_committed(struct amk_deliver *d);
/* Starts nothing more. What runs may take patience_ms to finish and is then ended; done(arg) comes when nothing does. */
void amk_deliver_stop(struct amk_deliver *d, int64_t patience_ms, void (*done)(void *arg), void *arg);

/* Of the deliveries given up one (row), or all (0), begin anew; *n: how many. */
int amk_deliver_retry(struct amk_deliver *d, int64_t row, int *n, struct amk_err *e);

/* Between failed attempt number n and the next one, in ms. */
#define AMK_DELIVER_PAUSE_MAX_MS 300000
int64_t amk_deliver_pause(int64_t retry_ms, int n);

#endif
