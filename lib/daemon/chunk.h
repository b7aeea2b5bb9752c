/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks: stretches of the log as frames, ready to be sent. Readers at the same place share one, so a
 * thousand of them cost one look into the database. Nobody owns a chunk: it may be given up at any time, and
 * is made anew from the log.
 */
#ifndef AMK_DAEMON_CHUNK_H
#define AMK_DAEMON_CHUNK_H

#include "daemon/daemon.h"

#define AMK_CHUNK_SIZE (60u << 10) /* bytes it is filled to; with a last frame as most are, a buffer of 64 KiB */

struct amk_chunks;

/* What a chunk is made of, and how. */
struct amk_chunk_key {
	int64_t session;	/* row; 0: all sessions */
	const char *session_id; /* of it, borrowed; not part of what makes chunks equal */
	uint64_t after;		/* the cursor: a sequence of the session, a row of the log for all */
	bool hidden;		/* profile=amika: all events, and a line where some are not kept any more */
	bool raw;		/* with the native payload */
	/* One line as it is sent; id 0: it has none. As amk_sse_frame. */
	void (*frame)(struct amk_buf *b, uint64_t id, const char *line, size_t n);
};

struct amk_chunk {
	struct amk_chunk_key key;
	uint64_t id;	       /* of its content, never used again */
	struct amk_buf bytes;
	size_t n, max;	       /* frames */
	struct amk_chunk_mark {
		uint64_t cursor; /* behind the frame */
		size_t end;	 /* in bytes */
	} *marks;
	bool last;     /* nothing stood behind it */
	uint64_t seen; /* when this was the newest row of the log */
	uint64_t epoch; /* of the log */
	bool used;     /* since the last amk_chunks_age */
	struct amk_chunk *next;
};

/* The line that says that nothing between two cursors is kept any more; session_id NULL: of all. */
#define AMK_CHUNK_GAP_MAX 1024
void amk_chunk_gap(struct amk_buf *b, const char *session_id, uint64_t after, uint64_t before);

struct amk_chunks *amk_chunks_new(struct amk_daemon *d);
void amk_chunks_free(struct amk_chunks *cs);
/*
 * The frames after a cursor; a chunk without any only if nothing stood there when `fresh` was the newest row.
 * NULL: the log cannot be read. Valid until the next call; later only as long as its id is the same.
 */
const struct amk_chunk *amk_chunks_get(struct amk_chunks *cs, const struct amk_chunk_key *key, uint64_t fresh,
				       struct amk_err *e);
/* Gives up those that nobody asked for since the last call. */
void amk_chunks_age(struct amk_chunks *cs);

#endif
