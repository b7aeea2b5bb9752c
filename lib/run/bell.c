/* SPDX-License-Identifier: Apache-2.0 */
/* The doorbell: numbers over a packet socket. */
#include "run/bell.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void amk_bell_init(struct amk_bell *b)
{
	memset(b, 0, sizeof *b);
	b->fd = -1;
}

void amk_bell_connect(struct amk_bell *b, int fd)
{
	amk_bell_close(b);
	b->fd = fd;
}

void amk_bell_close(struct amk_bell *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

void amk_bell_ring(struct amk_bell *b, enum amk_bell_kind kind, uint64_t value)
{
	b->value[kind] = value;
	b->waiting |= 1u << kind;
}

void amk_bell_flush(struct amk_bell *b)
{
	for (uint32_t kind = 0; kind < AMK_BELL_COUNT && b->fd >= 0; kind++) {
		struct amk_bell_packet p = { .kind = kind, .value = b->value[kind] };

		if (!(b->waiting & (1u << kind)))
			continue;
		/* A lost peer is noticed by reading; the number then waits for the next one. */
		if (send(b->fd, &p, sizeof p, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return;
		b->waiting &= ~(1u << kind);
	}
}

int amk_bell_read(struct amk_bell *b, struct amk_bell_packet *p)
{
	ssize_t n;

	for (;;) {
		n = recv(b->fd, p, sizeof *p, MSG_DONTWAIT | MSG_TRUNC);
		/* A peer that went with packets unread resets once, ahead of what it sent before. */
		if (n < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n <= 0)
			return -1;
		/* A kind of a later version is left alone. */
		if (n == sizeof *p && p->kind < AMK_BELL_COUNT)
			return 1;
	}
}

pid_t amk_bell_peer(const struct amk_bell *b)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(b->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return -1;
	return peer.uid == geteuid() || peer.uid == 0 ? peer.pid : -1;
}
