/* SPDX-License-Identifier: Apache-2.0 */
/* The log: numbered lines of every session, read by cursor, never queued. */
#ifndef AMK_STORE_LOG_H
#define AMK_STORE_LOG_H

#include "store/store.h"

struct amk_log_line {
	uint64_t row;	 /* readers only: from 1, in the order of all commits, never used again */
	int64_t session; /* row */
	uint64_t sequence;
	bool hidden; /* only for readers with profile=amika */
	const char *line;
	size_t n;
	size_t raw_at;	 /* see amk_event_write */
	int64_t run;	 /* where the native bytes stand: run row, 0 when there are none */
	uint64_t raw_offset;
	uint32_t raw_n;
	int64_t time;	  /* append only: what the line says, see amk_event_head */
	const char *kind; /* append only: lines of a kind look alike; NULL: such lines are rare */
};

/* Within the turn's transaction. Sequence must be the session's next. */
int amk_log_append(struct amk_store *s, const struct amk_log_line *line, struct amk_err *e);

/*
 * Called for every line appended from now on, within its transaction: what is written there is committed with it or
 * not at all. -1: the append fails with e. One per store; NULL: none.
 */
void amk_log_on_append(struct amk_store *s, int (*appended)(void *arg, const struct amk_log_line *line, struct amk_err *e),
		       void *arg);

struct amk_log_range {
	int64_t session; /* 0: of all sessions, in the order of their rows */
	uint64_t after;	 /* this sequence of the session; of all sessions: this row */
	uint64_t limit;	 /* lines */
	bool hidden;	 /* with the hidden ones */
	bool raw;	 /* fills raw_at, run, raw_offset, raw_n and hidden; else they are 0 */
};
/*
 * Committed lines in order. Stops after the limit or when `each` returns false; the log may be read within it.
 */
int amk_log_read(struct amk_store *s, const struct amk_log_range *range,
		 bool (*each)(void *arg, const struct amk_log_line *line), void *arg, struct amk_err *e);

/* The newest committed row, 0 when there is none. */
uint64_t amk_log_newest(const struct amk_store *s);
/*
 * Within the transaction that deletes lines of a session: the highest row among them. It is not used again.
 * The session's subscribers are woken as if something had been appended.
 */
int amk_log_forgotten(struct amk_store *s, int64_t session, uint64_t row, struct amk_err *e);
/* Within a transaction: the session's subscribers are woken after its commit as if something had been appended. */
void amk_log_stir(struct amk_store *s, int64_t session);
/* Up to this row lines may be missing; 0: nothing was ever forgotten. */
uint64_t amk_log_forgotten_upto(const struct amk_store *s);
/* Another number after each commit that took lines from readers: what was copied from the log may hold them. */
uint64_t amk_log_epoch(const struct amk_store *s);

/* A subscriber: wake(arg) after each commit that appended to the session or stirred it. Memory is the caller's. */
struct amk_log_sub {
	int64_t session; /* 0: to any */
	void (*wake)(void *arg);
	void *arg;
	struct amk_log_sub *next, **link; /* the store's */
};
void amk_log_subscribe(struct amk_store *s, struct amk_log_sub *sub);
void amk_log_unsubscribe(struct amk_store *s, struct amk_log_sub *sub);

#endif
