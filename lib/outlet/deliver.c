/* SPDX-License-Identifier: Apache-2.0 */
/* The deliveries that are due become attempts, a few at a time, and what comes of these goes back to the store. */
#include "outlet/deliver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/say.h"
#include "core/time.h"
#include "decision/decision.h"
#include "outlet/attempt.h"
#include "store/delivery.h"
#include "store/log.h"

#define MS 1000000LL
#define AT_ONCE 4 /* commands of one hook; more wait */
#define LOOK_MOST_MS 3600000 /* the timer is set anew at least so often */

/* A delivery that is taken up: begun in the transaction, started after its commit, settled when over. */
struct taken {
	struct taken *next;
	struct amk_deliver *d;
	const struct amk_hook *hook;
	int64_t row, session, until;
	char *session_id, *event;
	int number;
	int record; /* what it is told; -1: that is not there */
	struct amk_attempt *attempt;
	bool over;
	bool late; /* there is nothing to tell any more */
	struct amk_err why; /* it could not be started */
};

struct amk_deliver {
	struct amk_deliver_conf conf;
	struct taken *taken;
	struct amk_timer *due, *patience;
	bool stirred; /* there may be something to take up */
	bool swept;   /* nothing waits for a hook that is not there */
	bool stopping;
	void (*stopped)(void *arg);
	void *stopped_arg;
};

int64_t amk_deliver_pause(int64_t retry_ms, int n)
{
	int64_t pause = retry_ms;

	while (--n > 0 && pause < AMK_DELIVER_PAUSE_MAX_MS)
		pause *= 2;
	return pause < AMK_DELIVER_PAUSE_MAX_MS ? pause : AMK_DELIVER_PAUSE_MAX_MS;
}

static void say_of(const struct taken *t, enum amk_say_level level, const char *what)
{
	const char *output = t->attempt ? amk_attempt_output(t->attempt) : "";
	char id[AMK_ATTEMPT_ID];

	amk_say_of(level, "hook",
		   AMK_SAY_WITH(AMK_SAY_TEXT("session_id", t->session_id), AMK_SAY_TEXT("hook", t->hook->name),
				AMK_SAY_TEXT("delivery", amk_attempt_id(id, t->row)), AMK_SAY_INT("attempt", t->number),
				AMK_SAY_TEXT(output[0] ? "output" : NULL, output)),
		   "%s", what);
}

/* From the log to the store */

static int appended(void *arg, const struct amk_log_line *line, struct amk_err *e)
{
	struct amk_deliver *d = arg;
	const char *event;
	unsigned bit = d->conf.hooks->n ? amk_hook_bit(line->kind, &event) : 0;

	for (size_t i = 0; bit && i < d->conf.hooks->n; i++) {
		const struct amk_hook *h = &d->conf.hooks->v[i];
		struct amk_delivery r = {
			.hook = h->name,
			.session = line->session,
			.sequence = line->sequence,
			.event = event,
			.created = line->time,
			.due = line->time,
			.until = line->time + d->conf.give_up_ms * MS,
			.line = line->line,
			.n = line->n,
		};

		if (!(h->on & bit))
			continue;
		if (amk_delivery_add(d->conf.store, &r, e) < 0)
			return -1;
		d->stirred = true;
	}
	return 0;
}

/* Taking up */

static void taken_free(struct taken *t)
{
	struct taken **link = &t->d->taken;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	amk_attempt_free(t->attempt);
	amk_auto_fd(&t->record);
	free(t->session_id);
	free(t->event);
	free(t);
}

/* Of one session a hook is told one thing after the other, and many things of all do not fill the machine. */
static bool has_room(const struct amk_deliver *d, const struct amk_hook *hook, const struct amk_delivery *r)
{
	unsigned n = 0;

	for (const struct taken *t = d->taken; t; t = t->next) {
		if (t->hook == hook && t->session == r->session)
			return false;
		n += t->hook == hook;
	}
	return n < AT_ONCE;
}

static bool take_up(void *arg, const struct amk_delivery *r)
{
	struct amk_deliver *d = arg;
	const struct amk_hook *hook = amk_hooks_find(d->conf.hooks, r->hook);
	struct taken *t;

	if (!has_room(d, hook, r))
		return true;
	t = amk_calloc(1, sizeof *t);
	*t = (struct taken){ .next = d->taken, .d = d, .hook = hook, .row = r->row, .session = r->session, .until = r->until,
			     .number = r->attempts + 1, .record = -1 };
	t->session_id = amk_strdup(r->session_id);
	t->event = amk_strdup(r->event);
	d->taken = t;
	return true;
}

