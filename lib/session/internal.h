/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: the session as it is in memory. */
#ifndef AMK_SESSION_INTERNAL_H
#define AMK_SESSION_INTERNAL_H

#include "core/say.h"
#include "run/run.h"
#include "session/deadline.h"
#include "session/forget.h"
#include "session/session.h"
#include "session/set.h"
#include "session/sleep.h"
#include "session/status.h"
#include "store/state.h"

/* Frames for the program's stdin that are recorded but may not be written before the commit. */
struct amk_pending {
	uint64_t at;
	struct amk_buf bytes;
};

/* The live program. */
struct amk_live {
	struct amk_run *run; /* NULL: not started yet (it is, after the commit), or none */
	int64_t row;	     /* 0: no live program */
	int incarnation;
	uint64_t in_n;	 /* end of what was recorded for its stdin */
	uint64_t out_n;	 /* how much of its stdout was stepped */
	uint64_t out_upto; /* how much there is */
	int64_t input_row; /* the last input recorded */
	int64_t message_row; /* the running turn's message among them; 0: not to be sent again */
	uint64_t message_at; /* its place in `in` */
	uint64_t begun;	     /* nothing of `in` from here on has gone to the program, as far as told */
	uint64_t done;	     /* everything before has, as far as told */
	uint64_t unread;     /* where in `in` the last answer ends of which that is not known; 0: none */
	uint64_t looked;     /* .done when that was looked up last */
	bool told;	     /* something was */
	int64_t turn, swept; /* numbers of turns, as told to its shim: the last begun, the last to be cleared up after */
	uint64_t checkpoint_out;
	int64_t checkpoint_input;
	bool delayed; /* that its start or its input has to be tried again was said */
	bool dismissed; /* it was told to end */
	bool over; /* `end` holds how; what is left of its output is still to be stepped */
	struct amk_run_end end;
	struct amk_buf line; /* bytes from out_n + skipped on; what was stepped of them: line_used */
	size_t line_used;
	uint64_t skipped; /* bytes of a line too long to keep */
	struct amk_pending pending;
};

struct amk_session {
	struct amk_sessions *all;
	struct amk_session *older, *newer, *hash_next;
	bool frozen; /* only to be shown, as it is stored */
	bool ready; /* has work for amk_sessions_work */
	bool acted; /* has been worked on since the last commit */
	struct amk_session *ready_next, *acted_next;

	int64_t row;
	char *id, *native_id;
	struct amk_json *spec;
	const struct amk_codec *codec;
	void *state; /* the codec's */
	uint64_t sequence;
	int64_t created, updated;
	bool ended, ending; /* ending: to be ended as soon as the program is gone */
	bool dismissed;	    /* found by nobody any more, and freed with the turn */
	bool broken;	    /* could not be taken up; counts as ended, for this daemon */
	char *stopping;	    /* why its program is to be ended, resumably; it is as soon as nothing runs. NULL: it is not */
	struct amk_status status;
	bool warm; /* a program is to be started without a message, once none is there */
	bool changed;	    /* the row in the store is behind */
	unsigned queued, open_decisions;
	int incarnations;
	uint64_t first, keep_from; /* the oldest event kept, 0: not known; the oldest to be kept */
	bool trimming;		   /* those between are being deleted */
	struct amk_session *trim_next;
	struct amk_timer *cancel; /* due when the agent has had its time to end a cancelled turn; NULL: never needed yet */
	struct amk_live live;
	const struct amk_decision_answer *answering; /* while an answer is stepped */
	bool answered; /* the running step has */
	struct amk_buf ruled; /* while one is: members its event gets besides, of the rule that answered or was made */
	int64_t *opened;      /* decisions the rules have not been asked about yet */
	size_t nopened;
	uint64_t raw_offset; /* where the line being stepped stands in `out` */
	uint32_t raw_n;	     /* 0: no line is being stepped */
	struct amk_buf writes; /* what the running step wrote */
};

struct amk_waiter {
	struct amk_waiter *next;
	bool for_sleep; /* for the end of the program; else for that of the session */
	struct amk_session *s;
	void (*done)(void *arg, bool ok);
	void *arg;
};

/* Says it with the session's id, and the number of its program when it has one. */
#define AMK_SESSION_SAY(s, level, ...)                                                        \
	amk_say_of(level, "session",                                                           \
		   AMK_SAY_WITH(AMK_SAY_TEXT("session_id", (s)->id),                           \
				AMK_SAY_INT((s)->live.row ? "run" : NULL, (s)->live.row)),     \
		   __VA_ARGS__)

