/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: the universal schema of sandbox-agent v0.1.11 (item schema), plus one member "amika".
 * A finished line is written once, stored as it is and copied out.
 */
#ifndef AMK_EVENT_EVENT_H
#define AMK_EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/* What happened to a decision, for said events that carry one. */
enum amk_decision_state {
	AMK_DECISION_NONE,
	AMK_DECISION_OPEN,
	AMK_DECISION_ANSWERED,
	AMK_DECISION_VOID, /* nobody's answer counts any more: see the reasons */
	AMK_DECISION_EXPIRED, /* its deadline passed: it was answered as that is set */
};

/* Why a decision is void, or expired. */
#define AMK_REASON_WITHDRAWN "withdrawn"	 /* by the agent */
#define AMK_REASON_SUPERSEDED "superseded"	 /* the agent asked anew under the same id, or too much at once */
#define AMK_REASON_TURN_ENDED "turn_ended"	 /* the turn it was asked in */
#define AMK_REASON_CANCELLED "cancelled"	 /* the same, by a user */
#define AMK_REASON_PROGRAM_GONE "program_gone"	 /* that asked */
#define AMK_REASON_SESSION_ENDED "session_ended" /* for good */
#define AMK_REASON_UNDELIVERED "undelivered"	 /* the program ended before it had read the answer */
#define AMK_REASON_DEADLINE "deadline"

/*
 * An event before it has a number. All text is borrowed for the call. `data` and `amika` are JSON
 * members without braces ("\"phase\":\"started\""); amika may be NULL.
 * A decision's event names the decision by the agent's own id: whoever finishes the line puts the
 * decision's id first into data ("permission_id" or "question_id"), and "id" first into
 * amika.decision, whose other members stand in `decision`.
 */
struct amk_said {
	const char *type; /* "item.started" */
	bool synthetic;	  /* not said by the agent itself */
	const char *data;
	const char *amika;
	enum amk_decision_state decision_state;
	const char *decision_native; /* the agent's id for it */
	const char *decision;	     /* members of amika.decision */
	const char *decision_reason; /* AMK_REASON_…, when it is void or expired; else NULL */
	const char *decision_kind;   /* "permission" or "question" */
};

/* What the finisher adds. */
struct amk_event_place {
	uint64_t sequence; /* from 1 per session */
	int64_t time;	   /* ns since the epoch */
	const char *session_id;
	const char *native_id;	 /* the agent's session id, or NULL */
	const char *decision_id; /* "d_7", for a decision's events */
	const char *decision_more; /* members of amika.decision that only its record knows, or NULL */
};

/* "open", "answered", "void", "expired". */
const char *amk_event_decision_state(enum amk_decision_state state);

/*
 * What every line begins with: its number and its time, up to the quote that ends them. Returns the length; the text
 * is NUL-terminated.
 */
#define AMK_EVENT_HEAD 128
size_t amk_event_head(char to[AMK_EVENT_HEAD], uint64_t sequence, int64_t time);

/*
 * Writes the line without newline. *raw_at, if not NULL, is the place of the 4 bytes "null" that stand
 * for the native payload.
 */
void amk_event_write(struct amk_buf *b, const struct amk_said *said, const struct amk_event_place *place,
		     size_t *raw_at);

/* False for types that only readers who ask (profile=amika) get to see: they are not in the schema. */
bool amk_event_is_universal(const char *type);

#endif
