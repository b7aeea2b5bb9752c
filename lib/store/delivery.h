/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries: which line of the log still has to reach which hook. One that has reached it is deleted. */
#ifndef AMK_STORE_DELIVERY_H
#define AMK_STORE_DELIVERY_H

#include "store/store.h"

#define AMK_DELIVERY_FAILED_MAX 1000 /* given up and kept; older ones are deleted */

struct amk_delivery {
	int64_t row;	  /* never used again */
	const char *hook; /* its name */
	int64_t session;
	const char *session_id; /* readers only */
	uint64_t sequence;	/* of the line */
	const char *event;	/* what the hook was asked to be told: "decision.open" */
	bool failed;		/* given up; else waiting */
	int attempts;		/* begun */
	int64_t created, due, until; /* ns; due: not before; until: not tried again after */
	const char *error;	/* of the last attempt, or NULL */
	const char *line;	/* amk_delivery_add and amk_delivery_find only; without its newline */
	size_t n;
};

int amk_delivery_add(struct amk_store *s, struct amk_delivery *r, struct amk_err *e);
/*
 * Those a hook waits for that are due, the longest due first, until each returns false, AMK_DELIVERY_LOOK at most.
 * Due, too, is what would be only after `most`: the clock was set back.
 */
#define AMK_DELIVERY_LOOK 64
struct amk_delivery_when {
	const char *hook;
	int64_t now, most;
};
int amk_delivery_due(struct amk_store *s, const struct amk_delivery_when *when,
		     bool (*each)(void *arg, const struct amk_delivery *r), void *arg, struct amk_err *e);
/* When the hook's next one that is not due yet will be; 0: there is none. */
int amk_delivery_next(struct amk_store *s, const char *hook, int64_t now, int64_t *due, struct amk_err *e);
/* Calls each with the name of every hook for which something waits. */
int amk_delivery_hooks(struct amk_store *s, void (*each)(void *arg, const char *hook), void *arg, struct amk_err *e);
/* Calls each with that one, if it is there and its session not forgotten. */
int amk_delivery_find(struct amk_store *s, int64_t row, bool (*each)(void *arg, const struct amk_delivery *r), void *arg,
		      struct amk_err *e);

/* What became of one; nothing if it was forgotten meanwhile. */
int amk_delivery_begin(struct amk_store *s, int64_t row, struct amk_err *e); /* an attempt more */
int amk_delivery_done(struct amk_store *s, int64_t row, struct amk_err *e);
int amk_delivery_again(struct amk_store *s, int64_t row, int64_t due, const char *error, struct amk_err *e);
int amk_delivery_fail(struct amk_store *s, int64_t row, const char *error, struct amk_err *e);
/* The same of all that wait for a hook. */
int amk_delivery_fail_hook(struct amk_store *s, const char *hook, const char *error, struct amk_err *e);
/* A failed one, or all of them (row 0), from the beginning; *n: how many. */
int amk_delivery_retry(struct amk_store *s, int64_t row, int64_t now, int64_t until, int *n, struct amk_err *e);
/* Deletes a failed one, or all of them (row 0); *n: how many. */
int amk_delivery_drop(struct amk_store *s, int64_t row, int *n, struct amk_err *e);

/* In the order they came, behind a row, at most limit. */
int amk_delivery_list(struct amk_store *s, int64_t after, unsigned limit,
		      bool (*each)(void *arg, const struct amk_delivery *r), void *arg, struct amk_err *e);

struct amk_delivery_count {
	int64_t waiting, retrying, failed; /* retrying: those of the waiting that have failed at least once */
};
int amk_delivery_count(struct amk_store *s, const char *hook, struct amk_delivery_count *n, struct amk_err *e);

#endif
