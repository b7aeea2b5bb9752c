/* SPDX-License-Identifier: Apache-2.0 */
/* The live program of a session: its start, its output line by line, its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crash.h"
#include "core/lines.h"
#include "core/metric.h"
#include "core/path.h"
#include "session/internal.h"
#include "session/ruled.h"
#include "session/turns.h"

#define READ_SIZE (64u << 10)
#define STDERR_TAIL 2000

static void pending_release(struct amk_live *live)
{
	amk_buf_release(&live->pending.bytes);
	amk_buf_release(&live->line);
}

static void live_reset(struct amk_live *live)
{
	pending_release(live);
	*live = (struct amk_live){
		.line = AMK_BUF_INIT(AMK_LINE_MAX + READ_SIZE),
		.pending.bytes = AMK_BUF_INIT(SIZE_MAX / 2),
	};
}

static int checkpoint(struct amk_session *s, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	struct amk_live *live = &s->live;
	struct amk_state_run r = {
		.row = live->row,
		.checkpoint_input = live->input_row,
		.checkpoint_out = live->out_n,
	};

	AMK_CRASH("checkpoint.before");
	s->codec->save(s->state, &b);
	r.checkpoint = b.s;
	if (!amk_buf_ok(&b))
		AMK_SESSION_SAY(s, AMK_SAY_WARN, "too much of it is open for a checkpoint: the last one stays");
	else if (amk_state_run_checkpoint(s->all->conf.store, &r, e) < 0)
		return -1;
	live->checkpoint_out = live->out_n;
	live->checkpoint_input = live->input_row;
	AMK_CRASH("checkpoint.after");
	return 0;
}

void amk_live_recorded(struct amk_live *live, const struct amk_input *in, int64_t row, uint64_t at)
{
	if (in->kind != AMK_INPUT_MESSAGE && in->kind != AMK_INPUT_CANCEL)
		return;
	/* What its sender gave up is not sent again. */
	live->message_row = in->kind == AMK_INPUT_MESSAGE ? row : 0;
	live->message_at = at;
}

/*
 * At a quiet point or after much output, once everything recorded for stdin stands in the spool. A
 * checkpoint forgets the inputs: not before the program has begun to read the running turn's message.
 */
static bool checkpoint_is_due(const struct amk_session *s)
{
	const struct amk_live *live = &s->live;

	if (live->pending.bytes.n)
		return false;
	if (s->codec->busy(s->state) && live->message_row && live->message_at >= live->begun)
		return false;
	if (live->out_n - live->checkpoint_out >= s->all->conf.checkpoint_bytes)
		return true;
	return s->codec->quiet(s->state) &&
	       (live->out_n != live->checkpoint_out || live->input_row != live->checkpoint_input);
}

void amk_live_start(struct amk_session *s, bool warm)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	struct amk_state_run r = { .session = s->row, .incarnation = ++s->incarnations };
	struct amk_input in = {
		.kind = AMK_INPUT_START,
		.session_id = s->id,
		.native_id = s->native_id,
		.incarnation = s->incarnations,
		.warm = warm,
	};
	struct amk_err e = { 0 };

	s->codec->save(s->state, &b);
	r.checkpoint = b.s;
	if (amk_state_run_add(s->all->conf.store, &r, &e) < 0) {
		amk_sessions_trouble(s->all, &e);
		return;
	}
	live_reset(&s->live);
	s->live.row = r.row;
	s->live.incarnation = r.incarnation;
	amk_said_step(s, &in);
}

static void run_out(void *arg, uint64_t upto)
{
	struct amk_session *s = arg;

	if (upto > s->live.out_upto)
		s->live.out_upto = upto;
	amk_sessions_make_ready(s);
}

static void run_positions(void *arg, uint64_t begun, uint64_t done)
{
	struct amk_session *s = arg;

	s->live.begun = begun;
	s->live.done = done;
	s->live.told = true;
	if (s->live.unread)
		amk_sessions_make_ready(s);
	AMK_SESSION_SAY(s, AMK_SAY_TRACE, "its stdin: begun %llu, done %llu", (unsigned long long)begun,
			(unsigned long long)done);
}

