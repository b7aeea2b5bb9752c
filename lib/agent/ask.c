/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: each is asked once and closed once, answered or void. */
#include <stdlib.h>
#include <string.h>

#include "agent/track.h"
#include "core/jw.h"

#define EVENT_MAX (15u << 20)
#define ASKED_MAX 256 /* open at a time; one more and the oldest is void */

static void asked_release(struct amk_track_asked *a)
{
	free(a->native);
	free(a->kind);
	free(a->subject);
	free(a->details);
	free(a->about);
}

void amk_ask_release(struct amk_track *t)
{
	for (size_t i = 0; i < t->nasked; i++)
		asked_release(&t->asked[i]);
	free(t->asked);
	t->asked = NULL;
	t->nasked = 0;
}

static bool is_question(const struct amk_track_asked *a)
{
	return strcmp(a->kind, "question") == 0;
}

const struct amk_track_asked *amk_ask_find(const struct amk_track *t, const char *native)
{
	for (size_t i = 0; i < t->nasked; i++)
		if (strncmp(t->asked[i].native, native, AMK_TRACK_ID_MAX) == 0)
			return &t->asked[i];
	return NULL;
}

/* What of an event differs between asking, answering and voiding. */
struct outcome {
	enum amk_decision_state state;
	const char *type, *status;
	const char *response; /* questions: the answer as text, or NULL */
	const char *more;     /* further members of amika.decision, or NULL */
	const char *reason;   /* why nobody's answer counts, or NULL */
	const char *by;
};

static void write_data(struct amk_buf *b, const struct amk_track_asked *a, const struct outcome *o)
{
	amk_jw_cstr(b, is_question(a) ? "prompt" : "action", a->subject);
	if (is_question(a)) {
		amk_jw_raw(b, "options", a->details, strlen(a->details));
		amk_jw_cstr(b, "response", o->response);
		amk_jw_cstr(b, "status", o->status);
	} else {
		amk_jw_cstr(b, "status", o->status);
		amk_jw_raw(b, "metadata", a->details, strlen(a->details));
	}
}

static void say(struct amk_track *t, const struct amk_track_asked *a, const struct outcome *o)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);
	struct amk_buf decision AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);
	struct amk_buf amika AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_said said = { .type = o->type, .synthetic = o->state != AMK_DECISION_OPEN };

	write_data(&data, a, o);
	if (a->turn)
		amk_jw_int(&amika, "turn", a->turn);
	if (o->by)
		amk_jw_str(&amika, "by", o->by, strnlen(o->by, 200));
	amk_jw_members(&decision, a->about, strlen(a->about));
	if (o->more)
		amk_jw_members(&decision, o->more, strlen(o->more));
	if (a->background)
		amk_jw_bool(&decision, "background", true);
	said.data = data.s;
	said.amika = amika.s;
	said.decision_state = o->state;
	said.decision_native = a->native;
	said.decision = decision.s;
	said.decision_kind = a->kind;
	said.decision_reason = o->reason;
	t->sink->say(t->sink->arg, &said);
}

static char *own_json(const char *s)
{
	return amk_strdup(s ? s : "");
}

void amk_ask_open(struct amk_track *t, const struct amk_ask *ask)
{
	struct amk_track_asked a = {
		.native = amk_strndup(ask->native, strnlen(ask->native, AMK_TRACK_ID_MAX)),
		.kind = amk_strdup(ask->kind),
		.subject = amk_strdup(ask->subject),
		.details = amk_strdup(ask->details),
		.about = own_json(ask->about),
		.turn = t->running ? t->turns : 0,
		.background = ask->background,
	};
	const struct outcome o = {
		.state = AMK_DECISION_OPEN,
		.type = is_question(&a) ? "question.requested" : "permission.requested",
		.status = "requested",
		.more = ask->more,
	};

	amk_ask_void(t, ask->native, AMK_REASON_SUPERSEDED);
	if (t->nasked == ASKED_MAX)
		amk_ask_void(t, t->asked[0].native, AMK_REASON_SUPERSEDED);
	t->asked = amk_realloc(t->asked, (t->nasked + 1) * sizeof a);
	t->asked[t->nasked++] = a;
	say(t, &a, &o);
}

static void remove_one(struct amk_track *t, const struct amk_track_asked *a)
{
	size_t i = (size_t)(a - t->asked);

	asked_release(&t->asked[i]);
	t->nasked--;
	memmove(&t->asked[i], &t->asked[i + 1], (t->nasked - i) * sizeof *t->asked);
}

void amk_ask_forget(struct amk_track *t, const char *native)
{
	const struct amk_track_asked *a = native ? amk_ask_find(t, native) : NULL;

	if (a)
		remove_one(t, a);
}

static void close_one(struct amk_track *t, const struct amk_track_asked *a, const struct outcome *o)
{
	say(t, a, o);
	remove_one(t, a);
}

