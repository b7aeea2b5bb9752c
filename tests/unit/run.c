/* SPDX-License-Identifier: Apache-2.0 */
/* Live programs under a real shim: what goes in and comes out, and daemons that come and go. */
#include "run_with.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include "core/lines.h"
#include "run/bell.h"

static void check_copying(void)
{
	struct seen s;
	uint64_t at;

	ok(start_script(&s, "cat"), "a program starts");
	ok(amk_run_pid(s.run) > 0, "its shim is known");
	is_int(s.calls, 0, "nothing is called from inside");
	at = put(&s, 0, "one\n");
	at = put(&s, at, "two\n");
	ok(until(s.out_n == 8 && s.done == 8), "lines go in and out");
	is_str(output(&s), "one\ntwo\n", "as they are");
	is_int(s.begun, 8, "the positions agree");
	put(&s, 0, "one\n");
	at = put(&s, at, "half a");
	put(&s, at, " frame\n");
	ok(until(s.out_n == 21 && s.done == 21), "what is put twice goes once, and frames go whole");
	is_str(output(&s), "one\ntwo\nhalf a frame\n", "in order");
	finish(&s);
	ok(is_end(&s, -1, SIGTERM, "terminated"), "and the end is ours");
}

static void check_surroundings(void)
{
	char where[AMK_PATH_MAX];
	struct seen s;

	snprintf(where, sizeof where, "%s\nPATH=/usr/bin:/bin\nWORD=one two\n0\n1\n2\n", base);
	start_script(&s, "pwd; env | grep -v -e ^PWD= -e ^OLDPWD= -e ^_= -e ^AMIKA_RUN= | sort; ls /proc/$$/fd");
	ok(until(s.ended) && is_end(&s, 0, 0, "exited"), "a script ends by itself");
	is_str(output(&s), where, "it had its directory, its variables, and three descriptors");
	finish(&s);
}

/* A shell reads its line byte by byte; before that it waits for the fifo. */
static void check_slow_reader(void)
{
	char fifo[AMK_PATH_MAX], *line = amk_malloc(1u << 20);
	struct seen s;
	int fd;

	snprintf(fifo, sizeof fifo, "%s/fifo", base);
	mkfifo(fifo, 0600);
	memset(line, 'x', (1u << 20) - 1);
	line[(1u << 20) - 1] = '\n';
	start_script(&s, "read -r go < fifo; read -r line; echo ${#line}; cat");
	amk_run_write(s.run, 0, line, 1u << 20, NULL);
	ok(until(s.begun > 0), "a frame of 1 MiB is begun");
	ok(s.done == 0 && s.begun < 1u << 20, "not done, nor sent as a whole, while nobody reads");
	fd = open(fifo, O_WRONLY);
	ok(amk_write_all(fd, "go\n", 3) == 0, "the reader goes on");
	close(fd);
	put(&s, 1u << 20, "next\n");
	ok(until(s.done == (1u << 20) + 5 && s.out_n == 13), "the frame is done, and the next");
	is_str(output(&s), "1048575\nnext\n", "nothing is missing");
	finish(&s);
	unlink(fifo);
	free(line);
}

static void check_detaching(void)
{
	struct seen s;
	uint64_t at;
	pid_t pid;

	start_script(&s, "cat");
	pid = amk_run_pid(s.run);
	at = put(&s, 0, "first\n");
	ok(until(s.done == at), "a line is done");
	put(&s, at, "second\n");
	amk_run_free(s.run);
	ok(attach(&s, last_id), "another daemon takes the program up");
	is_int(amk_run_pid(s.run), pid, "and knows the shim at once");
	put(&s, 0, "first\n");
	at = put(&s, at, "second\n");
	at = put(&s, at, "third\n");
	ok(until(s.done == at && s.out_n == at), "it puts what may be missing");
	is_str(output(&s), "first\nsecond\nthird\n", "each line came once");
	amk_run_free(s.run);
	kill(pid, SIGTERM);
	ok(until_gone(pid), "nobody is there when the shim is told to end");
	ok(attach(&s, last_id) && s.calls == 0 && until(s.ended), "the end is found later");
	ok(is_end(&s, -1, SIGTERM, "terminated") && s.done == at && s.out_n == at, "with the last positions");
	is_int(amk_run_pid(s.run), 0, "no shim is left");
	finish(&s);
	ok(!attach(&s, last_id), "a removed run is not found");
}

static void check_never_started(void)
{
	struct amk_err e = { 0 };
	struct seen s = { 0 };
	int folder = amk_folder_make(dir, ++last_id, &e);

	close(amk_folder_listen(folder, &e));
	close(folder);
	ok(!amk_run_attach(loop, dir, last_id, &ops, &s, &e) && e.code == AMK_ENOTFOUND,
	   "a folder whose daemon died before it had a shim is no run");
	ok(amk_folder_open(dir, last_id, NULL) < 0, "and does not stay");
}

static void check_freeing(void)
{
	struct seen s;
	pid_t pid;

	start_script(&s, "echo up; cat");
	pid = amk_run_pid(s.run);
	s.free_on_out = true;
	ok(until(s.out_n > 0), "a run is freed in its own callback");
	ok(attach(&s, last_id) && amk_run_pid(s.run) == pid, "and is still there");
	amk_run_terminate(s.run, 0);
	amk_run_free(s.run);
	ok(until_gone(pid), "an end asked for just before letting go is carried out");
	ok(attach(&s, last_id) && until(s.ended), "and recorded");
	finish(&s);
}