static void run_ended(void *arg, const struct amk_run_end *end, uint64_t out_n)
{
	struct amk_session *s = arg;

	s->live.out_upto = out_n;
	s->live.end = *end;
	s->live.over = true;
	amk_sessions_make_ready(s);
}

static const struct amk_run_ops run_ops = { run_out, run_positions, run_ended };

static void build_env(const struct amk_session *s, struct amk_strv *env)
{
	const struct amk_json *vars = amk_json_get(s->spec, "environment");

	for (const struct amk_json *v = amk_json_first(vars); v; v = amk_json_next(v))
		amk_strv_addf(env, "%s=%s", amk_json_key(v), amk_json_str(v));
	if (!amk_json_get_str(vars, "PATH"))
		amk_strv_add(env, "PATH=" AMK_PATH_SYSTEM);
}

static void build_argv(const struct amk_session *s, struct amk_strv *argv)
{
	struct amk_strv own AMK_AUTO(strv) = { 0 };
	struct amk_agent_start st = {
		.session_id = s->id,
		.incarnation = s->live.incarnation,
		.native_id = s->native_id,
		.model = amk_json_get_str(s->spec, "model"),
		.variant = amk_json_get_str(s->spec, "variant"),
		.permission_mode = amk_json_get_str(s->spec, "permissionMode"),
	};

	for (const struct amk_json *a = amk_json_first(amk_json_get(s->spec, "arguments")); a; a = amk_json_next(a))
		amk_strv_add(&own, amk_json_str(a));
	st.args = own.v;
	amk_strv_add(argv, s->codec->program);
	s->codec->argv(&st, argv);
}

static int run_start(struct amk_session *s, struct amk_err *e)
{
	const struct amk_sessions_conf *conf = &s->all->conf;
	struct amk_strv argv AMK_AUTO(strv) = { 0 };
	struct amk_strv env AMK_AUTO(strv) = { 0 };
	char program[AMK_PATH_MAX];
	struct amk_run_spec spec = {
		.dir = conf->run_dir,
		.id = s->live.row,
		.program = program,
		.directory = amk_json_get_str(s->spec, "directory"),
		.files = conf->files,
		.lease_ms = conf->lease_ms,
		.end_ms = conf->grace_ms,
	};

	AMK_CRASH("start.before");
	if (amk_session_program(program, s->codec,
				amk_json_get_str(amk_json_get(s->spec, "environment"), "PATH"), e) < 0)
		return -1;
	build_argv(s, &argv);
	build_env(s, &env);
	spec.argv = argv.v;
	spec.env = env.v;
	s->live.run = amk_run_start(conf->loop, &spec, &run_ops, s, e);
	AMK_CRASH("start.after");
	if (s->live.run) {
		amk_metric_add(AMK_METRIC_PROGRAMS_STARTED, 1);
		AMK_SESSION_SAY(s, AMK_SAY_INFO, "its program is started: %s", program);
	}
	return s->live.run ? 0 : -1;
}

static void start_failed(struct amk_session *s, const struct amk_err *e)
{
	s->live.over = true;
	s->live.end.code = -1;
	snprintf(s->live.end.reason, sizeof s->live.end.reason, "exec: %.190s", e->msg);
	amk_sessions_make_ready(s);
}

/* A full or broken disk, too many files or processes: the message waits for better times. */
static bool may_pass(const struct amk_err *e)
{
	static const int passing[] = { ENOSPC, EDQUOT, EROFS, EIO, EMFILE, ENFILE, ENOMEM, EAGAIN };

	for (size_t i = 0; i < AMK_COUNT(passing); i++)
		if (e->sys == passing[i])
			return true;
	return false;
}

void amk_live_committed(struct amk_session *s)
{
	struct amk_live *live = &s->live;
	struct amk_err e = { 0 };

	if (live->row && !live->run && !live->over && run_start(s, &e) < 0) {
		if (!may_pass(&e))
			start_failed(s, &e);
		else
			amk_sessions_again(s, &e);
	}
	if (!live->run || live->over)
		return;
	amk_cancel_tell(s);
	if (live->pending.bytes.n == 0)
		return;
	if (amk_run_write(live->run, live->pending.at, live->pending.bytes.s, live->pending.bytes.n, &e) < 0) {
		amk_sessions_again(s, &e);
		return;
	}
	live->delayed = false;
	amk_buf_release(&live->pending.bytes);
	amk_sessions_make_ready(s);
}

