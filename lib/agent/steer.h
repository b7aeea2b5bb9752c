/* SPDX-License-Identifier: Apache-2.0 */
/* Messages put into a running turn, from then until the agent takes them up. While one of them waits it is busy. */
#ifndef AMK_AGENT_STEER_H
#define AMK_AGENT_STEER_H

#include "agent/track.h"

struct amk_track_steered {
	char *id, *text;
	char *attachments; /* JSON, or NULL */
};

/* They are part of every checkpoint. */
#define AMK_STEER_MOST 64
#define AMK_STEER_BYTES (24u << 20) /* of all texts and attachments */
/* Whether another one of so many bytes may wait with those that do. */
bool amk_steer_fits(const struct amk_track *t, size_t n);
void amk_steer_add(struct amk_track *t, const struct amk_input *in);
/* Where the one of that message id stands; t->nsteered when there is none. */
size_t amk_steer_find(const struct amk_track *t, const char *id);
/*
 * The agent has taken up the one that stands there: it is said as a user's item of that native id, in the running turn
 * or in one that begins with it. False when there is none.
 */
bool amk_steer_taken(struct amk_track *t, size_t i, const char *native);
/*
 * After EXIT: takes out the first one that the process never took up, NULL when there is none. It has to be sent again.
 * Caller frees.
 */
char *amk_steer_unread(struct amk_track *t);

void amk_steer_release(struct amk_track *t);
void amk_steer_save(const struct amk_track *t, struct amk_buf *b);
int amk_steer_load(struct amk_track *t, const struct amk_json *list, struct amk_err *e);

#endif
