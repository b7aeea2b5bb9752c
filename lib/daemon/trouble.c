/* SPDX-License-Identifier: Apache-2.0 */
/* From a store that fails to one that can be written again. */
#include "daemon/trouble.h"

#include <string.h>

#include "core/metric.h"
#include "core/say.h"
#include "daemon/chunk.h"
#include "daemon/outlet.h"

/* Said once, however often the same comes back before it is over. */
void amk_trouble_met(void *arg, const struct amk_err *e)
{
	struct amk_daemon *d = arg;

	amk_metric_add(AMK_METRIC_TROUBLES, 1);
	if (strcmp(d->why.msg, e->msg) != 0)
		amk_say(AMK_SAY_ERROR, "daemon", "the state cannot be written: %s%s%s%s", e->msg, e->hint[0] ? " (" : "",
			e->hint, e->hint[0] ? ")" : "");
	d->why = *e;
	d->in_trouble = true;
}

int amk_trouble_sessions(struct amk_daemon *d, bool frozen, struct amk_err *e)
{
	struct amk_sessions_conf conf = {
		.loop = d->loop,
		.store = d->store,
		.run_dir = d->run_dir,
		.files = d->files,
		.lease_ms = d->settings.lease_ms,
		.grace_ms = d->settings.grace_ms,
		.cancel_ms = d->settings.cancel_ms,
		.checkpoint_bytes = (uint64_t)d->settings.checkpoint_bytes,
		.step_bytes = (uint64_t)d->settings.step_bytes,
		.sleep_ms = d->settings.sleep_ms,
		.keep_events = (uint64_t)d->settings.keep_events,
		.deadlines = {
			.permission_ms = d->settings.permission_deadline_ms,
			.question_ms = d->settings.question_deadline_ms,
			.allow = strcmp(d->settings.permission_default, "allow") == 0,
			.answer = d->settings.question_default,
		},
		.frozen = frozen,
		.trouble = amk_trouble_met,
		.arg = d,
	};

	if (d->sessions)
		amk_sessions_close(d->sessions);
	d->frozen = frozen;
	amk_outlet_open(d, amk_trouble_met);
	d->sessions = amk_sessions_open(&conf, e);
	return d->sessions ? 0 : -1;
}

void amk_trouble_freeze(struct amk_daemon *d)
{
	struct amk_err e = { 0 };

	d->in_trouble = false;
	amk_store_rollback(d->store);
	if (d->stopping)
		amk_loop_stop(d->loop);
	if (amk_trouble_sessions(d, true, &e) < 0)
		amk_say(AMK_SAY_ERROR, "daemon", "the state cannot be read: %s", e.msg);
	amk_loop_timer_arm(d->recover, (uint64_t)d->settings.recover_ms);
}

static void thaw(struct amk_daemon *d)
{
	struct amk_err e = { 0 };

	amk_store_rollback(d->store);
	if (amk_store_recover(d->store, &e) < 0 || amk_trouble_sessions(d, false, &e) < 0) {
		amk_trouble_met(d, &e);
		return; /* the turn freezes it */
	}
	/* What was committed and never flushed may be gone: no frame made of it must stay. */
	amk_chunks_age(d->chunks);
	amk_chunks_age(d->chunks);
	amk_loop_timer_arm(d->recover, (uint64_t)d->settings.recover_ms);
}

void amk_trouble_look_again(void *arg)
{
	struct amk_daemon *d = arg;

	if (d->frozen) {
		thaw(d);
		return;
	}
	d->why = (struct amk_err){ 0 };
	amk_metric_add(AMK_METRIC_RECOVERIES, 1);
	amk_say(AMK_SAY_INFO, "daemon", "the state can be written again");
}
