/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as tables: each test runs one in a child and looks at its status, stdout and stderr. */
#include "core/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/complete.h"
#include "core/json.h"
#include "core/lines.h"
#include "tap.h"

static bool opt_flag, opt_other;
static const char *opt_text;
static char *opt_secret;
static const char *typed; /* all words of the command line, where they lie */
static size_t typed_n;
static int64_t opt_number = -1, opt_wait = -1;
static struct amk_strv opt_list;

static const struct amk_opt options[] = {
	{ 'f', "flag", AMK_OPT_FLAG, &opt_flag, NULL, "a flag" },
	{ 'o', "other", AMK_OPT_FLAG, &opt_other, NULL, "another flag" },
	{ 't', "title", AMK_OPT_STR, &opt_text, "TEXT", "a text" },
	{ 0, "number", AMK_OPT_INT, &opt_number, "N", "a number" },
	{ 0, "timeout", AMK_OPT_DURATION, &opt_wait, "TIME", "a duration" },
	{ 'e', "env", AMK_OPT_LIST, &opt_list, "NAME=VALUE", "may be repeated" },
	{ 's', "secret", AMK_OPT_SECRET, &opt_secret, "WORD", "a secret" },
	AMK_OPT_END,
};

/* Prints what it was given: prog, operands, rest, options. */
static int show(const struct amk_args *a, struct amk_err *e)
{
	(void)e;
	printf("%s:", a->prog);
	for (int i = 0; i < a->argc; i++)
		printf(" [%s]", a->argv[i]);
	for (int i = 0; i < a->restc; i++)
		printf(" {%s}", a->rest[i]);
	printf("%s%s", opt_flag ? " flag" : "", opt_other ? " other" : "");
	if (opt_text)
		printf(" title=%s", opt_text);
	if (opt_number != -1)
		printf(" number=%lld", (long long)opt_number);
	if (opt_wait != -1)
		printf(" timeout=%lld", (long long)opt_wait);
	for (size_t i = 0; i < opt_list.n; i++)
		printf(" env=%s", opt_list.v[i]);
	if (opt_secret)
		printf(" secret=%s %s", opt_secret,
		       memmem(typed, typed_n, "hush", 4) ? "can be seen" : "cannot be seen");
	printf("%s%s%s\n", amk_cmd_json ? " json" : "", amk_cmd_text ? " text" : "",
	       amk_cmd_records() ? "" : " for people");
	return 0;
}

static int fail(const struct amk_args *a, struct amk_err *e)
{
	(void)a;
	amk_err_set(e, AMK_ENOSESSION, "no session \"tau\"");
	return amk_err_hint(e, "see: amika session list");
}

static int wait_status(const struct amk_args *a, struct amk_err *e)
{
	(void)a;
	(void)e;
	return AMK_EXIT_WAITING;
}

static int end_quietly(const struct amk_args *a, struct amk_err *e)
{
	(void)a;
	return amk_err_set(e, AMK_OK, "the reader has gone");
}

static const struct amk_cmd plain = {
	.name = "amika-plain", .summary = "Do it plainly", .operands = "ONE [TWO]", .min = 1, .max = 2,
	.reads = "text", .writes = "event", .example = "amika plain one", .opts = options, .run = show,
};
static const struct amk_cmd with_rest = {
	.name = "amika-rest", .summary = "Pass the rest on", .operands = "[ONE…]", .max = -1, .rest = true,
	.opts = options, .run = show,
};
static const struct amk_cmd verb_list = { .name = "list", .summary = "List", .opts = options, .run = show };
static const struct amk_cmd verb_create = { .name = "create", .summary = "Create", .operands = "[NAME]", .max = 1,
					    .run = show };
static const struct amk_cmd verb_fail = { .name = "fail", .summary = "Fail", .run = fail };
static const struct amk_cmd verb_wait = { .name = "wait", .summary = "Wait", .run = wait_status };
static const struct amk_cmd verb_quiet = { .name = "quiet", .summary = "End quietly", .run = end_quietly };
static const struct amk_cmd *const verb_table[] = { &verb_list, &verb_create, &verb_fail, &verb_wait, &verb_quiet, NULL };
static const struct amk_cmd noun = { .name = "amika-noun", .summary = "Verbs", .verbs = verb_table };
static const struct amk_cmd noun_verb = { .name = "noun", .summary = "Verbs", .verbs = verb_table };
static const struct amk_cmd lazy = { .name = "amika-lazy", .summary = "Verbs", .verbs = verb_table, .default_verb = "list" };

