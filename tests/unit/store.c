/* SPDX-License-Identifier: Apache-2.0 */
/* The store: opening, turns, flushes, a full disk, being killed. */
#include "store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store_fixture.h"

/* Runs SQL on the database as another program would. */
static void by_hand(const char *sql)
{
	char path[300];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/amika.db", scratch);
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		printf("Bail out! by hand: %s\n", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int take_number(void *arg, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	*(int *)arg = (int)strtol(values[0], NULL, 10);
	return 0;
}

static int number_by_hand(const char *sql)
{
	char path[300];
	int number = -1;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/amika.db", scratch);
	if (sqlite3_open(path, &db) == SQLITE_OK)
		sqlite3_exec(db, sql, take_number, &number, NULL);
	sqlite3_close(db);
	return number;
}

static off_t size_of(const char *name)
{
	struct stat st;

	return fstatat(state_fd, name, &st, 0) < 0 ? -1 : st.st_size;
}

static bool refused(int fd, const char *path, enum amk_code code, const char *text)
{
	struct amk_store *s;

	err = (struct amk_err){ 0 };
	s = amk_store_open(loop, fd, path, &err);
	if (s)
		amk_store_close(s);
	else
		printf("# %s (%s)\n", err.msg, err.hint);
	return !s && err.code == code && strstr(err.msg, text) && err.hint[0];
}

static void test_opening(void)
{
	static const char *const names[] = { "amika.db", "amika.db-wal", "amika.db-shm" };
	char restore[64];
	struct stat st;

	fixture_session("first");
	amk_store_commit(store, &err);
	for (size_t i = 0; i < AMK_COUNT(names); i++)
		ok(fstatat(state_fd, names[i], &st, 0) == 0 && (st.st_mode & 0777) == 0600, "%s is private",
		   names[i]);
	amk_store_close(store);
	is_int(size_of("amika.db-wal"), -1, "closing leaves no WAL");
	fchmodat(state_fd, "amika.db", 0644, 0);
	fixture_open();
	ok(fstatat(state_fd, "amika.db", &st, 0) == 0 && (st.st_mode & 0777) == 0600, "made private again");
	amk_store_close(store);

	snprintf(restore, sizeof restore, "PRAGMA user_version = %d", number_by_hand("PRAGMA user_version"));
	by_hand("PRAGMA user_version = 99");
	ok(refused(state_fd, scratch, AMK_EFAILED, "newer amika (version 99, this one knows"), "a newer schema");
	by_hand(restore);
	by_hand("PRAGMA application_id = 7");
	ok(refused(state_fd, scratch, AMK_EFAILED, "not made by amika"), "another program's database");
	by_hand("PRAGMA application_id = 1634560865");
	fixture_open();
	is_int(fixture_session("second"), 2, "all was left as it was");
	amk_store_commit(store, &err);
}

/* A folder inside the scratch folder; returns it open, its path in `path`. */
static int folder(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", scratch, name);
	if (mkdir(path, 0700) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_odd_folders(void)
{
	char path[1200], name[256];
	struct amk_store *s;
	int fd, file;

	memset(name, 'x', 240);
	name[240] = '\0';
	fd = folder(path, sizeof path, name);
	s = amk_store_open(loop, fd, path, &err);
	ok(s, "a path of %zu bytes", strlen(path));
	amk_store_close(s);
	close(fd);

	snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", name);
	ok(mkdir(path, 0700) == 0 && (fd = open(path, O_RDONLY | O_DIRECTORY)) >= 0, "a folder in it");
	ok(refused(fd, path, AMK_EINVALID, "longer than SQLite takes"), "a path of %zu bytes is refused", strlen(path));
	close(fd);

	fd = folder(path, sizeof path, "garbage");
	file = openat(fd, "amika.db", O_WRONLY | O_CREAT, 0600);
	for (int i = 0; i < 1000; i++)
		if (write(file, "garbage ", 8) != 8)
			break;
	close(file);
	ok(refused(fd, path, AMK_EFAILED, "not a database"), "a file that is no database");
	close(fd);

	fd = folder(path, sizeof path, "empty");
	close(openat(fd, "amika.db", O_WRONLY | O_CREAT, 0600));
	s = amk_store_open(loop, fd, path, &err);
	ok(s, "an empty file, left by a creation cut short");
	amk_store_close(s);
	close(fd);

	fd = folder(path, sizeof path, "link");
	if (symlinkat("/nonexistent", fd, "amika.db") == 0)
		ok(!amk_store_open(loop, fd, path, &err) && strstr(err.msg, "not a regular file"), "a symbolic link");
	close(fd);
}

static void test_two_opened(void)
{
	struct amk_store *other = amk_store_open(loop, state_fd, scratch, &err);
	int64_t a = fixture_session("two");

	ok(other, "the same folder opened twice in a process");
	amk_store_commit(store, &err);
	amk_store_close(other);
	ok(fixture_append(a, 1, "x") == 0 && amk_store_commit(store, &err) == 0, "the first goes on");
}

static void test_turns(void)
{
	int64_t a = fixture_session("turns");
	struct amk_state_session again = { .id = "turns", .agent = "mock", .spec = "{}", .state = "idle" };

	is_int(amk_store_commit(store, &err), 0, "a commit");
	is_int(amk_store_commit(store, &err), 0, "one without anything to commit");
	amk_store_rollback(store);
	is_int(fixture_append(a, 1, "x"), 0, "append");
	ok(amk_state_session_add(store, &again, &err) < 0 && err.code == AMK_EEXISTS, "a conflict in the same turn");
	is_int(amk_store_commit(store, &err), 0, "commits the rest");
	is_int(fixture_lines(a), 1, "which is there");
	is_int(fixture_append(a, 2, "x"), 0, "append");
	fixture_reopen();
	is_int(fixture_lines(a), 2, "closing commits");
}

/* A waiter: notes its name in capitals when all is well, and ends the loop when it is the last. */
struct waiter {
	char name;
	bool last, again;
};

static char called[64];

static void flushed(void *arg, bool good)
{
	struct waiter *w = arg;
	size_t n = strlen(called);

	called[n] = (char)(good ? w->name - 'a' + 'A' : w->name);
	called[n + 1] = '\0';
	if (w->again) {
		w->again = false;
		amk_store_flush(store, flushed, w);
	} else if (w->last) {
		amk_loop_stop(loop);
	}
}

static void flush(struct waiter *w, char name, bool last)
{
	*w = (struct waiter){ .name = name, .last = last };
	amk_store_flush(store, flushed, w);
}

static void test_flushing(void)
{
	int64_t a = fixture_session("flush");
	struct waiter w[4];

	called[0] = '\0';
	amk_store_commit(store, &err);
	flush(&w[0], 'a', true);
	is_str(called, "", "not called inside the call");
	fixture_run();
	is_str(called, "A", "what was committed is flushed");
	flush(&w[0], 'b', true);
	fixture_run();
	is_str(called, "AB", "so is nothing at all");

	fixture_append(a, 1, "x");
	flush(&w[0], 'c', false);
	flush(&w[1], 'd', true);
	amk_store_commit(store, &err);
	is_str(called, "AB", "not called by the commit");
	fixture_run();
	is_str(called, "ABCD", "two of one turn, in order");

	fixture_append(a, 2, "x");
	flush(&w[0], 'e', true);
	amk_store_rollback(store);
	is_str(called, "ABCD", "not called by the rollback");
	fixture_run();
	is_str(called, "ABCDe", "a turn that was undone");

	called[0] = '\0';
	flush(&w[0], 'a', false);
	fixture_append(a, 2, "x");
	flush(&w[1], 'b', false);
	amk_store_rollback(store);
	fixture_append(a, 2, "x");
	flush(&w[2], 'c', true);
	amk_store_commit(store, &err);
	w[2].again = true;
	fixture_run();
	is_str(called, "AbCC", "before, of, and after a turn that was undone; once more from inside");
}

static void test_closing_with_waiters(void)
{
	int64_t a = fixture_session("close");
	struct waiter w[3];

	amk_store_commit(store, &err);
	called[0] = '\0';
	flush(&w[0], 'a', false);
	fixture_append(a, 1, "x");
	flush(&w[1], 'b', false);
	flush(&w[2], 'c', false);
	amk_store_close(store);
	is_str(called, "ABC", "closing calls who waits");
	fixture_open();
	is_int(fixture_lines(a), 1, "and keeps what they waited for");
}

/* Turns of 200 lines of 1 KiB, one per flush, until the loop is stopped. */
struct writer {
	int64_t session;
	uint64_t sequence;
	int turns;
	off_t largest;
	bool failed;
};

static void write_turn(void *arg, bool good)
{
	static char line[1024];
	struct writer *w = arg;
	off_t size = size_of("amika.db-wal");

	memset(line, 'x', sizeof line - 1);
	w->failed = w->failed || !good;
	if (size > w->largest)
		w->largest = size;
	if (w->turns-- == 0 || w->failed) {
		amk_loop_stop(loop);
		return;
	}
	for (int i = 0; i < 200; i++)
		if (fixture_append(w->session, ++w->sequence, line) < 0)
			w->failed = true;
	amk_store_flush(store, write_turn, w);
	if (amk_store_commit(store, &err) < 0)
		w->failed = true;
}

static void test_checkpoints(void)
{
	struct writer w = { .session = fixture_session("wal"), .turns = 500 };

	amk_store_commit(store, &err);
	write_turn(&w, true);
	fixture_run();
	ok(!w.failed && size_of("amika.db") > 90 << 20, "100 MB were moved into the database meanwhile");
	ok(w.largest > 4 << 20 && w.largest < 90 << 20, "the WAL had at most %lld bytes", (long long)w.largest);
	fixture_reopen();
	is_int(fixture_lines(w.session), 100000, "all of it is there");
}

static void limit_files(rlim_t n)
{
	struct rlimit r = { .rlim_cur = n, .rlim_max = RLIM_INFINITY };

	setrlimit(RLIMIT_FSIZE, &r);
}

/* Fills the disk, as far as this process may write; says at which turn it went wrong. */
static int fill(int64_t session, uint64_t *sequence)
{
	char line[4096];
	int turn;

	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	for (turn = 0; turn < 1000; turn++) {
		uint64_t at = *sequence;

		for (int i = 0; i < 100; i++)
			if (fixture_append(session, ++at, line) < 0)
				break;
		if (amk_store_commit(store, &err) < 0)
			break;
		*sequence = at;
	}
	return turn;
}

static void test_full_disk(void)
{
	int64_t a = fixture_session("full");
	uint64_t sequence = 0;
	struct waiter w;
	int turns;

	amk_store_commit(store, &err);
	fixture_reopen();
	signal(SIGXFSZ, SIG_IGN);
	limit_files(2 << 20);
	turns = fill(a, &sequence);
	printf("# after %d turns: %s (%s)\n", turns, err.msg, err.hint);
	ok(turns < 1000 && err.code == AMK_EUNAVAILABLE && strstr(err.hint, "space"), "a full disk is said clearly");
	is_int(fixture_lines(a), (int)sequence, "the turn that failed left nothing");
	ok(fixture_append(a, sequence + 1, "x") == 0, "a small write");
	flush(&w, 'a', true);
	called[0] = '\0';
	if (amk_store_commit(store, &err) == 0)
		sequence++;
	fixture_run();
	ok(called[0] == 'A' || called[0] == 'a', "a flush is answered in any case");
	limit_files(RLIM_INFINITY);
	ok(fixture_append(a, ++sequence, "x") == 0 && amk_store_commit(store, &err) == 0, "with space again it goes on");
	flush(&w, 'a', true);
	called[0] = '\0';
	fixture_run();
	is_str(called, "A", "and is durable");
	fixture_reopen();
	is_int(fixture_lines(a), (int)sequence, "nothing lost, nothing halved");
}

/* A failed write makes the whole turn fail, even if later writes would have gone well. */
static void test_broken_turn(void)
{
	int64_t a = fixture_session("broken");
	char *large = amk_malloc(4 << 20);
	struct waiter w;

	memset(large, 'x', 4 << 20);
	large[(4 << 20) - 1] = '\0';
	fixture_append(a, 1, "x");
	amk_store_commit(store, &err);
	fixture_reopen();
	limit_files(1 << 20);
	is_int(fixture_append(a, 2, "kept?"), 0, "a first write");
	ok(fixture_append(a, 3, large) < 0 && err.code == AMK_EUNAVAILABLE, "one too large for the disk");
	limit_files(RLIM_INFINITY);
	ok(fixture_append(a, 2, "x") < 0 && err.code == AMK_EUNAVAILABLE, "the turn takes no more");
	called[0] = '\0';
	flush(&w, 'a', true);
	ok(amk_store_commit(store, &err) < 0 && err.code == AMK_EUNAVAILABLE, "and cannot be committed");
	fixture_run();
	is_str(called, "a", "who waited for it is told");
	is_int(fixture_lines(a), 1, "nothing of it is left");
	ok(fixture_append(a, 2, "x") == 0 && amk_store_commit(store, &err) == 0, "the next turn is well");
	free(large);
}

static void test_held_by_another(void)
{
	char path[300];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/amika.db", scratch);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	ok(amk_state_session_add(store, &(struct amk_state_session){ .id = "held", .agent = "m", .spec = "{}",
	   .state = "idle" }, &err) < 0 && err.code == AMK_EUNAVAILABLE, "another program writes");
	is_str(err.hint, "another program holds amika.db", "the hint");
	ok(amk_store_commit(store, &err) < 0, "the turn fails");
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	ok(fixture_session("held") > 0 && amk_store_commit(store, &err) == 0, "the next does not");
}

/* The child of test_killing: a turn of 1 to 7 lines per flush; tells each number that was acknowledged. */
struct victim {
	int64_t session;
	uint64_t written, flushed;
	int out;
};

static void victim_turn(void *arg, bool good)
{
	struct victim *v = arg;
	unsigned n = 1 + (unsigned)(v->written % 7);

	v->flushed = v->written;
	if (!good || (v->flushed && write(v->out, &v->flushed, sizeof v->flushed) != sizeof v->flushed))
		_exit(1);
	while (n--)
		if (fixture_append(v->session, ++v->written, "a line of a turn") < 0)
			_exit(1);
	amk_store_flush(store, victim_turn, v);
	if (amk_store_commit(store, &err) < 0)
		_exit(1);
}

static void victim_live(int64_t session, uint64_t from, int out)
{
	struct victim v = { .session = session, .written = from, .out = out };

	loop = amk_loop_new(&err);
	fixture_open();
	victim_turn(&v, true);
	amk_loop_run(loop);
	_exit(1);
}

/* Kills a child after so many acknowledgements; the last number it acknowledged, or 0. */
static uint64_t kill_after(int64_t session, uint64_t from, int acknowledgements)
{
	uint64_t last = 0, n;
	int p[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe(p) < 0 || (pid = fork()) < 0)
		return 0;
	if (pid == 0) {
		close(p[0]);
		victim_live(session, from, p[1]);
	}
	close(p[1]);
	for (int i = 0; i < acknowledgements && read(p[0], &n, sizeof n) == sizeof n; i++)
		last = n;
	kill(pid, SIGKILL);
	while (read(p[0], &n, sizeof n) == sizeof n)
		last = n;
	close(p[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? last : 0;
}

static bool check_dense(void *arg, const struct amk_log_line *line)
{
	uint64_t *expected = arg;

	return line->sequence == *expected && ++*expected;
}

static void test_killing(void)
{
	int64_t a = fixture_session("killed");
	uint64_t have = 0;
	int good = 0, rounds = 20;

	amk_store_commit(store, &err);
	amk_store_close(store);
	amk_loop_free(loop);
	for (int i = 0; i < rounds; i++) {
		uint64_t told = kill_after(a, have, 1 + i * 13), next = 1;

		loop = amk_loop_new(&err);
		fixture_open();
		amk_log_read(store, &(struct amk_log_range){ a, 0, UINT64_MAX, true, false }, check_dense, &next, &err);
		good += told > have && next > told && fixture_lines(a) == (int)(next - 1);
		have = next - 1;
		amk_store_close(store);
		amk_loop_free(loop);
	}
	loop = amk_loop_new(&err);
	fixture_open();
	is_int(good, rounds, "killed 20 times: all that was acknowledged is there, without holes");
}

int main(void)
{
	fixture_begin();
	test_opening();
	test_odd_folders();
	test_two_opened();
	test_turns();
	test_flushing();
	test_closing_with_waiters();
	test_checkpoints();
	test_full_disk();
	test_broken_turn();
	test_held_by_another();
	test_killing();
	fixture_end();
	return tap_done();
}
