/* SPDX-License-Identifier: Apache-2.0 */
/* Work in the thread pool that can be waited for: the store may be closed while some is under way. */
#include "store/job.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

#include "core/buf.h"

struct amk_job {
	struct amk_loop *loop;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
	sem_t finished;
	bool running, orphan; /* orphan: freed by its owner, the loop still has it */
};

static void job_destroy(struct amk_job *j)
{
	sem_destroy(&j->finished);
	free(j);
}

static void job_work(void *arg)
{
	struct amk_job *j = arg;

	j->work(j->arg);
	sem_post(&j->finished);
}

static void job_wait(struct amk_job *j)
{
	while (sem_wait(&j->finished) < 0 && errno == EINTR)
		continue;
}

static void job_done(void *arg)
{
	struct amk_job *j = arg;

	if (j->orphan) {
		job_destroy(j);
		return;
	}
	job_wait(j);
	j->running = false;
	j->done(j->arg);
}

struct amk_job *amk_job_new(struct amk_loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct amk_job *j = amk_calloc(1, sizeof *j);

	*j = (struct amk_job){ .loop = l, .work = work, .done = done, .arg = arg };
	if (sem_init(&j->finished, 0, 0) < 0)
		AMK_BUG("semaphore");
	return j;
}

void amk_job_start(struct amk_job *j)
{
	if (j->running)
		AMK_BUG("job started twice");
	j->running = true;
	amk_loop_work(j->loop, job_work, job_done, j);
}

bool amk_job_running(const struct amk_job *j)
{
	return j->running;
}

void amk_job_free(struct amk_job *j)
{
	if (!j->running) {
		job_destroy(j);
		return;
	}
	job_wait(j);
	j->orphan = true;
}
