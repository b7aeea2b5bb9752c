/* SPDX-License-Identifier: Apache-2.0 */
/* A shim that is killed: what it kept is found and ended, strangers are not, and positions stay true. */
#include "run_with.h"

#include <sys/inotify.h>
#include <sys/wait.h>

#include "core/lines.h"
#include "run/proc.h"

static bool is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

static int count_lines(const char *s)
{
	int n = 0;

	for (; (s = strchr(s, '\n')); s++)
		n++;
	return n;
}

/* Process numbers the program printed, one a line. */
static bool read_pids(struct seen *s, pid_t *to, int n)
{
	char *at;

	if (!until(s->ended || count_lines(output(s)) >= n) || s->ended)
		return false;
	at = (char *)output(s);
	for (int i = 0; i < n; i++)
		to[i] = (pid_t)strtol(at, &at, 10);
	return true;
}

/* Waits until `holds` of the run's `tree`, which the shim rewrites in place. */
static bool until_tree(bool (*holds)(int folder, pid_t pid), pid_t pid)
{
	int folder AMK_AUTO(fd) = amk_folder_open(dir, last_id, NULL);
	int changes AMK_AUTO(fd) = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd p = { .fd = changes, .events = POLLIN };
	char path[64], events[4096];

	snprintf(path, sizeof path, "/proc/self/fd/%d/tree", folder);
	if (inotify_add_watch(changes, path, IN_MODIFY) < 0)
		return false;
	while (!holds(folder, pid)) {
		if (poll(&p, 1, PATIENCE_MS) <= 0 || read(changes, events, sizeof events) < 0)
			return false;
	}
	return true;
}

static bool lists(int folder, pid_t pid)
{
	struct amk_tree_page page;

	for (uint64_t i = 0; amk_folder_tree(folder, &page) && i < page.n; i++)
		if (page.v[i].pid == (uint64_t)pid)
			return true;
	return false;
}