static int read_more(struct amk_live *live, uint64_t upto, struct amk_err *e)
{
	uint64_t at = live->out_n + live->skipped + (live->line.n - live->line_used);
	size_t n = upto - at < READ_SIZE ? (size_t)(upto - at) : READ_SIZE;
	ssize_t r;
	char *to;

	if (at >= upto)
		return 0;
	amk_buf_drop(&live->line, live->line_used);
	live->line_used = 0;
	if (live->line.n > AMK_LINE_MAX) {
		live->skipped += live->line.n;
		amk_buf_clear(&live->line);
	}
	to = amk_buf_room(&live->line, n);
	r = amk_run_read(live->run, at, to, n, e);
	if (r <= 0)
		return (int)r;
	live->line.n += (size_t)r;
	live->line.s[live->line.n] = '\0';
	return 1;
}

int amk_live_next_line(struct amk_live *live, uint64_t upto, bool at_end, struct amk_input *in, uint64_t *n)
{
	struct amk_err e = { 0 };
	size_t searched = 0;
	int more = 1;

	for (;;) {
		char *start = live->line.s + live->line_used;
		size_t have = live->line.n - live->line_used;
		char *nl = memchr(start + searched, '\n', have - searched);

		if (nl || (more == 0 && at_end && have + live->skipped > 0)) {
			size_t len = nl ? (size_t)(nl - start) : have;

			if (nl)
				*nl = '\0';
			*n = live->skipped + len + (nl ? 1 : 0);
			*in = (struct amk_input){ .kind = AMK_INPUT_LINE, .line = live->skipped ? NULL : start,
						  .line_n = live->skipped + len };
			return 1;
		}
		if (more == 0)
			return 0;
		searched = have > AMK_LINE_MAX ? 0 : have;
		more = read_more(live, upto, &e);
		if (more < 0) {
			amk_say_of(AMK_SAY_ERROR, "session", AMK_SAY_WITH(AMK_SAY_INT("run", live->row)), "%s", e.msg);
			return -1;
		}
	}
}

void amk_live_line_done(struct amk_live *live, uint64_t n)
{
	live->line_used += n - live->skipped;
	live->skipped = 0;
	live->out_n += n;
	if (live->line_used < live->line.n)
		return;
	live->line_used = 0;
	amk_buf_release(&live->line);
}

/* Steps whole lines; false when the budget of this turn ran out first. */
static bool step_lines(struct amk_session *s)
{
	struct amk_live *live = &s->live;
	uint64_t stop = live->out_n + s->all->conf.step_bytes, n;
	struct amk_input in;

	while (amk_live_next_line(live, live->out_upto, live->over, &in, &n) > 0) {
		s->raw_offset = live->out_n;
		s->raw_n = n <= UINT32_MAX ? (uint32_t)n : 0;
		amk_said_step(s, &in);
		s->raw_n = 0;
		amk_live_line_done(live, n);
		amk_ruled_work(s);
		amk_session_pump(s);
		if (live->out_n >= stop)
			return false;
	}
	return true;
}

static int store_run(struct amk_session *s, bool ended, struct amk_err *e)
{
	struct amk_state_run r = {
		.row = s->live.row,
		.in_n = s->live.in_n,
		.out_n = s->live.out_n,
		.ended = ended,
	};

	return amk_state_run_set(s->all->conf.store, &r, e);
}

/*
 * The running turn's message never reached the program. One that ended by itself before it had read
 * anything would do so again.
 */
static bool is_unread(const struct amk_live *live)
{
	const struct amk_run_end *end = &live->end;
	bool is_lost = strcmp(end->reason, "lost") == 0;

	if (!live->run || !live->message_row || live->message_at < live->begun)
		return false;
	return end->code >= 0 ? live->begun > 0 : end->signum || is_lost;
}

struct wanted_input {
	int64_t row;
	char *text;
};

static bool take_input(void *arg, const struct amk_state_input *r)
{
	struct wanted_input *w = arg;

	if (r->row == w->row)
		w->text = amk_strdup(r->input);
	return false;
}

