/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks of one session: messages, cancel, answers, the end. */
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/jw.h"
#include "core/time.h"
#include "core/utf8.h"
#include "run/resident.h"
#include "session/attach.h"
#include "session/internal.h"
#include "session/reply.h"
#include "session/ruled.h"
#include "session/turns.h"
#include "store/state_rule.h"

static void say_members(struct amk_session *s, const char *type, struct amk_buf *data)
{
	struct amk_said said = { .type = type, .synthetic = true, .data = data->s };

	amk_said_own(s, &said);
}

void amk_session_say_message(struct amk_session *s, const char *type, const char *message_id)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	amk_jw_cstr(&data, "message_id", message_id);
	say_members(s, type, &data);
}

static int start_message(struct amk_session *s, const struct amk_state_message *m, struct amk_err *e)
{
	struct amk_input in = {
		.kind = AMK_INPUT_MESSAGE,
		.id = m->id,
		.text = m->text,
		.attachments = m->attachments,
	};

	if (amk_state_message_set(s->all->conf.store, m->row, AMK_MESSAGE_STARTED, e) < 0)
		return -1;
	if (s->live.row == 0)
		amk_live_start(s, false);
	amk_said_step(s, &in);
	return 0;
}

static bool may_start(const struct amk_session *s)
{
	return !s->ended && !s->ending && !s->stopping && !s->all->stopping && !s->all->in_trouble &&
	       !s->live.over && !s->codec->busy(s->state);
}

struct next_message {
	int64_t row;
	char *id, *text, *attachments;
};

static bool take_next(void *arg, const struct amk_state_message *r)
{
	struct next_message *m = arg;

	*m = (struct next_message){ r->row, amk_strdup(r->id), amk_strdup(r->text),
				    r->attachments ? amk_strdup(r->attachments) : NULL };
	return false;
}

static void start_next(struct amk_session *s)
{
	struct next_message m = { 0 };
	struct amk_state_message next;
	struct amk_err e = { 0 };
	int r;

	r = amk_state_messages_queued(s->all->conf.store, s->row, 1, take_next, &m, &e);
	if (r == 0 && m.row) {
		s->queued--;
		next = (struct amk_state_message){ .row = m.row, .id = m.id, .text = m.text,
						   .attachments = m.attachments };
		r = start_message(s, &next, &e);
	}
	if (r < 0)
		amk_sessions_trouble(s->all, &e);
	free(m.id);
	free(m.text);
	free(m.attachments);
}

static void end_now(struct amk_session *s)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(256);

	amk_jw_cstr(&data, "reason", "terminated");
	amk_jw_cstr(&data, "terminated_by", "daemon");
	say_members(s, "session.ended", &data);
	AMK_SESSION_SAY(s, AMK_SAY_INFO, "ended");
	s->ending = false;
	s->ended = true;
	s->all->ended++;
	s->changed = true;
	amk_sessions_call_waiters(s);
}

void amk_session_pump(struct amk_session *s)
{
	if (s->ending && s->live.row == 0) {
		end_now(s);
		return;
	}
	while (s->queued && may_start(s))
		start_next(s);
	if (s->warm && may_start(s)) {
		s->warm = false;
		if (s->live.row == 0)
			amk_live_start(s, true);
	}
}

struct same_message {
	bool found, same;
	const struct amk_post *post;
	uint64_t after;
};

static void compare_message(void *arg, const struct amk_state_message *r)
{
	struct same_message *m = arg;

	m->found = true;
	m->same = strcmp(r->text, m->post->text) == 0 && amk_attach_same(r->attachments, m->post->attachments);
	m->after = r->after;
}

static int check_text(const char *text, struct amk_err *e)
{
	size_t n = strlen(text);

	if (strspn(text, " \t\r\n") == n) {
		amk_err_set(e, AMK_EINVALID, "the message is empty");
		return amk_err_hint(e, "say what the agent shall do");
	}
	if (n > AMK_SESSION_TEXT_MAX)
		return amk_err_set(e, AMK_ETOOBIG, "a message of more than %u bytes", AMK_SESSION_TEXT_MAX);
	return 0;
}

