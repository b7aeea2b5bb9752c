/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket (RFC 6455, version 13, no extensions): a request becomes a connection of messages. */
#ifndef AMK_HTTP_WS_H
#define AMK_HTTP_WS_H

#include "http/http.h"

struct amk_ws;

enum amk_ws_kind { AMK_WS_TEXT = 1, AMK_WS_BINARY = 2 }; /* opcodes of the RFC */

/* Reasons to close that owners give (RFC 6455, section 7.4.1). */
enum amk_ws_code {
	AMK_WS_NORMAL = 1000,
	AMK_WS_GOING_AWAY = 1001,
	AMK_WS_PROTOCOL = 1002,
	AMK_WS_UNSUPPORTED = 1003,
	AMK_WS_NOT_TEXT = 1007,
	AMK_WS_POLICY = 1008,
	AMK_WS_TOO_BIG = 1009,
	AMK_WS_INTERNAL = 1011,
};

/*
 * All are called inside amk_http_turn. The bytes pulled are frames in a row (amk_ws_frame), cut anywhere; the
 * transport puts its own frames and those of amk_ws_send between them, where `between` says that is possible.
 */
struct amk_ws_ops {
	/* As for a stream: 1..max bytes, or WAIT (asked again after amk_ws_wake), or END (closes with 1000). */
	enum amk_pull (*pull)(void *arg, char *to, size_t max, size_t *n);
	bool (*between)(void *arg); /* what was pulled so far ends with a frame */
	/* A whole message, valid only now; text is UTF-8. */
	void (*message)(void *arg, enum amk_ws_kind kind, const char *s, size_t n);
	/*
	 * True: leave further messages with the client until amk_ws_send or amk_ws_wake (those of one read, at
	 * most 700, still come). May be NULL.
	 */
	bool (*busy)(void *arg);
	void (*closed)(void *arg); /* last call: the connection is gone */
};

/*
 * Ends the request with a 101. It counts as a stream. NULL when it is no WebSocket handshake (400 or 426 was
 * sent), there are too many streams (503) or the client has left: closed() is not called.
 */
struct amk_ws *amk_request_ws(struct amk_request *rq, const struct amk_ws_ops *ops, void *arg);
/* Cheap, idempotent, callable from anywhere on the loop but inside pull. */
void amk_ws_wake(struct amk_ws *ws);
/*
 * A message of the owner's own, copied. While more than AMK_WS_WAITING bytes of these wait, nothing is read:
 * who does not take the answers gets to ask no more.
 */
void amk_ws_send(struct amk_ws *ws, enum amk_ws_kind kind, const char *s, size_t n);
#define AMK_WS_WAITING (64u << 10)
/*
 * Sends what waits and a close frame, then ends when the client has answered it, at the latest
 * after AMK_WS_CLOSE_MS. No message is handed over and nothing pulled any more, but the rest of a frame. Of
 * the reason (ASCII, or NULL) at most 123 bytes are sent.
 */
void amk_ws_close(struct amk_ws *ws, enum amk_ws_code code, const char *reason);
#define AMK_WS_CLOSE_MS 3000

/* One text frame as a server sends it. A framer like amk_sse_frame; there is no place for the id. */
void amk_ws_frame(struct amk_buf *b, uint64_t id, const char *data, size_t n);

#endif
