/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts, simulated (disk.h): after every operation of a store's life the power may go. Whatever the disk
 * then holds, the store opened on it must hold all that was acknowledged before, each turn whole or not at all, and nothing
 * damaged. AMIKA_CUT_SEED: another choice of torn sectors.
 */
#include <limits.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "core/path.h"
#include "disk_cut.h"
#include "run/folder.h"
#include "store_fixture.h"

#define LINES_OF_TURN 3

enum told { TOLD_WRITTEN = 1, TOLD_ACKNOWLEDGED }; /* turns, from 1 */

static char cut_path[300];
static int cut_fd;
static uint64_t seed;

/* What a disk at a cut must hold, and what was looked at. */
struct judge {
	uint64_t written, acknowledged;
	size_t line_n;
	unsigned cuts, bad;
	unsigned least, most; /* unacknowledged turns that were found, to see that cuts differ */
};

/* A line of a turn, recognisable by its number. */
static void line_make(char *line, size_t n, uint64_t sequence)
{
	memset(line, 'a' + (int)(sequence % 26), n - 1);
	line[n - 1] = '\0';
	memcpy(line, "{\"n\":", 5);
	snprintf(line + 5, 24, "%llu}", (unsigned long long)sequence);
	line[strlen(line)] = ' ';
}

static bool line_is_right(void *arg, const struct amk_log_line *line)
{
	struct {
		uint64_t next;
		size_t n;
	} *expected = arg;
	char *want AMK_AUTO(mem) = amk_malloc(expected->n);

	line_make(want, expected->n, expected->next);
	if (line->sequence != expected->next || line->n != expected->n - 1 || memcmp(line->line, want, line->n) != 0)
		return false;
	expected->next++;
	return true;
}

static int take_text(void *arg, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	amk_buf_addf(arg, "%s ", values[0] ? values[0] : "-");
	return 0;
}

/* Of the opened store, by another connection. */
static const char *integrity(struct amk_buf *b, const char *path)
{
	char file[320];
	sqlite3 *db;

	snprintf(file, sizeof file, "%s/amika.db", path);
	amk_buf_clear(b);
	if (sqlite3_open(file, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA integrity_check; SELECT 'foreign key of ' || \"table\" FROM pragma_foreign_key_check;"
			     "SELECT count(*) FROM message", take_text, b, NULL) != SQLITE_OK)
		amk_buf_addf(b, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	return b->s;
}

/* The store as it is there: its turns, or a sentence. */
static const char *judge_store(struct judge *j, int64_t session, struct amk_buf *b)
{
	struct {
		uint64_t next;
		size_t n;
	} expected = { 1, j->line_n };
	char want[64];
	uint64_t turns;

	amk_log_read(store, &(struct amk_log_range){ session, 0, UINT64_MAX, true, false }, line_is_right, &expected, &err);
	if (fixture_lines(session) != (int)expected.next - 1)
		return "a line that is not what was written";
	turns = (expected.next - 1) / LINES_OF_TURN;
	if ((expected.next - 1) % LINES_OF_TURN)
		return "half a turn";
	if (turns < j->acknowledged)
		return "an acknowledged turn is missing";
	if (turns > j->written)
		return "more than was written";
	snprintf(want, sizeof want, "ok %llu ", (unsigned long long)turns);
	if (strcmp(integrity(b, cut_path), want) != 0)
		return b->s;
	j->least = turns - j->acknowledged < j->least ? (unsigned)(turns - j->acknowledged) : j->least;
	j->most = turns - j->acknowledged > j->most ? (unsigned)(turns - j->acknowledged) : j->most;
	return NULL;
}

/* Opens a store on the disk after a cut, and looks. */
static void judge_cut(struct judge *j, struct cut *c, enum cut_mode mode, int64_t session)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10000);
	const char *fault;

	cut_make(c, mode, cut_path);
	err = (struct amk_err){ 0 };
	store = amk_store_open(loop, cut_fd, cut_path, &err);
	fault = store ? judge_store(j, session, &b) : err.msg;
	if (fault && j->bad++ < 5)
		printf("# after %u operations, mode %d: %s; acknowledged %llu, written %llu\n", c->at, (int)mode, fault,
		       (unsigned long long)j->acknowledged, (unsigned long long)j->written);
	amk_store_close(store);
	store = NULL;
	j->cuts++;
}