/* Whoever is told that somebody asks wants to answer. What a rule answers is closed in the same transaction. */
static bool is_closed(struct amk_store *store, const struct amk_delivery *r)
{
	struct amk_json *line AMK_AUTO(json) = amk_json_parse(r->line, r->n, NULL);
	const char *id = amk_json_get_str(amk_json_get(amk_json_get(line, "amika"), "decision"), "id");
	struct amk_decision found;
	bool closed;

	if (!id || amk_decision_find(store, amk_decision_row(id), &found, NULL) < 0)
		return false;
	closed = strcmp(found.state, "open") != 0;
	amk_decision_release(&found);
	return closed;
}

static bool take_record(void *arg, const struct amk_delivery *r)
{
	struct taken *t = arg;

	t->late = strcmp(r->event, "decision.open") == 0 && is_closed(t->d->conf.store, r);
	if (t->late)
		return false;
	t->record = amk_attempt_record(r->line, r->n, &t->why);
	return false;
}

static int begin(struct taken *t, struct amk_err *e)
{
	struct amk_store *store = t->d->conf.store;

	if (amk_delivery_find(store, t->row, take_record, t, e) < 0 || amk_delivery_begin(store, t->row, e) < 0)
		return -1;
	t->over = t->record < 0;
	return 0;
}

static void add_name(void *arg, const char *name)
{
	amk_strv_add(arg, name);
}

