/* SPDX-License-Identifier: Apache-2.0 */
/* The store's parts, for the files of this folder only. */
#ifndef AMK_STORE_INSIDE_H
#define AMK_STORE_INSIDE_H

#include "store/checkpoint.h"
#include "store/log.h"
#include "store/shape.h"
#include "store/sql.h"
#include "store/store.h"
#include "store/sync.h"

/* Where a session's log ends, with this turn's lines; session 0: nothing is known. */
struct amk_log_end {
	int64_t session;
	uint64_t sequence;
};

/* The text of a shape, as it was read; row 0: none. */
struct amk_shape_seen {
	int64_t row;
	char *text;
	size_t n;
};

struct amk_store {
	struct amk_sql sql;
	struct amk_loop *loop;
	struct amk_sync *sync;
	struct amk_checkpoint *checkpoint; /* NULL while the database is not open */
	int dir;
	char *file;
	struct {
		struct amk_log_sub *first, **end; /* in the order they came */
		struct amk_log_sub *late, **late_end; /* came while others were woken */
		struct amk_log_sub *next;	      /* to be woken */
		bool waking;
		int64_t *dirty;		 /* sessions appended to, at times twice */
		size_t committed;	 /* so many of these by turns that have ended */
		size_t dirty_n, dirty_max;
		uint64_t row, committed_row;	/* the newest, and the newest that readers may see */
		uint64_t forgetting, forgotten; /* the same of amk_log_forgotten */
		struct amk_log_end ends[256];	/* of session N at N modulo 256 */
		bool taking;			/* this turn takes lines from readers */
		uint64_t epoch;
		int (*appended)(void *arg, const struct amk_log_line *line, struct amk_err *e);
		void *appended_arg;
	} log;
	struct amk_shape_seen shapes[64]; /* shape N at N modulo 64 */
	struct amk_shape_slot *slots;	  /* for the next lines; NULL: none was written yet */
	uint64_t slots_used;
};

/* log.c */
void amk_log_init(struct amk_store *s);
int amk_log_opened(struct amk_store *s, struct amk_err *e); /* the database was: reads where its log ends */
void amk_log_release(struct amk_store *s);
void amk_log_wake(struct amk_store *s);	  /* after a commit */
void amk_log_forget(struct amk_store *s); /* after a rollback */
void amk_log_take(struct amk_store *s);	  /* lines that readers could see are gone with this turn */

#endif
