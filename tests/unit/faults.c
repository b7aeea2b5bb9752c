/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call in the life of a store fails once (tests/tools/fault.c), and from there on always. A child lives that life and
 * tells each turn that was acknowledged. It may refuse, or give up, in a sentence; it may not hang or be ended by a
 * signal. The one exception is stated in core/buf.h: without memory a process of amika ends itself, with the words "out of
 * memory". Afterwards the database passes every check, and holds what was acknowledged, each turn whole.
 */
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/path.h"
#include "sanitized.h"
#include "store/verify.h"
#include "store_fixture.h"

#define TURNS 12
#define LINES_OF_TURN 3
#define TRIES 4	    /* to recover, before the child gives up */
#define SAMPLES 40  /* of a kind of calls, when there are more */
#define PATIENCE 20 /* s */

enum { DONE = 0, REFUSED = 10, GIVEN_UP = 11 };

/* The child */

static struct life {
	int64_t session, run, decision;
	uint64_t turn;
	unsigned tries;
} life;

static void live_turn(void *arg, bool good);

static void refuse(int status)
{
	fprintf(stderr, "refused: %s\n", err.msg);
	exit(err.msg[0] ? status : 1);
}

static uint64_t turns_there(void)
{
	int n = fixture_lines(life.session);

	return n < 0 ? UINT64_MAX : (uint64_t)n / LINES_OF_TURN;
}

static bool take_session(void *arg, const struct amk_state_session *r)
{
	*(int64_t *)arg = r->row;
	return true;
}

static void take_run(void *arg, const struct amk_state_run *r)
{
	*(int64_t *)arg = r->row;
}

static bool take_decision(void *arg, const struct amk_state_decision *r)
{
	*(int64_t *)arg = r->row;
	return false;
}

/* As a daemon does: what is in memory is forgotten, and what is on record is gone on from. */
static void recover(void)
{
	amk_store_rollback(store);
	do {
		life.session = life.run = life.decision = 0;
		life.turn = UINT64_MAX;
		if (life.tries++ == TRIES)
			refuse(GIVEN_UP);
		if (amk_store_recover(store, &err) == 0 &&
		    amk_state_sessions(store, take_session, &life.session, &err) == 0 &&
		    amk_state_run_last(store, life.session, take_run, &life.run, &err) == 0 &&
		    amk_state_decisions(store, life.session, true, take_decision, &life.decision, &err) == 0)
			life.turn = turns_there();
	} while (life.turn == UINT64_MAX);
	amk_store_flush(store, live_turn, NULL);
}

/* Something of every table. */
static int write_rows(void)
{
	struct amk_state_session session = { .id = "life", .agent = "mock", .spec = "{}", .state = "idle" };
	struct amk_state_run run = { .session = life.session, .incarnation = 1, .checkpoint = "{}", .in_n = 5 };
	char id[32];
	struct amk_state_message m = { .session = life.session, .id = id, .text = "text", .state = AMK_MESSAGE_CANCELLED };

	if (life.session == 0 && amk_state_session_add(store, &session, &err) < 0)
		return -1;
	life.session = life.session ? life.session : session.row;
	run.session = m.session = life.session;
	snprintf(id, sizeof id, "m_%llu", (unsigned long long)life.turn);
	if (amk_state_message_add(store, &m, &err) < 0)
		return -1;
	if (life.run == 0) {
		if (amk_state_run_add(store, &run, &err) < 0)
			return -1;
		life.run = run.row;
	}
	return 0;
}

static int write_decision(void)
{
	struct amk_state_input input = { .run = life.run, .input = "{}", .bytes = "bytes", .bytes_n = 5 };
	char native[32];
	struct amk_state_decision d = { .row = life.decision, .session = life.session, .run = life.run,
					.native_id = native, .kind = "permission", .state = "open", .request = "{}" };

	snprintf(native, sizeof native, "n_%llu", (unsigned long long)life.turn);
	if (amk_state_input_add(store, &input, &err) < 0)
		return -1;
	if (life.decision == 0) {
		if (amk_state_decision_add(store, &d, &err) < 0)
			return -1;
		life.decision = d.row;
		return 0;
	}
	d.state = "answered";
	life.decision = 0;
	return amk_state_decision_close(store, &d, &err);
}