#define AMK_SESSIONS_BUCKETS 256

struct amk_sessions {
	struct amk_sessions_conf conf;
	struct amk_session *newest, *ready, *acted;
	struct amk_session *stirred; /* whose status changed last */
	int64_t since;		     /* then */
	struct amk_session *bucket[AMK_SESSIONS_BUCKETS];
	struct amk_waiter *waiters;
	struct amk_forget *forgets;
	struct amk_session *trims;
	int64_t ended;	/* how many have, in the store */
	unsigned slice; /* rows that are deleted at once, as learned */
	struct amk_timer *deadline;
	int64_t deadline_at; /* what it waits for, ns since the epoch; 0: nothing */
	struct amk_timer *sleeper; /* the next session that has been idle for long is due */
	int64_t sleep_at;	   /* then, wall clock ns; INT64_MAX: none */
	struct amk_timer *again; /* what failed for want of space or descriptors is due again */
	void (*stopped)(void *arg);
	void *stopped_arg;
	bool stopping, in_trouble;
};

/* sessions.c */
/* Not among the others yet; NULL never. */
struct amk_session *amk_sessions_make(struct amk_sessions *all, const struct amk_state_session *r);
void amk_sessions_free(struct amk_session *s);
struct amk_session *amk_sessions_add(struct amk_sessions *all, const struct amk_state_session *r);
/* The one in memory, or NULL. */
struct amk_session *amk_sessions_loaded(const struct amk_sessions *all, const char *id);
void amk_sessions_make_ready(struct amk_session *s);
void amk_sessions_call_waiters(struct amk_session *s); /* those whose time has come */
/* The session is being forgotten. */
void amk_sessions_dismiss(struct amk_session *s);
/* A program could not be started or written to, for a reason that may pass: said, and tried again in a while. */
void amk_sessions_again(struct amk_session *s, const struct amk_err *e);
/* Reports that the store failed; the turn will be undone. */
void amk_sessions_trouble(struct amk_sessions *all, const struct amk_err *e);

/* session.c: starts the next queued message if nothing is in its way; ends the session if that is due. */
void amk_session_pump(struct amk_session *s);
/* An event about a message, with its id and nothing more. */
void amk_session_say_message(struct amk_session *s, const char *type, const char *message_id);
/* Whether it takes anything from a client any more. */
int amk_session_check_open(const struct amk_session *s, struct amk_err *e);

/* said.c: one step of the codec; what it makes goes to the log, the decisions and the in spool. */
void amk_said_step(struct amk_session *s, const struct amk_input *in);
/* An event of the daemon itself. */
void amk_said_own(struct amk_session *s, const struct amk_said *said);

/* live.c */
/* A new incarnation: recorded now, started after the commit. warm: no message follows at once. */
void amk_live_start(struct amk_session *s, bool warm);
void amk_live_committed(struct amk_session *s); /* starts, writes */
bool amk_live_work(struct amk_session *s);	/* steps output; true if more waits */
void amk_live_store(struct amk_session *s);	/* its positions, in the transaction of what moved them */
/* Attaches to the shim of a run an earlier daemon started. */
void amk_live_take_up(struct amk_session *s, const struct amk_state_run *r);
void amk_live_release(struct amk_session *s);	/* lets go */
void amk_live_terminate(struct amk_session *s);
/*
 * The next whole line of the out spool before `upto` as an input; with at_end also what stands there
 * without a newline. *n is its length in the spool. 1: a line; 0: none yet; -1: the spool cannot be read.
 */
int amk_live_next_line(struct amk_live *live, uint64_t upto, bool at_end, struct amk_input *in, uint64_t *n);
void amk_live_line_done(struct amk_live *live, uint64_t n);
/* An input was recorded as `row`, its bytes at `at`. */
void amk_live_recorded(struct amk_live *live, const struct amk_input *in, int64_t row, uint64_t at);

/* replay.c: brings the codec to where the log stands, and what was recorded for stdin into its spool. */
int amk_replay(struct amk_session *s, const struct amk_state_run *run, struct amk_err *e);
/* Loads the codec's state from a checkpoint, a fresh one when there is none. */
int amk_replay_state(struct amk_session *s, const char *checkpoint, struct amk_err *e);

#endif