static const struct amk_cmd *const noun_table[] = { &noun_verb, NULL };
static const struct amk_cmd of_nouns = { .name = "amika-nouns", .summary = "Nouns", .verbs = noun_table };

/* Says what it is asked for, and that it knows what stood before. */
static void offer(struct amk_complete *c, const char *what)
{
	char word[64];

	if (strcmp(what, "number") == 0 || (amk_complete_given(c, "secret") && amk_complete_given(c, "secret")[0]))
		return;
	snprintf(word, sizeof word, "%s one of %zu operands", what, c->operands.n);
	amk_complete_offer(c, word, "tabs\tand\nlines");
}

static const struct amk_cmd offering = {
	.name = "amika-offering", .summary = "Offer", .operands = "ONE [TWO]", .min = 1, .max = 2,
	.opts = options, .run = show, .offer = offer,
};
static const struct amk_cmd offering_rest = {
	.name = "amika-rest", .summary = "Offer", .operands = "[ONE…]", .max = -1, .rest = true,
	.opts = options, .run = show, .offer = offer,
};

static struct amk_buf out = AMK_BUF_INIT(1 << 20), errors = AMK_BUF_INIT(1 << 20);

/* Both ends at once, so that neither fills while the other is read. */
static void read_both(int from_out, int from_errors)
{
	struct pollfd p[2] = { { .fd = from_out, .events = POLLIN }, { .fd = from_errors, .events = POLLIN } };
	struct amk_buf *b[2] = { &out, &errors };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		poll(p, 2, -1);
		for (int i = 0; i < 2; i++) {
			ssize_t n = p[i].revents ? read(p[i].fd, amk_buf_room(b[i], 4096), 4096) : -1;

			if (n > 0) {
				b[i]->n += (size_t)n;
				b[i]->s[b[i]->n] = '\0';
			} else if (n == 0) {
				p[i].fd = -1;
			}
		}
	}
}

/* Runs cmd with the words of line, stdout being `to` or a pipe; its exit status. */
static int run_to(const struct amk_cmd *cmd, const char *line, int to)
{
	char *words AMK_AUTO(mem) = amk_strdup(line), *argv[20] = { (char *)cmd->name }, *save, *w;
	int o[2], e[2], argc = 1, status;
	pid_t pid;

	typed = words;
	typed_n = strlen(words);
	for (w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "''") == 0 ? (char *)"" : w;
	amk_buf_clear(&out);
	amk_buf_clear(&errors);
	fflush(stdout);
	if (pipe(o) < 0 || pipe(e) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		dup2(to >= 0 ? to : o[1], STDOUT_FILENO);
		dup2(e[1], STDERR_FILENO);
		exit(amk_cmd_main(cmd, argc, argv));
	}
	close(o[1]);
	close(e[1]);
	read_both(o[0], e[0]);
	close(o[0]);
	close(e[0]);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(const struct amk_cmd *cmd, const char *line)
{
	return run_to(cmd, line, -1);
}

struct row {
	const char *line, *want;
};

/* Each line succeeds and prints what is wanted. */
static void prints(const struct amk_cmd *cmd, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = run(cmd, rows[i].line);

		if (out.n && out.s[out.n - 1] == '\n')
			out.s[--out.n] = '\0';
		is_str(out.s, rows[i].want, rows[i].line);
		if (status != 0 || errors.n)
			ok(false, "status %d, %s", status, errors.s);
	}
}

/* Each line fails with the status, nothing on stdout, and what is wanted on stderr. */
static void fails(const struct amk_cmd *cmd, int want, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = run(cmd, rows[i].line);

		if (errors.n && errors.s[errors.n - 1] == '\n')
			errors.s[--errors.n] = '\0';
		is_str(errors.s, rows[i].want, rows[i].line);
		if (status != want || out.n)
			ok(false, "status %d, %s", status, out.s);
	}
}
#define PRINTS(cmd, rows) prints(cmd, rows, AMK_COUNT(rows))
#define FAILS(cmd, status, rows) fails(cmd, status, rows, AMK_COUNT(rows))