static int write_lines(void)
{
	struct amk_state_session session = { .row = life.session, .state = "idle",
					     .sequence = life.turn * LINES_OF_TURN };
	static char line[3000];

	memset(line, 'x', sizeof line - 1);
	for (uint64_t i = 1; i <= LINES_OF_TURN; i++)
		if (fixture_append(life.session, (life.turn - 1) * LINES_OF_TURN + i, line) < 0)
			return -1;
	return amk_state_session_set(store, &session, &err);
}

static void live_turn(void *arg, bool good)
{
	(void)arg;
	if (!good) {
		recover();
		return;
	}
	if (life.turn && write(STDOUT_FILENO, &life.turn, sizeof life.turn) != sizeof life.turn)
		_exit(1);
	if (life.turn == TURNS) {
		amk_loop_stop(loop);
		return;
	}
	life.turn++;
	if (write_rows() < 0 || write_decision() < 0 || write_lines() < 0) {
		recover();
		return;
	}
	amk_store_flush(store, live_turn, NULL);
	amk_store_commit(store, &err); /* where it fails the flush says so */
}

static int child(const char *path)
{
	alarm(PATIENCE);
	state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	loop = amk_loop_new(&err);
	if (!loop)
		refuse(REFUSED);
	store = amk_store_open(loop, state_fd, path, &err);
	if (!store)
		refuse(REFUSED);
	amk_store_flush(store, live_turn, NULL);
	amk_loop_run(loop);
	amk_store_close(store);
	amk_loop_free(loop);
	return DONE;
}

/* The parent */

static char preload[PATH_MAX], self[PATH_MAX], path[300], told[300], said[300];

struct set {
	const char *calls, *error;
	bool anywhere; /* not only on the store's files */
	bool aborts;   /* may end the process, with the words for it */
};

struct outcome {
	uint64_t acknowledged;
	int status;
	long seen, failed;
};

static void read_counts(struct outcome *o)
{
	FILE *f = fopen(told, "re");

	if (!f || fscanf(f, "%ld %ld", &o->seen, &o->failed) != 2)
		o->seen = o->failed = 0;
	if (f)
		fclose(f);
}

static void become_child(const struct set *set, const char *n, int out)
{
	char plan[200];
	int log = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	snprintf(plan, sizeof plan, "%s:%s:%s", set->calls, set->error, n);
	setenv("LD_PRELOAD", preload, 1);
	setenv("AMIKA_FAULT", plan, 1);
	setenv("AMIKA_FAULT_COUNT", told, 1);
	if (!set->anywhere)
		setenv("AMIKA_FAULT_PATH", path, 1);
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
		execl(self, self, path, (char *)NULL);
	_exit(1);
}

static struct outcome live(const struct set *set, const char *n)
{
	struct outcome o = { 0 };
	uint64_t turn;
	int p[2];
	pid_t pid;

	nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	mkdir(path, 0700);
	unlink(told);
	fflush(stdout);
	if (pipe2(p, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0)
		become_child(set, n, p[1]);
	close(p[1]);
	while (read(p[0], &turn, sizeof turn) == sizeof turn)
		o.acknowledged = turn > o.acknowledged ? turn : o.acknowledged;
	close(p[0]);
	waitpid(pid, &o.status, 0);
	read_counts(&o);
	return o;
}

static bool said_words(const char *words)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);
	int dir AMK_AUTO(fd) = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return amk_path_read(dir, "said", &b, NULL) == 0 && strstr(b.s, words);
}

static void take_finding(void *arg, const struct amk_finding *f)
{
	struct amk_buf *b = arg;

	if (!f->good && b->n == 0)
		amk_buf_addf(b, "%s: %s", f->name, f->detail);
}

