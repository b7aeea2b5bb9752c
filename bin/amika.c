/* SPDX-License-Identifier: Apache-2.0 */
/* amika: finds amika-WORD beside itself, in libexec or on PATH and becomes it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cmd.h"
#include "core/complete.h"
#include "core/help.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/near.h"
#include "core/path.h"
#include "core/time.h"

#define SPEC_MAX (1u << 20)
#define SPEC_MS 2000 /* for a program to print its table */

#define OFFER_MS 300 /* the same, while somebody waits for completion */
#define ROOM 10 /* for a command's word in the list */
#define HELP_SUMMARY "Show a command's manual"

static const struct alias {
	const char *word, *command, *help;
} aliases[] = { { "answer", "decision", "The same as decision" } };

/* Programs of amikad's, no commands; in a build folder they stand beside us. */
static const char *const helpers[] = { "mock", "once", "shim" };

/* Folders that hold commands, in the order they count. */
static void folders(struct amk_strv *to)
{
	const char *path = getenv("PATH");
	char self[AMK_PATH_MAX];

	if (amk_path_self_dir(self, NULL) == 0) {
		amk_strv_add(to, self);
		amk_strv_addf(to, "%s/../libexec/amika", self);
	}
	amk_strv_add(to, AMIKA_LIBEXECDIR);
	while (path && *path) {
		size_t n = strcspn(path, ":");

		if (path[0] == '/')
			amk_strv_addf(to, "%.*s", (int)n, path);
		path += n + (path[n] ? 1 : 0);
	}
}

static bool find(char to[AMK_PATH_MAX], const char *word)
{
	struct amk_strv dirs AMK_AUTO(strv) = { 0 };

	folders(&dirs);
	for (size_t i = 0; i < dirs.n; i++)
		if (snprintf(to, AMK_PATH_MAX, "%s/amika-%s", dirs.v[i], word) < AMK_PATH_MAX && access(to, X_OK) == 0)
			return true;
	return false;
}

static bool strv_has(const struct amk_strv *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i], s) == 0)
			return true;
	return false;
}

