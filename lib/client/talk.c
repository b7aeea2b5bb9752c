/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a session from a message's acceptance to the end of that message's turn. */
#include "client/talk.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/follow.h"
#include "client/prompt.h"
#include "client/show.h"
#include "client/signals.h"
#include "core/time.h"
#include "event/render.h"

#define TEXT_MAX (4 * AMK_LINE_MAX)
#define GOES_ON (-2)

struct amk_talk_options amk_talk_given;
static int64_t deadline; /* monotonic ns, 0: none */
static struct amk_signals signals = { .fd = -1 };

struct state {
	const struct amk_talk *talk;
	struct amk_follow *follow;
	struct amk_prompt prompt;
	struct amk_render render;
	struct amk_buf final, trouble; /* the last text of the assistant; the last error */
	int64_t turn; /* its number, 0: not begun */
	uint64_t look_at; /* with torn: when to look whether there is an end to come */
	bool records, final_only, asks, cancelling, torn;
};

int amk_talk_begin(struct amk_err *e)
{
	const struct amk_talk_options *o = &amk_talk_given;

	if (o->no_wait && (o->wait || o->final || o->timeout))
		return amk_err_set(e, AMK_EUSAGE, "--no-wait goes with none of --wait, --final, --timeout");
	if (o->timeout)
		deadline = amk_time_monotonic() + o->timeout * 1000000;
	return 0;
}

static const struct amk_json *amika(const struct amk_json *event)
{
	return amk_json_get(event, "amika");
}

static bool type_is(const struct amk_json *event, const char *one, const char *other)
{
	return amk_json_is(event, "type", one) || amk_json_is(event, "type", other);
}

static int session_is_over(struct state *s, struct amk_err *e)
{
	struct amk_json *info AMK_AUTO(json) = NULL;

	if (amk_client_get(s->talk->client, &info, e, "/v1/sessions/%s", s->talk->session) < 0)
		return -1;
	if (!amk_json_true(amk_json_get(info, "ended")))
		return GOES_ON;
	return amk_err_set(e, AMK_EENDED, "session %.130s ended before the message's turn", s->talk->session);
}

/* Events before the turn are other people's, but for what says that it will not come. */
static int before_turn(struct state *s, const struct amk_json *event, struct amk_err *e)
{
	const struct amk_json *data = amk_json_get(event, "data");
	const char *by = amk_json_get_str(data, "by");

	/*
	 * Of a turn whose beginning is not kept any more (keep_events) the end is enough. What was put into a turn is
	 * named by its item.
	 */
	if (amk_json_is(amika(event), "message", s->talk->message)) {
		s->turn = amk_json_get_int(amika(event), "turn", 0);
		return GOES_ON;
	}
	if (amk_json_is(event, "type", "message.cancelled") && amk_json_is(data, "message_id", s->talk->message))
		return amk_err_set(e, AMK_EFAILED, "the message was cancelled before its turn%s%.100s", by ? ", by " : "",
				   by ? by : "");
	if (amk_json_is(event, "type", "session.ended"))
		return session_is_over(s, e);
	return GOES_ON;
}

static int show(struct state *s, const struct amk_follow_line *line, const struct amk_json *event, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	if (s->final_only) {
		amk_render_final(event, &s->final);
		return 0;
	}
	if (s->records)
		return amk_out_record(line->line, line->n, e);
	amk_render_event(&s->render, event, &text);
	if (text.n == 0)
		return 0;
	if (amk_show_bytes(text.s, text.n, e) < 0)
		return -1;
	if (s->asks && !s->render.mid_line)
		amk_prompt_again(&s->prompt);
	return 0;
}

/* Nobody here will answer it: unless it is closed already, that is where this ends. */
static int requested(struct state *s, const struct amk_json *event, struct amk_err *e)
{
	struct amk_buf what AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_json *decision AMK_AUTO(json) = NULL;
	const char *id = amk_json_get_str(amk_json_get(amika(event), "decision"), "id");
	bool question = amk_json_is(event, "type", "question.requested");

	if (s->talk->looks_on || (amk_talk_given.wait && !s->asks) || !id)
		return GOES_ON;
	if (amk_client_get(s->talk->client, &decision, e, "/v1/decisions/%s", id) < 0)
		return -1;
	if (!amk_json_is(decision, "state", "open"))
		return GOES_ON;
	if (s->asks) {
		amk_prompt_asked(&s->prompt, event);
		return GOES_ON;
	}
	amk_render_request(&what, event);
	amk_err_set(e, AMK_EWAITING, "the turn waits for decision %s: %.300s", id, what.s);
	return amk_err_hint(e, question ? "amika decision reply %s ANSWER" : "amika decision allow %s, or deny", id);
}