/* What the child has left: looked at, then opened. */
static void judge_store(const struct outcome *o, struct amk_buf *wrong)
{
	const struct amk_verify_to to = { take_finding, NULL, wrong };
	char file[320];
	struct amk_verify *v;
	uint64_t turns;

	snprintf(file, sizeof file, "%s/amika.db", path);
	/* One that was never finished is not ours yet: the next start makes it. */
	v = o->acknowledged ? amk_verify_begin(file, &to) : NULL;
	if (v)
		amk_verify_tables(v);
	amk_verify_end(v);
	state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = (struct amk_err){ 0 };
	store = amk_store_open(loop, state_fd, path, &err);
	close(state_fd);
	turns = store ? turns_there() : 0;
	if (wrong->n)
		return;
	if (!store)
		amk_buf_addf(wrong, "not opened: %s", err.msg);
	else if (fixture_lines(1) % LINES_OF_TURN)
		amk_buf_addf(wrong, "half a turn");
	else if (turns < o->acknowledged || turns > o->acknowledged + 1)
		amk_buf_addf(wrong, "%llu turns, acknowledged %llu", (unsigned long long)turns,
			     (unsigned long long)o->acknowledged);
}

/* True when all is as it must be. */
static bool judge(const struct set *set, const char *n, const struct outcome *o)
{
	struct amk_buf wrong AMK_AUTO(buf) = AMK_BUF_INIT(10000);
	int code = WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;
	bool abort_told = WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGABRT && said_words("out of memory");

	if (WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGALRM)
		amk_buf_addf(&wrong, "hangs");
	else if (code != DONE && code != REFUSED && code != GIVEN_UP && !(set->aborts && abort_told))
		amk_buf_addf(&wrong, "ended with wait status %d", o->status);
	else if (code == DONE && o->acknowledged != TURNS)
		amk_buf_addf(&wrong, "done after %llu turns", (unsigned long long)o->acknowledged);
	if (o->failed == 0)
		amk_buf_addf(&wrong, "the call was never made");
	store = NULL;
	life.session = 1;
	judge_store(o, &wrong);
	if (wrong.n)
		printf("# %s:%s:%s: %s\n", set->calls, set->error, n, wrong.s);
	amk_store_close(store);
	return wrong.n == 0;
}

static void check_set(const struct set *set)
{
	struct outcome whole = live(set, "0");
	unsigned runs = 0, bad = 0, gone_on = 0;
	long step = whole.seen / SAMPLES + 1;
	char n[32];

	for (int always = 0; always < 2; always++) {
		for (long i = 1; i <= whole.seen; i += always ? 4 * step : step, runs++) {
			struct outcome o;

			/* Of what is left out another part in each run. */
			snprintf(n, sizeof n, "%ld%s", step > 1 && i + step <= whole.seen ? i + random() % step : i,
				 always ? "+" : "");
			o = live(set, n);
			bad += !judge(set, n, &o);
			gone_on += o.acknowledged == TURNS;
		}
	}
	ok(runs > 0 && bad == 0, "%s: %u lives, each with %s from one of %ld calls on", set->calls, runs, set->error,
	   whole.seen);
	printf("# %u of them were finished all the same\n", gone_on);
}

static bool find_preload(void)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = '\0';
	snprintf(preload, sizeof preload, "%.*s/../tools/fault.so", (int)(strrchr(self, '/') - self), self);
	return access(preload, R_OK) == 0;
}

int main(int argc, char **argv)
{
	static const struct set sets[] = {
		{ "write,pwrite", "ENOSPC", false, false },	{ "pwrite", "EIO", false, false },
		{ "pread,read", "EIO", false, false },		{ "fsync,fdatasync", "EIO", false, false },
		{ "ftruncate", "EIO", false, false },		{ "open,openat", "EMFILE", false, false },
		{ "mmap", "ENOMEM", false, false },		{ "malloc,calloc,realloc", "ENOMEM", true, true },
	};

	if (argc > 1)
		return child(argv[1]);
#ifdef SANITIZED
	printf("ok 1 - calls that fail # skip faults: a preloaded library would come before the sanitizers'\n1..1\n");
	return 0;
#endif
	close(scratch_make());
	if (!find_preload()) {
		printf("ok 1 - calls that fail # skip faults: %s is built by make check\n1..1\n", preload);
		return 0;
	}
	srandom((unsigned)getpid());
	snprintf(path, sizeof path, "%s/state", scratch);
	snprintf(told, sizeof told, "%s/told", scratch);
	snprintf(said, sizeof said, "%s/said", scratch);
	loop = amk_loop_new(&err);
	for (size_t i = 0; i < AMK_COUNT(sets); i++)
		check_set(&sets[i]);
	amk_loop_free(loop);
	return tap_done();
}
