/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a restart: the checkpoint, then every recorded input and every line in the order they were
 * stepped, up to where the log stands. What the steps make is in the log already and is dropped.
 */
#include <string.h>

#include "agent/track.h"
#include "session/internal.h"
#include "store/log.h"

static void drop_said(void *arg, const struct amk_said *said)
{
	(void)arg;
	(void)said;
}

static void drop_bytes(void *arg, const char *s, size_t n)
{
	(void)arg;
	(void)s;
	(void)n;
}

static void drop_native(void *arg, const char *native_id)
{
	(void)arg;
	(void)native_id;
}

static void drop_setting(void *arg, const char *what, const char *value)
{
	(void)arg;
	(void)what;
	(void)value;
}

static const struct amk_sink nowhere = { NULL, drop_said, drop_bytes, drop_native, drop_setting };

struct replay {
	struct amk_session *s;
	struct amk_err *e;
	int failed;
	bool cut; /* output that was stepped is missing */
};

static int lines_upto(struct replay *rp, uint64_t upto)
{
	struct amk_live *live = &rp->s->live;
	struct amk_input in;
	uint64_t n;

	while (live->out_n < upto) {
		/* Lost with its folder, or with the power: the log is all there is. */
		if (!live->run || (amk_run_pid(live->run) == 0 && amk_run_out(live->run) < upto)) {
			rp->cut = true;
			live->out_n = upto;
			live->line_used = live->skipped = 0;
			amk_buf_release(&live->line);
			return 0;
		}
		if (amk_live_next_line(live, upto, true, &in, &n) <= 0)
			return amk_err_set(rp->e, AMK_EINTERNAL, "session %s: the out spool of run %lld ends before %llu",
					   rp->s->id, (long long)live->row, (unsigned long long)upto);
		rp->s->codec->step(rp->s->state, &in, &nowhere);
		amk_live_line_done(live, n);
	}
	return 0;
}

static int step_recorded(struct replay *rp, const struct amk_state_input *r)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(r->input, strlen(r->input), rp->e);
	struct amk_input in;

	if (!j || amk_input_read(&in, j, rp->e) < 0)
		return amk_err_wrap(rp->e, "session %s: a recorded input", rp->s->id);
	rp->s->codec->step(rp->s->state, &in, &nowhere);
	amk_live_recorded(&rp->s->live, &in, r->row, r->at);
	return 0;
}

/* Puts the bytes at their place again: they may have been recorded and not written. */
static void bytes_again(struct amk_live *live, const struct amk_state_input *r)
{
	if (r->bytes_n == 0)
		return;
	if (live->pending.bytes.n == 0)
		live->pending.at = r->at;
	amk_buf_add(&live->pending.bytes, r->bytes, r->bytes_n);
}

static bool replay_input(void *arg, const struct amk_state_input *r)
{
	struct replay *rp = arg;

	if (r->input[0] && (lines_upto(rp, r->out_n) < 0 || step_recorded(rp, r) < 0)) {
		rp->failed = -1;
		return false;
	}
	rp->s->live.input_row = r->row;
	bytes_again(&rp->s->live, r);
	return true;
}

int amk_replay_state(struct amk_session *s, const char *checkpoint, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = NULL;

	if (s->state)
		s->codec->free_state(s->state);
	s->state = s->codec->new_state();
	if (!checkpoint)
		return 0;
	j = amk_json_parse(checkpoint, strlen(checkpoint), e);
	if (!j || s->codec->load(s->state, j, e) < 0)
		return amk_err_wrap(e, "session %s: its checkpoint", s->id);
	return 0;
}

static bool recall_line(void *arg, const struct amk_log_line *line)
{
	struct amk_json *event AMK_AUTO(json) = amk_json_parse(line->line, line->n, NULL);

	amk_track_recall(arg, event);
	return true;
}

/* The state stands where the log did when the output was read: what was said since is only in the log. */
static int recall(struct amk_session *s, struct amk_err *e)
{
	const struct amk_log_range all = { .session = s->row, .limit = INT64_MAX, .hidden = true };
	struct amk_track *t = s->codec->track(s->state);

	if (s->live.run)
		s->live.out_n = amk_run_out(s->live.run); /* from now on that is what there is */
	amk_track_recall_begin(t);
	return amk_log_read(s->all->conf.store, &all, recall_line, t, e);
}

int amk_replay(struct amk_session *s, const struct amk_state_run *run, struct amk_err *e)
{
	struct replay rp = { .s = s, .e = e };
	struct amk_live *live = &s->live;

	live->out_n = live->checkpoint_out = run->checkpoint_out;
	live->checkpoint_input = live->input_row = run->checkpoint_input;
	live->in_n = run->in_n;
	if (amk_replay_state(s, run->checkpoint, e) < 0)
		return -1;
	if (amk_state_inputs(s->all->conf.store, run->row, run->checkpoint_input, replay_input, &rp, e) < 0 ||
	    rp.failed < 0)
		return -1;
	if (lines_upto(&rp, run->out_n) < 0)
		return -1;
	return rp.cut ? recall(s, e) : 0;
}
