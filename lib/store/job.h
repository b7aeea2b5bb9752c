/* SPDX-License-Identifier: Apache-2.0 */
/* One piece of work at a time in the thread pool, whose end can also be waited for. */
#ifndef AMK_STORE_JOB_H
#define AMK_STORE_JOB_H

#include <stdbool.h>

#include "loop/loop.h"

struct amk_job;

/* work(arg) runs in the pool, done(arg) on the loop. */
struct amk_job *amk_job_new(struct amk_loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg);
void amk_job_start(struct amk_job *j); /* must not be running */
bool amk_job_running(const struct amk_job *j);
/* Waits for running work, without calling done. Nothing is called with arg afterwards. */
void amk_job_free(struct amk_job *j);

#endif