static void check_stderr(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_RUN_STDERR_MAX);
	struct seen s;

	start_script(&s, "echo trouble >&2");
	until(s.ended);
	amk_run_stderr(s.run, &b);
	is_str(b.s, "trouble\n", "a little of stderr is kept as it is");
	finish(&s);

	amk_buf_clear(&b);
	start_script(&s, "(echo head; head -c 300000 /dev/zero | tr '\\0' m; echo; echo tail) >&2");
	until(s.ended);
	amk_run_stderr(s.run, &b);
	ok(amk_buf_ok(&b) && strncmp(b.s, "head\nmmm", 8) == 0, "of much, the beginning");
	ok(b.n > 10 && strcmp(b.s + b.n - 7, "m\ntail\n") == 0, "and the end");
	ok(strstr(b.s, "m\n[168939 bytes left out]\nm"), "and how much is not");
	is_int(b.n, 131072 + strlen("\n[168939 bytes left out]\n"), "within the bound");
	finish(&s);
}

static long read_rss_kb(pid_t pid)
{
	char path[64], *at;
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	if (amk_path_read(AT_FDCWD, path, &b, NULL) < 0 || strstr(b.s, ".so"))
		return 0;
	amk_buf_clear(&b);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (amk_path_read(AT_FDCWD, path, &b, NULL) < 0)
		return 0;
	at = strstr(b.s, "VmRSS:");
	return at ? strtol(at + strlen("VmRSS:"), NULL, 10) : 0;
}

/* Reads what seq(1) printed and compares; true if it is 1 to `last`. */
static bool is_seq(const struct seen *s, long last)
{
	static char chunk[65536];
	uint64_t at = 0;
	char digits[24], *want = digits;
	long n = 0;
	ssize_t got;

	*want = '\0';
	while ((got = amk_run_read(s->run, at, chunk, sizeof chunk, NULL)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (*want == '\0') {
				snprintf(digits, sizeof digits, "%ld\n", ++n);
				want = digits;
			}
			if (chunk[i] != *want++)
				return false;
		}
		at += (uint64_t)got;
	}
	return n == last && *want == '\0';
}

static void check_flood(void)
{
	const uint64_t bytes = 51688896; /* of seq 6600000 */
	struct seen s;
	long kb;

	start_script(&s, "seq 6600000; cat");
	ok(until(s.ended || s.out_n >= bytes), "50 MB come out");
	is_int(s.out_n, bytes, "all of them");
	ok(is_seq(&s, 6600000), "intact");
	kb = read_rss_kb(amk_run_pid(s.run));
	if (kb > 0)
		ok(kb <= 1024, "the shim has %ld KB, not over 1024", kb);
	else
		ok(true, "the shim's memory # SKIP it is not linked statically");
	finish(&s);
}

/* A file size limit on the shim alone stands in for a full disk. */
static void check_full_disk(void)
{
	const struct rlimit small = { 4096, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
	struct seen s;

	start_script(&s, "read -r go; exec seq 60000");
	is_int(prlimit(amk_run_pid(s.run), RLIMIT_FSIZE, &small, NULL), 0, "the disk is full");
	put(&s, 0, "go\n");
	ok(until(s.out_n == 4096 || s.ended) && !s.ended, "the program waits with its output");
	prlimit(amk_run_pid(s.run), RLIMIT_FSIZE, &none, NULL);
	ok(until(s.ended) && is_end(&s, 0, 0, "exited"), "there is room again: it goes on");
	ok(is_seq(&s, 60000), "nothing was lost");
	finish(&s);
}

static void check_bell(void)
{
	const struct amk_bell_packet strange = { .kind = 999, .value = 1 };
	struct amk_bell bell;
	struct seen s;
	bool nobody;
	int folder;

	start_script(&s, "cat");
	amk_run_free(s.run);
	folder = amk_folder_open(dir, last_id, NULL);
	amk_bell_init(&bell);
	amk_bell_connect(&bell, amk_folder_connect(folder, &nobody));
	ok(send(bell.fd, "short", 5, 0) == 5 && send(bell.fd, &strange, sizeof strange, 0) == sizeof strange,
	   "packets nobody knows arrive");
	ok(attach(&s, last_id), "a newer daemon comes");
	put(&s, 0, "still\n");
	ok(until(s.out_n == 6), "they are left alone");
	for (struct pollfd p = { .fd = bell.fd, .events = POLLIN }; poll(&p, 1, PATIENCE_MS) == 1;) {
		struct amk_bell_packet got;

		if (amk_bell_read(&bell, &got) < 0)
			break;
	}
	ok(recv(bell.fd, &(char){ 0 }, 1, MSG_DONTWAIT) == 0, "the older daemon is let go");
	amk_bell_close(&bell);
	close(folder);
	finish(&s);
}

int main(void)
{
	static void (*const checks[])(void) = {
		check_copying, check_surroundings, check_slow_reader, check_detaching, check_never_started,
		check_freeing, check_stderr, check_flood, check_full_disk, check_bell, NULL,
	};

	return run_checks(checks);
}