static int64_t ms_of(int folder, const char *name)
{
	struct stat st = { 0 };

	fstatat(folder, name, &st, 0);
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

/* The look that follows the start has been; without anything happening there is no other. */
static bool has_settled(int folder, pid_t pid)
{
	(void)pid;
	return ms_of(folder, "err") > 0 && ms_of(folder, "tree") - ms_of(folder, "err") >= 900;
}

static bool lose_shim(struct seen *s)
{
	kill(amk_run_pid(s->run), SIGKILL);
	return until(s->ended) && is_end(s, -1, 0, "lost");
}

static void check_tree(void)
{
	static const char *const names[] = { "the program", "a tool of its session without its environment",
					     "a tool in a session of its own", "one that forked twice as well" };
	struct seen s;
	pid_t pids[4];

	start_script(&s, "echo $$; env -i sh -c 'echo $$; exec tail -f /dev/null' & read -r go;"
			 "setsid sh -c 'echo $$; exec tail -f /dev/null' & read -r go;"
			 "(setsid sh -c 'echo $$; trap \"\" TERM; exec tail -f /dev/null' &);"
			 "exec tail -f /dev/null");
	ok(read_pids(&s, pids, 2), "a program with a tool");
	put(&s, 0, "go\n");
	ok(read_pids(&s, pids, 3), "and another");
	put(&s, 3, "go\n");
	ok(read_pids(&s, pids, 4), "and a third");
	ok(lose_shim(&s), "their shim is killed");
	for (int i = 0; i < 4; i++)
		ok(until_gone(pids[i]), "%s is ended", names[i]);
	finish(&s);
}

static void check_listed(void)
{
	struct seen s;
	pid_t pid[1];

	start_script(&s, "env -i setsid -f sh -c 'echo $$; exec tail -f /dev/null'; exec tail -f /dev/null");
	ok(read_pids(&s, pid, 1) && until_tree(lists, *pid),
	   "a tool without environment, session or parent is on the shim's list");
	ok(lose_shim(&s) && until_gone(*pid), "and is ended by it");
	finish(&s);
}

static void check_daemon_away(void)
{
	struct seen s;
	pid_t pids[2], keeper;

	start_script(&s, "(setsid sh -c 'echo $$; exec tail -f /dev/null' &); read -r go; echo $$; cat");
	read_pids(&s, pids, 1);
	put(&s, 0, "go\n");
	read_pids(&s, pids, 2);
	keeper = amk_run_pid(s.run);
	amk_run_free(s.run);
	kill(keeper, SIGKILL);
	ok(until_gone(keeper) && until_gone(pids[1]) && !is_gone(pids[0]), "a shim is killed while no daemon is there");
	ok(attach(&s, last_id) && until(s.ended) && is_end(&s, -1, 0, "lost"), "the next daemon sees it");
	ok(until_gone(pids[0]), "and ends the tool that was left");
	ok(s.begun == 3 && s.done == 3, "the positions have survived");
	finish(&s);
}

static void check_freed(void)
{
	struct seen s;
	pid_t pid[1];

	start_script(&s, "(setsid sh -c 'echo $$; exec tail -f /dev/null' &); cat");
	read_pids(&s, pid, 1);
	kill(amk_run_pid(s.run), SIGKILL);
	until_gone(amk_run_pid(s.run));
	amk_run_free(s.run);
	ok(attach(&s, last_id), "a run without a shim is taken up");
	until(s.ended);
	amk_run_free(s.run);
	ok(until_gone(*pid), "its tool is ended");
	ok(amk_run_remove(dir, last_id, NULL) == 0, "and it is removed");
}

/* What SECURITY.md says: this one gets away. */
static void check_escape(void)
{
	char fifo[300], script[1000], line[32] = "";
	struct seen s;
	pid_t pid;
	int fd;

	snprintf(fifo, sizeof fifo, "%.200s/fifo", base);
	mkfifo(fifo, 0600);
	snprintf(script, sizeof script,
		 "read -r go < %s; env -i setsid -f sh -c 'echo $$ > %s; exec tail -f /dev/null'; exec tail -f /dev/null", fifo, fifo);
	start_script(&s, script);
	ok(until_tree(has_settled, 0), "nothing happens at a program any more");
	fd = open(fifo, O_WRONLY);
	ok(amk_write_all(fd, "go\n", 3) == 0, "a tool clears its environment, leaves its session and its parent");
	close(fd);
	fd = open(fifo, O_RDONLY);
	ok(read(fd, line, sizeof line - 1) > 0, "unseen by the shim");
	close(fd);
	pid = (pid_t)strtol(line, NULL, 10);
	ok(lose_shim(&s) && pid > 0 && !is_gone(pid), "when the shim is killed it escapes");
	ok(pid > 1 && kill(pid, SIGKILL) == 0, "until somebody else ends it");
	finish(&s);
	unlink(fifo);
}

static void rewrite(int folder, const struct amk_tree_page *page)
{
	int fd AMK_AUTO(fd) = openat(folder, "tree", O_WRONLY | O_CLOEXEC);

	if (pwrite(fd, page, sizeof *page, 0) != sizeof *page)
		printf("# the list cannot be written\n");
}

/* A process that has nothing to do with any run, leading a session of its own. */
static pid_t start_stranger(void)
{
	int report[2];
	pid_t pid;
	char c;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		setsid();
		execl("/bin/sleep", "sleep", "1000", (char *)NULL);
		_exit(1);
	}
	close(report[1]);
	while (read(report[0], &c, 1) < 0)
		;
	close(report[0]);
	return pid;
}

/* Puts the stranger into the list of the last run, behind the shim's back. */
static void list_stranger(struct seen *s, pid_t pid, bool other_boot)
{
	int folder AMK_AUTO(fd) = amk_folder_open(dir, last_id, NULL);
	struct amk_tree_page page;
	struct amk_proc p;

	ok(amk_folder_tree(folder, &page) && page.n == 1 && amk_proc_read(pid, &p), "its list has the program only");
	kill(amk_run_pid(s->run), SIGSTOP);
	page.v[0].pid = (uint64_t)pid; /* as the program: its session counts, too */
	page.v[0].start = other_boot ? p.start : p.start + 1;
	page.place.boot[0] ^= other_boot;
	rewrite(folder, &page);
}

