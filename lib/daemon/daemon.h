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
struct amk_feed;

struct amk_daemon {
	char path[AMK_PATH_MAX]; /* the state folder */
	int dir, run_dir, lock_fd, listen_fd;
	uint64_t files; /* the soft limit of open files we were started with */
	struct amk_settings settings;
	struct amk_loop *loop;
	struct amk_store *store;
	struct amk_sessions *sessions; /* NULL while the store cannot be read */
	bool frozen;	   /* the store cannot be written: they are only shown */
	struct amk_err why; /* it could not */
	struct amk_http *http;
	struct amk_chunks *chunks; /* of the log, for all who read it */
	struct amk_feed *feeds;
	struct amk_timer *keepalive, *recover, *deadline;
	bool in_trouble, stopping, restarting;
	int64_t began; /* monotonic ns */
	bool log_kept; /* stderr is STATE/amikad.log */
};

struct amk_daemon_conf {
	const char *path; /* the state folder */
	int ready_fd;	  /* gets the daemon line once it serves; -1: none */
	int lock_fd;	  /* inherited, already locked; -1: to be taken */
};

/* Serves until stopped. 0: stopped; 1: to be started anew in this process (*lock_fd stays locked); -1: e. */
int amk_daemon_serve(const struct amk_daemon_conf *conf, int *lock_fd, struct amk_err *e);

#endif