static void test_options(void)
{
	static const struct row good[] = {
		{ "a", "amika-plain: [a]" },
		{ "a b", "amika-plain: [a] [b]" },
		{ "--flag a", "amika-plain: [a] flag" },
		{ "a --flag b", "amika-plain: [a] [b] flag" },
		{ "a -f", "amika-plain: [a] flag" },
		{ "-fo a", "amika-plain: [a] flag other" },
		{ "--title x a", "amika-plain: [a] title=x" },
		{ "--title=x a", "amika-plain: [a] title=x" },
		{ "--title= a", "amika-plain: [a] title=" },
		{ "--title=x=y a", "amika-plain: [a] title=x=y" },
		{ "--title --flag a", "amika-plain: [a] title=--flag" },
		{ "-t x a", "amika-plain: [a] title=x" },
		{ "-tx a", "amika-plain: [a] title=x" },
		{ "-fotx a", "amika-plain: [a] flag other title=x" },
		{ "-t x -t y a", "amika-plain: [a] title=y" },
		{ "--number 5 a", "amika-plain: [a] number=5" },
		{ "--number=-5 a", "amika-plain: [a] number=-5" },
		{ "--number 9223372036854775807 a", "amika-plain: [a] number=9223372036854775807" },
		{ "--timeout 5m a", "amika-plain: [a] timeout=300000" },
		{ "-e A=1 a --env B --env=C=2", "amika-plain: [a] env=A=1 env=B env=C=2" },
		{ "--secret hush a", "amika-plain: [a] secret=hush cannot be seen" },
		{ "--secret=hush1 a --secret hush2", "amika-plain: [a] secret=hush2 cannot be seen" },
		{ "-shush a", "amika-plain: [a] secret=hush cannot be seen" },
		{ "-s x hush", "amika-plain: [hush] secret=x can be seen" },
		{ "- a", "amika-plain: [-] [a]" },
		{ "'' a", "amika-plain: [] [a]" },
		{ "-- --flag -x", "amika-plain: [--flag] [-x]" },
		{ "-f -- a", "amika-plain: [a] flag" },
		{ "a -- --", "amika-plain: [a] [--]" },
		{ "a --json", "amika-plain: [a] json" },
		{ "a --text", "amika-plain: [a] text for people" },
		{ "a --json --text", "amika-plain: [a] json text" },
	};

	PRINTS(&plain, good);
}

static void test_usage_errors(void)
{
	static const struct row bad[] = {
		{ "", "amika-plain: usage: amika-plain [OPTION…] ONE [TWO] (see amika-plain --help)" },
		{ "a b c", "amika-plain: usage: unexpected operand \"c\" (see amika-plain --help)" },
		{ "--flog a", "amika-plain: usage: unknown option --flog (did you mean --flag?)" },
		{ "--flga a", "amika-plain: usage: unknown option --flga (did you mean --flag?)" },
		{ "--titel x", "amika-plain: usage: unknown option --titel (did you mean --title?)" },
		{ "--hlep", "amika-plain: usage: unknown option --hlep (did you mean --help?)" },
		{ "--entirely-different", "amika-plain: usage: unknown option --entirely-different (see amika-plain --help)" },
		{ "--unknown=5 a", "amika-plain: usage: unknown option --unknown (see amika-plain --help)" },
		{ "--=x a", "amika-plain: usage: unknown option -- (see amika-plain --help)" },
		{ "--x a", "amika-plain: usage: unknown option --x (see amika-plain --help)" },
		{ "-x a", "amika-plain: usage: unknown option -x (see amika-plain --help)" },
		{ "-fx a", "amika-plain: usage: unknown option -x (see amika-plain --help)" },
		{ "--flag=yes a", "amika-plain: usage: --flag takes no value" },
		{ "a --title", "amika-plain: usage: --title needs TEXT (see amika-plain --help)" },
		{ "a -t", "amika-plain: usage: --title needs TEXT (see amika-plain --help)" },
		{ "--number x a", "amika-plain: usage: --number: \"x\" is not a whole number" },
		{ "--number 5x a", "amika-plain: usage: --number: \"5x\" is not a whole number" },
		{ "--number '' a", "amika-plain: usage: --number: \"\" is not a whole number" },
		{ "--number 9223372036854775808 a", "amika-plain: usage: --number: \"9223372036854775808\" is not a whole number" },
		{ "--timeout soon a", "amika-plain: usage: --timeout: \"soon\" is not a duration (500ms, 30s, 5m, 2h)" },
	};

	FAILS(&plain, AMK_EXIT_USAGE, bad);
}

