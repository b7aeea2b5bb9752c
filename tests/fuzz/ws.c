/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzing what a WebSocket's client sends: only whole, bounded, well-formed messages may come out of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "http/ws_wire.h"

#define MESSAGE_MAX 1000

struct input {
	const uint8_t *data;
	size_t n, at, piece;
	bool over; /* nothing more may come out */
};

static void require(bool good)
{
	if (!good)
		abort();
}

static size_t bytes(void *arg, char *to, size_t n)
{
	struct input *in = arg;
	size_t left = in->n - in->at;

	if (n > in->piece)
		n = in->piece;
	if (n > left)
		n = left;
	memcpy(to, in->data + in->at, n);
	in->at += n;
	return n;
}

static void message(void *arg, enum amk_ws_kind kind, const char *s, size_t n)
{
	struct input *in = arg;

	require(!in->over && n <= MESSAGE_MAX && s[n] == '\0');
	require(kind == AMK_WS_BINARY || (kind == AMK_WS_TEXT && amk_utf8_valid(s, n)));
}

static void ping(void *arg, const char *s, size_t n)
{
	struct input *in = arg;

	require(!in->over && s && n <= AMK_WS_CONTROL);
}

static void heard(void *arg, unsigned code)
{
	struct input *in = arg;

	require(!in->over && (code == 0 || (code >= 1000 && code < 5000)));
	in->over = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct amk_ws_read_ops ops = { bytes, message, ping, heard };
	struct input in = { .data = data + 1, .n = n ? n - 1 : 0, .piece = n ? data[0] % 64 + 1 : 1 };
	const char *reason = NULL;
	enum amk_ws_code code = 0;
	struct amk_ws_read r;

	amk_ws_read_init(&r, &ops, &in, MESSAGE_MAX);
	if (!amk_ws_read_some(&r, &code, &reason)) {
		require(code >= AMK_WS_PROTOCOL && reason && !in.over);
		in.over = true;
	}
	require(in.over == r.over);
	in.piece = 64;
	require(r.over || in.at == in.n);
	require(amk_ws_read_some(&r, &code, &reason) && code == 0); /* nothing is said twice */
	amk_ws_read_release(&r);
	return 0;
}