static int print_final(struct state *s, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	if (!s->final_only || s->final.n == 0)
		return 0;
	amk_render_text(&text, s->final.s, s->final.n);
	if (text.s[text.n - 1] != '\n')
		amk_buf_addc(&text, '\n');
	return amk_show_bytes(text.s, text.n, e);
}

static int ended(struct state *s, const struct amk_json *event, struct amk_err *e)
{
	const char *outcome = amk_json_get_str(amika(event), "outcome");
	const char *reason = amk_json_get_str(amika(event), "reason");

	if (print_final(s, e) < 0)
		return -1;
	if (s->talk->looks_on || !outcome || strcmp(outcome, "completed") == 0)
		return AMK_EXIT_DONE;
	if (!s->records && !s->final_only)
		return AMK_EXIT_FAILED; /* the text said so */
	if (!reason && s->trouble.n)
		reason = s->trouble.s;
	return amk_err_set(e, AMK_EFAILED, "the turn ended as %.40s%s%.300s", outcome, reason ? ": " : "",
			   reason ? reason : "");
}

static void note_trouble(struct state *s, const struct amk_json *event)
{
	const char *text = amk_json_get_str(amk_json_get(event, "data"), "message");

	amk_buf_clear(&s->trouble);
	amk_render_word(&s->trouble, text ? text : "", 200);
}

/*
 * Behind a gap the end of the turn may be what is missing. That is known once the session has nothing to do
 * and all that is kept of it was read.
 */
static int look_for_end(struct state *s, const struct amk_json *line, uint64_t sequence, struct amk_err *e)
{
	struct amk_json *info AMK_AUTO(json) = NULL;
	uint64_t after;

	if (!amk_json_is(line, "type", "gap") && !amk_json_is(line, "type", "turn.ended") && sequence < s->look_at)
		return GOES_ON;
	if (amk_client_get(s->talk->client, &info, e, "/v1/sessions/%s", s->talk->session) < 0)
		return -1;
	after = (uint64_t)amk_json_get_int(info, "after", 0);
	s->look_at = after > sequence ? after : UINT64_MAX;
	if (after > sequence || amk_json_get_int(info, "queued", 0) > 0 ||
	    !(amk_json_is(info, "state", "idle") || amk_json_true(amk_json_get(info, "ended"))))
		return GOES_ON;
	amk_err_set(e, AMK_EFAILED, "the events that tell how the turn ended are no longer kept");
	return amk_err_hint(e, "see: amika events %.120s", s->talk->session);
}

static int event_taken(struct state *s, const struct amk_follow_line *line, const struct amk_json *event,
		       struct amk_err *e)
{
	int64_t turn = amk_json_get_int(amika(event), "turn", 0);
	int r;

	if (!s->turn) {
		r = before_turn(s, event, e);
		if (!s->turn)
			return r;
	}
	if (show(s, line, event, e) < 0)
		return -1;
	if (amk_json_is(event, "type", "turn.ended") && turn == s->turn)
		return ended(s, event, e);
	if (amk_json_is(event, "type", "error"))
		note_trouble(s, event);
	if (type_is(event, "permission.resolved", "question.resolved") && s->asks)
		amk_prompt_settled(&s->prompt, event);
	if (type_is(event, "permission.requested", "question.requested"))
		return requested(s, event, e);
	return GOES_ON;
}

static int line_taken(struct state *s, const struct amk_follow_line *line, struct amk_err *e)
{
	struct amk_json *event AMK_AUTO(json) = amk_json_parse(line->line, line->n, e);
	int r;

	if (!event)
		return amk_err_wrap(e, "event %llu of session %s", (unsigned long long)line->sequence, line->session);
	if (amk_json_is(event, "type", "gap")) {
		s->torn = true;
		r = show(s, line, event, e) < 0 ? -1 : GOES_ON;
	} else {
		r = event_taken(s, line, event, e);
	}
	return r == GOES_ON && s->torn ? look_for_end(s, event, line->sequence, e) : r;
}

