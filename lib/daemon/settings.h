/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals, limits, texts and hooks of the daemon: STATE/settings.json, an object. */
#ifndef AMK_DAEMON_SETTINGS_H
#define AMK_DAEMON_SETTINGS_H

#include <stdint.h>

#include "core/say.h"
#include "outlet/hook.h"

struct amk_settings {
	int64_t keepalive_ms;	  /* comment on idle event streams */
	int64_t header_ms;	  /* for a client to finish a request's header */
	int64_t body_ms;	  /* … its body; and to take the reply */
	int64_t idle_ms;	  /* … to begin another on the same connection */
	int64_t grace_ms;	  /* between TERM and KILL when a program is ended */
	int64_t cancel_ms;	  /* for an agent to end a turn that was cancelled */
	int64_t lease_ms;	  /* a shim without a daemon gives up after so long */
	int64_t recover_ms;	  /* before the store is tried again after trouble */
	int64_t checkpoint_bytes; /* of spool between checkpoints inside a turn */
	int64_t step_bytes;	  /* of spool stepped per session and loop turn */
	int64_t log_bytes;	  /* of STATE/amikad.log before it is begun anew */
	char log_level[AMK_SAY_LEVELS_MAX];
	int64_t sleep_ms;	  /* a program that has nothing to do for so long is ended; 0: never */
	int64_t keep_events;	  /* of a session, when it has more than twice as many; 0: all */
	int64_t streams;	  /* event streams at once */
	int64_t streams_per_peer; /* … of one user, or of one address */
	int64_t connections;	  /* connections at once */
	int64_t requests;	  /* on one connection */
	int64_t header_bytes;	  /* memory of a connection, which a header must fit into */
	int64_t body_bytes;	  /* of a request */
	int64_t permission_deadline_ms, question_deadline_ms; /* an agent's requests wait so long; 0: without end */
	char permission_default[8]; /* "deny" or "allow": what is told when nobody has answered */
	char question_default[1024]; /* the answer to each question then; "": it is rejected */
	int64_t hook_retry_ms;	  /* before a hook that failed is tried again, at first */
	int64_t hook_give_up_ms;  /* a hook is tried for so long */
	struct amk_hooks hooks;
};

/*
 * Defaults, then what the file in dirfd says. Unknown names and values out of bounds are errors, and hooks in a file
 * that another can write. To be released, whatever is returned.
 */
int amk_settings_load(struct amk_settings *st, int dirfd, struct amk_err *e);
void amk_settings_release(struct amk_settings *st);

#endif