static void void_one(struct amk_track *t, const struct amk_track_asked *a, const char *reason)
{
	const struct outcome o = {
		.state = AMK_DECISION_VOID,
		.type = is_question(a) ? "question.resolved" : "permission.resolved",
		.status = is_question(a) ? "rejected" : "reject",
		.reason = reason,
	};

	close_one(t, a, &o);
}

void amk_ask_void(struct amk_track *t, const char *native, const char *reason)
{
	const struct amk_track_asked *a = amk_ask_find(t, native);

	if (a)
		void_one(t, a, reason);
}

void amk_ask_void_all(struct amk_track *t, bool background_too, const char *reason)
{
	size_t i = 0;

	while (i < t->nasked) {
		if (t->asked[i].background && !background_too)
			i++;
		else
			void_one(t, &t->asked[i], reason);
	}
}

/* [["Red"],["S","L"]] reads "Red, S, L". */
static void flatten(struct amk_buf *b, const struct amk_json *answers)
{
	for (const struct amk_json *list = amk_json_first(answers); list; list = amk_json_next(list)) {
		for (const struct amk_json *s = amk_json_first(list); s; s = amk_json_next(s)) {
			const char *text = amk_json_str(s);

			if (text)
				amk_buf_addf(b, "%s%s", b->n ? ", " : "", text);
		}
	}
}

static const char *status_of(const struct amk_track_asked *a, const char *reply)
{
	if (strcmp(reply, "reject") == 0)
		return is_question(a) ? "rejected" : "reject";
	if (is_question(a))
		return "answered";
	return strcmp(reply, "always") == 0 ? "accept_for_session" : "accept";
}

static void write_answer(struct amk_buf *b, const struct amk_input *in, const struct amk_json *answers)
{
	amk_jw_cstr(b, "reply", in->reply);
	if (answers)
		amk_json_print(b, "answers", answers);
	if (in->text)
		amk_jw_cstr(b, "message", in->text);
	if (in->input)
		amk_jw_raw(b, "changed_input", in->input, strlen(in->input));
	if (in->stop)
		amk_jw_bool(b, "stop", true);
}

void amk_ask_answer(struct amk_track *t, const struct amk_input *in)
{
	const struct amk_track_asked *a = amk_ask_find(t, in->id);
	struct amk_buf response AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX / 4);
	struct amk_buf more AMK_AUTO(buf) = AMK_BUF_INIT(EVENT_MAX);
	struct amk_json *answers AMK_AUTO(json) = NULL;
	struct outcome o = { .state = AMK_DECISION_ANSWERED, .by = in->by };

	if (!a)
		return;
	if (in->answers)
		answers = amk_json_parse(in->answers, strlen(in->answers), NULL);
	if (answers) {
		flatten(&response, answers);
		o.response = response.s;
	}
	write_answer(&more, in, answers);
	o.type = is_question(a) ? "question.resolved" : "permission.resolved";
	o.status = status_of(a, in->reply);
	o.more = more.s;
	close_one(t, a, &o);
}

void amk_ask_save(const struct amk_track *t, struct amk_buf *b)
{
	amk_jw_open(b, "asked", '[');
	for (size_t i = 0; i < t->nasked; i++) {
		const struct amk_track_asked *a = &t->asked[i];

		amk_jw_open(b, NULL, '{');
		amk_jw_cstr(b, "native", a->native);
		amk_jw_cstr(b, "kind", a->kind);
		amk_jw_cstr(b, "subject", a->subject);
		amk_jw_cstr(b, "details", a->details);
		amk_jw_cstr(b, "about", a->about);
		amk_jw_int(b, "turn", a->turn);
		amk_jw_bool(b, "background", a->background);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
}

static int load_one(struct amk_track *t, const struct amk_json *j, struct amk_err *e)
{
	static const struct amk_json_field fields[] = {
		AMK_JSON_FIELD(amk_track_asked, native, "native", STR, true),
		AMK_JSON_FIELD(amk_track_asked, kind, "kind", STR, true),
		AMK_JSON_FIELD(amk_track_asked, subject, "subject", STR, true),
		AMK_JSON_FIELD(amk_track_asked, details, "details", STR, true),
		AMK_JSON_FIELD(amk_track_asked, about, "about", STR, true),
		AMK_JSON_FIELD(amk_track_asked, turn, "turn", INT, true),
		AMK_JSON_FIELD(amk_track_asked, background, "background", BOOL, true),
	};
	struct amk_track_asked a = { 0 };

	if (amk_json_read(j, fields, AMK_COUNT(fields), &a, e) < 0)
		return -1;
	a.native = amk_strdup(a.native);
	a.kind = amk_strdup(a.kind);
	a.subject = amk_strdup(a.subject);
	a.details = amk_strdup(a.details);
	a.about = amk_strdup(a.about);
	t->asked = amk_realloc(t->asked, (t->nasked + 1) * sizeof a);
	t->asked[t->nasked++] = a;
	return 0;
}

int amk_ask_load(struct amk_track *t, const struct amk_json *list, struct amk_err *e)
{
	for (const struct amk_json *c = amk_json_first(list); c; c = amk_json_next(c))
		if (load_one(t, c, e) < 0)
			return -1;
	return 0;
}
