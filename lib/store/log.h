/* SPDX-License-Identifier: Apache-2.0 */
/* The log: numbered lines of every session, read by cursor, never queued. */
#ifndef AMK_STORE_LOG_H
#define AMK_STORE_LOG_H

#include "store/store.h"

struct amk_log_line {
	int64_t session; /* row */
	uint64_t sequence;
	bool hidden; /* only for readers with profile=amika */
	const char *line;
	size_t n;
	size_t raw_at;	 /* see amk_event_write */
	int64_t run;	 /* where the native bytes stand: run row, 0 when there are none */
	uint64_t raw_offset;
	uint32_t raw_n;
};

/* Within the turn's transaction. Sequence must be the session's next. */
int amk_log_append(struct amk_store *s, const struct amk_log_line *line, struct amk_err *e);

/*
 * Lines of a session after a sequence, in order, committed or of this turn; hidden ones only if asked
 * for. Stops after `limit` lines or when `each` returns false.
 */
int amk_log_read(struct amk_store *s, int64_t session, uint64_t after, uint64_t limit, bool hidden,
		 bool (*each)(void *arg, const struct amk_log_line *line), void *arg, struct amk_err *e);

/* A subscriber: wake(arg) after each commit that appended to the session. Memory is the caller's. */
struct amk_log_sub {
	int64_t session;
	void (*wake)(void *arg);
	void *arg;
	struct amk_log_sub *next, **link; /* the store's */
};
void amk_log_subscribe(struct amk_store *s, struct amk_log_sub *sub);
void amk_log_unsubscribe(struct amk_store *s, struct amk_log_sub *sub);

#endif