/* Every prefix of the log; of writes only each `every`-th, and where they are many of the rest each seventh. */
static void judge_all(struct judge *j, int64_t session, unsigned every)
{
	struct cut *c = cut_new(seed);

	disk->on = false;
	while (c->at < disk->nops) {
		const struct disk_op *op = cut_step(c);

		if (op->kind == DISK_TOLD && op->at == TOLD_WRITTEN)
			j->written = op->n;
		if (op->kind == DISK_TOLD && op->at == TOLD_ACKNOWLEDGED)
			j->acknowledged = op->n;
		if (op->kind == DISK_WRITE ? c->at % every : every > 50 && c->at % 7)
			continue;
		for (int mode = 0; mode < CUT_MODES; mode++)
			judge_cut(j, c, (enum cut_mode)mode, session);
	}
	cut_free(c);
}

/* The kernel has dropped pages, and the disk gives what it has: nothing, from some place on. */
static off_t drop_from;

/* A life of a store: turns of three lines and a message, each flushed before the next. */
struct writer {
	int64_t session;
	uint64_t turn, turns;
	size_t line_n;
	unsigned refused;
};

static void write_turn(void *arg, bool good);

static const char *wal_path(void)
{
	static char to[300];

	snprintf(to, sizeof to, "%s/amika.db-wal", scratch);
	return to;
}

/* A flush has failed: the store is opened anew, and what it then holds is gone on from. */
static void go_on(struct writer *w)
{
	w->refused++;
	if (drop_from && truncate(wal_path(), drop_from) < 0)
		perror("truncate");
	if (amk_store_recover(store, &err) < 0) {
		printf("# %s\n", err.msg);
		amk_loop_stop(loop);
		return;
	}
	w->turn = (uint64_t)fixture_lines(w->session) / LINES_OF_TURN;
	amk_store_flush(store, write_turn, w);
}

static void write_turn(void *arg, bool good)
{
	struct writer *w = arg;
	char *line AMK_AUTO(mem) = amk_malloc(w->line_n), id[32];
	struct amk_state_message m = { .session = w->session, .id = id, .text = "text" };

	if (!good) {
		go_on(w);
		return;
	}
	disk_tell(TOLD_ACKNOWLEDGED, w->turn);
	if (w->turn == w->turns) {
		amk_loop_stop(loop);
		return;
	}
	w->turn++;
	for (uint64_t i = 1; i <= LINES_OF_TURN; i++) {
		line_make(line, w->line_n, (w->turn - 1) * LINES_OF_TURN + i);
		fixture_append(w->session, (w->turn - 1) * LINES_OF_TURN + i, line);
	}
	snprintf(id, sizeof id, "m_%llu", (unsigned long long)w->turn);
	amk_state_message_add(store, &m, &err);
	disk_tell(TOLD_WRITTEN, w->turn);
	amk_store_flush(store, write_turn, w);
	if (amk_store_commit(store, &err) < 0)
		printf("# %s\n", err.msg);
}

/* Begins a new life on a new disk. */
static void live(struct writer *w, const char *name, size_t line_n, int fail_sync)
{
	snprintf(scratch + strlen(scratch), sizeof scratch - strlen(scratch), "/%s", name);
	mkdir(scratch, 0700);
	state_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	disk_begin(scratch);
	fixture_open();
	*w = (struct writer){ .session = fixture_session("cut"), .line_n = line_n };
	amk_store_commit(store, &err);
	disk->fail_sync = fail_sync;
}

static void write_turns(struct writer *w, uint64_t more)
{
	w->turns = w->turn + more;
	amk_store_flush(store, write_turn, w);
	fixture_run();
}

static void life_end(void)
{
	disk->on = false;
	munmap(disk, sizeof *disk + DISK_BYTES);
	disk = NULL;
	close(state_fd);
	*strrchr(scratch, '/') = '\0';
}

static void test_every_prefix(void)
{
	struct writer w;
	struct judge j = { .line_n = 300, .least = UINT_MAX };

	live(&w, "small", j.line_n, 0);
	write_turns(&w, 12);
	amk_store_close(store);
	fixture_open();
	write_turns(&w, 8);
	disk_tell(TOLD_WRITTEN, w.turn);
	amk_store_close(store);
	judge_all(&j, w.session, 1);
	ok(j.acknowledged == 20 && j.bad == 0, "%u cuts after each of %u operations: all that was acknowledged is there",
	   j.cuts, disk->nops);
	ok(j.least == 0 && j.most > 0, "with and without the turn that was not acknowledged yet");
	life_end();
}