/* 1: sent before, and the same; 0: new. */
static int look_for_same(struct amk_session *s, const struct amk_post *post, struct amk_receipt *r, struct amk_err *e)
{
	struct same_message m = { .post = post };

	if (amk_state_message_find(s->all->conf.store, s->row, r->message_id, compare_message, &m, e) < 0)
		return -1;
	if (!m.found)
		return 0;
	if (!m.same) {
		amk_err_set(e, AMK_ECONFLICT, "message %s was sent before with another text or other files", r->message_id);
		return amk_err_hint(e, "use another id");
	}
	r->after = m.after;
	r->state = AMK_RECEIPT_DUPLICATE;
	return 1;
}

int amk_session_check_open(const struct amk_session *s, struct amk_err *e)
{
	if (s->frozen)
		return amk_err_set(e, AMK_EUNAVAILABLE, "the state cannot be written");
	if (!s->ended && !s->ending)
		return 0;
	amk_err_set(e, AMK_EENDED, "session terminated: %s", s->id);
	return amk_err_hint(e, "make a new one: amika session create");
}

static int check_post(const struct amk_post *post, struct amk_err *e)
{
	if (post->id && !amk_id_valid(post->id))
		return amk_err_set(e, AMK_EINVALID, "\"%.140s\" is no message id ([A-Za-z0-9._-]{1,128})", post->id);
	return check_text(post->text, e) < 0 || amk_attach_check(post->attachments, e) < 0 ? -1 : 0;
}

int amk_session_post(struct amk_session *s, const struct amk_post *post, struct amk_receipt *r, struct amk_err *e)
{
	struct amk_buf attachments AMK_AUTO(buf) = AMK_BUF_INIT(2 * AMK_ATTACH_BYTES_MAX);
	struct amk_state_message m = { .session = s->row, .text = post->text };
	int same;

	if (check_post(post, e) < 0)
		return -1;
	memcpy(r->message_id, "m_", 3);
	if (post->id)
		snprintf(r->message_id, sizeof r->message_id, "%s", post->id);
	else
		amk_id_random(r->message_id + 2, 16);
	same = look_for_same(s, post, r, e);
	if (same || amk_session_check_open(s, e) < 0)
		return same > 0 ? 0 : -1;
	if (post->steer && amk_session_steer_check(s, e) < 0)
		return -1;
	if (s->queued >= AMK_SESSION_QUEUE_MAX)
		return amk_err_set(e, AMK_EUNAVAILABLE, "%u messages wait in session %s already", s->queued, s->id);
	if (amk_attach_read(&attachments, amk_json_get_str(s->spec, "directory"), post->attachments, e) < 0)
		return -1;
	m.attachments = attachments.n ? attachments.s : NULL;
	m.id = r->message_id;
	m.after = r->after = s->sequence;
	m.created = amk_time_now();
	if (post->steer && amk_session_steer_may(s, &m))
		return amk_session_steer(s, &m, r, e);
	if (amk_state_message_add(s->all->conf.store, &m, e) < 0)
		return -1;
	amk_sessions_make_ready(s);
	if (s->queued == 0 && may_start(s)) {
		r->state = AMK_RECEIPT_ACCEPTED;
		return start_message(s, &m, e);
	}
	s->queued++;
	r->state = AMK_RECEIPT_QUEUED;
	amk_session_say_message(s, "message.queued", m.id);
	return 0;
}

void amk_session_terminate(struct amk_session *s, void (*done)(void *arg, bool ok), void *arg)
{
	struct amk_waiter *w;

	if (s->ended || s->frozen) {
		done(arg, s->ended);
		return;
	}
	w = amk_calloc(1, sizeof *w);
	*w = (struct amk_waiter){ .next = s->all->waiters, .s = s, .done = done, .arg = arg };
	s->all->waiters = w;
	if (!s->ending) {
		s->ending = true;
		s->changed = true;
		amk_session_queue_clear(s, NULL);
		amk_live_terminate(s);
	}
	amk_sessions_make_ready(s);
}

/* The answer goes to the codec; what its event says of rules stands in s->ruled. -1: nobody waits for it. */
static int step_answer(struct amk_session *s, const struct amk_decision *d, const struct amk_decision_answer *a)
{
	struct amk_input in = {
		.kind = AMK_INPUT_ANSWER,
		.id = d->native_id,
		.reply = a->reply,
		.text = a->message,
		.answers = a->answers,
		.input = a->input,
		.stop = a->stop,
		.by = a->by,
	};
	unsigned before = s->open_decisions;

	s->answering = a;
	amk_said_step(s, &in);
	s->answering = NULL;
	amk_buf_clear(&s->ruled);
	return s->open_decisions == before ? -1 : 0;
}

