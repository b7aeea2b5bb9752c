/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a private folder, with a loop that is run until something has happened. */
#ifndef AMK_TESTS_UNIT_STORE_FIXTURE_H
#define AMK_TESTS_UNIT_STORE_FIXTURE_H

#include "core/buf.h"
#include "loop/loop.h"
#include "scratch.h"
#include "store/inside.h"
#include "store/log.h"
#include "store/state.h"
#include "store/store.h"
#include "tap.h"

#define FIXTURE_DEADLINE_MS 20000

static struct amk_loop *loop;
static struct amk_store *store;
static struct amk_err err;
static int state_fd;

static void fixture_open(void)
{
	err = (struct amk_err){ 0 };
	store = amk_store_open(loop, state_fd, scratch, &err);
	if (!store) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
}

__attribute__((unused)) static void fixture_begin(void)
{
	state_fd = scratch_make();
	loop = amk_loop_new(&err);
	fixture_open();
}

__attribute__((unused)) static void fixture_reopen(void)
{
	amk_store_close(store);
	fixture_open();
}

__attribute__((unused)) static void fixture_end(void)
{
	amk_store_close(store);
	amk_loop_free(loop);
	close(state_fd);
}

static void fixture_late(void *arg)
{
	(void)arg;
	printf("Bail out! nothing happened in time\n");
	exit(1);
}

/* Runs the loop until a callback stops it. */
__attribute__((unused)) static void fixture_run(void)
{
	struct amk_timer *t = amk_loop_timer(loop, fixture_late, NULL);

	amk_loop_timer_arm(t, FIXTURE_DEADLINE_MS);
	amk_loop_run(loop);
	amk_loop_timer_free(t);
}

__attribute__((unused)) static int64_t fixture_session(const char *id)
{
	struct amk_state_session r = { .id = id, .agent = "mock", .spec = "{}", .state = "idle", .created = 1,
				       .updated = 2 };

	if (amk_state_session_add(store, &r, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	return r.row;
}

/* Runs SQL within the turn's transaction. */
__attribute__((unused)) static void fixture_sql(const char *sql)
{
	amk_sql_exec(&store->sql, "testing", sql, &err);
}

/* Appends a line of text at a sequence. */
__attribute__((unused)) static int fixture_append(int64_t session, uint64_t sequence, const char *text)
{
	struct amk_log_line l = { .session = session, .sequence = sequence, .line = text, .n = strlen(text) };

	return amk_log_append(store, &l, &err);
}

__attribute__((unused)) static bool fixture_count_line(void *arg, const struct amk_log_line *line)
{
	(void)line;
	++*(int *)arg;
	return true;
}

__attribute__((unused)) static int fixture_lines(int64_t session)
{
	int n = 0;

	return amk_log_read(store, &(struct amk_log_range){ session, 0, UINT64_MAX, true, false }, fixture_count_line, &n,
			    &err) < 0 ? -1 : n;
}

#endif
