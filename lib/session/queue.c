/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that wait in a session: shown, and taken back. */
#include <stdlib.h>
#include <string.h>

#include "core/crash.h"
#include "core/jw.h"
#include "session/internal.h"

struct shown {
	struct amk_session *s;
	struct amk_buf *b;
	int64_t after, last; /* rows */
	uint64_t left, position;
	bool more;
};

/* What was named; the bytes that were read from it are the agent's. */
static void write_attachments(struct amk_buf *b, const char *stored)
{
	static const char *const keys[] = { "path", "mime", "filename" };
	struct amk_json *list AMK_AUTO(json) = stored ? amk_json_parse(stored, strlen(stored), NULL) : NULL;

	if (!list)
		return;
	amk_jw_open(b, "attachments", '[');
	for (const struct amk_json *a = amk_json_first(list); a; a = amk_json_next(a)) {
		amk_jw_open(b, NULL, '{');
		for (size_t i = 0; i < AMK_COUNT(keys); i++)
			if (amk_json_get_str(a, keys[i]))
				amk_json_print(b, keys[i], amk_json_get(a, keys[i]));
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
}

static bool show_one(void *arg, const struct amk_state_message *r)
{
	struct shown *list = arg;

	list->position++;
	if (r->row <= list->after)
		return true;
	if (list->left == 0 || (list->last && list->b->n + strlen(r->text) > AMK_SESSION_TEXT_MAX)) {
		list->more = true;
		return false;
	}
	list->left--;
	list->last = r->row;
	amk_jw_open(list->b, NULL, '{');
	amk_jw_cstr(list->b, "sessionId", list->s->id);
	amk_jw_cstr(list->b, "messageId", r->id);
	amk_jw_int(list->b, "position", (int64_t)list->position);
	amk_jw_int(list->b, "queuedAt", r->created / 1000000);
	amk_jw_cstr(list->b, "text", r->text);
	write_attachments(list->b, r->attachments);
	amk_jw_close(list->b, '}');
	return true;
}

int amk_session_queue(struct amk_session *s, int64_t *after, uint64_t limit, struct amk_buf *b, struct amk_err *e)
{
	struct shown list = { .s = s, .b = b, .after = *after, .left = limit };

	if (amk_state_messages_queued(s->all->conf.store, s->row, AMK_SESSION_QUEUE_MAX, show_one, &list, e) < 0)
		return -1;
	*after = list.more ? list.last : 0;
	return 0;
}

static void say_cancelled(struct amk_session *s, const char *message_id, const char *by)
{
	struct amk_buf data AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	struct amk_said said = { .type = "message.cancelled", .synthetic = true };

	amk_jw_cstr(&data, "message_id", message_id);
	if (by)
		amk_jw_cstr(&data, "by", by);
	said.data = data.s;
	amk_said_own(s, &said);
}

static void take_back(struct amk_session *s, int64_t row, const char *message_id, const char *by)
{
	struct amk_err e = { 0 };

	AMK_CRASH("queue.cancel.before");
	if (amk_state_message_set(s->all->conf.store, row, AMK_MESSAGE_CANCELLED, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	AMK_CRASH("queue.cancel.after");
	s->queued--;
	say_cancelled(s, message_id, by);
}

struct wanted {
	int64_t row; /* 0: there is none */
	enum amk_message_state state;
};

static void note(void *arg, const struct amk_state_message *r)
{
	*(struct wanted *)arg = (struct wanted){ r->row, r->state };
}

int amk_session_queue_cancel(struct amk_session *s, const char *message_id, const char *by, struct amk_err *e)
{
	struct wanted w = { 0 };

	if (amk_state_message_find(s->all->conf.store, s->row, message_id, note, &w, e) < 0)
		return -1;
	if (!w.row) {
		amk_err_set(e, AMK_ENOTFOUND, "no message \"%.140s\" in session %s", message_id, s->id);
		return amk_err_hint(e, "see: amika session queue %.100s", s->id);
	}
	if (w.state == AMK_MESSAGE_STARTED) {
		amk_err_set(e, AMK_ECONFLICT, "message %.140s has left the queue of session %s", message_id, s->id);
		return amk_err_hint(e, "its turn is ended by: amika session cancel %.100s", s->id);
	}
	if (w.state == AMK_MESSAGE_QUEUED)
		take_back(s, w.row, message_id, by);
	return 0;
}

static bool gather(void *arg, const struct amk_state_message *r)
{
	struct amk_strv *list = arg;

	amk_strv_addf(list, "%lld", (long long)r->row);
	amk_strv_add(list, r->id);
	return true;
}

void amk_session_queue_clear(struct amk_session *s, const char *by)
{
	struct amk_strv list AMK_AUTO(strv) = { 0 };
	struct amk_err e = { 0 };

	if (amk_state_messages_queued(s->all->conf.store, s->row, AMK_SESSION_QUEUE_MAX, gather, &list, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	for (size_t i = 0; i < list.n; i += 2)
		take_back(s, strtoll(list.v[i], NULL, 10), list.v[i + 1], by);
	s->queued = 0;
}
