/* SPDX-License-Identifier: Apache-2.0 */
/* A signalfd over blocked signals. */
#include "client/signals.h"

#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/buf.h"

void amk_signals_open(struct amk_signals *s)
{
	static const int wanted[] = { SIGINT, SIGTERM };
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < AMK_COUNT(wanted); i++)
		if (sigaction(wanted[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, &s->old);
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void amk_signals_close(struct amk_signals *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	sigprocmask(SIG_SETMASK, &s->old, NULL);
}

void amk_auto_signals(struct amk_signals *s)
{
	amk_signals_close(s);
}

int amk_signals_read(struct amk_signals *s)
{
	struct signalfd_siginfo info;

	return read(s->fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
