/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions. A loop turn is: callbacks; amk_sessions_work (steps what arrived, within the store's
 * transaction); amk_store_commit; amk_sessions_committed (programs are started and written to, now
 * that it is on record why).
 */
#ifndef AMK_SESSION_SESSION_H
#define AMK_SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/agent.h"
#include "core/json.h"
#include "core/path.h"
#include "decision/decision.h"
#include "loop/loop.h"
#include "store/store.h"

#define AMK_SESSION_TEXT_MAX (8u << 20) /* bytes of one message */
#define AMK_SESSION_QUEUE_MAX 1000	/* messages waiting in one session */

struct amk_sessions; /* all of them */
struct amk_session;

/* For how long an agent's requests wait, and what it is told when nobody has answered. */
struct amk_session_deadlines {
	int64_t permission_ms, question_ms; /* 0: without end */
	bool allow;			    /* a permission is given then, not refused */
	const char *answer;		    /* to each question; "": it is rejected */
};

struct amk_sessions_conf {
	struct amk_loop *loop;
	struct amk_store *store;
	int run_dir;	     /* STATE/run, borrowed */
	uint64_t files;	     /* programs' soft limit of open files; 0: the daemon's */
	int64_t lease_ms;    /* a shim without a daemon gives up after so long */
	int64_t grace_ms;    /* between TERM and KILL */
	int64_t cancel_ms;   /* an agent has so long to end a turn that was cancelled */
	uint64_t checkpoint_bytes; /* of spool, between checkpoints inside a turn */
	uint64_t step_bytes;	   /* of spool stepped per session and loop turn */
	struct amk_session_deadlines deadlines;
	int64_t sleep_ms; /* a program that has nothing to do for so long is ended; 0: never */
	uint64_t keep_events;	   /* a session's events when it has more than twice that; 0: all */
	/* Only to be shown, as the store has them: no program is taken up, nothing is accepted (AMK_EUNAVAILABLE). */
	bool frozen;
	/* Something the store could not keep: nothing of this loop turn may be committed. */
	void (*trouble)(void *arg, const struct amk_err *e);
	void *arg;
};

/* Loads the sessions that have not ended and takes up the programs that still live. */
struct amk_sessions *amk_sessions_open(const struct amk_sessions_conf *conf, struct amk_err *e);
/* Lets go of all; their programs live on. */
void amk_sessions_close(struct amk_sessions *all);
/* Ends all programs, so that their sessions can be resumed; then done(arg). */
void amk_sessions_stop(struct amk_sessions *all, void (*done)(void *arg), void *arg);
/* True when more is there to be stepped. */
bool amk_sessions_work(struct amk_sessions *all);
/* True when that made new work: work and commit again. */
bool amk_sessions_committed(struct amk_sessions *all);
/* Whether pid is one of the live shims. */
bool amk_sessions_has_shim(const struct amk_sessions *all, pid_t pid);

/*
 * NULL with AMK_ENOSESSION when there is none. Those that have ended stay in the store: what is found is valid
 * until the callback that looked returns. Whoever waits for something keeps the id.
 */
struct amk_session *amk_session_find(struct amk_sessions *all, const char *id, struct amk_err *e);
struct amk_session_numbers {
	int64_t starting, working, waiting, idle, asleep, failed, ended, broken; /* by state */
	int64_t forgetting, programs, open_decisions, queued;
};
void amk_session_count(const struct amk_sessions *all, struct amk_session_numbers *n);
/*
 * Writes the SessionInfo of at most `limit` sessions older than *before (0: from the newest on), newest first.
 * *before is then where to go on, 0 at the end.
 */
int amk_session_list(struct amk_sessions *all, int64_t *before, uint64_t limit, struct amk_buf *b, struct amk_err *e);

/*
 * Makes a session from a request of the API (see amika-api(7)): checks everything, stores it, says
 * session.started. The program starts with the first message.
 */
int amk_session_create(struct amk_sessions *all, const char *id, const struct amk_json *request,
		       struct amk_session **made, struct amk_err *e);

/*
 * The agent's permission mode of that name (NULL: its first one), if it has it and takes it from this user; `vars` are
 * the session's variables.
 */
const struct amk_agent_permission *amk_session_permission(const struct amk_codec *codec, const char *name,
							  const struct amk_json *vars, struct amk_err *e);

/* Where the agent's program is: a helper of ours, or on `path` (NULL: the system's). */
int amk_session_program(char to[AMK_PATH_MAX], const struct amk_codec *codec, const char *path, struct amk_err *e);

