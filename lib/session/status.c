/* SPDX-License-Identifier: Apache-2.0 */
/* From what is recorded to a state, its reason and its time. */
#include "session/status.h"

#include <stdlib.h>
#include <string.h>

#include "agent/track.h"
#include "core/time.h"
#include "session/internal.h"
#include "store/log.h"

#define REASON_MAX 240

enum word { STARTING, WORKING, WAITING, IDLE, ASLEEP, ENDED, FAILED };
static const char *const words[] = { "starting", "working", "waiting", "idle", "asleep", "ended", "failed" };

/* What stands for the session's end in `leaving`. */
static const char ending[] = "ending";

static const char *word_of(const char *stored)
{
	for (size_t i = 0; i < AMK_COUNT(words); i++)
		if (strcmp(words[i], stored) == 0)
			return words[i];
	return words[IDLE];
}

/* Out of the order of changes. */
static void unlink_change(struct amk_session *s)
{
	if (s->status.before)
		s->status.before->status.after = s->status.after;
	if (s->status.after)
		s->status.after->status.before = s->status.before;
	else if (s->all->stirred == s)
		s->all->stirred = s->status.before;
	s->status.before = s->status.after = NULL;
}

static void link_last(struct amk_session *s)
{
	s->status.before = s->all->stirred;
	if (s->all->stirred)
		s->all->stirred->status.after = s;
	s->all->stirred = s;
}

void amk_status_load(struct amk_session *s, const struct amk_state_session *r)
{
	s->status.word = word_of(r->state);
	s->status.reason = amk_strdup(r->reason ? r->reason : "");
	s->status.since = r->since;
	s->status.stored = true;
	s->ending = r->leaving && strcmp(r->leaving, ending) == 0;
	if (r->leaving && !s->ending)
		s->stopping = amk_strdup(r->leaving);
	s->status.failed = s->status.word == words[FAILED];
	if (s->status.failed || s->status.word == words[ASLEEP])
		s->status.rest = amk_strdup(s->status.reason);
	if (r->since > s->all->since)
		s->all->since = r->since;
}

void amk_status_release(struct amk_session *s)
{
	unlink_change(s);
	free(s->status.reason);
	free(s->status.rest);
	free(s->stopping);
}

void amk_status_broken(struct amk_session *s, const struct amk_err *why)
{
	free(s->status.reason);
	s->status.reason = amk_strf("not taken up: %s", why->msg);
	s->status.word = words[ENDED];
}

static void end_text(struct amk_buf *b, const struct amk_input *in)
{
	const char *reason = in->reason ? in->reason : "";

	if (in->exit_signal && strcmp(reason, "exited") == 0)
		amk_buf_addf(b, "signal %d", in->exit_signal);
	else if (in->exit_code >= 0)
		amk_buf_addf(b, "exit %d", in->exit_code);
	else
		amk_buf_addf(b, "%.*s", REASON_MAX / 2, *reason ? reason : "lost");
}

void amk_status_over(struct amk_session *s, const struct amk_input *in, bool was_busy)
{
	struct amk_buf why AMK_AUTO(buf) = AMK_BUF_INIT(REASON_MAX * 2);
	bool lease = in->reason && strcmp(in->reason, "lease") == 0;

	s->status.failed = !in->wanted && (was_busy || (in->exit_code != 0 && !lease));
	if (in->wanted)
		amk_buf_addf(&why, "%.*s", REASON_MAX / 2, s->stopping ? s->stopping : "stopped");
	else
		end_text(&why, in);
	if (s->status.failed && in->text)
		amk_turn_last_line(&why, in->text, REASON_MAX / 2);
	free(s->status.rest);
	s->status.rest = amk_buf_take(&why);
	free(s->stopping);
	s->stopping = NULL;
	s->status.stored = false;
}

static bool first_open(void *arg, const struct amk_state_decision *r)
{
	amk_decision_id(arg, r->row);
	return false;
}

/* The oldest decision that is open: whoever lists them sees it first. */
static void open_decision(struct amk_session *s, char id[AMK_DECISION_ID])
{
	struct amk_err e = { 0 };

	id[0] = '\0';
	if (amk_state_decisions(s->all->conf.store, s->row, true, first_open, id, &e) < 0)
		amk_sessions_trouble(s->all, &e);
}

struct now {
	enum word word;
	const char *reason;
	char id[AMK_DECISION_ID];
};

static void look_without_program(const struct amk_session *s, struct now *now)
{
	now->word = s->status.failed ? FAILED : s->incarnations ? ASLEEP : IDLE;
	now->reason = s->status.rest ? s->status.rest : s->incarnations ? "stopped" : "new";
}

static const char *quiet_reason(const struct amk_session *s, enum word word)
{
	if (s->stopping)
		return "falling asleep";
	if (word == STARTING)
		return "warm";
	return s->codec->background && s->codec->background(s->state) ? "background" : "ready";
}

static void look_at_program(struct amk_session *s, struct now *now)
{
	const char *message = s->codec->track(s->state)->message;
	bool busy = s->codec->busy(s->state);

	if (s->live.out_n == 0)
		now->word = STARTING;
	else if (s->open_decisions)
		now->word = WAITING;
	else
		now->word = busy ? WORKING : IDLE;
	if (now->word == WAITING)
		open_decision(s, now->id);
	if (now->word == WAITING)
		now->reason = now->id;
	else if (busy)
		now->reason = message ? message : "unasked";
	else
		now->reason = quiet_reason(s, now->word);
}

static void look(struct amk_session *s, struct now *now)
{
	if (s->ended) {
		*now = (struct now){ .word = ENDED, .reason = "terminated" };
		return;
	}
	if (s->live.row)
		look_at_program(s, now);
	else
		look_without_program(s, now);
	if (s->ending)
		now->reason = ending;
}

static void store(struct amk_session *s)
{
	struct amk_state_session r = {
		.row = s->row,
		.state = s->status.word,
		.reason = s->status.reason,
		.since = s->status.since,
		.leaving = s->ending ? ending : s->stopping,
	};
	struct amk_err e = { 0 };

	s->status.stored = true;
	if (amk_state_session_status(s->all->conf.store, &r, &e) < 0) {
		amk_sessions_trouble(s->all, &e);
		return;
	}
	amk_log_stir(s->all->conf.store, s->row);
}

static void change(struct amk_session *s, const struct now *now)
{
	int64_t since = amk_time_now();

	s->status.word = words[now->word];
	free(s->status.reason);
	s->status.reason = amk_strdup(now->reason);
	s->status.since = s->all->since = since > s->all->since ? since : s->all->since + 1;
	unlink_change(s);
	link_last(s);
	s->status.stored = false;
}

void amk_status_look(struct amk_session *s)
{
	struct now now = { 0 };

	if (s->broken || s->frozen)
		return;
	look(s, &now);
	if (s->status.word != words[now.word] || strcmp(s->status.reason, now.reason) != 0)
		change(s, &now);
	amk_sleep_look(s);
	if (!s->status.stored)
		store(s);
}

const char *amk_session_state(const struct amk_session *s)
{
	return s->status.word;
}

const char *amk_session_reason(const struct amk_session *s)
{
	return s->status.reason;
}

int64_t amk_session_since(const struct amk_session *s)
{
	return s->status.since;
}

struct amk_session *amk_session_changed(const struct amk_sessions *all, int64_t after)
{
	struct amk_session *s = all->stirred, *found = NULL;

	for (; s && s->status.since > after; s = s->status.before)
		found = s;
	return found;
}

int64_t amk_session_newest_change(const struct amk_sessions *all)
{
	return all->since;
}