static void test_rest(void)
{
	static const struct row good[] = {
		{ "", "amika-rest:" },
		{ "a b c d", "amika-rest: [a] [b] [c] [d]" },
		{ "a -- b", "amika-rest: [a] {b}" },
		{ "a -f -- -f --help -- x", "amika-rest: [a] {-f} {--help} {--} {x} flag" },
		{ "--", "amika-rest:" },
		{ "-- x", "amika-rest: {x}" },
	};

	PRINTS(&with_rest, good);
}

static const struct amk_cmd verb_nested = { .name = "more", .summary = "Verbs of a verb", .verbs = verb_table,
					    .default_verb = "list" };
static const struct amk_cmd *const nested_table[] = { &verb_create, &verb_nested, NULL };
static const struct amk_cmd nested = { .name = "amika-deep", .summary = "Verbs of verbs", .verbs = nested_table };

static void test_nested(void)
{
	static const struct row good[] = {
		{ "more create tau", "amika-deep: [tau]" },
		{ "--json more create tau", "amika-deep: [tau] json" },
		{ "more --json create tau", "amika-deep: [tau] json" },
		{ "more", "amika-deep:" },
		{ "more --flag", "amika-deep: flag" },
		{ "create more", "amika-deep: [more]" },
	};
	static const struct row bad[] = {
		{ "more craete", "amika-deep: usage: unknown verb \"craete\" (did you mean amika-deep more create?)" },
		{ "more list x", "amika-deep: usage: unexpected operand \"x\" (see amika-deep more list --help)" },
	};
	struct amk_err e = { 0 };
	struct amk_json *j;

	PRINTS(&nested, good);
	FAILS(&nested, AMK_EXIT_USAGE, bad);
	ok(run(&nested, "more --help") == 0 && strstr(out.s, "usage: amika-deep more [OPTION") && strstr(out.s, "create"),
	   "help of a verb with verbs");
	ok(run(&nested, "more --complete") == 0 && strstr(out.s, "create\tCreate\n"), "what could follow it");
	is_int(run(&nested, "--spec"), 0, "--spec");
	j = amk_json_parse(out.s, out.n - 1, &e);
	ok(amk_json_is(amk_json_first(amk_json_get(amk_json_next(amk_json_first(amk_json_get(j, "verbs"))), "verbs")), "name",
		       "list"), "which has the verbs of verbs");
	amk_json_free(j);
}

static void test_verbs(void)
{
	static const struct row good[] = {
		{ "list", "amika-noun:" },
		{ "list --flag", "amika-noun: flag" },
		{ "create tau", "amika-noun: [tau]" },
		{ "create list", "amika-noun: [list]" },
		{ "--json create tau", "amika-noun: [tau] json" },
		{ "--text --json list -f", "amika-noun: flag json text" },
	};
	static const struct row bad[] = {
		{ "", "amika-noun: usage: a verb is needed (see amika-noun --help)" },
		{ "--", "amika-noun: usage: a verb is needed (see amika-noun --help)" },
		{ "--text", "amika-noun: usage: a verb is needed (see amika-noun --help)" },
		{ "lst", "amika-noun: usage: unknown verb \"lst\" (did you mean amika-noun list?)" },
		{ "craete x", "amika-noun: usage: unknown verb \"craete\" (did you mean amika-noun create?)" },
		{ "something", "amika-noun: usage: unknown verb \"something\" (see amika-noun --help)" },
		{ "--flag list", "amika-noun: usage: unknown option --flag (see amika-noun --help)" },
		{ "list x", "amika-noun: usage: unexpected operand \"x\" (see amika-noun list --help)" },
		{ "create --flag", "amika-noun: usage: unknown option --flag (see amika-noun create --help)" },
	};
	static const struct row with_default[] = {
		{ "", "amika-lazy:" },
		{ "--flag", "amika-lazy: flag" },
		{ "-f --json", "amika-lazy: flag json" },
		{ "--json", "amika-lazy: json" },
		{ "--json --title create", "amika-lazy: title=create json" },
		{ "list --flag", "amika-lazy: flag" },
		{ "create", "amika-lazy:" },
		{ "create tau", "amika-lazy: [tau]" },
	};

	PRINTS(&noun, good);
	FAILS(&noun, AMK_EXIT_USAGE, bad);
	PRINTS(&lazy, with_default);
	ok(run(&lazy, "--help") == 0 && strstr(out.s, "VERB") && strstr(out.s, "create"), "help of all verbs");
	ok(run(&lazy, "creat") == 2 && strstr(errors.s, "create"), "a mistyped verb does not become the default's operand");
}

