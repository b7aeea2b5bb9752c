/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database of the first version is opened by this one, and the process or the power goes after any operation of that
 * (disk.h): what is left is a whole old one or a whole new one, nothing of it is lost, and the next start finishes the work.
 */
#include <sqlite3.h>

#include "disk_cut.h"
#include "store_fixture.h"

#define LINES 400

/* As the first version made it, for ever. */
static const char first_version[] =
	"PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; BEGIN;"
	"CREATE TABLE session("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, agent TEXT NOT NULL,"
	"  spec TEXT NOT NULL, native_id TEXT, state TEXT NOT NULL, sequence INTEGER NOT NULL,"
	"  created INTEGER NOT NULL, updated INTEGER NOT NULL, ended INTEGER NOT NULL);"
	"CREATE TABLE log("
	"  row INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
	"  hidden INTEGER NOT NULL, raw_at INTEGER NOT NULL, run INTEGER, raw_offset INTEGER NOT NULL,"
	"  raw_n INTEGER NOT NULL, line TEXT NOT NULL, UNIQUE(session, sequence));"
	"CREATE TABLE message("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  id TEXT NOT NULL, state INTEGER NOT NULL, \"after\" INTEGER NOT NULL, created INTEGER NOT NULL,"
	"  text TEXT NOT NULL, UNIQUE(session, id));"
	"CREATE INDEX message_queued ON message(session, row) WHERE state = 0;"
	"CREATE TABLE run("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  incarnation INTEGER NOT NULL, in_n INTEGER NOT NULL, out_n INTEGER NOT NULL,"
	"  checkpoint_input INTEGER NOT NULL, checkpoint_out INTEGER NOT NULL, ended INTEGER NOT NULL,"
	"  checkpoint TEXT);"
	"CREATE INDEX run_session ON run(session, row);"
	"CREATE TABLE input("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES run,"
	"  at INTEGER NOT NULL, out_n INTEGER NOT NULL, input TEXT NOT NULL, bytes BLOB NOT NULL);"
	"CREATE INDEX input_run ON input(run, row);"
	"CREATE TABLE decision("
	"  row INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES session,"
	"  run INTEGER REFERENCES run, native_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,"
	"  created INTEGER NOT NULL, closed INTEGER NOT NULL, answered_by TEXT, answer TEXT,"
	"  request TEXT NOT NULL, UNIQUE(run, native_id));"
	"CREATE INDEX decision_session ON decision(session, row);"
	"CREATE INDEX decision_open ON decision(row) WHERE state = 'open';"
	"PRAGMA application_id = 1634560865; PRAGMA user_version = 1; COMMIT;";

static const char rows[] =
	"INSERT INTO session VALUES(1, 'tau', 'mock', '{}', NULL, 'idle', 400, 1, 2, 0),"
	"  (2, 'rho', 'mock', '{}', 'n', 'ended', 0, 1, 2, 1);"
	"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
	"  INSERT INTO log SELECT i, 1, i, 0, 0, NULL, 0, 0, printf('%.*c', i * 3, 'x') FROM n;"
	"INSERT INTO message VALUES(1, 1, 'm_1', 2, 0, 1, 'text'), (2, 1, 'm_2', 0, 3, 1, 'text');"
	"INSERT INTO run VALUES(1, 1, 1, 10, 20, 0, 0, 0, '{}');"
	"INSERT INTO input VALUES(1, 1, 0, 0, '{}', 'bytes');"
	"INSERT INTO decision VALUES(1, 1, 1, 'n', 'permission', 'open', 1, 0, NULL, NULL, '{}');";

/* Versions by number: their schema, when it was seen first. */
static char *schema_of[64];
static unsigned seen[64], bad, cuts;
static int newest;

static int take_row(void *arg, int n, char **values, char **names)
{
	(void)names;
	for (int i = 0; i < n; i++)
		amk_buf_addf(arg, "%s ", values[i] ? values[i] : "-");
	return 0;
}

static const char *ask(struct amk_buf *b, const char *file, const char *sql)
{
	sqlite3 *db;

	amk_buf_clear(b);
	if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_exec(db, sql, take_row, b, NULL) != SQLITE_OK)
		amk_buf_addf(b, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	return b->s;
}

static void say_bad(const struct cut *c, int mode, const char *what)
{
	if (bad++ < 5)
		printf("# after %u operations, mode %d: %s\n", c->at, mode, what);
}

