/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the bench share: the table, processes, connections, readers, the two daemons. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "core/buf.h"

#define BENCH_CONNECTIONS 1100 /* at most, at one time */

struct bench_conf {
	const char *bindir, *scratch; /* programs; a folder of ours to write in */
	const char *peer;	      /* the peer's program, or NULL */
	const char *capture;	      /* recorded conversation of Claude Code, 02 */
};
extern struct bench_conf bench_conf;

/* ---- bench.c ---- */

_Noreturn void bench_give_up(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- table.c: rows of SPECIFICATION.md ---- */

enum bench_side { BENCH_AT_MOST, BENCH_AT_LEAST };
/* A promise: broken unless `value` is on that side of `bound`. The text is what was measured. */
void bench_row(const char *what, const char *target, enum bench_side side, double bound, double value,
	       const char *measured, ...) __attribute__((format(printf, 6, 7)));
/* A row without a promise, or one that could not be measured. */
void bench_note(const char *what, const char *target, const char *measured, ...)
	__attribute__((format(printf, 3, 4)));
void bench_table_open(void);
unsigned bench_table_broken(void);
/* The p-th of n values, 0 ≤ p ≤ 1; sorts them. */
double bench_quantile(double *values, size_t n, double p);

/* ---- proc.c: what a process uses ---- */

double bench_cpu(pid_t pid);	  /* seconds on a processor, all its threads */
double bench_resident(pid_t pid); /* MB */
/* From smaps_rollup, in KB: "Pss", "Private_Dirty", … */
double bench_smaps(pid_t pid, const char *key);
pid_t bench_shim(void); /* of any session of ours */
double bench_file_size(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int64_t bench_now(void); /* monotonic, ns */
void bench_wait_ms(int ms);

/* ---- wire.c: HTTP ---- */

struct bench_at {
	struct sockaddr_storage sa;
	socklen_t n;
	const char *headers; /* added to every request, each with CR LF */
};
/* A port of the loopback that nobody listens on now; at becomes its address. */
int bench_free_port(struct bench_at *at);
int bench_connect(const struct bench_at *at);
/* Sends one request; returns the connection. body may be NULL. */
int bench_ask(const struct bench_at *at, const char *method, const char *path, const char *body);
/* Reads an answer of known length. Returns its status, -1 without one; *body may be NULL. */
int bench_answer(int fd, struct amk_buf *body);
/* One request that must succeed; -1 for a daemon that is not there. */
int bench_try(const struct bench_at *at, const char *method, const char *path, const char *body);
void bench_call(const struct bench_at *at, const char *method, const char *path, const char *body);
/* GET requests one after another on each of n connections for so many seconds: answers per second. */
double bench_load(const struct bench_at *at, const char *path, unsigned n, double seconds);

/* ---- readers.c: server-sent events ---- */

struct bench_reader {
	int fd;
	uint64_t first, last; /* numbers of events */
	uint64_t events, missing;
	uint64_t chunks; /* of the transfer coding: at most one each time the server turned to this reader */
	bool gone;
	/* in the making */
	int state;
	uint64_t left;
	size_t at;
	char head[24];
};
struct bench_readers {
	struct bench_reader *r;
	unsigned n;
	int epoll;
};
void bench_readers_open(struct bench_readers *rs, unsigned n, const struct bench_at *at, const char *path);
/* Reads until every reader has seen number `last` or has gone, or nothing came for quiet_ms. False in the last case. */
bool bench_readers_until(struct bench_readers *rs, uint64_t last, int quiet_ms);
/* Reads what there is within ms; false when there was nothing. */
bool bench_readers_pump(struct bench_readers *rs, int ms);
/* Of all readers together. */
uint64_t bench_readers_events(const struct bench_readers *rs, uint64_t *chunks);
void bench_readers_close(struct bench_readers *rs);

/* ---- ours.c ---- */

extern pid_t bench_ours_pid;
extern struct bench_at bench_ours_at, bench_ours_unix; /* over TCP, on its socket */
/* The seconds to the first healthy answer. The state is SCRATCH/NAME, kept between starts. */
double bench_ours_start(const char *name);
void bench_ours_stop(void);
/* A session of the mock without a pace. */
void bench_ours_session(const char *id);
void bench_ours_say(const char *session, const char *text);
/* The number of its last event; *idle: no turn runs. */
uint64_t bench_ours_after(const char *session, bool *idle);
/* Says it and waits until its turn is over, reading meanwhile (rs may be NULL). Returns the last number. */
uint64_t bench_ours_turn(const char *session, const char *text, struct bench_readers *rs);

/* ---- peer.c ---- */

extern pid_t bench_peer_pid;
extern struct bench_at bench_peer_at;
double bench_peer_start(bool log_http);
void bench_peer_stop(void);
/* Plays the peer's agent, or Claude Code: for when this program is called by their names. */
int bench_acp_main(void);
int bench_claude_main(void);

/* ---- the measures ---- */

void bench_start(void);	   /* start, idle memory, both */
void bench_idle(void);	   /* the shim, 1,000 idle readers, 200 live sessions */
void bench_health(void);   /* requests per second, both */
void bench_burst(void);	   /* 10,000 events to 8 readers, both */
void bench_deliver(void);  /* events to 8, 100, 1,000 readers */
void bench_replay(void);   /* a million events, alone and interleaved */
void bench_latency(void);  /* what amika adds */
void bench_growth(void);   /* of the database */

#endif
