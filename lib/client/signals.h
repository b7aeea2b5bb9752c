/* SPDX-License-Identifier: Apache-2.0 */
/* ^C and SIGTERM as something to be waited for, for as long as a tool has a better answer than to die. */
#ifndef AMK_CLIENT_SIGNALS_H
#define AMK_CLIENT_SIGNALS_H

#include <signal.h>

struct amk_signals {
	int fd; /* readable when one came */
	sigset_t old;
};

/* Those that were ignored stay so. */
void amk_signals_open(struct amk_signals *s);
void amk_signals_close(struct amk_signals *s); /* as before; safe twice */
void amk_auto_signals(struct amk_signals *s);
/* The next one that came, or 0. */
int amk_signals_read(struct amk_signals *s);

#endif