/* The file as it is, before amika sees it. */
static void look(const struct cut *c, int mode, const char *file)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(100000), schema AMK_AUTO(buf) = AMK_BUF_INIT(100000);
	long version = strtol(ask(&b, file, "PRAGMA user_version"), NULL, 10);

	ask(&schema, file, "SELECT name, sql FROM sqlite_master ORDER BY name");
	if (version < 1 || version > newest) {
		say_bad(c, mode, b.s);
		return;
	}
	seen[version]++;
	if (!schema_of[version])
		schema_of[version] = amk_strdup(schema.s);
	if (strcmp(schema_of[version], schema.s) != 0)
		say_bad(c, mode, "half of a version");
	ask(&b, file, "PRAGMA integrity_check; SELECT count(*), sum(length(line)) FROM log;"
		      "SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM message), (SELECT count(*) FROM run),"
		      " (SELECT count(*) FROM input), (SELECT count(*) FROM decision)");
	if (strcmp(b.s, "ok 400 240600 2 2 1 1 1 ") != 0)
		say_bad(c, mode, b.s);
}

static void look_again(const struct cut *c, int mode, int dir, const char *path)
{
	err = (struct amk_err){ 0 };
	store = amk_store_open(loop, dir, path, &err);
	if (!store)
		say_bad(c, mode, err.msg);
	else if (fixture_lines(1) != LINES)
		say_bad(c, mode, "lines are missing");
	amk_store_close(store);
}

static void each_cut(unsigned from, const char *path)
{
	struct cut *c = cut_new(1);
	char file[320];
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	snprintf(file, sizeof file, "%s/amika.db", path);
	while (c->at < from)
		cut_step(c);
	while (c->at < disk->nops) {
		cut_step(c);
		for (int mode = 0; mode < CUT_MODES; mode++, cuts++) {
			cut_make(c, (enum cut_mode)mode, path);
			look(c, mode, file);
			look_again(c, mode, dir, path);
		}
	}
	close(dir);
	cut_free(c);
}

/* Makes it on the disk, durable; in the WAL if it was killed before it moved it. */
static void make_old(const char *path, bool killed)
{
	char file[320];
	sqlite3 *db;
	int dir;

	snprintf(file, sizeof file, "%s/amika.db", path);
	if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_exec(db, first_version, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, rows, NULL, NULL, NULL) != SQLITE_OK)
		printf("# %s\n", sqlite3_errmsg(db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, killed, NULL);
	sqlite3_close(db);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		int fd = openat(dir, i ? "amika.db-wal" : "amika.db", O_RDWR | O_CLOEXEC);

		if (fd >= 0 && fsync(fd) == 0)
			close(fd);
	}
	fsync(dir);
	close(dir);
}

static void check(bool killed)
{
	char path[256], cut_path[256];
	unsigned from;

	snprintf(path, sizeof path, "%s/%s", scratch, killed ? "killed" : "closed");
	snprintf(cut_path, sizeof cut_path, "%s/cut", scratch);
	mkdir(path, 0700);
	mkdir(cut_path, 0700);
	disk_begin(path);
	make_old(path, killed);
	from = disk->nops;
	state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	store = amk_store_open(loop, state_fd, path, &err);
	ok(store && fixture_lines(1) == LINES, "one of the first version is taken over%s", killed ? ", from its WAL" : "");
	amk_store_close(store);
	disk->on = false;
	if (newest == 0) {
		struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1000);
		char file[320];

		snprintf(file, sizeof file, "%s/amika.db", path);
		newest = (int)strtol(ask(&b, file, "PRAGMA user_version"), NULL, 10);
		ok(newest > 1 && newest < 64, "and is of version %d then", newest);
	}
	each_cut(from, cut_path);
	close(state_fd);
	munmap(disk, sizeof *disk + DISK_BYTES);
	disk = NULL;
}

int main(void)
{
	char *real;

	close(scratch_make());
	real = realpath(scratch, NULL);
	snprintf(scratch, sizeof scratch, "%s", real);
	free(real);
	loop = amk_loop_new(&err);
	check(false);
	check(true);
	ok(bad == 0, "%u cuts: old or new, never half, and nothing is missing", cuts);
	ok(seen[1] > 10 && seen[newest] > 10, "old after %u of them, new after %u", seen[1], seen[newest]);
	for (size_t i = 0; i < AMK_COUNT(schema_of); i++)
		free(schema_of[i]);
	amk_loop_free(loop);
	return tap_done();
}
