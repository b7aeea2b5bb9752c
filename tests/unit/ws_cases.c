/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases 1 to 5, 7 and 10 of the Autobahn test suite by their numbers, against an echoing server, written
 * anew from their public descriptions. Where the suite calls an outcome «non-strict», the strict one is asked.
 */
#include "ws_fixture.h"

#define STEPS 13
#define STALL 0x100 /* no frame: let the server work up to here first */
#define END 0x200   /* no frame: no more of them */

struct step {
	unsigned first;
	const char *s;
	size_t n;
};

/* What a case sends, what must come back, and how it ends. */
struct wire_case {
	const char *name;
	struct step send[STEPS], want[STEPS];
	int code; /* the server's close; 0: the client closes in order */
	size_t chop; /* bytes a write; 0: all at once; 1: also each frame by itself */
};

#define F(first, text) { first, text, sizeof(text) - 1 }
#define T(text) F(FIN | TEXT, text)
#define WORK { STALL, NULL, 0 }
#define THEN(...) { __VA_ARGS__, { END, NULL, 0 } }
#define NOTHING { { END, NULL, 0 } }
#define ECHOES(name, chop, send, want) { name, send, want, 0, chop }
#define FAILS(name, chop, send, want) { name, send, want, 1002, chop }
#define CLOSES(name, code, send) { name, send, NOTHING, code, 0 }

#define HELLO "Hello, world!"
#define SOME "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
#define A25 "aaaaaaaaaaaaaaaaaaaaaaaaa"
#define A125 A25 A25 A25 A25 A25
#define PONGED F(FIN | PONG, "pongme")
#define FIVE_PONGED PONGED, PONGED, PONGED, PONGED, PONGED
#define PINGME F(FIN | PING, "pongme")
#define FIVE_PINGS PINGME, PINGME, PINGME, PINGME, PINGME
#define BYE F(FIN | CLOSE, "\x03\xe8")