/* What a hook that is not there any more was to be told nobody will ask for. */
static int sweep(struct amk_deliver *d, struct amk_err *e)
{
	struct amk_strv names AMK_AUTO(strv) = { 0 };

	if (amk_delivery_hooks(d->conf.store, add_name, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (amk_hooks_find(d->conf.hooks, names.v[i]))
			continue;
		amk_say_of(AMK_SAY_ERROR, "hook", AMK_SAY_WITH(AMK_SAY_TEXT("hook", names.v[i])),
			   "given up: there is no hook of this name any more");
		if (amk_delivery_fail_hook(d->conf.store, names.v[i], "there is no hook of this name any more", e) < 0)
			return -1;
	}
	d->swept = true;
	return 0;
}

/* *soonest is then no later than its next delivery that is not due yet. */
static int look_for(struct amk_deliver *d, const char *hook, int64_t now, int64_t *soonest, struct amk_err *e)
{
	const struct amk_delivery_when when = { hook, now, now + AMK_DELIVER_PAUSE_MAX_MS * MS };
	struct taken *known = d->taken;
	int64_t at;

	if (amk_delivery_due(d->conf.store, &when, take_up, d, e) < 0)
		return -1;
	for (struct taken *t = d->taken; t != known; t = t->next)
		if (begin(t, e) < 0)
			return -1;
	if (amk_delivery_next(d->conf.store, hook, now, &at, e) < 0)
		return -1;
	if (at && at < *soonest)
		*soonest = at;
	return 0;
}

static int look(struct amk_deliver *d, struct amk_err *e)
{
	int64_t now = amk_time_now(), soonest = now + LOOK_MOST_MS * MS;

	d->stirred = false;
	if (!d->swept && sweep(d, e) < 0)
		return -1;
	for (size_t i = 0; i < d->conf.hooks->n; i++)
		if (look_for(d, d->conf.hooks->v[i].name, now, &soonest, e) < 0)
			return -1;
	amk_loop_timer_arm(d->due, (uint64_t)((soonest - now) / MS + 1));
	return 0;
}

/* Settling */

static int settle_failed(struct taken *t, const char *why, struct amk_err *e)
{
	int64_t now = amk_time_now(), due = now + amk_deliver_pause(t->d->conf.retry_ms, t->number) * MS;
	char *what AMK_AUTO(mem) = NULL;

	if (due <= t->until) {
		what = amk_strf("not delivered: %s; it is tried again", why);
		say_of(t, AMK_SAY_WARN, what);
		return amk_delivery_again(t->d->conf.store, t->row, due, why, e);
	}
	what = amk_strf("not delivered, and given up: %s", why);
	say_of(t, AMK_SAY_ERROR, what);
	return amk_delivery_fail(t->d->conf.store, t->row, why, e);
}

/* What was ended with us is due as it was. */
static int settle(struct taken *t, struct amk_err *e)
{
	const char *why = t->attempt ? amk_attempt_why(t->attempt) : t->why.msg;

	if (t->late) {
		say_of(t, AMK_SAY_DEBUG, "not told: it is closed already");
		return amk_delivery_done(t->d->conf.store, t->row, e);
	}
	if (!t->attempt && !t->why.msg[0])
		return 0; /* forgotten meanwhile */
	if (why)
		return t->d->stopping ? 0 : settle_failed(t, why, e);
	say_of(t, amk_attempt_output(t->attempt)[0] ? AMK_SAY_INFO : AMK_SAY_DEBUG, "delivered");
	AMK_CRASH("hook.done");
	return amk_delivery_done(t->d->conf.store, t->row, e);
}

void amk_deliver_work(struct amk_deliver *d)
{
	struct taken *t = d->taken, *next;
	struct amk_err e = { 0 };

	for (; t; t = next) {
		next = t->next;
		if (!t->over)
			continue;
		if (settle(t, &e) < 0) {
			d->conf.trouble(d->conf.arg, &e);
			return;
		}
		taken_free(t);
		d->stirred = true;
	}
	if (d->stirred && !d->stopping && look(d, &e) < 0)
		d->conf.trouble(d->conf.arg, &e);
}

/* Starting */

static void on_over(void *arg)
{
	struct taken *t = arg;

	t->over = true;
}

static void start(struct taken *t)
{
	struct amk_attempt_spec spec = {
		.hook = t->hook,
		.state = t->d->conf.state,
		.session_id = t->session_id,
		.event = t->event,
		.delivery = t->row,
		.number = t->number,
		.record = t->record,
		.files = t->d->conf.files,
		.grace_ms = t->d->conf.grace_ms,
	};

	AMK_CRASH("hook.before");
	t->attempt = amk_attempt_start(t->d->conf.loop, &spec, on_over, t, &t->why);
	t->over = !t->attempt;
	amk_auto_fd(&t->record);
	t->record = -1;
}

bool amk_deliver_committed(struct amk_deliver *d)
{
	bool more = d->stirred && !d->stopping;

	for (struct taken *t = d->taken; t; t = t->next) {
		if (!t->attempt && !t->over) {
			if (d->stopping)
				t->over = true;
			else
				start(t);
		}
		more = more || t->over;
	}
	if (d->stopped && !d->taken) {
		void (*stopped)(void *) = d->stopped;

		d->stopped = NULL;
		stopped(d->stopped_arg);
	}
	return more;
}

static void stir(void *arg)
{
	struct amk_deliver *d = arg;

	d->stirred = true;
}

static void end_all(void *arg)
{
	struct amk_deliver *d = arg;

	for (struct taken *t = d->taken; t; t = t->next)
		if (t->attempt)
			amk_attempt_end(t->attempt);
}

void amk_deliver_stop(struct amk_deliver *d, int64_t patience_ms, void (*done)(void *arg), void *arg)
{
	d->stopping = true;
	d->stopped = done;
	d->stopped_arg = arg;
	if (patience_ms > 0)
		amk_loop_timer_arm(d->patience, (uint64_t)patience_ms);
	else
		end_all(d);
}

int amk_deliver_retry(struct amk_deliver *d, int64_t row, int *n, struct amk_err *e)
{
	int64_t now = amk_time_now();

	d->stirred = true;
	d->swept = false;
	return amk_delivery_retry(d->conf.store, row, now, now + d->conf.give_up_ms * MS, n, e);
}

struct amk_deliver *amk_deliver_open(const struct amk_deliver_conf *conf)
{
	struct amk_deliver *d = amk_calloc(1, sizeof *d);

	d->conf = *conf;
	d->due = amk_loop_timer(conf->loop, stir, d);
	d->patience = amk_loop_timer(conf->loop, end_all, d);
	d->stirred = true;
	amk_log_on_append(conf->store, appended, d);
	return d;
}

void amk_deliver_close(struct amk_deliver *d)
{
	if (!d)
		return;
	amk_log_on_append(d->conf.store, NULL, NULL);
	while (d->taken)
		taken_free(d->taken);
	amk_loop_timer_free(d->due);
	amk_loop_timer_free(d->patience);
	free(d);
}
