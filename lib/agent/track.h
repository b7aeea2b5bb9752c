/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every codec keeps, once: the numbers of items and turns, what is open and how it is closed.
 * A codec says what its agent said; synthetic starts and deltas, ids, turn numbers and the end of
 * everything open come from here. State only: nothing here depends on anything but what was told.
 */
#ifndef AMK_AGENT_TRACK_H
#define AMK_AGENT_TRACK_H

#include "agent/agent.h"

#define AMK_TRACK_ID_MAX 512	      /* of an agent's id; longer ones are cut */
#define AMK_TRACK_TEXT_MAX (4u << 20) /* kept of an open item; the rest comes with its end */

/* An item as the agent describes it. Borrowed for the call. */
struct amk_item {
	const char *native; /* the agent's id for it, or NULL (then it can only be completed) */
	const char *parent; /* the agent's id of the item it belongs to, or NULL */
	const char *kind, *role;
	const char *text;    /* what its deltas join to; NULL when it has no text */
	bool is_private;     /* the text is reasoning */
	const char *content; /* a JSON array; NULL: one part, made from text */
	bool failed;	     /* complete only */
};

/* An item that was started and not completed. */
struct amk_track_open {
	char *native;
	int64_t number, parent; /* itm_N; parent 0: none */
	char *kind, *role, *content;
	bool is_private, has_text;
	bool full; /* further deltas are kept back until its end */
	struct amk_buf text; /* joined deltas */
};

/* An item that may still be named as parent: a completed tool call, or one only named so far. */
struct amk_track_known {
	char *native;
	int64_t number;
	bool named; /* only named: its start takes this number */
};

/* An open decision. */
struct amk_track_asked {
	char *native, *kind;
	char *subject; /* action of a permission, prompt of a question */
	char *details; /* JSON: metadata of a permission, options of a question */
	char *about;   /* members of amika.decision that its end repeats */
	int64_t turn;  /* 0: asked outside any turn */
	bool background; /* outlives the turn it was asked in */
};

struct amk_track {
	const struct amk_sink *sink; /* of the running step */
	int64_t items, turns;	     /* counters */
	bool running;
	char *message; /* of the running turn, NULL when nobody asked for it */
	bool resent;   /* it goes to a second program: the first one never got it */
	bool cancelled; /* it is to end, and ends as cancelled whatever becomes of the process */
	int64_t last_cancelled; /* number of the last turn that ended so; 0: none */
	struct amk_track_open *open;
	size_t nopen;
	struct amk_track_known *known; /* the most recently used last */
	size_t nknown;
	struct amk_track_asked *asked;
	size_t nasked;
	struct amk_track_steered *steered; /* see steer.h */
	size_t nsteered;
};

/* What a turn used; negative or NULL: unknown. */
struct amk_usage {
	int64_t input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens;
	double cost_usd;
	int64_t duration_ms;
	const char *model;
};
#define AMK_USAGE_UNKNOWN { -1, -1, -1, -1, -1, -1, -1, NULL }

void amk_track_init(struct amk_track *t);
void amk_track_release(struct amk_track *t);
bool amk_track_quiet(const struct amk_track *t);
bool amk_track_busy(const struct amk_track *t); /* a turn runs, or a message was put into it and will begin its own */

/* Items. A second start of an open item is dropped; what completes unstarted is started first. */
void amk_track_start(struct amk_track *t, const struct amk_item *item, bool synthetic);
void amk_track_delta(struct amk_track *t, const char *native, const char *delta);
void amk_track_complete(struct amk_track *t, const struct amk_item *item);
/* Closes an open item that will not be completed: status failed, with the text it got to. */
void amk_track_fail(struct amk_track *t, const char *native);
/* Whether an item of that id was started, and is open or was a tool call. */
bool amk_track_has(const struct amk_track *t, const char *native);
/* Writes "item_id" of such an item; nothing when there is none. */
void amk_track_write_id(struct amk_buf *b, const struct amk_track *t, const char *native);