/* The recorded message, for another program; NULL when it has been read or is not kept any more. */
static struct amk_json *unread_message(struct amk_session *s)
{
	struct wanted_input w = { .row = s->live.message_row };
	struct amk_json *j = NULL;
	struct amk_err e = { 0 };

	if (!is_unread(&s->live))
		return NULL;
	if (amk_state_inputs(s->all->conf.store, s->live.row, w.row - 1, take_input, &w, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	if (w.text)
		j = amk_json_parse(w.text, strlen(w.text), NULL);
	free(w.text);
	return j;
}

/* The turn goes on with another program, in the transaction that ended the first one. */
static void send_again(struct amk_session *s, const struct amk_json *message)
{
	struct amk_input in;
	struct amk_err e = { 0 };

	if (amk_input_read(&in, message, &e) < 0) {
		amk_sessions_trouble(s->all, &e);
		return;
	}
	in.again = true;
	amk_live_start(s, false);
	amk_said_step(s, &in);
}

/* Everything it wrote was stepped: now its end. */
static void finish(struct amk_session *s)
{
	struct amk_json *message AMK_AUTO(json) = unread_message(s);
	struct amk_buf err AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct amk_live *live = &s->live;
	struct amk_input in = {
		.kind = AMK_INPUT_EXIT,
		.exit_code = live->end.code,
		.exit_signal = live->end.signum,
		.reason = live->end.reason,
		/* It may have been an earlier daemon that told it. */
		.wanted = s->ending || live->dismissed ||
			  (s->stopping && strcmp(live->end.reason, "terminated") == 0),
		.unread = message != NULL,
	};
	bool was_busy = s->codec->busy(s->state);
	struct amk_err e = { 0 };

	amk_handover_end(s);
	if (live->run)
		amk_run_stderr(live->run, &err);
	in.text = err.n > STDERR_TAIL ? err.s + err.n - STDERR_TAIL : err.s;
	amk_said_step(s, &in);
	amk_session_steer_again(s);
	if (checkpoint(s, &e) < 0 || store_run(s, true, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	AMK_SESSION_SAY(s, AMK_SAY_INFO, "its program is over: %s", live->end.reason);
	amk_status_over(s, &in, was_busy);
	if (live->run)
		amk_run_free(live->run);
	live_reset(live);
	amk_sessions_call_waiters(s);
	if (message && s->codec->busy(s->state))
		send_again(s, message);
}

bool amk_live_work(struct amk_session *s)
{
	struct amk_live *live = &s->live;
	struct amk_err e = { 0 };
	bool drained;

	if (live->row == 0)
		return false;
	amk_handover_look(s);
	drained = !live->run || step_lines(s);
	if (drained && live->over) {
		finish(s);
		return false;
	}
	if (checkpoint_is_due(s) && checkpoint(s, &e) < 0)
		amk_sessions_trouble(s->all, &e);
	return !drained;
}

void amk_live_store(struct amk_session *s)
{
	struct amk_err e = { 0 };

	if (s->live.row && store_run(s, false, &e) < 0)
		amk_sessions_trouble(s->all, &e);
}

void amk_live_take_up(struct amk_session *s, const struct amk_state_run *r)
{
	struct amk_err e = { 0 };

	s->live.row = r->row;
	s->live.incarnation = r->incarnation;
	s->live.unread = UINT64_MAX; /* it is looked up when the shim has told how far it is */
	s->live.run = amk_run_attach(s->all->conf.loop, s->all->conf.run_dir, r->row, &run_ops, s, &e);
	if (s->live.run)
		return;
	/* Recorded and never started: it is started now. With output on record its folder was lost. */
	if (e.code == AMK_ENOTFOUND && r->out_n == 0)
		return;
	start_failed(s, &e);
	if (e.code == AMK_ENOTFOUND)
		snprintf(s->live.end.reason, sizeof s->live.end.reason, "lost");
}

void amk_live_release(struct amk_session *s)
{
	if (s->live.run)
		amk_run_free(s->live.run);
	live_reset(&s->live);
	pending_release(&s->live);
}

void amk_live_terminate(struct amk_session *s)
{
	if (!s->live.run || s->live.over)
		return;
	s->live.dismissed = true;
	amk_run_terminate(s->live.run, s->all->conf.grace_ms);
}
