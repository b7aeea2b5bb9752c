/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a codec: one file lib/agent/NAME.c that defines amk_agent_NAME and nothing else
 * visible. A codec is a deterministic step function over an explicit state. No clock, no randomness
 * (ids are counters), no I/O, no static variables that change.
 */
#ifndef AMK_AGENT_AGENT_H
#define AMK_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/strv.h"
#include "event/event.h"

enum amk_input_kind {
	AMK_INPUT_START,   /* the process was started */
	AMK_INPUT_LINE,	   /* a line of its stdout */
	AMK_INPUT_MESSAGE, /* the user's; never while a turn runs, but for `again` */
	AMK_INPUT_ANSWER,  /* to an open decision */
	AMK_INPUT_CANCEL,  /* interrupt the turn */
	AMK_INPUT_STEER,   /* a message of the user's into the running turn; only where the agent can */
	AMK_INPUT_SET,	   /* one of what the codec says is set while it runs */
	AMK_INPUT_EXIT,	   /* the process is gone; everything it wrote was stepped before. A turn that is
			    * still busy then gets START and its message again */
};

/* One input. Text is borrowed for the call. Which members count depends on `kind`. */
struct amk_input {
	enum amk_input_kind kind;
	const char *line; /* LINE: without newline, NUL-terminated; NULL when over the limit */
	size_t line_n;
	const char *id;	     /* MESSAGE, STEER: message id. ANSWER: the agent's id of the decision. SET: "model" or
			      * "permission_mode" */
	const char *text;    /* MESSAGE, STEER: what the user says. SET: the value. ANSWER: the reason or free text, or NULL. EXIT: the end
			      * of what it wrote to stderr, or NULL */
	const char *attachments; /* MESSAGE, STEER: JSON, see attached.h, or NULL */
	const char *reply;   /* ANSWER: "once", "always", "reject" (permission); "answer", "reject" (question).
			      * Always is for the log: the agent is allowed this once, rules remember */
	const char *answers; /* ANSWER to a question: JSON [[string]], one list per question */
	const char *input;   /* ANSWER "once": the tool's input instead of the asked one, a JSON object, or NULL */
	bool stop;	     /* ANSWER "reject": and the turn ends */
	const char *was;     /* SET: the value before, or NULL */
	const char *by;	     /* ANSWER, CANCEL, SET: who */
	const char *native_id; /* START: the session to resume, or NULL */
	const char *session_id; /* START */
	int incarnation;	/* START: from 1 */
	bool warm;		/* START: no message follows at once; the program is made to say something */
	int exit_code;		/* EXIT: -1 when ended by a signal */
	int exit_signal;	/* EXIT: or 0 */
	const char *reason;	/* EXIT: why, or NULL ("exec: No such file…", "terminated") */
	bool wanted;		/* EXIT: we ended it */
	bool unread;		/* EXIT: the running turn's message has not reached it */
	bool again;		/* MESSAGE: the running turn's once more, for the program after that one */
};

/* Where a step puts what it makes. */
struct amk_sink {
	void *arg;
	void (*say)(void *arg, const struct amk_said *said);
	/* Whole frames for the agent's stdin, ending in a newline. */
	void (*write)(void *arg, const char *s, size_t n);
	/* The agent's session id became known or changed. */
	void (*native)(void *arg, const char *native_id);
	/* The agent is in another permission mode; value NULL: what it was asked to set it takes only when it is started. */
	void (*setting)(void *arg, const char *what, const char *value);
};

struct amk_track;

/* What a process is started from. */
struct amk_agent_start {
	const char *session_id;
	int incarnation;       /* from 1 */
	const char *native_id; /* to resume, or NULL */
	const char *model;     /* or NULL */
	const char *variant;   /* or NULL */
	const char *permission_mode;
	char *const *args; /* the user's own arguments, NULL-terminated, or NULL */
};

struct amk_capability {
	const char *name; /* camelCase, as in /v1/agents */
	bool has;
};

/* An agent mode: a name the session carries. */
struct amk_agent_mode {
	const char *id, *name, *description;
};

/* A permission mode of the API as this agent has it. */
struct amk_agent_permission {
	const char *name;     /* as it is asked for */
	const char *shown;    /* as the session has it: the agent's nearest */
	const char *argv[2];  /* what it adds to the program's arguments, or NULL */
	const char *root_env; /* the program refuses it to root, unless this variable is 1; or NULL */
};

struct amk_agent_model {
	const char *id, *name;
};

struct amk_codec {
	const char *name; /* "claude" */
	const char *title;
	const char *program; /* looked up on the session's PATH; helpers of our own beside amikad */
	bool is_helper;
	const char *install;	       /* the command that installs it, for messages; NULL when built in */
	const char *const *env;	       /* variables it wants from its user, '*' at the end matches; NULL-terminated */
	/* What it signs in with: variables, or files below its user's home ("~/…"); NULL: it needs nothing. */
	const char *const *credentials;
	const struct amk_agent_model *models; /* to choose from, others may do; ends with a NULL id */
	const char *default_model;	      /* what a session has that asked for none, or NULL: the program's */
	const char *const *variants;	      /* of every model; NULL: any word, only shown */
	/* The first is the default; they end with a NULL id or name. */
	const struct amk_agent_mode *modes;
	const struct amk_agent_permission *permissions;
	const struct amk_capability *capabilities; /* ends with a NULL name */
	bool takes_input, takes_stop; /* of struct amk_input: what an answer to it may hold */

	/* The agent's session id when it is known at creation; NULL member when it is not. Caller frees. */
	char *(*native_id)(const char *session_id);
	/* Adds the program's arguments, not the program itself, to argv. */
	void (*argv)(const struct amk_agent_start *st, struct amk_strv *argv);

	void *(*new_state)(void);
	void (*free_state)(void *state);
	void (*step)(void *state, const struct amk_input *in, const struct amk_sink *sink);

	/* The state as one JSON object; load refuses what save did not write. */
	void (*save)(const void *state, struct amk_buf *b);
	int (*load)(void *state, const struct amk_json *saved, struct amk_err *e);

	/* What it keeps of items, turns and decisions: where output is lost, the log tells it (amk_track_recall). */
	struct amk_track *(*track)(void *state);
	/* No open item, turn or request: a good moment for a checkpoint. */
	bool (*quiet)(const void *state);
	/* A turn is running, or one is sure to come: messages wait. */
	bool (*busy)(const void *state);
	/* How many tasks of its own it works on outside turns: it is not asleep before they end. NULL: never any. */
	unsigned (*background)(const void *state);
	/* What it takes while the program runs (SET); NULL-terminated. NULL: nothing. */
	const char *const *sets;
};

/* All codecs, NULL-terminated; by name, or NULL. */
extern const struct amk_codec *const amk_agents[];
const struct amk_codec *amk_agent_find(const char *name);
/* AMK_EUNKNOWNAGENT, with the nearest there is. Returns -1. */
int amk_agent_unknown(const char *name, struct amk_err *e);
/* Whether the agent has the capability of that name. */
bool amk_agent_can(const struct amk_codec *c, const char *capability);
/* NULL when the agent has no such mode. */
const struct amk_agent_mode *amk_agent_mode(const struct amk_codec *c, const char *id);
const struct amk_agent_permission *amk_agent_permission(const struct amk_codec *c, const char *name);

/* An input as one JSON object and back: how inputs are recorded for replay. LINE and EXIT included. */
void amk_input_write(struct amk_buf *b, const struct amk_input *in);
/* Strings in *in are borrowed from j. */
int amk_input_read(struct amk_input *in, const struct amk_json *j, struct amk_err *e);

#endif
