/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and ending the processes of a dead shim. */
#include "run/stray.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/path.h"
#include "core/time.h"
#include "run/folder.h"
#include "run/proc.h"
#include "run/tree.h"

#define PAUSE_MIN 5 /* ms, between one KILL and the next look */
#define PAUSE_MAX 200
#define ENVIRON_MAX (8u << 20) /* more than exec takes */

struct strays {
	struct amk_tree_page page;
	bool listed; /* the page's numbers are of here and now */
	char cookie[AMK_FOLDER_COOKIE];
};

static bool is_listed(const struct strays *s, const struct amk_proc *p)
{
	for (uint64_t i = 0; s->listed && i < s->page.n; i++)
		if (s->page.v[i].pid == (uint64_t)p->pid && s->page.v[i].start == p->start)
			return true;
	return false;
}

static bool is_in_session(const struct strays *s, const struct amk_proc *p)
{
	return (uint64_t)p->session == s->page.v[0].pid && p->start >= s->page.v[0].start;
}

/*
 * The number of a session stays taken while anybody is in it, and while a shim has not collected its program.
 * So who is in it and is older than the shim's end is ours, and then all are. Without one of these the number
 * may have gone to strangers.
 */
static bool has_session(const struct strays *s, const struct amk_procs *all)
{
	bool ours = false;

	for (size_t i = 0; s->listed && s->page.n > 0 && i < all->n; i++) {
		const struct amk_proc *p = &all->v[i];

		if ((uint64_t)p->pid == s->page.v[0].pid && p->start != s->page.v[0].start)
			return false;
		ours = ours || (is_in_session(s, p) && p->start <= s->page.at);
	}
	return ours;
}

/* The environment it was started with; that of others cannot be read. */
static bool has_cookie(const struct strays *s, pid_t pid)
{
	size_t n = strlen(s->cookie), kept = 0, all = 0;
	char path[40], text[16384 + AMK_FOLDER_COOKIE];
	int fd AMK_AUTO(fd) = -1;
	ssize_t got;

	if (n == 0)
		return false;
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && all < ENVIRON_MAX && (got = read(fd, text + kept, 16384)) > 0) {
		if (memmem(text, kept + (size_t)got, s->cookie, n))
			return true;
		all += (size_t)got;
		got += (ssize_t)kept;
		kept = (size_t)got < n ? (size_t)got : n;
		memmove(text, text + got - kept, kept);
	}
	return false;
}

static unsigned kill_found(struct strays *s)
{
	struct amk_procs all = { NULL, 0, 0 };
	unsigned found = 0;
	bool session;

	amk_procs_read(&all);
	session = has_session(s, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct amk_proc *p = &all.v[i];

		p->ours = p->pid != getpid() &&
			  (is_listed(s, p) || (session && is_in_session(s, p)) || has_cookie(s, p->pid));
	}
	amk_procs_mark(&all, 0);
	for (size_t i = 0; i < all.n; i++) {
		if (!all.v[i].ours || all.v[i].zombie || all.v[i].pid == getpid())
			continue;
		amk_proc_signal(&all.v[i], SIGKILL);
		found++;
	}
	/* Whom the killed begot meanwhile is in a session that was there until now. */
	if (session)
		s->page.at = amk_tree_now() + 1;
	amk_procs_release(&all);
	return found;
}

unsigned amk_stray_end(int folder, uint64_t alive, int64_t patience_ms)
{
	int64_t deadline = amk_time_monotonic() + patience_ms * 1000000;
	struct strays s = { .listed = amk_folder_tree(folder, &s.page) };
	int pause = PAUSE_MIN;
	unsigned found;

	amk_folder_cookie(folder, s.cookie);
	if (alive)
		s.page.at = alive;
	while ((found = kill_found(&s)) > 0 && amk_time_monotonic() < deadline) {
		poll(NULL, 0, pause);
		pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
	}
	return found;
}