static void check_strangers(void)
{
	pid_t pid = start_stranger();
	struct seen s;

	start_script(&s, "exec tail -f /dev/null");
	ok(until_tree(has_settled, 0), "a run, and a stranger beside it");
	list_stranger(&s, pid, false);
	ok(lose_shim(&s) && !is_gone(pid), "who only has the number of one that was listed is left alone");
	finish(&s);

	start_script(&s, "exec tail -f /dev/null");
	ok(until_tree(has_settled, 0), "another run");
	list_stranger(&s, pid, true);
	ok(lose_shim(&s) && !is_gone(pid), "the list of another boot is nobody's");
	ok(s.begun == UINT64_MAX, "and what had gone to the program then is not known");
	finish(&s);
	kill(pid, SIGKILL);
	ok(waitpid(pid, NULL, 0) == pid, "the stranger ends by us alone");
}

/* One in a session whose leader is gone. */
static pid_t start_orphan(void)
{
	int report[2];
	pid_t leader, pid = -1;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	leader = fork();
	if (leader == 0) {
		setsid();
		pid = fork();
		if (pid == 0)
			execl("/bin/sleep", "sleep", "1000", (char *)NULL);
		_exit(write(report[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
	}
	if (read(report[0], &pid, sizeof pid) != sizeof pid)
		pid = -1;
	waitpid(leader, NULL, 0);
	close(report[0]);
	close(report[1]);
	return pid;
}

/* Loses a shim that wrote its list when the orphan was `age` ticks old, its session being the program's by number. */
static void lose_beside(pid_t orphan, int age)
{
	struct amk_tree_page page;
	struct amk_proc p = { 0 };
	struct seen s;
	int folder;

	start_script(&s, "exec tail -f /dev/null");
	ok(until_tree(has_settled, 0) && amk_proc_read(orphan, &p), "a run, and a session without its leader");
	folder = amk_folder_open(dir, last_id, NULL);
	amk_folder_tree(folder, &page);
	kill(amk_run_pid(s.run), SIGSTOP);
	page.v[0].pid = (uint64_t)p.session;
	page.v[0].start = p.start - 1;
	page.at = p.start + (uint64_t)age;
	rewrite(folder, &page);
	close(folder);
	kill(amk_run_pid(s.run), SIGKILL);
	until_gone(amk_run_pid(s.run));
	amk_run_free(s.run);
	ok(attach(&s, last_id) && until(s.ended), "its shim is lost while no daemon is there");
	finish(&s);
}

static void check_session(void)
{
	pid_t orphan = start_orphan();

	lose_beside(orphan, -1);
	ok(orphan > 1 && kill(orphan, 0) == 0, "who came into that session later may be a stranger");
	lose_beside(orphan, 0);
	ok(until_gone(orphan), "who was in it before is not");
}

/* Sends two lines, ends the program, and says how much of them is known not to have reached it. */
static void check_unread_of(const char *script, uint64_t at_end, const char *what)
{
	struct seen s;
	pid_t pid;

	start_script(&s, script);
	read_pids(&s, &pid, 1);
	put(&s, put(&s, 0, "one\n"), "two\n");
	until(s.ended || count_lines(output(&s)) >= 2);
	kill(pid, SIGKILL);
	ok(until(s.ended) && is_end(&s, -1, SIGKILL, "exited"), "a program is killed");
	is_int(s.begun, at_end, what);
	ok(s.done <= s.begun, "nothing after that counts as done");
	finish(&s);
}

static void check_unread(void)
{
	check_unread_of("echo $$; echo; exec tail -f /dev/null", 0, "it has read nothing");
	check_unread_of("echo $$; read -r x; echo; exec tail -f /dev/null", 4, "it has read a line");
	check_unread_of("echo $$; dd bs=1 count=6 2>/dev/null >&2; echo; exec tail -f /dev/null", 6, "it has read half a line");
	check_unread_of("echo $$; exec <&-; echo; exec tail -f /dev/null", 0, "it had closed its stdin");
}

int main(void)
{
	static void (*const checks[])(void) = {
		check_tree, check_listed, check_daemon_away, check_freed, check_escape, check_strangers, check_session,
		check_unread, NULL,
	};

	return run_checks(checks);
}