static void test_ends(void)
{
	struct amk_json *j AMK_AUTO(json) = NULL;
	struct amk_err e;
	int full = open("/dev/full", O_WRONLY);

	is_int(run(&noun, "fail"), AMK_EXIT_NOT_FOUND, "the error's status");
	is_str(errors.s, "amika-noun: not_found: no session \"tau\" (see: amika session list)\n", "its sentence");
	is_int(run(&noun, "--json fail"), AMK_EXIT_NOT_FOUND, "with --json");
	j = amk_json_parse(errors.s, errors.n, &e);
	ok(amk_json_is(j, "code", "not_found") && amk_json_is(j, "program", "amika-noun") && !out.n, "one object on stderr");
	amk_json_free(j);
	is_int(run(&plain, "--bogus a --json"), AMK_EXIT_USAGE, "with --json behind the mistake");
	j = amk_json_parse(errors.s, errors.n, &e);
	ok(amk_json_is(j, "code", "usage"), "an object all the same");
	is_int(run(&noun, "wait"), AMK_EXIT_WAITING, "a status of the command's own");
	is_int(run(&noun, "quiet"), 0, "a quiet end");
	is_int(errors.n, 0, "says nothing");
	is_int(run_to(&plain, "a", full), AMK_EXIT_FAILED, "output to a full disk");
	is_str(errors.s, "amika-plain: failed: writing to standard output: No space left on device\n", "is said");
	is_int(run_to(&plain, "--help", full), AMK_EXIT_FAILED, "help too");
	ok(strstr(errors.s, "No space left"), "is said");
	is_int(run_to(&plain, "--version", full), AMK_EXIT_FAILED, "and the version");
	close(full);
}

static void test_help(void)
{
	is_int(run(&plain, "--help"), 0, "--help");
	ok(strncmp(out.s, "Do it plainly\n\nusage: amika-plain [OPTION…] ONE [TWO]\n", 40) == 0, "summary and usage");
	ok(strstr(out.s, "\n  -f, --flag                 a flag\n") && strstr(out.s, "\n      --number N             a number\n") &&
	   strstr(out.s, "--help") && strstr(out.s, "\nexample: amika plain one\n"), "options in columns, an example");
	is_int(run(&plain, "-h --title"), AMK_EXIT_USAGE, "a mistake is a mistake with --help too");
	is_int(run(&plain, "-h a b c d"), 0, "operands are not");
	is_int(run(&noun, "--help"), 0, "help of a command with verbs");
	ok(strstr(out.s, "usage: amika-noun [OPTION…] VERB …\n") && strstr(out.s, "\n  create     Create\n"), "shows them");
	is_int(run(&noun, "list --help"), 0, "help of a verb");
	ok(strstr(out.s, "usage: amika-noun list [OPTION…]") && strstr(out.s, "--flag"), "shows its options");
	ok(run(&with_rest, "-h") == 0 && strstr(out.s, "[ONE…] [-- ARG…]"), "a command that passes the rest on");
	is_int(run(&plain, "-V"), 0, "the version");
	is_str(out.s, "amika-plain " PACKAGE_VERSION "\n", "is a line");
	ok(run(&noun, "list --version") == 0 && strncmp(out.s, "amika-noun ", 11) == 0, "of a verb: the program's");
}

static bool has_option(const struct amk_json *spec, const char *name, const char *type)
{
	const struct amk_json *o = amk_json_first(amk_json_get(spec, "options"));

	while (o && !amk_json_is(o, "name", name))
		o = amk_json_next(o);
	return o && amk_json_is(o, "type", type);
}

