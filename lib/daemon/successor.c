/* SPDX-License-Identifier: Apache-2.0 */
/* A program that cannot serve must not take the place of one that does: it is asked first, beside it. */
#include "daemon/successor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"

#define PATIENCE_MS 10000
#define WORDS_MAX 600 /* bytes of its answer that are told */

struct amk_successor {
	struct amk_loop *loop;
	void (*answer)(void *arg, const char *why);
	void *arg;
	struct amk_timer *patience;
	char path[AMK_PATH_MAX];
	char why[AMK_PATH_MAX + WORDS_MAX];
	int words; /* what it says on stderr */
	pid_t pid; /* 0: it was not started */
};

static void successor_free(struct amk_successor *s)
{
	amk_loop_timer_free(s->patience);
	if (s->words >= 0)
		close(s->words);
	free(s);
}

static void give_answer(struct amk_successor *s)
{
	s->answer(s->arg, s->why[0] ? s->why : NULL);
	successor_free(s);
}

/* What a tool says ("amikad: failed: sentence (hint)") without who says it. */
static void take_words(struct amk_successor *s)
{
	char words[WORDS_MAX];
	ssize_t n = read(s->words, words, sizeof words - 1);
	const char *sentence = words;

	words[n > 0 ? n : 0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	for (int i = 0; i < 2; i++) {
		const char *colon = strstr(sentence, ": ");

		sentence = colon ? colon + 2 : sentence;
	}
	if (words[0])
		snprintf(s->why, sizeof s->why, "%s", sentence);
}

static void exited(void *arg, int status, int signum)
{
	struct amk_successor *s = arg;

	s->pid = 0;
	if (status != 0 || signum != 0) {
		snprintf(s->why, sizeof s->why, "%s does not say that it can serve this state folder (%s %d)", s->path,
			 signum ? "signal" : "status", signum ? signum : status);
		take_words(s);
	}
	give_answer(s);
}

/* Also where it could not be started: nothing is said from within amk_successor_ask. */
static void out_of_patience(void *arg)
{
	struct amk_successor *s = arg;

	if (s->pid)
		kill(s->pid, SIGKILL); /* its end is told like any other */
	else
		give_answer(s);
}

static int start(struct amk_successor *s, struct amk_err *e)
{
	char *argv[] = { s->path, (char *)"serve", (char *)"--check", NULL };
	int p[2], fds[3] = { -1, -1, -1 };
	struct amk_spawn sp = { .path = s->path, .argv = argv, .env = environ, .fds = fds, .nfds = 3 };
	pid_t pid;

	if (amk_path_helper(s->path, "amikad", e) < 0)
		return -1;
	if (pipe2(p, O_CLOEXEC) < 0)
		return amk_err_sys(e, "asking %s", s->path);
	s->words = p[0];
	fcntl(s->words, F_SETFL, O_NONBLOCK);
	fds[2] = p[1];
	pid = amk_loop_spawn(s->loop, &sp, exited, s, e);
	close(p[1]);
	if (pid < 0)
		return -1;
	s->pid = pid;
	return 0;
}

struct amk_successor *amk_successor_ask(struct amk_loop *l, void (*answer)(void *arg, const char *why), void *arg)
{
	struct amk_successor *s = amk_calloc(1, sizeof *s);
	struct amk_err e = { 0 };

	*s = (struct amk_successor){ .loop = l, .answer = answer, .arg = arg, .words = -1 };
	s->patience = amk_loop_timer(l, out_of_patience, s);
	if (start(s, &e) == 0) {
		amk_loop_timer_arm(s->patience, PATIENCE_MS);
		return s;
	}
	snprintf(s->why, sizeof s->why, "%s", e.msg);
	amk_loop_timer_arm(s->patience, 0);
	return s;
}

/* A loop that is freed does not tell of exits. */
void amk_successor_free(struct amk_successor *s)
{
	if (s)
		successor_free(s);
}
