/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries: in order, when they are due, until they are done, given up or forgotten; and the seam they come from. */
#include "store/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "store_fixture.h"

static struct amk_buf seen = AMK_BUF_INIT(1 << 20);
static int64_t session;

static int lines_in(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static bool see(void *arg, const struct amk_delivery *r)
{
	int *left = arg;

	amk_buf_addf(&seen, "%lld %s %s %s %d %d %s%s%s\n", (long long)r->row, r->hook, r->session_id, r->event, r->failed,
		     r->attempts, r->error ? r->error : "-", r->line ? " " : "", r->line ? r->line : "");
	return !left || --*left > 0;
}

static const char *due(int64_t now, int64_t most, int *limit)
{
	static const char *const hooks[] = { "a", "d" };

	amk_buf_clear(&seen);
	for (size_t i = 0; i < AMK_COUNT(hooks); i++)
		if (amk_delivery_due(store, &(struct amk_delivery_when){ hooks[i], now, most }, see, limit, &err) < 0)
			return err.msg;
	return seen.s;
}

static const char *found(int64_t row)
{
	amk_buf_clear(&seen);
	return amk_delivery_find(store, row, see, NULL, &err) < 0 ? err.msg : seen.s;
}

static const char *list(int64_t after)
{
	amk_buf_clear(&seen);
	return amk_delivery_list(store, after, 100, see, NULL, &err) < 0 ? err.msg : seen.s;
}

static int64_t add(const char *hook, int64_t at)
{
	struct amk_delivery r = { .hook = hook, .session = session, .sequence = 7, .event = "turn.ended", .created = at,
				  .due = at, .until = at + 1000, .line = "{\"a\":1}", .n = 7 };

	return amk_delivery_add(store, &r, &err) < 0 ? -1 : r.row;
}

static void test_due(void)
{
	int64_t at = 0;
	int one = 1;

	is_int(add("a", 20), 1, "one is added");
	is_int(add("a", 10), 2, "and another");
	is_str(due(9, 1000, NULL), "", "before its time none is due");
	is_str(due(20, 1000, NULL), "2 a tau turn.ended 0 0 -\n1 a tau turn.ended 0 0 -\n", "the longest due comes first");
	is_str(due(20, 1000, &one), "2 a tau turn.ended 0 0 -\n", "as many as are wanted");
	is_str(due(5, 15, NULL), "1 a tau turn.ended 0 0 -\n", "with the clock set back nothing waits for ever");
	ok(amk_delivery_next(store, "a", 15, &at, &err) == 0 && at == 20, "the next one's time");
	ok(amk_delivery_next(store, "a", 20, &at, &err) == 0 && at == 0, "no next one");
	ok(amk_delivery_next(store, "b", 0, &at, &err) == 0 && at == 0, "nor one of another hook");
	is_str(found(2), "2 a tau turn.ended 0 0 - {\"a\":1}\n", "with its line");
}

static void test_outcomes(void)
{
	ok(amk_delivery_begin(store, 1, &err) == 0 && amk_delivery_again(store, 1, 50, "no", &err) == 0, "one failed once");
	is_str(due(49, 1000, NULL), "2 a tau turn.ended 0 0 -\n", "and waits");
	is_str(due(50, 1000, NULL), "2 a tau turn.ended 0 0 -\n1 a tau turn.ended 0 1 no\n", "until it is due again");
	ok(amk_delivery_done(store, 2, &err) == 0, "the other has arrived");
	is_str(found(2), "", "and is gone");
	ok(amk_delivery_begin(store, 2, &err) == 0, "what is not there any more is no error");
	is_int(add("a", 60), 3, "its number is not used again");
}

static void test_given_up(void)
{
	struct amk_delivery_count n;
	int changed = 0;

	ok(amk_delivery_fail(store, 1, "never", &err) == 0, "one is given up");
	is_str(due(100, 1000, NULL), "3 a tau turn.ended 0 0 -\n", "and not due any more");
	ok(amk_delivery_count(store, "a", &n, &err) == 0 && n.waiting == 1 && n.failed == 1, "it is counted");
	is_str(list(0), "1 a tau turn.ended 1 1 never\n3 a tau turn.ended 0 0 -\n", "and listed");
	ok(amk_delivery_retry(store, 3, 100, 200, &changed, &err) == 0 && changed == 0, "one that waits needs no retry");
	ok(amk_delivery_retry(store, 0, 100, 200, &changed, &err) == 0 && changed == 1, "those given up begin anew");
	is_str(due(100, 1000, NULL), "3 a tau turn.ended 0 0 -\n1 a tau turn.ended 0 0 never\n", "from their first attempt");
	ok(amk_delivery_count(store, "a", &n, &err) == 0 && n.waiting == 2 && n.retrying == 1, "and wait");
	ok(amk_delivery_drop(store, 1, &changed, &err) == 0 && changed == 0, "one that waits is not dropped");
	ok(amk_delivery_fail(store, 1, "never", &err) == 0 && amk_delivery_drop(store, 1, &changed, &err) == 0 &&
		   changed == 1, "one given up is");
}

static void test_bound(void)
{
	struct amk_delivery_count n;

	for (int i = 0; i < AMK_DELIVERY_FAILED_MAX + 5; i++)
		if (amk_delivery_fail(store, add("c", 1), "no", &err) < 0)
			break;
	ok(amk_delivery_count(store, "c", &n, &err) == 0, "many fail");
	is_int(n.failed, AMK_DELIVERY_FAILED_MAX, "so many are kept");
	is_str(found(4), "", "the newest of them");
}

static void add_name(void *arg, const char *hook)
{
	amk_buf_addf(arg, "%s ", hook);
}

/* Nobody looks at more than a few of thousands; nor at what no hook asks for. */
static void test_many(void)
{
	int64_t last = 0;

	for (int i = 0; i < AMK_DELIVERY_LOOK + 5; i++)
		last = add("d", 1);
	amk_buf_clear(&seen);
	ok(last > 0 && amk_delivery_hooks(store, add_name, &seen, &err) == 0, "many wait");
	is_str(seen.s, "d ", "for this one");
	amk_buf_clear(&seen);
	ok(amk_delivery_due(store, &(struct amk_delivery_when){ "d", 1, 1000 }, see, NULL, &err) == 0, "they are due");
	is_int(lines_in(seen.s), AMK_DELIVERY_LOOK, "so many are looked at");
	ok(amk_delivery_fail_hook(store, "d", "gone", &err) == 0 && strstr(found(last), " 1 0 gone"), "given up together");
	is_str(due(1, 1000, NULL), "", "none is due then");
}

static int refuse(void *arg, const struct amk_log_line *line, struct amk_err *e)
{
	*(uint64_t *)arg = line->sequence;
	return amk_err_set(e, AMK_EFAILED, "not taken");
}

static int take(void *arg, const struct amk_log_line *line, struct amk_err *e)
{
	(void)e;
	*(uint64_t *)arg = line->sequence;
	return add("d", 1) > 0 ? 0 : -1;
}

static void test_seam(void)
{
	uint64_t told = 0;

	amk_log_on_append(store, take, &told);
	ok(fixture_append(session, 1, "one") == 0 && told == 1, "an append is told of, within its transaction");
	amk_store_rollback(store);
	is_str(due(1, 1000, NULL), "", "and undone with it");
	ok(fixture_append(session, 1, "one") == 0 && amk_store_commit(store, &err) == 0, "once more");
	ok(strstr(due(1, 1000, NULL), " d tau ") != NULL, "and committed with it");
	amk_log_on_append(store, refuse, &told);
	ok(fixture_append(session, 2, "two") < 0 && told == 2, "who listens can refuse");
	amk_store_rollback(store);
	amk_log_on_append(store, NULL, NULL);
}

static void test_forgotten(void)
{
	struct amk_delivery_count n;
	bool left = true;

	ok(amk_state_forget_mark(store, session, &err) == 0, "the session is forgotten");
	is_str(list(0), "", "its deliveries are seen by nobody");
	is_str(due(1000, 2000, NULL), "", "nor sent");
	while (left && amk_state_forget_some(store, session, 4096, &left, &err) == 0)
		;
	ok(!left && amk_delivery_count(store, "c", &n, &err) == 0 && n.failed == 0, "and go with it, as nothing else could");
}

int main(void)
{
	fixture_begin();
	session = fixture_session("tau");
	ok(amk_store_commit(store, &err) == 0, "a session");
	test_due();
	test_outcomes();
	test_given_up();
	ok(amk_store_commit(store, &err) == 0, "commit");
	test_bound();
	ok(amk_store_commit(store, &err) == 0, "commit");
	ok(amk_delivery_fail(store, 3, "-", &err) == 0 && amk_store_commit(store, &err) == 0, "commit");
	test_many();
	ok(amk_store_commit(store, &err) == 0, "commit");
	test_seam();
	test_forgotten();
	amk_buf_release(&seen);
	fixture_end();
	return tap_done();
}
