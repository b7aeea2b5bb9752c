/* SPDX-License-Identifier: Apache-2.0 */
/* The rows beside the log: sessions, messages, runs, their inputs and checkpoints, decisions. */
#ifndef AMK_STORE_STATE_H
#define AMK_STORE_STATE_H

#include "store/store.h"

/* Readers borrow texts for the callback only. Rows of INSERTs get their number in ->row. */

struct amk_state_session {
	int64_t row;
	const char *id, *agent;
	const char *spec; /* JSON: what its program is started from (directory, environment, model, …) */
	const char *native_id; /* or NULL */
	const char *state;     /* "idle", "working", … */
	const char *reason;    /* of the state; NULL as "" */
	int64_t since;	       /* ns: when state or reason changed */
	const char *leaving;   /* why its program is about to be ended, or NULL */
	uint64_t sequence;     /* of its last event */
	int64_t created, updated; /* ns */
	bool ended;
};
/* AMK_EEXISTS when the id is taken. */
int amk_state_session_add(struct amk_store *s, struct amk_state_session *r, struct amk_err *e);
/* Writes native_id, sequence, updated of row, and that it has ended: that is for good. */
int amk_state_session_set(struct amk_store *s, const struct amk_state_session *r, struct amk_err *e);
/* Writes state, reason, since, leaving of row. */
int amk_state_session_status(struct amk_store *s, const struct amk_state_session *r, struct amk_err *e);
/* Writes anew what it is made from. */
int amk_state_session_spec(struct amk_store *s, int64_t row, const char *spec, struct amk_err *e);
/* Those that have not ended, oldest first. */
int amk_state_sessions(struct amk_store *s, bool (*each)(void *arg, const struct amk_state_session *r), void *arg,
		       struct amk_err *e);
/* Calls each with the session of that id, ended or not, if there is one. */
int amk_state_session_find(struct amk_store *s, const char *id,
			   bool (*each)(void *arg, const struct amk_state_session *r), void *arg, struct amk_err *e);
/* All of them, newest first, below row `before`. */
int amk_state_sessions_before(struct amk_store *s, int64_t before,
			      bool (*each)(void *arg, const struct amk_state_session *r), void *arg,
			      struct amk_err *e);
/* How many there are, ended or not. */
int amk_state_session_count(struct amk_store *s, int64_t *n, struct amk_err *e);

enum amk_message_state { AMK_MESSAGE_QUEUED, AMK_MESSAGE_STARTED, AMK_MESSAGE_CANCELLED };
struct amk_state_message {
	int64_t row, session;
	const char *id, *text;
	const char *attachments; /* JSON, or NULL */
	enum amk_message_state state;
	uint64_t after; /* the session's last sequence at acceptance */
	int64_t created;
};
int amk_state_message_add(struct amk_store *s, struct amk_state_message *r, struct amk_err *e);
int amk_state_message_set(struct amk_store *s, int64_t row, enum amk_message_state state, struct amk_err *e);
/* Calls each with the message of that id, if there is one. */
int amk_state_message_find(struct amk_store *s, int64_t session, const char *id,
			   void (*each)(void *arg, const struct amk_state_message *r), void *arg, struct amk_err *e);
/* Queued messages of a session, in order; at most limit. */
int amk_state_messages_queued(struct amk_store *s, int64_t session, unsigned limit,
			      bool (*each)(void *arg, const struct amk_state_message *r), void *arg, struct amk_err *e);

/* A live program of a session: one incarnation. */
struct amk_state_run {
	int64_t row; /* names the spool folder */
	int64_t session;
	int incarnation;
	uint64_t in_n;	/* end of the in spool as committed */
	uint64_t out_n; /* how much of the out spool is in the log */
	const char *checkpoint; /* codec state as JSON, or NULL */
	int64_t checkpoint_input; /* row of the last input it includes */
	uint64_t checkpoint_out;  /* out spool position it includes */
	bool ended;
};
int amk_state_run_add(struct amk_store *s, struct amk_state_run *r, struct amk_err *e);
/* Writes in_n, out_n, ended. */
int amk_state_run_set(struct amk_store *s, const struct amk_state_run *r, struct amk_err *e);
/* Writes the three checkpoint columns and forgets inputs up to checkpoint_input. */
int amk_state_run_checkpoint(struct amk_store *s, const struct amk_state_run *r, struct amk_err *e);
/* The last run of a session, if there is one. */
int amk_state_run_last(struct amk_store *s, int64_t session,
		       void (*each)(void *arg, const struct amk_state_run *r), void *arg, struct amk_err *e);

