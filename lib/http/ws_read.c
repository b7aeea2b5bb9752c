/* SPDX-License-Identifier: Apache-2.0 */
/* Frames coming in: wslay takes them apart, here they are checked and put together. */
#include "core/utf8.h"
#include "http/ws_wire.h"

/* A small message leaves its memory for the next one. */
#define KEEP 4096

struct broken {
	enum amk_ws_code code; /* 0: nothing is */
	const char *reason;
};

static ssize_t bytes_recv(uint8_t *to, size_t n, int flags, void *arg)
{
	struct amk_ws_read *r = arg;
	size_t got = r->ops->bytes(r->arg, (char *)to, n);

	(void)flags;
	r->dry = got == 0;
	return (ssize_t)got;
}

void amk_ws_read_init(struct amk_ws_read *r, const struct amk_ws_read_ops *ops, void *arg, size_t max)
{
	static const struct wslay_frame_callbacks callbacks = { .recv_callback = bytes_recv };

	*r = (struct amk_ws_read){ .ops = ops, .arg = arg, .max = max, .message = AMK_BUF_INIT(max) };
	if (wslay_frame_context_init(&r->frames, &callbacks, r) != 0)
		AMK_BUG("out of memory for a WebSocket");
}

void amk_ws_read_release(struct amk_ws_read *r)
{
	wslay_frame_context_free(r->frames);
	amk_buf_release(&r->message);
}

static bool is_control(const struct wslay_frame_iocb *f)
{
	return wslay_is_ctrl_frame(f->opcode);
}

static struct broken data_begin(struct amk_ws_read *r, const struct wslay_frame_iocb *f)
{
	bool first = f->opcode != WSLAY_CONTINUATION_FRAME;

	if (first && f->opcode != WSLAY_TEXT_FRAME && f->opcode != WSLAY_BINARY_FRAME)
		return (struct broken){ AMK_WS_PROTOCOL, "unknown opcode" };
	if (first && r->kind)
		return (struct broken){ AMK_WS_PROTOCOL, "a message inside another" };
	if (!first && !r->kind)
		return (struct broken){ AMK_WS_PROTOCOL, "nothing to continue" };
	if (first)
		r->kind = (enum amk_ws_kind)f->opcode;
	if (++r->fragments > AMK_WS_FRAGMENTS)
		return (struct broken){ AMK_WS_POLICY, "too many frames in a message" };
	if (f->payload_length > r->max - r->message.n)
		return (struct broken){ AMK_WS_TOO_BIG, "the message is too long" };
	return (struct broken){ 0 };
}

/* wslay has seen to the lengths, and to control frames being short and whole. */
static struct broken frame_begin(struct amk_ws_read *r, const struct wslay_frame_iocb *f)
{
	r->inside = true;
	r->left = f->payload_length;
	if (f->rsv)
		return (struct broken){ AMK_WS_PROTOCOL, "reserved bits" };
	if (!f->mask)
		return (struct broken){ AMK_WS_PROTOCOL, "a frame that is not masked" };
	if (!is_control(f))
		return data_begin(r, f);
	r->control_n = 0;
	if (f->opcode > WSLAY_PONG)
		return (struct broken){ AMK_WS_PROTOCOL, "unknown opcode" };
	return (struct broken){ 0 };
}

/* As far as it came; a character may be cut by the end of what is there. */
static struct broken text_check(struct amk_ws_read *r, bool whole)
{
	size_t left, n;

	do {
		left = r->message.n - r->valid;
		n = left ? amk_utf8_len(r->message.s + r->valid, left) : 0;
		r->valid += n;
	} while (n);
	if (left >= 4 || (whole && left))
		return (struct broken){ AMK_WS_NOT_TEXT, "not UTF-8" };
	return (struct broken){ 0 };
}

static struct broken payload_take(struct amk_ws_read *r, const struct wslay_frame_iocb *f)
{
	r->left -= f->data_length;
	if (!is_control(f)) {
		amk_buf_add(&r->message, f->data, f->data_length);
		return r->kind == AMK_WS_TEXT ? text_check(r, false) : (struct broken){ 0 };
	}
	for (size_t i = 0; i < f->data_length; i++)
		r->control[r->control_n++] = (char)f->data[i];
	return (struct broken){ 0 };
}

/* RFC 6455, section 7.4, and the registry: 1004 to 1006 and 1015 are never on the wire. */
static bool code_is_allowed(unsigned code)
{
	return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

static struct broken close_take(struct amk_ws_read *r)
{
	const unsigned char *s = (const unsigned char *)r->control;
	unsigned code = r->control_n >= 2 ? (unsigned)s[0] << 8 | s[1] : 0;

	r->over = true;
	if (r->control_n == 1 || (r->control_n && !code_is_allowed(code)))
		return (struct broken){ AMK_WS_PROTOCOL, "malformed close" };
	if (code && !amk_utf8_valid(r->control + 2, r->control_n - 2))
		return (struct broken){ AMK_WS_NOT_TEXT, "not UTF-8" };
	r->ops->heard(r->arg, code);
	return (struct broken){ 0 };
}

static struct broken message_end(struct amk_ws_read *r)
{
	enum amk_ws_kind kind = r->kind;

	if (kind == AMK_WS_TEXT) {
		struct broken b = text_check(r, true);

		if (b.code)
			return b;
	}
	r->kind = 0;
	r->fragments = 0;
	r->valid = 0;
	r->ops->message(r->arg, kind, r->message.s, r->message.n);
	if (r->message.cap > KEEP)
		amk_buf_release(&r->message);
	else
		amk_buf_clear(&r->message);
	return (struct broken){ 0 };
}

static struct broken frame_end(struct amk_ws_read *r, const struct wslay_frame_iocb *f)
{
	r->inside = false;
	if (f->opcode == WSLAY_CONNECTION_CLOSE)
		return close_take(r);
	if (f->opcode == WSLAY_PING)
		r->ops->ping(r->arg, r->control, r->control_n);
	else if (f->fin && !is_control(f))
		return message_end(r);
	return (struct broken){ 0 };
}

static struct broken frame_take(struct amk_ws_read *r, const struct wslay_frame_iocb *f)
{
	struct broken b = { 0 };

	if (!r->inside)
		b = frame_begin(r, f);
	if (!b.code)
		b = payload_take(r, f);
	if (!b.code && r->left == 0)
		b = frame_end(r, f);
	return b;
}

bool amk_ws_read_some(struct amk_ws_read *r, enum amk_ws_code *code, const char **reason)
{
	struct broken b = { 0 };

	while (!r->over) {
		struct wslay_frame_iocb f = { 0 };
		ssize_t n = wslay_frame_recv(r->frames, &f);

		/* It also wants to be called again when a header came in pieces. */
		if (n == WSLAY_ERR_WANT_READ && r->dry)
			break;
		if (n == WSLAY_ERR_WANT_READ)
			continue;
		if (n < 0)
			b = (struct broken){ AMK_WS_PROTOCOL, "malformed frame" };
		else
			b = frame_take(r, &f);
		r->over = r->over || b.code;
	}
	*code = b.code;
	*reason = b.reason;
	return !b.code;
}
