/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts in the life of a run's folder (disk.h): the shim runs in a child of ours. Whenever the power goes,
 * an end that is told is the whole end, and then all of the output is there. The same of any file written by rename.
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/path.h"
#include "disk_cut.h"
#include "run/bell.h"
#include "run/folder.h"
#include "tap.h"

#define SAID "one\ntwo\nthree\n"

enum told { TOLD_MADE = 1, TOLD_DONE, TOLD_ENDED };

static char disk_path[300], cut_path[300];


static void begin(const char *name)
{
	snprintf(disk_path, sizeof disk_path, "%s/%s", scratch, name);
	mkdir(disk_path, 0700);
	disk_begin(disk_path);
}

static void end(void)
{
	munmap(disk, sizeof *disk + DISK_BYTES);
	disk = NULL;
}

/* Calls look(arg) with the folder of what the disk may hold, after each operation, in each way. */
static unsigned each_cut(void (*look)(void *arg, int dir, unsigned told), void *arg)
{
	struct cut *c = cut_new(1);
	unsigned cuts = 0, told = 0;

	disk->on = false;
	while (c->at < disk->nops) {
		const struct disk_op *op = cut_step(c);

		if (op->kind == DISK_TOLD)
			told = (unsigned)op->n;
		for (int mode = 0; mode < CUT_MODES * 3; mode++, cuts++) {
			int dir;

			cut_make(c, mode < CUT_TORN ? (enum cut_mode)mode : CUT_TORN, cut_path);
			dir = open(cut_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			look(arg, dir, told);
			close(dir);
		}
	}
	cut_free(c);
	return cuts;
}

/* The shim, as in amika-shim, keeping a shell. */
static void shim_live(int folder, int listening, int bell)
{
	static char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"read -r a; read -r b; echo $a; echo $b; echo three; exit 3", NULL };
	static char *const env[] = { (char *)"PATH=" AMK_PATH_SYSTEM, NULL };
	const struct amk_shim_spec spec = { .lease_ms = 60000, .end_ms = 1000, .directory = "/", .program = "/bin/sh",
					    .argv = argv, .env = env };
	int high[AMK_SHIM_FD_COUNT] = { [AMK_SHIM_FOLDER] = fcntl(folder, F_DUPFD, 20),
					[AMK_SHIM_LISTEN] = fcntl(listening, F_DUPFD, 20),
					[AMK_SHIM_BELL] = fcntl(bell, F_DUPFD, 20) };

	for (int i = AMK_SHIM_FOLDER; i < AMK_SHIM_FD_COUNT; i++)
		if (dup2(high[i], i) < 0)
			_exit(1);
	amk_shim_run(&spec);
	_exit(0);
}

/* The daemon's half: two lines to the shell's stdin, and the doorbell until the end is told. */
static bool daemon_live(int folder, int bell, pid_t shim)
{
	struct pollfd ring = { .fd = bell, .events = POLLIN };
	int in AMK_AUTO(fd) = openat(folder, "in", O_WRONLY | O_CLOEXEC), status, got = 0;
	struct amk_bell_packet p = { 0 };
	struct amk_bell b;

	amk_bell_init(&b);
	amk_bell_connect(&b, bell);
	if (in < 0 || pwrite(in, "one\ntwo\n", 8, 0) != 8)
		return false;
	amk_bell_ring(&b, AMK_BELL_IN, 8);
	amk_bell_flush(&b);
	while (p.kind != AMK_BELL_ENDED && got >= 0 && poll(&ring, 1, 20000) == 1)
		while ((got = amk_bell_read(&b, &p)) > 0 && p.kind != AMK_BELL_ENDED)
			if (p.kind == AMK_BELL_DONE)
				disk_tell(0, TOLD_DONE);
	disk_tell(0, TOLD_ENDED);
	amk_bell_close(&b);
	return waitpid(shim, &status, 0) == shim && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct ends {
	unsigned none, whole, bad;
	unsigned missing;   /* told, and not on the disk */
	unsigned forgotten; /* something went to the program, and the disk has it that none was ever started */
};

static void look_at_run(void *arg, int dir, unsigned told)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(1000);
	int folder AMK_AUTO(fd) = amk_folder_open(dir, 1, NULL);
	struct amk_run_end end = { 0 };
	struct ends *ends = arg;
	int got = folder < 0 ? 0 : amk_folder_end(folder, &end);

	ends->missing += told >= TOLD_MADE && folder < 0;
	ends->forgotten += told >= TOLD_DONE && !amk_folder_has_begun(folder);
	if (got == 0) {
		ends->none++;
		ends->missing += told == TOLD_ENDED;
	} else if (got == 1 && end.code == 3 && strcmp(end.reason, "exited") == 0 &&
		   amk_path_read(folder, "out", &out, NULL) == 0 && strcmp(out.s, SAID) == 0) {
		ends->whole++;
	} else {
		ends->bad++;
	}
}

static void test_run(void)
{
	int dir, folder, listening, pair[2];
	struct ends ends = { 0 };
	struct amk_err e = { 0 };
	unsigned cuts;
	pid_t shim;

	begin("runs");
	dir = open(disk_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = amk_folder_make(dir, 1, &e);
	listening = amk_folder_listen(folder, &e);
	ok(folder >= 0 && listening >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0,
	   "a run's folder");
	disk_tell(0, TOLD_MADE);
	fflush(stdout);
	shim = fork();
	if (shim == 0)
		shim_live(folder, listening, pair[1]);
	close(pair[1]);
	ok(daemon_live(folder, pair[0], shim), "a shim that keeps a shell to its end");
	cuts = each_cut(look_at_run, &ends);
	ok(ends.bad == 0 && ends.whole > 0 && ends.none > 0,
	   "%u cuts of %u operations: no end, or the whole end with all of the output", cuts, disk->nops);
	ok(ends.missing == 0, "a folder that was made stays, and an end that was told");
	ok(ends.forgotten == 0, "a program that was written to is known to have been started");
	close(listening);
	close(folder);
	close(dir);
	end();
}

struct versions {
	unsigned of[4], bad;
};

static void look_at_file(void *arg, int dir, unsigned told)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(100000);
	struct versions *v = arg;
	unsigned n = 0;

	if (amk_path_read(dir, "file", &b, NULL) == 0)
		n = b.n == 5000 ? 1 : b.n == 70 ? 2 : b.n == 9000 ? 3 : 9;
	if (n == 9 || n < told || strspn(b.s, "x") != b.n)
		v->bad++;
	else
		v->of[n]++;
}

static void test_file(void)
{
	static const size_t sizes[] = { 5000, 70, 9000 };
	struct versions v = { 0 };
	struct amk_err e = { 0 };
	char text[9000];
	unsigned cuts;
	int dir;

	memset(text, 'x', sizeof text);
	begin("file");
	dir = open(disk_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < AMK_COUNT(sizes); i++) {
		if (amk_path_write(dir, "file", text, sizes[i], &e) < 0)
			printf("# %s\n", e.msg);
		disk_tell(0, i + 1);
	}
	cuts = each_cut(look_at_file, &v);
	ok(v.bad == 0 && v.of[0] && v.of[1] && v.of[2] && v.of[3],
	   "a file written by rename, %u cuts: the old one or the new one, the new one once that was told", cuts);
	close(dir);
	end();
}

int main(void)
{
	char *real;

	close(scratch_make());
	real = realpath(scratch, NULL);
	snprintf(scratch, sizeof scratch, "%s", real);
	free(real);
	snprintf(cut_path, sizeof cut_path, "%s/cut", scratch);
	mkdir(cut_path, 0700);
	test_run();
	test_file();
	return tap_done();
}