/* What was put into a codec besides lines, for replay: in recorded order. */
struct amk_state_input {
	int64_t row, run;
	const char *input; /* JSON of amk_input_write */
	const char *bytes; /* for the in spool, from `at` */
	size_t bytes_n;
	uint64_t at;
	uint64_t out_n; /* how much of the out spool had been stepped */
};
int amk_state_input_add(struct amk_store *s, struct amk_state_input *r, struct amk_err *e);
int amk_state_inputs(struct amk_store *s, int64_t run, int64_t after_row,
		     bool (*each)(void *arg, const struct amk_state_input *r), void *arg, struct amk_err *e);

struct amk_state_decision {
	int64_t row; /* "d_ROW" */
	int64_t session;
	const char *session_id; /* readers only */
	int64_t run;
	const char *native_id; /* unique per run */
	const char *kind;      /* "permission", "question" */
	const char *state;     /* "open", "answered", "delivered", "void", "expired" */
	const char *reason;    /* why it is void or expired, or NULL */
	const char *request;   /* JSON object: what is asked, whole */
	const char *answer;    /* JSON object, or NULL */
	const char *by;	       /* who answered, or NULL */
	const char *rule;      /* by which rule, or NULL */
	const char *content;   /* adding only: stands for what is asked, to know it again; or NULL */
	int64_t previous;      /* the row it repeats, or 0 */
	int64_t created, closed; /* ns; closed 0 while open */
	int64_t deadline;	 /* ns since the epoch, or 0 */
	int64_t delivered;	 /* when the program had read the answer, ns; or 0 */
};
int amk_state_decision_add(struct amk_store *s, struct amk_state_decision *r, struct amk_err *e);
/* Closes an open decision: state, reason, answer, by, rule, closed. AMK_EANSWERED when it was not open. */
int amk_state_decision_close(struct amk_store *s, const struct amk_state_decision *r, struct amk_err *e);
/* By row (session 0), or the one of a run by native id (row 0); not found: each is not called. */
int amk_state_decision_find(struct amk_store *s, int64_t row, int64_t run, const char *native_id,
			    void (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e);
/* Oldest first; session 0: of all sessions; open_only: those still to be answered. */
int amk_state_decisions(struct amk_store *s, int64_t session, bool open_only,
			bool (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e);
/*
 * The first of those of the session's last program that it left without an answer, if nothing has repeated it yet: *row,
 * else 0. Only what was asked with that content.
 */
int amk_state_decision_left(struct amk_store *s, int64_t session, const char *content, int64_t *row,
			    struct amk_err *e);
/* What was answered since the last call ends at `upto` of the run's stdin. */
int amk_state_decision_sent(struct amk_store *s, int64_t run, uint64_t upto, struct amk_err *e);
/* All before `upto` was read. *left: where the last answer ends that was not, 0 when there is none. */
int amk_state_decision_read(struct amk_store *s, int64_t run, uint64_t upto, uint64_t *left, struct amk_err *e);
/*
 * Those of a run whose answer was not read, when nothing of its stdin from `upto` on was. UINT64_MAX: it is not known
 * what was, and what counts as read stays so.
 */
int amk_state_decisions_unread(struct amk_store *s, int64_t run, uint64_t upto,
			       bool (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e);
/* Makes one of those void; its answer is kept. */
int amk_state_decision_undeliver(struct amk_store *s, int64_t row, const char *reason, struct amk_err *e);
/* The open ones whose deadline is not after `now`, the earliest first. */
int amk_state_decisions_due(struct amk_store *s, int64_t now,
			    bool (*each)(void *arg, const struct amk_state_decision *r), void *arg, struct amk_err *e);
/* The earliest deadline of an open one after `now`, 0 when there is none. */
int amk_state_decision_deadline(struct amk_store *s, int64_t now, int64_t *deadline, struct amk_err *e);

/*
 * Forgetting. From the commit of the mark on a session is found by nobody, its id is free and what it was made
 * from is gone; what else is left of it is deleted piece by piece.
 */
int amk_state_forget_mark(struct amk_store *s, int64_t session, struct amk_err *e);
/* The marked ones of which something is left. */
int amk_state_forget_marked(struct amk_store *s, void (*each)(void *arg, int64_t session), void *arg,
			    struct amk_err *e);
/* The runs of a session, whose folders are removed before their rows. */
int amk_state_forget_runs(struct amk_store *s, int64_t session, void (*each)(void *arg, int64_t run), void *arg,
			  struct amk_err *e);
/* Deletes at most about so many rows of a marked session; in the end its own, and *left is false. */
int amk_state_forget_some(struct amk_store *s, int64_t session, unsigned rows, bool *left, struct amk_err *e);
/* Deletes at most so many of a session's oldest events up to a sequence; *first is then the oldest kept. */
int amk_state_forget_events(struct amk_store *s, int64_t session, uint64_t upto, unsigned rows, uint64_t *first,
			    struct amk_err *e);

#endif