static const struct wire_case cases[] = {
	ECHOES("2.1", 0, THEN(F(FIN | PING, "")), THEN(F(FIN | PONG, ""))),
	ECHOES("2.2", 0, THEN(F(FIN | PING, HELLO)), THEN(F(FIN | PONG, HELLO))),
	ECHOES("2.3", 0, THEN(F(FIN | PING, SOME)), THEN(F(FIN | PONG, SOME))),
	ECHOES("2.4", 0, THEN(F(FIN | PING, A125)), THEN(F(FIN | PONG, A125))),
	FAILS("2.5", 0, THEN(F(FIN | PING, A125 "a")), NOTHING),
	ECHOES("2.6", 1, THEN(F(FIN | PING, A125)), THEN(F(FIN | PONG, A125))),
	ECHOES("2.7", 0, THEN(F(FIN | PONG, "")), NOTHING),
	ECHOES("2.8", 0, THEN(F(FIN | PONG, "unasked")), NOTHING),
	ECHOES("2.9", 0, THEN(F(FIN | PONG, "unasked"), PINGME), THEN(PONGED)),
	ECHOES("2.10", 0, THEN(FIVE_PINGS, FIVE_PINGS), THEN(FIVE_PONGED, FIVE_PONGED)),
	ECHOES("2.11", 1, THEN(FIVE_PINGS, FIVE_PINGS), THEN(FIVE_PONGED, FIVE_PONGED)),

	FAILS("3.1", 0, THEN(F(FIN | 0x10 | TEXT, HELLO)), NOTHING),
	FAILS("3.2", 0, THEN(T(HELLO), F(FIN | 0x20 | TEXT, HELLO), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("3.3", 0, THEN(T(HELLO), WORK, F(FIN | 0x30 | TEXT, HELLO), F(FIN | PING, "")),
	       THEN(T(HELLO))),
	FAILS("3.4", 1, THEN(T(HELLO), F(FIN | 0x40 | TEXT, HELLO), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("3.5", 0, THEN(F(FIN | 0x50 | BINARY, SOME)), NOTHING),
	FAILS("3.6", 0, THEN(F(FIN | 0x60 | PING, HELLO)), NOTHING),
	FAILS("3.7", 0, THEN(F(FIN | 0x70 | CLOSE, "")), NOTHING),

	FAILS("4.1.1", 0, THEN(F(FIN | 3, "")), NOTHING),
	FAILS("4.1.2", 0, THEN(F(FIN | 4, "reserved")), NOTHING),
	FAILS("4.1.3", 0, THEN(T(HELLO), F(FIN | 5, ""), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("4.1.4", 0, THEN(T(HELLO), F(FIN | 6, HELLO), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("4.1.5", 1, THEN(T(HELLO), F(FIN | 7, HELLO), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("4.2.1", 0, THEN(F(FIN | 11, "")), NOTHING),
	FAILS("4.2.2", 0, THEN(F(FIN | 12, "reserved")), NOTHING),
	FAILS("4.2.3", 0, THEN(T(HELLO), F(FIN | 13, ""), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("4.2.4", 0, THEN(T(HELLO), F(FIN | 14, HELLO), F(FIN | PING, "")), THEN(T(HELLO))),
	FAILS("4.2.5", 1, THEN(T(HELLO), F(FIN | 15, HELLO), F(FIN | PING, "")), THEN(T(HELLO))),

	FAILS("5.1", 0, THEN(F(PING, "fragment1"), F(FIN | CONT, "fragment2")), NOTHING),
	FAILS("5.2", 0, THEN(F(PONG, "fragment1"), F(FIN | CONT, "fragment2")), NOTHING),
	ECHOES("5.3", 0, THEN(F(TEXT, "one"), F(FIN | CONT, "two")), THEN(T("onetwo"))),
	ECHOES("5.4", 0, THEN(F(TEXT, "one"), WORK, F(FIN | CONT, "two")), THEN(T("onetwo"))),
	ECHOES("5.5", 1, THEN(F(TEXT, "one"), F(FIN | CONT, "two")), THEN(T("onetwo"))),
	ECHOES("5.6", 0, THEN(F(TEXT, "one"), PINGME, F(FIN | CONT, "two")), THEN(PONGED, T("onetwo"))),
	ECHOES("5.7", 0, THEN(F(TEXT, "one"), WORK, PINGME, WORK, F(FIN | CONT, "two")),
	       THEN(PONGED, T("onetwo"))),
	ECHOES("5.8", 1, THEN(F(TEXT, "one"), PINGME, F(FIN | CONT, "two")), THEN(PONGED, T("onetwo"))),
	FAILS("5.9", 0, THEN(F(FIN | CONT, "none"), T(HELLO)), NOTHING),
	FAILS("5.10", 0, THEN(F(FIN | CONT, "none"), WORK, T(HELLO)), NOTHING),
	FAILS("5.11", 1, THEN(F(FIN | CONT, "none"), T(HELLO)), NOTHING),
	FAILS("5.12", 0, THEN(F(CONT, "none"), T(HELLO)), NOTHING),
	FAILS("5.13", 0, THEN(F(CONT, "none"), WORK, T(HELLO)), NOTHING),
	FAILS("5.14", 1, THEN(F(CONT, "none"), T(HELLO)), NOTHING),
	FAILS("5.15", 0, THEN(F(TEXT, "one"), F(FIN | CONT, "two"), F(CONT, "none"), T(HELLO)),
	       THEN(T("onetwo"))),
	FAILS("5.16", 0, THEN(F(CONT, "none"), F(TEXT, "one"), F(FIN | CONT, "two"),
				 F(CONT, "none"), F(TEXT, "one"), F(FIN | CONT, "two")), NOTHING),
	FAILS("5.17", 0, THEN(F(FIN | CONT, "none"), F(TEXT, "one"), F(FIN | CONT, "two"),
				 F(FIN | CONT, "none"), F(TEXT, "one"), F(FIN | CONT, "two")), NOTHING),
	FAILS("5.18", 0, THEN(F(TEXT, "one"), F(FIN | TEXT, "two")), NOTHING),
	ECHOES("5.19", 0, THEN(F(TEXT, "1"), F(CONT, "2"), PINGME, WORK, F(CONT, "3"),
				  F(CONT, "4"), PINGME, F(FIN | CONT, "5")), THEN(PONGED, PONGED, T("12345"))),
	ECHOES("5.20", 0, THEN(F(TEXT, "1"), WORK, F(CONT, "2"), WORK, PINGME, WORK, F(CONT, "3"),
				  WORK, F(CONT, "4"), WORK, PINGME, F(FIN | CONT, "5")), THEN(PONGED, PONGED, T("12345"))),

	ECHOES("7.1.1", 0, THEN(T(HELLO)), THEN(T(HELLO))),
	CLOSES("7.1.2", 1000, THEN(BYE, BYE)),
	CLOSES("7.1.3", 1000, THEN(BYE, F(FIN | PING, ""))),
	CLOSES("7.1.4", 1000, THEN(BYE, T(HELLO))),
	CLOSES("7.1.5", 1000, THEN(F(TEXT, "one"), BYE, F(FIN | CONT, "two"))),
	CLOSES("7.3.1", -1, THEN(F(FIN | CLOSE, ""))),
	CLOSES("7.3.2", 1002, THEN(F(FIN | CLOSE, "a"))),
	CLOSES("7.3.3", 1000, THEN(BYE)),
	CLOSES("7.3.4", 1000, THEN(F(FIN | CLOSE, "\x03\xe8" HELLO))),
	CLOSES("7.3.5", 1000, THEN(F(FIN | CLOSE, "\x03\xe8" A25 A25 A25 A25 "aaaaaaaaaaaaaaaaaaaaaaa"))),
	CLOSES("7.3.6", 1002, THEN(F(FIN | CLOSE, "\x03\xe8" A25 A25 A25 A25 "aaaaaaaaaaaaaaaaaaaaaaaa"))),
	CLOSES("7.5.1", 1007, THEN(F(FIN | CLOSE,
	       "\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80 edited"))),
	CLOSES("7.13.1", 1002, THEN(F(FIN | CLOSE, "\x13\x88"))),
	CLOSES("7.13.2", 1002, THEN(F(FIN | CLOSE, "\x00\x01\x00\x00"))),
};

static const char *over(void)
{
	return over_tcp ? "over TCP, " : "";
}

static void chopped_send(struct client *c, const struct amk_buf *b, size_t chop)
{
	for (size_t at = 0; at < b->n;) {
		size_t n = chop && chop < b->n - at ? chop : b->n - at;

		client_send(c, b->s + at, n);
		at += n;
	}
}

/* Another connection has been served meanwhile, so what was sent before has been read. */
static void server_works(void)
{
	ask_status("GET /hello", NULL, NULL);
}

static void steps_send(struct client *c, const struct wire_case *w)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);

	for (const struct step *s = w->send; s->first != END; s++) {
		if (s->first != STALL) {
			ws_put(&b, s->first, s->s, s->n);
			continue;
		}
		chopped_send(c, &b, w->chop);
		amk_buf_clear(&b);
		server_works();
	}
	chopped_send(c, &b, w->chop);
}

static void wire_case_run(const struct wire_case *w)
{
	struct client c;
	bool good = ws_open(&c, "/echo");

	steps_send(&c, w);
	for (const struct step *s = w->want; good && s->first != END; s++)
		good = ws_hears(&c, s->first, s->s, s->n);
	good = good && (w->code ? ws_closes(&c) == (w->code < 0 ? 0 : w->code) : ws_leaves(&c));
	ok(good, "%scase %s", over(), w->name);
	client_close(&c);
}

/* One message, in pieces of `chop` bytes, comes back whole. */
static void size_case_run(const char *name, enum opcode opcode, size_t n, size_t chop)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20), b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct client c;
	bool good = ws_open(&c, "/echo");

	memset(amk_buf_room(&body, n), opcode == TEXT ? '*' : 0xfe, n);
	body.n = n;
	ws_put(&b, FIN | opcode, body.s, n);
	chopped_send(&c, &b, chop);
	good = good && ws_hears(&c, FIN | opcode, body.s, n) && ws_leaves(&c);
	ok(good, "%scase %s", over(), name);
	client_close(&c);
}

static void sizes_run(void)
{
	static const size_t sizes[] = { 0, 125, 126, 127, 128, 65535, 65536, 65536 };
	char name[16];

	for (unsigned kind = 1; kind <= 2; kind++)
		for (unsigned i = 0; i < AMK_COUNT(sizes); i++) {
			snprintf(name, sizeof name, "1.%u.%u", kind, i + 1);
			size_case_run(name, kind == 1 ? TEXT : BINARY, sizes[i], i == 7 ? 997 : 0);
		}
}

static void codes_run(const char *group, const unsigned *codes, size_t n, bool allowed)
{
	char body[125];
	struct client c;

	for (size_t i = 0; i < n; i++) {
		bool good = ws_open(&c, "/echo");

		ws_say(&c, FIN | CLOSE, body, ws_close_body(body, codes[i], ""));
		good = good && ws_closes(&c) == (int)(allowed ? codes[i] : 1002);
		ok(good, "%scase %s.%zu", over(), group, i + 1);
		client_close(&c);
	}
}

/* The big message is not taken back yet when the close comes behind it. */
static void close_behind_message(void)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20), b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct client c;
	bool good = ws_open(&c, "/echo");

	while (body.n < 256u << 10)
		amk_buf_adds(&body, "BAsd7&jh23");
	ws_put(&b, FIN | TEXT, body.s, 256u << 10);
	ws_put(&b, FIN | TEXT, HELLO, strlen(HELLO));
	ws_put(&b, FIN | CLOSE, "\x03\xe8", 2);
	ws_put(&b, FIN | PING, "", 0);
	client_send(&c, b.s, b.n);
	good = good && ws_hears(&c, FIN | TEXT, body.s, 256u << 10) &&
	       ws_hears(&c, FIN | TEXT, HELLO, strlen(HELLO)) && ws_closes(&c) == 1000;
	ok(good, "%scase 7.1.6", over());
	client_close(&c);
}

static void fragments_of_1300(void)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20), b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct client c;
	bool good = ws_open(&c, "/echo");

	memset(amk_buf_room(&body, 65536), '*', 65536);
	body.n = 65536;
	for (size_t at = 0; at < body.n; at += 1300) {
		bool last = at + 1300 >= body.n;

		ws_put(&b, (last ? FIN : 0) | (at ? CONT : TEXT), body.s + at, last ? body.n - at : 1300);
	}
	client_send(&c, b.s, b.n);
	good = good && ws_hears(&c, FIN | TEXT, body.s, body.n) && ws_leaves(&c);
	ok(good, "%scase 10.1.1", over());
	client_close(&c);
}

static void all_run(void)
{
	static const unsigned allowed[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009,
					    1010, 1011, 3000, 3999, 4000, 4999 };
	static const unsigned refused[] = { 0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999 };

	server_start(&ws_usual);
	sizes_run();
	for (size_t i = 0; i < AMK_COUNT(cases); i++)
		wire_case_run(&cases[i]);
	close_behind_message();
	codes_run("7.7", allowed, AMK_COUNT(allowed), true);
	codes_run("7.9", refused, AMK_COUNT(refused), false);
	fragments_of_1300();
	server_stop();
	server_remove();
}

int main(void)
{
	all_run();
	over_tcp = true;
	all_run();
	return tap_done();
}