/* Fails all that are open. */
void amk_track_fail_all(struct amk_track *t);
/* The user's message as an item; `list` are its attachments, or NULL. */
void amk_track_user(struct amk_track *t, const char *native, const char *text, const struct amk_json *list,
		    bool synthetic);

/* Events without an item. `details` is JSON or NULL. */
void amk_track_error(struct amk_track *t, const char *code, const char *message, const char *details);
void amk_track_unparsed(struct amk_track *t, const char *location, const char *error);
/* Any type. `data` and `more` are JSON members; "amika" gets the turn's number and `more` (or NULL). */
void amk_track_say(struct amk_track *t, const char *type, bool synthetic, const char *data, const char *more);

/* What was set, by a SET: `how` is "live", "restart" or "start"; `error` why not live, or NULL. */
void amk_track_changed(struct amk_track *t, const struct amk_input *set, const char *how, const char *error);
/* The same as members of an event's data. */
void amk_track_changed_write(struct amk_buf *b, const struct amk_input *set, const char *how, const char *error);

/* Whether a value nests too deeply to stand inside our records, which may nest AMK_JSON_DEPTH deep. */
bool amk_track_is_deep(const struct amk_json *j);
/* Writes a value of the agent's; one that is too deep as text. */
void amk_track_print(struct amk_buf *b, const char *key, const struct amk_json *j);

/* As one JSON object, and back into a state that was just initialised (track_state.c). */
void amk_track_state_save(const struct amk_track *t, struct amk_buf *b, const char *key);
int amk_track_state_load(struct amk_track *t, const struct amk_json *j, struct amk_err *e);

void amk_track_open_release(struct amk_track_open *o);

/*
 * Where the steps that made events cannot be repeated, the log tells what they were (track_log.c). Begin forgets all but
 * the counters; then each event of the log is taken note of, in order from the first.
 */
void amk_track_recall_begin(struct amk_track *t);
void amk_track_recall(struct amk_track *t, const struct amk_json *event);

/* Turns (turn.c). `message` is NULL for a turn nobody asked for. */
void amk_turn_start(struct amk_track *t, const char *message);
/* Someone cancelled the running turn; false when none runs. */
bool amk_turn_cancel(struct amk_track *t);
/* Closes what is open, then the turn. Nothing if none runs. `reason` may be NULL. */
void amk_turn_end(struct amk_track *t, const char *outcome, const char *reason, const struct amk_usage *u);
/*
 * The process is gone: says so unless that was wanted or went well, closes everything. Only a turn whose
 * message was never read stays, once: the message is for the next process.
 */
void amk_turn_exit(struct amk_track *t, const struct amk_input *in);
/* Adds ": " and the last line that says something, at most `max` bytes of it; nothing where none does. */
void amk_turn_last_line(struct amk_buf *b, const char *text, size_t max);

/* Decisions (ask.c). */
struct amk_ask {
	const char *native, *kind, *subject, *details, *about; /* as in struct amk_track_asked */
	const char *more; /* members of amika.decision that only the request carries, or NULL */
	bool background;
};
void amk_ask_open(struct amk_track *t, const struct amk_ask *ask);
/* NULL when there is none of that id. Valid until the next call that opens or closes one. */
const struct amk_track_asked *amk_ask_find(const struct amk_track *t, const char *native);
void amk_ask_answer(struct amk_track *t, const struct amk_input *in);
/* `reason`: AMK_REASON_…, see event/event.h. */
void amk_ask_void(struct amk_track *t, const char *native, const char *reason);
/* Voids all, or only those that do not outlive their turn. */
void amk_ask_void_all(struct amk_track *t, bool background_too, const char *reason);
void amk_ask_forget(struct amk_track *t, const char *native); /* without a word; NULL: none */
void amk_ask_release(struct amk_track *t);
void amk_ask_save(const struct amk_track *t, struct amk_buf *b);
int amk_ask_load(struct amk_track *t, const struct amk_json *list, struct amk_err *e);

#endif