static void test_checkpoints(void)
{
	struct writer w;
	struct judge j = { .line_n = 40000, .least = UINT_MAX };
	unsigned checkpointed = 0;

	live(&w, "large", j.line_n, 0);
	write_turns(&w, 90);
	amk_store_close(store);
	for (unsigned i = 0; i < disk->nops; i++)
		checkpointed += disk->ops[i].kind == DISK_WRITE && disk->ops[i].file == 0 && disk->ops[i].at > 1 << 20;
	judge_all(&j, w.session, 211);
	ok(j.acknowledged == 90 && j.bad == 0, "%u cuts of %u operations, checkpoints in the pool among them", j.cuts,
	   disk->nops);
	ok(checkpointed > 500, "%u pages were moved into the database meanwhile", checkpointed);
	life_end();
}

/* A commit alone is not on disk: were it, the simulation could not fail. */
static void test_it_can_fail(void)
{
	struct writer w;
	struct judge j = { .line_n = 300, .least = UINT_MAX };

	live(&w, "fail", j.line_n, 0);
	write_turns(&w, 3);
	fixture_append(w.session, 3 * LINES_OF_TURN + 1, "not flushed");
	amk_store_commit(store, &err);
	disk_tell(TOLD_ACKNOWLEDGED, 4);
	disk->on = false;
	amk_store_close(store);
	j.bad = 5; /* said quietly */
	judge_all(&j, w.session, 1);
	ok(j.bad > 5, "a lie about what is on disk is found");
	life_end();
}

/* The kernel drops what a failed flush could not write, and calls the next one good. */
static void test_failed_flush(void)
{
	unsigned cuts = 0, bad = 0, refused = 0;

	for (int at = 1; at <= 4; at++) {
		struct judge j = { .line_n = 300, .least = UINT_MAX };
		struct writer w;

		live(&w, "sync", j.line_n, at);
		write_turns(&w, 7);
		amk_store_close(store);
		judge_all(&j, w.session, 5);
		cuts += j.cuts;
		bad += j.bad;
		refused += w.refused;
		life_end();
		nftw(scratch, cut_remove_one, 16, FTW_DEPTH | FTW_PHYS);
		mkdir(cut_path, 0700);
		close(cut_fd);
		cut_fd = open(cut_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	ok(refused == 4, "each failed flush refuses a turn");
	ok(bad == 0, "%u cuts around failed flushes: what was acknowledged later did not build on what was dropped", cuts);
}

/* Lines that were committed, read and not flushed can be gone then: the next ones take their numbers. */
static void test_dropped_pages(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(10000);
	struct judge j = { .line_n = 300, .least = UINT_MAX };
	const char *fault;
	struct writer w;
	struct stat st;

	live(&w, "dropped", j.line_n, 0);
	write_turns(&w, 6);
	drop_from = stat(wal_path(), &st) < 0 ? 0 : st.st_size;
	disk->fail_sync = 2;
	write_turns(&w, 6);
	drop_from = 0;
	j.acknowledged = j.written = w.turn;
	snprintf(cut_path, sizeof cut_path, "%s", scratch);
	fault = judge_store(&j, w.session, &b);
	if (fault)
		printf("# %s\n", fault);
	ok(w.refused == 1 && !fault, "pages that were dropped with a failed flush: gone on from before");
	amk_store_close(store);
	life_end();
	snprintf(cut_path, sizeof cut_path, "%s/cut", scratch);
}

int main(void)
{
	const char *wanted = getenv("AMIKA_CUT_SEED");
	char *real;

	seed = wanted ? strtoull(wanted, NULL, 10) : 1;
	close(scratch_make());
	real = realpath(scratch, NULL);
	snprintf(scratch, sizeof scratch, "%s", real);
	free(real);
	snprintf(cut_path, sizeof cut_path, "%s/cut", scratch);
	mkdir(cut_path, 0700);
	cut_fd = open(cut_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	loop = amk_loop_new(&err);
	test_every_prefix();
	test_checkpoints();
	test_it_can_fail();
	test_failed_flush();
	test_dropped_pages();
	amk_loop_free(loop);
	close(cut_fd);
	return tap_done();
}