static bool is_command(const struct dirent *entry)
{
	if (strncmp(entry->d_name, "amika-", 6) != 0 || strchr(entry->d_name, '.'))
		return false;
	for (size_t i = 0; i < AMK_COUNT(helpers); i++)
		if (strcmp(entry->d_name + 6, helpers[i]) == 0)
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The words there are programs for. */
static void words(struct amk_strv *to)
{
	struct amk_strv dirs AMK_AUTO(strv) = { 0 };

	folders(&dirs);
	for (size_t i = 0; i < dirs.n; i++) {
		DIR *d = opendir(dirs.v[i]);
		struct dirent *entry;

		while (d && (entry = readdir(d)))
			if (is_command(entry) && faccessat(dirfd(d), entry->d_name, X_OK, 0) == 0 &&
			    !strv_has(to, entry->d_name + 6))
				amk_strv_add(to, entry->d_name + 6);
		if (d)
			closedir(d);
	}
	if (to->n)
		qsort(to->v, to->n, sizeof *to->v, by_name);
}

static _Noreturn void become_spec(const char *path, int out)
{
	int null = open("/dev/null", O_RDWR);
	char option[] = "--spec", *argv[] = { (char *)path, option, NULL };

	if (null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(null, 2) == 2)
		execv(path, argv);
	_exit(127);
}

/* Reads to the end, or as long as a program may take that has only a table to print. */
static void read_spec(int fd, struct amk_buf *b, int64_t ms)
{
	int64_t end = amk_time_monotonic() + ms * 1000000;
	ssize_t n = 1;

	while (n > 0) {
		int64_t left = (end - amk_time_monotonic()) / 1000000;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char *to = amk_buf_room(b, 4096);

		if (!to || left <= 0 || poll(&p, 1, (int)left) <= 0)
			return;
		n = read(fd, to, 4096);
		b->n += n > 0 ? (size_t)n : 0;
		b->s[b->n] = '\0';
	}
}

/* A program's table, or NULL when it has none to show. */
static struct amk_json *spec(const char *word, int64_t ms)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(SPEC_MAX);
	char path[AMK_PATH_MAX];
	int p[2];
	pid_t pid;

	if (!find(path, word) || pipe2(p, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0)
		become_spec(path, p[1]);
	close(p[1]);
	if (pid > 0) {
		read_spec(p[0], &b, ms);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(p[0]);
	return b.n ? amk_json_parse(b.s, b.n, NULL) : NULL;
}

/* A line for each command. */
static void list(struct amk_buf *out)
{
	struct amk_strv all AMK_AUTO(strv) = { 0 };
	unsigned width = amk_help_width();

	words(&all);
	for (size_t i = 0; i < all.n; i++) {
		struct amk_json *table AMK_AUTO(json) = spec(all.v[i], SPEC_MS);
		const char *summary = amk_json_get_str(table, "summary");

		if (summary)
			amk_help_row(out, all.v[i], ROOM, summary, width);
	}
	amk_help_row(out, "help", ROOM, HELP_SUMMARY, width);
}

static int print_list(const struct amk_args *a, struct amk_err *e)
{
	struct amk_buf out AMK_AUTO(buf) = AMK_BUF_INIT(SPEC_MAX);

	(void)a;
	amk_buf_adds(&out, "Run coding agents and control them from outside\n\nusage: amika COMMAND [ARG…]\n");
	list(&out);
	amk_buf_adds(&out, "\nEvery command has --help. First of all: amika doctor\nThen, in a folder of yours: "
			   "amika run claude \"what is in this folder?\"\n");
	if (amk_write_all(STDOUT_FILENO, out.s, out.n) == 0)
		return 0;
	if (errno == EPIPE)
		return amk_err_set(e, AMK_OK, "the reader has gone");
	return amk_err_sys(e, "writing to standard output");
}

/* Only what was begun is asked for its summary. */
static void offer(struct amk_complete *c, const char *what)
{
	struct amk_strv all AMK_AUTO(strv) = { 0 };

	bool of_help = c->operands.n == 1 && strcmp(c->operands.v[0], "help") == 0;

	if (strcmp(what, "COMMAND") != 0 && !of_help)
		return;
	words(&all);
	for (size_t i = 0; i < all.n; i++) {
		struct amk_json *table AMK_AUTO(json) = NULL;

		if (strncmp(all.v[i], c->begun, strlen(c->begun)) == 0)
			table = spec(all.v[i], OFFER_MS);
		if (table)
			amk_complete_offer(c, all.v[i], amk_json_get_str(table, "summary"));
	}
	for (size_t i = 0; i < AMK_COUNT(aliases); i++)
		amk_complete_offer(c, aliases[i].word, aliases[i].help);
	amk_complete_offer(c, "help", HELP_SUMMARY);
}

static int unknown(const char *word, struct amk_err *e)
{
	struct amk_strv all AMK_AUTO(strv) = { 0 };
	struct amk_near near;

	words(&all);
	amk_strv_add(&all, "help");
	for (size_t i = 0; i < AMK_COUNT(aliases); i++)
		amk_strv_add(&all, aliases[i].word);
	amk_near_init(&near, word);
	for (size_t i = 0; i < all.n; i++)
		amk_near_add(&near, all.v[i]);
	amk_err_set(e, AMK_EUSAGE, "no command \"%.60s\"", word);
	return amk_near_hint(&near, e, "amika ", "see: amika help");
}

static const char *command_of(const char *word)
{
	for (size_t i = 0; i < AMK_COUNT(aliases); i++)
		if (strcmp(word, aliases[i].word) == 0)
			return aliases[i].command;
	return word;
}

/* argv[0] is the word. */
static int become(char **argv, struct amk_err *e)
{
	const char *word = command_of(argv[0]);
	char path[AMK_PATH_MAX];

	if (word[0] == '\0' || strchr(word, '/') || !find(path, word))
		return unknown(argv[0], e);
	argv[0] = strrchr(path, '/') + 1;
	execv(path, argv);
	return amk_err_sys(e, "executing %s", path);
}

/* True when there was a manual page, which was shown. */
static bool show_manual(const char *word)
{
	char name[128], *argv[] = { (char *)"man", name, NULL };
	int status = -1, null;
	pid_t pid;

	snprintf(name, sizeof name, strcmp(word, "amika") == 0 ? "%.100s" : "amika-%.100s", word);
	pid = fork();
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL); /* as pagers expect it */
		null = open("/dev/null", O_WRONLY);
		if (null >= 0 && dup2(null, 2) == 2)
			execvp(argv[0], argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int help(char *word, struct amk_err *e)
{
	char option[] = "--help", *argv[] = { word, option, NULL };
	char path[AMK_PATH_MAX];

	if (strcmp(word, "amika") == 0 || strcmp(word, "help") == 0)
		return show_manual("amika") ? 0 : print_list(NULL, e);
	if (!find(path, command_of(word)))
		return unknown(word, e);
	return show_manual(command_of(word)) ? 0 : become(argv, e);
}

static int run(const struct amk_args *a, struct amk_err *e)
{
	if (a->argc == 0)
		return print_list(a, e);
	if (strcmp(a->argv[0], "help") == 0)
		return a->argc > 1 ? help(a->argv[1], e) : print_list(a, e);
	return become(a->argv, e);
}

static const struct amk_cmd cmd = {
	.name = "amika",
	.summary = "Run coding agents and control them from outside",
	.operands = "COMMAND [ARG…]",
	.max = -1,
	.run = run,
	.offer = offer,
	.example = "amika run claude \"fix the tests\"",
};

/* From the command's first argument on it is the command's own; one that has no table cannot be asked. */
static int pass_completion(int argc, char **argv)
{
	const char *word = command_of(argv[3]);
	struct amk_json *table AMK_AUTO(json) = NULL;
	char path[AMK_PATH_MAX], option[] = "--complete", dashes[] = "--";

	if (argc < 5 || !word[0] || strchr(word, '/') || !find(path, word))
		return AMK_EXIT_DONE;
	table = spec(word, OFFER_MS);
	if (!table)
		return AMK_EXIT_DONE;
	argv[1] = path;
	argv[2] = option;
	argv[3] = dashes;
	execv(path, argv + 1);
	return AMK_EXIT_FAILED;
}

/* What stands behind COMMAND is the command's: only what stands before it is parsed here. */
int main(int argc, char **argv)
{
	struct amk_err e = { 0 };
	int r;

	if (argc > 1 && argv[1][0] != '-' && strcmp(argv[1], "help") != 0) {
		become(argv + 1, &e);
		amk_err_print(&e, cmd.name, false);
		return (int)amk_err_exit(&e);
	}
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		r = print_list(NULL, &e);
		return r < 0 && e.code != AMK_OK ? AMK_EXIT_FAILED : 0;
	}
	if (argc > 4 && strcmp(argv[1], "--complete") == 0 && strcmp(argv[3], "help") != 0 && argv[3][0] != '-')
		return pass_completion(argc, argv);
	return amk_cmd_main(&cmd, argc, argv);
}
