/* SPDX-License-Identifier: Apache-2.0 */
/* Messages put into the running turn. */
#include <stdlib.h>
#include <string.h>

#include "agent/steer.h"
#include "core/crash.h"
#include "session/internal.h"
#include "session/turns.h"

/* Whether or not a turn runs at this moment: who asks must not get another answer by chance. */
int amk_session_steer_check(const struct amk_session *s, struct amk_err *e)
{
	if (amk_agent_can(s->codec, "steer"))
		return 0;
	amk_err_set(e, AMK_ECONFLICT, "%s takes no message into a running turn", s->codec->name);
	return amk_err_hint(e, "send it without --steer: it waits for its own turn");
}

/*
 * A turn that was cancelled is as good as over, and one whose agent takes up nothing must not be given ever more: then
 * it waits like any other message.
 */
bool amk_session_steer_may(const struct amk_session *s, const struct amk_state_message *m)
{
	const struct amk_track *t = s->codec->track(s->state);

	return s->live.row && !s->live.over && !s->ending && !s->stopping && !s->all->stopping &&
	       s->codec->busy(s->state) && !t->cancelled &&
	       amk_steer_fits(t, strlen(m->text) + (m->attachments ? strlen(m->attachments) : 0));
}

int amk_session_steer(struct amk_session *s, struct amk_state_message *m, struct amk_receipt *r, struct amk_err *e)
{
	struct amk_input in = {
		.kind = AMK_INPUT_STEER,
		.id = m->id,
		.text = m->text,
		.attachments = m->attachments,
	};

	m->state = AMK_MESSAGE_STARTED;
	AMK_CRASH("steer.before");
	if (amk_state_message_add(s->all->conf.store, m, e) < 0)
		return -1;
	amk_session_say_message(s, "message.steered", m->id);
	amk_said_step(s, &in);
	AMK_CRASH("steer.after");
	r->state = AMK_RECEIPT_STEERED;
	return 0;
}

static void note_row(void *arg, const struct amk_state_message *r)
{
	*(int64_t *)arg = r->row;
}

void amk_session_steer_again(struct amk_session *s)
{
	struct amk_store *store = s->all->conf.store;
	struct amk_track *t = s->codec->track(s->state);
	struct amk_err e = { 0 };
	char *id;

	while ((id = amk_steer_unread(t))) {
		int64_t row = 0;

		AMK_CRASH("steer.again");
		if (amk_state_message_find(store, s->row, id, note_row, &row, &e) < 0 ||
		    amk_state_message_set(store, row, AMK_MESSAGE_QUEUED, &e) < 0)
			amk_sessions_trouble(s->all, &e);
		s->queued++;
		amk_session_say_message(s, "message.queued", id);
		free(id);
	}
}
