/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the soak test share: 200 sessions that are talked to while everything is killed. */
#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/bench.h"
#include "event/check.h"

#define SOAK_SESSIONS 200
#define SOAK_DECISIONS 8 /* of a session, waiting for our answer */

/* An answer read line by line: HTTP's head and chunks are taken off. */
struct soak_stream {
	int fd; /* -1: not connected */
	int state;
	size_t left;
	struct amk_buf line;
};
/* GET path, as profile=amika from `after` on. False when nobody answers. */
bool soak_stream_open(struct soak_stream *st, const char *session, uint64_t after);
void soak_stream_close(struct soak_stream *st);
/* Reads what there is without waiting; each line without its newline. False when the stream has ended. */
bool soak_stream_read(struct soak_stream *st, void (*each)(void *arg, const char *line, size_t n), void *arg);

struct soak_decision {
	char id[24];
	bool question;
	int64_t at; /* when it is to be answered */
};

/* One session, and us as its user: one message at a time. */
struct soak_session {
	char id[16];
	struct soak_stream live;
	int64_t connect_at;
	uint64_t last;	/* number of the last event seen */
	uint32_t *hash; /* of every event, by its number: what was said is never said otherwise */
	size_t hash_max;
	struct amk_check *check;
	unsigned message; /* the n-th */
	const char *text;
	bool running, accepted; /* the message: sent and not ended; acknowledged */
	int64_t sent_at, next_at;
	struct soak_decision decisions[SOAK_DECISIONS];
};

extern struct soak {
	int64_t began, length; /* ns */
	uint64_t random;
	bool closing; /* no more messages */
	struct soak_session s[SOAK_SESSIONS];
	unsigned long messages, events, agents, shims, daemons, restarts, storms, replays, failures;
	double rss_early, rss_late, rss_most; /* MB */
	size_t files_early;		      /* open files of the daemon */
} soak;

/* ---- soak.c ---- */

uint64_t soak_random(uint64_t below);
/* Says what is wrong, and counts it: the test goes on to find more. */
void soak_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
double soak_part(void); /* of the time that has passed, from 0 to 1 */

/* ---- talk.c: the sessions ---- */

void soak_talk_create(void);
/* What is due at this moment. */
void soak_talk_turn(int64_t now);
/* Waits up to ms for something to read. */
void soak_talk_wait(int ms);
bool soak_talk_is_quiet(void); /* every message has ended */
/* All readers leave at once, and come back when they may. */
void soak_talk_storm(int64_t now);
/* Reads a session again from its beginning, and compares. */
void soak_talk_replay(struct soak_session *s);

/* ---- kill.c ---- */

/* The processes of our sessions by name; NULL: all. Returns how many there are; at most max are stored. */
size_t soak_kill_find(const char *name, pid_t *found, size_t max);
void soak_kill_turn(int64_t now);

/* ---- verdict.c ---- */

size_t soak_verdict_files(void); /* open files of the daemon */
void soak_verdict(void);

#endif
