/* SPDX-License-Identifier: Apache-2.0 */
/* amikad: what holds the rooms together. */
#ifndef AMK_DAEMON_DAEMON_H
#define AMK_DAEMON_DAEMON_H

#include <stdbool.h>

#include "core/err.h"
#include "core/path.h"
#include "daemon/settings.h"
#include "http/http.h"
#include "loop/loop.h"
#include "session/session.h"
#include "store/store.h"

struct amk_chunks;
struct amk_deliver;
struct amk_feed;
struct amk_door;
struct amk_door_conf;

struct amk_daemon {
	char path[AMK_PATH_MAX]; /* the state folder */
	int dir, run_dir, lock_fd, listen_fd;
	uint64_t files; /* the soft limit of open files we were started with */
	struct amk_settings settings;
	struct amk_loop *loop;
	struct amk_store *store;
	struct amk_sessions *sessions; /* NULL while the store cannot be read */
	struct amk_deliver *hooks; /* NULL while the store cannot be written */
	bool frozen;	   /* the store cannot be written: they are only shown */
	struct amk_err why; /* it could not */
	struct amk_http *http;
	struct amk_door *door;	  /* NULL: none */
	struct amk_http *network; /* what is served through it */
	struct amk_chunks *chunks; /* of the log, for all who read it */
	struct amk_feed *feeds;
	struct amk_timer *keepalive, *recover, *deadline;
	bool in_trouble, stopping, restarting;
	unsigned leaving; /* while stopping: what has to come to its end first */
	bool closing; /* nobody is served any more: who was cut off before would come back at once */
	int64_t began; /* monotonic ns */
	struct amk_successor *successor; /* being asked whether it can go on in our place */
	char refused[AMK_ERR_MSG]; /* why the last restart was, or "" */
	bool log_kept; /* stderr is STATE/amikad.log */
};

struct amk_daemon_conf {
	const char *path; /* the state folder */
	int ready_fd;	  /* gets the daemon line once it serves; -1: none */
	int lock_fd;	  /* inherited, already locked; -1: to be taken */
	struct amk_door_conf *door; /* or NULL */
};

/* Whether this program could serve the state folder: its settings, its database. Says nothing of another daemon. */
int amk_daemon_check(const char *path, struct amk_err *e);
/* What whoever is started in our place inherits. */
struct amk_daemon_left {
	int lock_fd; /* still locked */
	int door_fd; /* see amk_door_leave; -1: none */
};

/* Serves until stopped. 0: stopped; 1: to be started anew in this process, with what is left; -1: e. */
int amk_daemon_serve(const struct amk_daemon_conf *conf, struct amk_daemon_left *left, struct amk_err *e);

#endif
