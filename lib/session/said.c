/* SPDX-License-Identifier: Apache-2.0 */
/* What a step makes: log lines, decisions, input rows. All of one step stands in one transaction. */
#include <stdlib.h>
#include <string.h>

#include "core/jw.h"
#include "core/time.h"
#include "session/internal.h"
#include "session/ruled.h"
#include "store/log.h"

#define LINE_MAX (64u << 20)

/* Opens or closes the decision an event is about. False when the event must not be said. */
static bool decide(struct amk_session *s, const struct amk_said *said, struct amk_decision_place *at)
{
	struct amk_decision_asker asker = { .session = s->row, .run = s->live.row };
	const struct amk_decision_answer *answer = s->answering;
	struct amk_store *store = s->all->conf.store;
	struct amk_err e = { 0 };

	if (said->decision_state == AMK_DECISION_OPEN) {
		asker.deadline = amk_deadline_of(s->all, said->decision_kind);
		if (amk_decision_open(store, &asker, said, at, &e) < 0) {
			amk_sessions_trouble(s->all, &e);
			return false;
		}
		s->open_decisions++;
		amk_deadline_add(s->all, at->deadline);
		amk_ruled_opened(s, at->row);
		return true;
	}
	if (said->decision_state == AMK_DECISION_VOID)
		answer = NULL;
	if (amk_decision_close(store, &asker, said, answer, at, &e) == 0) {
		s->open_decisions--;
		s->answered = s->answered || answer;
		return true;
	}
	if (e.code == AMK_EANSWERED || e.code == AMK_EINTERNAL)
		AMK_SESSION_SAY(s, AMK_SAY_ERROR, "%s: %s", said->type, e.msg);
	else
		amk_sessions_trouble(s->all, &e);
	return false;
}

/* `at`: the decision it is about, or NULL. */
static void append(struct amk_session *s, const struct amk_said *said, const struct amk_decision_place *at)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	char id[AMK_DECISION_ID];
	struct amk_event_place place = {
		.sequence = s->sequence + 1,
		.time = amk_time_now(),
		.session_id = s->id,
		.native_id = s->native_id,
	};
	struct amk_log_line line = {
		.session = s->row,
		.sequence = place.sequence,
		.hidden = !amk_event_is_universal(said->type),
		.run = s->raw_n ? s->live.row : 0,
		.raw_offset = s->raw_offset,
		.raw_n = s->raw_n,
		.time = place.time,
		.kind = said->type,
	};
	struct amk_err e = { 0 };

	if (at) {
		amk_decision_members(&more, at);
		place.decision_id = amk_decision_id(id, at->row);
		place.decision_more = more.s;
	}
	amk_event_write(&b, said, &place, &line.raw_at);
	if (!amk_buf_ok(&b)) {
		AMK_SESSION_SAY(s, AMK_SAY_ERROR, "%s of more than %u bytes left out", said->type, LINE_MAX);
		return;
	}
	line.line = b.s;
	line.n = b.n;
	if (amk_log_append(s->all->conf.store, &line, &e) < 0) {
		amk_sessions_trouble(s->all, &e);
		return;
	}
	s->sequence++;
	s->updated = place.time;
	s->changed = true;
	amk_sessions_make_ready(s);
}

static void say(void *arg, const struct amk_said *said)
{
	struct amk_buf amika AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	struct amk_session *s = arg;
	struct amk_decision_place at = { 0 };
	struct amk_said closed = *said;

	if (!said->decision_state) {
		append(s, said, NULL);
		return;
	}
	/* A codec knows neither rules, nor that nobody answered, nor what ended its program. */
	if (said->decision_state == AMK_DECISION_ANSWERED && s->ruled.n) {
		if (said->amika)
			amk_jw_members(&amika, said->amika, strlen(said->amika));
		amk_jw_members(&amika, s->ruled.s, s->ruled.n);
		closed.amika = amika.s;
	}
	if (said->decision_state == AMK_DECISION_ANSWERED && s->answering && s->answering->expired) {
		closed.decision_state = AMK_DECISION_EXPIRED;
		closed.decision_reason = AMK_REASON_DEADLINE;
	}
	if (s->ending && said->decision_reason && strcmp(said->decision_reason, AMK_REASON_PROGRAM_GONE) == 0)
		closed.decision_reason = AMK_REASON_SESSION_ENDED;
	if (decide(s, &closed, &at))
		append(s, &closed, &at);
}

static void say_write(void *arg, const char *bytes, size_t n)
{
	struct amk_session *s = arg;

	amk_buf_add(&s->writes, bytes, n);
}

static void say_native(void *arg, const char *native_id)
{
	struct amk_session *s = arg;

	free(s->native_id);
	s->native_id = amk_strdup(native_id);
	s->changed = true;
}

/* Lines can be read again from the spool, and the end is one transaction with what it makes: not these. */
static bool is_recorded(const struct amk_session *s, const struct amk_input *in)
{
	if (in->kind == AMK_INPUT_EXIT)
		return false;
	return in->kind != AMK_INPUT_LINE || s->writes.n > 0;
}

static void record(struct amk_session *s, const struct amk_input *in)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(LINE_MAX);
	struct amk_live *live = &s->live;
	struct amk_state_input r = {
		.run = live->row,
		.bytes = s->writes.s,
		.bytes_n = s->writes.n,
		.at = live->in_n,
		.out_n = live->out_n,
	};
	struct amk_err e = { 0 };

	if (in->kind != AMK_INPUT_LINE)
		amk_input_write(&b, in);
	r.input = b.s;
	if (amk_state_input_add(s->all->conf.store, &r, &e) < 0) {
		amk_sessions_trouble(s->all, &e);
		return;
	}
	live->input_row = r.row;
	amk_live_recorded(live, in, r.row, r.at);
	if (s->writes.n == 0)
		return;
	if (live->pending.bytes.n == 0)
		live->pending.at = live->in_n;
	amk_buf_add(&live->pending.bytes, s->writes.s, s->writes.n);
	live->in_n += s->writes.n;
}

void amk_said_step(struct amk_session *s, const struct amk_input *in)
{
	struct amk_sink sink = { s, say, say_write, say_native, amk_set_told };

	amk_buf_clear(&s->writes);
	s->answered = false;
	s->codec->step(s->state, in, &sink);
	if (is_recorded(s, in))
		record(s, in);
	if (s->answered)
		amk_handover_sent(s);
	amk_buf_release(&s->writes);
	s->changed = true;
	amk_sessions_make_ready(s);
}

void amk_said_own(struct amk_session *s, const struct amk_said *said)
{
	say(s, said);
}