enum amk_receipt_state { AMK_RECEIPT_ACCEPTED, AMK_RECEIPT_QUEUED, AMK_RECEIPT_STEERED, AMK_RECEIPT_DUPLICATE };
struct amk_receipt {
	char message_id[129];
	uint64_t after; /* the session's last sequence at acceptance */
	enum amk_receipt_state state;
};
/* A message: starts a turn or waits in the queue. */
struct amk_post {
	const char *id; /* NULL: one is made */
	const char *text;
	const struct amk_json *attachments; /* [{"path","mime"?,"filename"?}], or NULL */
	bool steer; /* into the running turn if there is one; AMK_ECONFLICT where the agent cannot */
};
int amk_session_post(struct amk_session *s, const struct amk_post *post, struct amk_receipt *r, struct amk_err *e);
/*
 * What waits in the queue, in order: objects of sessionId, messageId, position (from 1), queuedAt, text and
 * attachments; at most `limit`, and about 8 MiB of them. *after is the place to go on from (0: the beginning), and
 * then where to go on, 0 at the end.
 */
int amk_session_queue(struct amk_session *s, int64_t *after, uint64_t limit, struct amk_buf *b, struct amk_err *e);
/*
 * Takes a message back that has not started; one that was taken back before is fine. AMK_ENOTFOUND: there is none of
 * that id; AMK_ECONFLICT: it has left the queue.
 */
int amk_session_queue_cancel(struct amk_session *s, const char *message_id, const char *by, struct amk_err *e);
/* The same with all of them. `by` may be NULL. */
void amk_session_queue_clear(struct amk_session *s, const char *by);
/*
 * Interrupts the running turn; nothing to do is no error. If the agent does not end it within cancel_ms its program is
 * ended; the turn ends as cancelled either way. What waits in the queue comes next.
 */
void amk_session_cancel(struct amk_session *s, const char *by);
/* AMK_ECONFLICT while it works or waits for a person: ending its program would cut that off. */
int amk_session_may_sleep(const struct amk_session *s, struct amk_err *e);
/*
 * Ends its program if it may sleep, else as soon as it may; the next message starts another. Then done(arg, true),
 * at once if there is none; done(arg, false) as in amk_session_terminate.
 */
void amk_session_sleep(struct amk_session *s, void (*done)(void *arg, bool ok), void *arg);
/*
 * Sets what the request names (model, permissionMode, title, sleepMs) for as long as the session lives: at once where
 * the agent takes it while it runs, else its program is ended as soon as it has nothing to do, and the next has it.
 */
int amk_session_set(struct amk_session *s, const struct amk_json *request, const char *by, struct amk_err *e);
/* Starts its program without a message. One that runs is no error. */
int amk_session_warm(struct amk_session *s, struct amk_err *e);
/*
 * Ends the session for good: cancels what waits, ends the program. Then done(arg, true), at once if it has
 * ended; done(arg, false) if the sessions are closed before.
 */
void amk_session_terminate(struct amk_session *s, void (*done)(void *arg, bool ok), void *arg);
/*
 * The same, and nothing of it remains: from the moment it has ended it is found by nobody, then all of it is
 * deleted, and done(arg, true) is called when its last byte is overwritten on the disk. What is not finished when the
 * sessions are closed, done(arg, false), is finished after the next start.
 */
void amk_session_forget(struct amk_session *s, void (*done)(void *arg, bool ok), void *arg);
/* done will not be called any more for this arg. */
void amk_session_forget_waiter(struct amk_sessions *all, void *arg);
/* AMK_EANSWERED when it is not open any more. */
int amk_session_answer(struct amk_session *s, const struct amk_decision *d, const struct amk_decision_answer *a,
		       struct amk_err *e);

/* SessionInfo of the API. Values of the environment are masked. */
void amk_session_write(struct amk_buf *b, const struct amk_session *s);
/* "starting", "working", "waiting", "idle", "asleep", "ended", "failed"; why, in a word or a few; since when, in ns. */
const char *amk_session_state(const struct amk_session *s);
const char *amk_session_reason(const struct amk_session *s);
int64_t amk_session_since(const struct amk_session *s);
/* The one in memory whose state changed first after that time, or NULL. */
struct amk_session *amk_session_changed(const struct amk_sessions *all, int64_t after);
int64_t amk_session_newest_change(const struct amk_sessions *all);
int64_t amk_session_row(const struct amk_session *s);
const char *amk_session_id(const struct amk_session *s);
uint64_t amk_session_sequence(const struct amk_session *s);
const char *amk_session_native_id(const struct amk_session *s); /* or NULL */
const char *amk_session_agent(const struct amk_session *s);
const char *amk_session_directory(const struct amk_session *s);
const char *amk_session_permission_mode(const struct amk_session *s);

#endif
