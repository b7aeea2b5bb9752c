/* SPDX-License-Identifier: Apache-2.0 */
/* The cases 9.1 to 9.8 of the Autobahn test suite by their numbers: big, cut up and many messages come back. */
#include "ws_fixture.h"

static struct amk_buf body = AMK_BUF_INIT(16u << 20);

static void body_make(enum opcode opcode, size_t n)
{
	amk_buf_clear(&body);
	memset(amk_buf_room(&body, n), opcode == TEXT ? 'B' : 0xfe, n);
	body.n = n;
}

static void bytes_send(struct client *c, const struct amk_buf *b, size_t chop)
{
	for (size_t at = 0; at < b->n; at += chop)
		client_send(c, b->s + at, chop < b->n - at ? chop : b->n - at);
}

/* A message of n bytes in frames of `piece` bytes, written in pieces of `chop` bytes. */
static void message_run(const char *name, enum opcode opcode, size_t n, size_t piece, size_t chop)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	struct client c;
	bool good = ws_open(&c, "/echo");

	body_make(opcode, n);
	for (size_t at = 0; at < n; at += piece) {
		bool last = at + piece >= n;

		ws_put(&b, (last ? FIN : 0) | (at ? CONT : opcode), body.s + at, last ? n - at : piece);
	}
	bytes_send(&c, &b, chop ? chop : b.n);
	good = good && ws_hears(&c, FIN | opcode, body.s, n) && ws_leaves(&c);
	ok(good, "case %s", name);
	client_close(&c);
}

static void round_trips(const char *name, enum opcode opcode, size_t n)
{
	struct client c;
	bool good = ws_open(&c, "/echo");

	body_make(opcode, n);
	for (int i = 0; i < 1000 && good; i++) {
		ws_say(&c, FIN | opcode, body.s, n);
		good = ws_hears(&c, FIN | opcode, body.s, n);
	}
	ok(good && ws_leaves(&c), "case %s", name);
	client_close(&c);
}

int main(void)
{
	static const size_t sizes[] = { 64u << 10, 256u << 10, 1u << 20, 4u << 20, 8u << 20, 16u << 20 };
	static const size_t trips[] = { 0, 16, 64, 256, 1024, 4096 };
	char name[16];

	server_start(&ws_usual);
	for (unsigned kind = 0; kind < 2; kind++) {
		enum opcode opcode = kind ? BINARY : TEXT;

		for (unsigned i = 0; i < AMK_COUNT(sizes); i++) {
			snprintf(name, sizeof name, "9.%u.%u", 1 + kind, i + 1);
			message_run(name, opcode, sizes[i], sizes[i], 0);
		}
		for (unsigned i = 0; i < 9; i++) {
			snprintf(name, sizeof name, "9.%u.%u", 3 + kind, i + 1);
			message_run(name, opcode, 4u << 20, (size_t)64 << 2 * i, 0);
		}
		for (unsigned i = 0; i < 6; i++) {
			snprintf(name, sizeof name, "9.%u.%u", 5 + kind, i + 1);
			message_run(name, opcode, 1u << 20, 1u << 20, (size_t)64 << i);
		}
		for (unsigned i = 0; i < AMK_COUNT(trips); i++) {
			snprintf(name, sizeof name, "9.%u.%u", 7 + kind, i + 1);
			round_trips(name, opcode, trips[i]);
		}
	}
	server_stop();
	server_remove();
	amk_buf_release(&body);
	return tap_done();
}
