/* SPDX-License-Identifier: Apache-2.0 */
/* What a session is started from and may be changed while it lives. */
#ifndef AMK_SESSION_SET_H
#define AMK_SESSION_SET_H

struct amk_session;

/* For the codec's sink, `arg` is the session: what the agent set by itself, or (NULL) takes only when it is started. */
void amk_set_told(void *arg, const char *what, const char *value);

#endif