static int check_answerable(const struct amk_session *s, const struct amk_decision *d, struct amk_err *e)
{
	char id[AMK_DECISION_ID];

	amk_decision_id(id, d->row);
	if (s->frozen)
		return amk_session_check_open(s, e);
	if (amk_decision_check_open(d, e) < 0)
		return -1;
	if (s->live.row == 0 || s->live.row != d->run || s->live.over)
		return amk_err_set(e, AMK_EANSWERED, "%s is void: the program that asked is gone", id);
	return 0;
}

int amk_session_answer(struct amk_session *s, const struct amk_decision *d, const struct amk_decision_answer *a,
		       struct amk_err *e)
{
	struct amk_buf made AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct amk_decision_answer whole = *a;
	int64_t added = 0;

	if (check_answerable(s, d, e) < 0 || amk_reply_check(d, a, s->codec, e) < 0 ||
	    amk_ruled_always(s, d, a, &made, &added, e) < 0)
		return -1;
	if (made.n) {
		whole.made = made.s;
		amk_jw_raw(&s->ruled, "rule_made", made.s, made.n);
	}
	if (step_answer(s, d, &whole) == 0) {
		amk_session_pump(s);
		return 0;
	}
	if (added && amk_state_rule_remove(s->all->conf.store, added, e) < 0)
		return -1;
	return amk_err_set(e, AMK_EANSWERED, "d_%lld is not waited for any more", (long long)d->row);
}

static void write_resident(struct amk_buf *b, const struct amk_session *s)
{
	int64_t resident = s->live.run ? amk_resident(amk_run_pid(s->live.run)) : -1;

	if (resident < 0)
		amk_jw_null(b, "resident");
	else
		amk_jw_int(b, "resident", resident);
}

static void write_environment(struct amk_buf *b, const struct amk_json *vars)
{
	amk_jw_open(b, "environment", '{');
	for (const struct amk_json *v = amk_json_first(vars); v; v = amk_json_next(v))
		amk_jw_cstr(b, amk_json_key(v), "***");
	amk_jw_close(b, '}');
}

void amk_session_write(struct amk_buf *b, const struct amk_session *s)
{
	static const char *const copied[] = { "agentMode", "permissionMode", "model", "variant", "directory",
					      "title",	   "arguments",	     "sleepMs" };

	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "sessionId", s->id);
	amk_jw_cstr(b, "agent", s->codec ? s->codec->name : amk_json_get_str(s->spec, "agent"));
	for (size_t i = 0; i < AMK_COUNT(copied); i++)
		amk_json_print(b, copied[i], amk_json_get(s->spec, copied[i]));
	amk_jw_cstr(b, "nativeSessionId", s->native_id);
	amk_jw_bool(b, "ended", s->ended);
	amk_jw_cstr(b, "state", s->status.word);
	amk_jw_cstr(b, "stateReason", s->status.reason);
	amk_jw_int(b, "stateSince", s->status.since / 1000000);
	write_resident(b, s);
	amk_jw_int(b, "eventCount", (int64_t)s->sequence);
	amk_jw_int(b, "after", (int64_t)s->sequence);
	amk_jw_int(b, "queued", s->queued);
	amk_jw_int(b, "openDecisions", s->open_decisions);
	amk_jw_int(b, "createdAt", s->created / 1000000);
	amk_jw_int(b, "updatedAt", s->updated / 1000000);
	write_environment(b, amk_json_get(s->spec, "environment"));
	amk_jw_close(b, '}');
}

int64_t amk_session_row(const struct amk_session *s)
{
	return s->row;
}

const char *amk_session_id(const struct amk_session *s)
{
	return s->id;
}

uint64_t amk_session_sequence(const struct amk_session *s)
{
	return s->sequence;
}

const char *amk_session_native_id(const struct amk_session *s)
{
	return s->native_id;
}

const char *amk_session_agent(const struct amk_session *s)
{
	return s->codec ? s->codec->name : NULL;
}

const char *amk_session_directory(const struct amk_session *s)
{
	return amk_json_get_str(s->spec, "directory");
}

const char *amk_session_permission_mode(const struct amk_session *s)
{
	return amk_json_get_str(s->spec, "permissionMode");
}