static int cancel(struct state *s, struct amk_err *e)
{
	char path[256];
	struct amk_call call = { .method = "POST", .path = path };

	fprintf(stderr, "cancelling the turn; ^C again leaves it\n");
	snprintf(path, sizeof path, "/v1/sessions/%s/cancel", s->talk->session);
	s->cancelling = true;
	return amk_client_call(s->talk->client, &call, NULL, e) < 0 ? -1 : GOES_ON;
}

static int signal_taken(struct state *s, struct amk_err *e)
{
	int signum = amk_signals_read(&signals);

	if (signum == 0)
		return GOES_ON;
	if (signum == SIGINT && !s->cancelling && (s->turn || s->talk->accepted))
		return cancel(s, e);
	fprintf(stderr, "left; %s (see: amika events %s)\n",
		s->turn || s->talk->accepted ? "the turn goes on" : "the message stays in the queue", s->talk->session);
	return 128 + signum;
}

static int watched(struct state *s, struct amk_err *e)
{
	int r = s->talk->looks_on ? GOES_ON : signal_taken(s, e);
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	if (r == GOES_ON && s->asks && amk_prompt_listens(&s->prompt) && poll(&p, 1, 0) > 0 &&
	    amk_prompt_typed(&s->prompt, e) < 0)
		return -1;
	return r;
}

static int step(struct state *s, struct amk_err *e)
{
	struct amk_follow_line line;

	if (s->asks)
		amk_follow_watch(s->follow, 1, amk_prompt_listens(&s->prompt) ? STDIN_FILENO : -1);
	switch (amk_follow_next(s->follow, s->talk->looks_on ? 0 : deadline, &line, e)) {
	case AMK_FOLLOW_LINE:
		return line_taken(s, &line, e);
	case AMK_FOLLOW_WATCHED:
		return watched(s, e);
	case AMK_FOLLOW_TIMEOUT:
		amk_err_set(e, AMK_ETIMEOUT, "no end of the turn within %lld ms; it goes on",
			    (long long)amk_talk_given.timeout);
		return amk_err_hint(e, "see: amika events --follow %.100s", s->talk->session);
	case AMK_FOLLOW_ERROR:
		break;
	}
	return -1;
}

static void begin(struct state *s, const struct amk_talk *t)
{
	*s = (struct state){
		.talk = t,
		.follow = amk_follow_new(t->client),
		.final = AMK_BUF_INIT(AMK_LINE_MAX),
		.trouble = AMK_BUF_INIT(4096),
		.records = amk_cmd_records(),
		.final_only = !t->looks_on && amk_talk_given.final,
		.asks = !t->looks_on && !amk_talk_given.no_input && amk_prompt_possible(),
	};
	amk_prompt_init(&s->prompt, t->client);
	amk_render_init(&s->render);
	s->render.own = !t->looks_on;
	s->render.asks = s->asks;
	amk_follow_add(s->follow, t->session, t->after);
	if (!t->looks_on)
		amk_follow_watch(s->follow, 0, signals.fd);
}

/* What was left unfinished on the screen must not run into what comes next. */
static void end_line(struct state *s)
{
	if (s->render.mid_line)
		amk_show_bytes("\n", 1, NULL);
}

int amk_talk_print(const struct amk_talk *t, struct amk_err *e)
{
	struct state s;
	int r;

	begin(&s, t);
	do
		r = step(&s, e);
	while (r == GOES_ON);
	end_line(&s);
	amk_follow_free(s.follow);
	amk_prompt_release(&s.prompt);
	amk_buf_release(&s.final);
	amk_buf_release(&s.trouble);
	return r;
}

int amk_talk_send(struct amk_client *c, const char *session, const struct amk_message *m, struct amk_err *e)
{
	struct amk_message_receipt r = AMK_MESSAGE_RECEIPT_INIT;
	struct amk_talk t = { .client = c, .session = session, .message = m->id };
	int status;

	/* From here on ^C is for the turn: the message may be accepted before we know. */
	if (!amk_talk_given.no_wait)
		amk_signals_open(&signals);
	status = amk_message_send(c, session, m, &r, e);
	t.after = r.after;
	t.accepted = r.accepted;
	if (status == 0 && amk_talk_given.no_wait)
		status = amk_show_line(&r.line, e);
	else if (status == 0)
		status = amk_talk_print(&t, e);
	amk_signals_close(&signals);
	amk_buf_release(&r.line);
	return status;
}
