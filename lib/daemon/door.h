/* SPDX-License-Identifier: Apache-2.0 */
/* The network door: a TCP listener, the token it asks for, and what browsers may do there. */
#ifndef AMK_DAEMON_DOOR_H
#define AMK_DAEMON_DOOR_H

#include <stdbool.h>

#include "daemon/cors.h"
#include "daemon/token.h"

/* What was asked for on the command line. Strings are borrowed. */
struct amk_door_conf {
	const char *listen;	/* "127.0.0.1:60999", "[::1]:0", "localhost:80"; NULL: no door */
	char *token;		/* given openly, or NULL; overwritten when its digest is known */
	const char *token_file; /* or NULL: with no token either, STATE/token */
	bool far;		/* may listen beyond loopback */
	bool owner;		/* `amikad server`: see amk_owner_request */
	struct amk_cors cors;	/* without the known_…; moved into the door */
	int inherited;		/* what amk_door_leave left, used up; -1: open anew */
};

struct amk_door {
	int listen_fd; /* owned */
	char url[80];  /* "http://127.0.0.1:60999" */
	char *token_file; /* absolute; NULL when the token came otherwise */
	bool owner;
	struct amk_token token;
	struct amk_cors cors;
};

/*
 * Listens, so that nobody else gets the port; serving is the owner's. AMK_EUSAGE for what cannot be meant,
 * AMK_ECONFLICT when the port is in use. `state` is the state folder's path.
 */
struct amk_door *amk_door_open(struct amk_door_conf *conf, const char *state, struct amk_err *e);
void amk_door_close(struct amk_door *d); /* NULL is fine */
/*
 * For the program started in our place: a sealed file in memory, which names a copy of the listening socket;
 * both are inherited. The token is not in it, only its digest. Returns the file's descriptor.
 */
int amk_door_leave(const struct amk_door *d, struct amk_err *e);

/* The guard of the listener (see amk_http_conf): hosts and origins, then the token for all but open routes. */
bool amk_door_judge(const struct amk_door *d, struct amk_request *rq);

#endif