static void test_spec(void)
{
	struct amk_json *j AMK_AUTO(json) = NULL;
	const struct amk_json *v;
	struct amk_err e;

	is_int(run(&plain, "--spec"), 0, "--spec");
	ok(strchr(out.s, '\n') == out.s + out.n - 1, "one line");
	j = amk_json_parse(out.s, out.n, &e);
	ok(amk_json_is(j, "type", "spec") && amk_json_is(j, "name", "amika-plain") && amk_json_is(j, "reads", "text") &&
	   amk_json_is(j, "writes", "event") && amk_json_is(j, "operands", "ONE [TWO]"), "the table as JSON");
	ok(has_option(j, "flag", "flag") && has_option(j, "title", "string") && has_option(j, "number", "integer") &&
	   has_option(j, "timeout", "duration") && has_option(j, "env", "list") &&
	   has_option(j, "secret", "string") && has_option(j, "json", "flag"),
	   "options with their types");
	amk_json_free(j);
	is_int(run(&noun, "--spec"), 0, "--spec of a command with verbs");
	j = amk_json_parse(out.s, out.n, &e);
	v = amk_json_first(amk_json_get(j, "verbs"));
	ok(amk_json_is(v, "name", "list") && has_option(v, "flag", "flag") && amk_json_is(amk_json_next(v), "name", "create"),
	   "has them inside");
}

static void test_complete(void)
{
	static const struct row verbs[] = {
		{ "--complete", "list\tList\ncreate\tCreate\nfail\tFail\nwait\tWait\nquiet\tEnd quietly" },
		{ "--complete -- c", "create\tCreate" },
		{ "--complete -- create", "create\tCreate" },
		{ "--complete -- nosuch ''", "" },
		{ "--complete -- --json c", "create\tCreate" },
		{ "--complete -- list --fl", "--flag\ta flag" },
		{ "list --complete", "--flag\ta flag\n--other\tanother flag\n--title\ta text\n--number\ta number\n--timeout\ta duration\n"
		  "--env\tmay be repeated\n--secret\ta secret\n--json\tprint JSON lines, errors too\n"
		  "--text\tprint text for people\n--help\tshow this help\n--version\tshow the version" },
	};
	static const struct row deeper[] = {
		{ "--complete -- noun c", "create\tCreate" },
		{ "--complete -- noun list --ot", "--other\tanother flag" },
		{ "--complete -- nuon c", "" },
	};
	static const struct row words[] = {
		{ "--complete -- ''", "ONE one of 0 operands" },
		{ "--complete -- a ''", "TWO one of 1 operands" },
		{ "--complete -- a b ''", "--flag\ta flag" },
		{ "--complete -- -f a ''", "TWO one of 1 operands" },
		{ "--complete -- -ft x ''", "ONE one of 0 operands" },
		{ "--complete -- -tx --number 5 ''", "ONE one of 0 operands" },
		{ "--complete -- --title x --title=y a ''", "TWO one of 1 operands" },
		{ "--complete -- a --title ''", "title one of 1 operands" },
		{ "--complete -- a -t ''", "title one of 1 operands" },
		{ "--complete -- a -ft t", "title one of 1 operands" },
		{ "--complete -- a --title=t", "--title=title one of 1 operands" },
		{ "--complete -- a --number ''", "N one of 1 operands" },
		{ "--complete -- a --flag=", "" },
		{ "--complete -- a -- --fl", "" },
		{ "--complete -- a -- T", "TWO one of 1 operands" },
		{ "--complete -- x", "" },
		{ "--complete -- a --secret hush b --fl", "--flag\ta flag" },
	};
	static const struct row rest[] = {
		{ "--complete -- ''", "ONE one of 0 operands" },
		{ "--complete -- a b O", "ONE one of 2 operands" },
		{ "--complete -- a -- b ''", ":file" },
		{ "--complete -- a -- --fl", ":file" },
	};

	PRINTS(&noun, verbs);
	PRINTS(&of_nouns, deeper);
	for (size_t i = 0; i < AMK_COUNT(words); i++) {
		ok(run(&offering, words[i].line) == 0, "%s", words[i].line);
		out.s[strcspn(out.s, words[i].want[0] == '-' && words[i].want[2] == 'f' ? "\n" : "\t\n")] = '\0';
		is_str(out.s, words[i].want, words[i].line);
	}
	for (size_t i = 0; i < AMK_COUNT(rest); i++) {
		ok(run(&offering_rest, rest[i].line) == 0, "%s", rest[i].line);
		out.s[strcspn(out.s, "\t\n")] = '\0';
		is_str(out.s, rest[i].want, rest[i].line);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_options();
	test_usage_errors();
	test_rest();
	test_verbs();
	test_nested();
	test_ends();
	test_help();
	test_spec();
	test_complete();
	amk_buf_release(&out);
	amk_buf_release(&errors);
	return tap_done();
}
