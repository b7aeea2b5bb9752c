/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket as bytes: the handshake's proof, frames out, frames in. No sockets; wslay takes frames apart. */
#ifndef AMK_HTTP_WS_WIRE_H
#define AMK_HTTP_WS_WIRE_H

#include <wslay/wslay.h>

#include "http/ws.h"

#define AMK_WS_KEY 24	 /* characters of Sec-WebSocket-Key */
#define AMK_WS_ACCEPT 29 /* with the NUL */
/* False when the key is not 16 bytes in base64. */
bool amk_ws_accept(char to[AMK_WS_ACCEPT], const char *key);

#define AMK_WS_CONTROL 125 /* bytes in a control frame, at most */

/* One whole unmasked frame of that opcode. */
void amk_ws_frame_put(struct amk_buf *b, enum wslay_opcode opcode, const char *s, size_t n);
/* A close frame; code 0: without one. */
void amk_ws_frame_close(struct amk_buf *b, unsigned code, const char *reason);

struct amk_ws_read_ops {
	size_t (*bytes)(void *arg, char *to, size_t n); /* up to n; 0: none now */
	void (*message)(void *arg, enum amk_ws_kind kind, const char *s, size_t n);
	void (*ping)(void *arg, const char *s, size_t n);
	void (*heard)(void *arg, unsigned code); /* the client closes; 0: without a code */
};

/* Frames coming in: put together, checked, bounded. Init, then release. */
struct amk_ws_read {
	const struct amk_ws_read_ops *ops;
	void *arg;
	size_t max; /* bytes of a message */
	wslay_frame_context_ptr frames;
	struct amk_buf message;
	char control[AMK_WS_CONTROL];
	size_t control_n;
	size_t valid;	    /* bytes of `message` found to be UTF-8 */
	unsigned fragments; /* of the message */
	enum amk_ws_kind kind; /* of the message, 0: none is open */
	uint64_t left;	       /* of the frame */
	bool inside;	       /* of a frame */
	bool dry;	       /* there were no more bytes */
	bool over;	       /* the client has closed, or what it sent cannot be gone on with */
};
void amk_ws_read_init(struct amk_ws_read *r, const struct amk_ws_read_ops *ops, void *arg, size_t max);
void amk_ws_read_release(struct amk_ws_read *r);
/* Takes what there is. False, with code and reason, when the connection must be failed; then not again. */
bool amk_ws_read_some(struct amk_ws_read *r, enum amk_ws_code *code, const char **reason);

/* Frames of one message, at most: those of 64 bytes make up 16 MiB. */
#define AMK_WS_FRAGMENTS (256u << 10)

#endif
