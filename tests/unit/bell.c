/* SPDX-License-Identifier: Apache-2.0 */
/* The doorbell: numbers that cannot be sent wait, the newest of each kind, also for the next peer. */
#include "run/bell.h"

#include "failing.h"
#include "tap.h"

#define STEPS 40

static struct amk_bell here, there;

static void connect_both(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return;
	amk_bell_connect(&here, pair[0]);
	amk_bell_connect(&there, pair[1]);
}

static void check_numbers(void)
{
	struct amk_bell_packet p;

	amk_bell_ring(&here, AMK_BELL_IN, 7);
	amk_bell_ring(&here, AMK_BELL_END, 3);
	amk_bell_ring(&here, AMK_BELL_IN, 9);
	amk_bell_flush(&here);
	is_int(here.waiting, 0, "what was rung is sent");
	ok(amk_bell_read(&there, &p) == 1 && p.kind == AMK_BELL_IN && p.value == 9, "of a kind the newest number");
	ok(amk_bell_read(&there, &p) == 1 && p.kind == AMK_BELL_END && p.value == 3, "and each other kind");
	is_int(amk_bell_read(&there, &p), 0, "then nothing");
	is_int(amk_bell_peer(&there), getpid(), "the peer is known");
}

static void check_full(void)
{
	struct amk_bell_packet p;
	uint64_t n = 0, last = 0;
	int got = 0;

	while (!here.waiting) {
		amk_bell_ring(&here, AMK_BELL_OUT, ++n);
		amk_bell_flush(&here);
	}
	amk_bell_ring(&here, AMK_BELL_OUT, ++n);
	ok(n > 2, "a peer that does not read takes %llu numbers", (unsigned long long)n - 2);
	for (; amk_bell_read(&there, &p) == 1; got++)
		last = p.value;
	is_int(last, n - 2, "it reads those");
	amk_bell_flush(&here);
	ok(amk_bell_read(&there, &p) == 1 && p.value == n, "and the last one when there is room");
}

static void check_peers(void)
{
	const struct amk_bell_packet strange = { .kind = AMK_BELL_COUNT, .value = 1 };
	struct amk_bell_packet p;

	ok(send(here.fd, &strange, sizeof strange, 0) > 0 && send(here.fd, "x", 1, 0) > 0, "what nobody knows is sent");
	is_int(amk_bell_read(&there, &p), 0, "and left alone");
	amk_bell_close(&there);
	is_int(amk_bell_read(&here, &p), -1, "a peer that is gone is noticed");
	amk_bell_ring(&here, AMK_BELL_DONE, 5);
	amk_bell_flush(&here);
	ok(here.waiting, "a number for nobody waits");
	connect_both();
	amk_bell_flush(&here);
	ok(amk_bell_read(&there, &p) == 1 && p.kind == AMK_BELL_DONE && p.value == 5, "for the next peer");
}

/* Says the numbers 1 to STEPS while the at-th call fails, as its owners do: who lost a peer connects anew and asks. */
static uint64_t talk(long at)
{
	uint64_t heard = 0;

	failing.at = at;
	failing.seen = 0;
	for (uint64_t n = 1; n <= STEPS; n++) {
		struct amk_bell_packet p;
		int got;

		amk_bell_ring(&here, AMK_BELL_OUT, n);
		amk_bell_flush(&here);
		while ((got = amk_bell_read(&there, &p)) > 0)
			heard = p.value;
		if (got == 0)
			continue;
		connect_both();
		amk_bell_ring(&here, AMK_BELL_OUT, n);
	}
	failing.at = 0;
	amk_bell_flush(&here);
	for (struct amk_bell_packet p; amk_bell_read(&there, &p) > 0;)
		heard = p.value;
	return heard;
}

static void check_failures(void)
{
	bool good = true;
	long at = 0;

	do
		good = talk(++at) == STEPS;
	while (good && failing.seen >= at);
	ok(good && at > STEPS, "%ld calls fail, and the last number arrives", at - 1);
}

int main(void)
{
	failing.parent = getpid();
	amk_bell_init(&here);
	amk_bell_init(&there);
	connect_both();
	check_numbers();
	check_full();
	check_peers();
	check_failures();
	return tap_done();
}
