/* SPDX-License-Identifier: Apache-2.0 */
/* From a command's table: parsing, help, usage errors, --spec, --complete. */
#include "core/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/complete.h"
#include "core/help.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/near.h"
#include "core/time.h"

bool amk_cmd_json, amk_cmd_text;

static bool want_help, want_version, want_spec, want_complete;

static const struct amk_opt common[] = {
	{ 0, "json", AMK_OPT_FLAG, &amk_cmd_json, NULL, "print JSON lines, errors too" },
	{ 0, "text", AMK_OPT_FLAG, &amk_cmd_text, NULL, "print text for people" },
	{ 'h', "help", AMK_OPT_FLAG, &want_help, NULL, "show this help" },
	{ 'V', "version", AMK_OPT_FLAG, &want_version, NULL, "show the version" },
	{ 0, "spec", AMK_OPT_FLAG, &want_spec, NULL, "print this command's table as one JSON line" },
	{ 0, "complete", AMK_OPT_FLAG, &want_complete, NULL, "print what could follow, for completion" },
	AMK_OPT_END,
};

struct parse {
	const struct amk_cmd *cmd; /* the verb, once it is known */
	const char *prog;	   /* "amika-session create" */
	char **argv;
	int argc, at;
	struct amk_err *e;
};

bool amk_cmd_records(void)
{
	return amk_cmd_json || (!amk_cmd_text && !isatty(STDOUT_FILENO));
}

const struct amk_opt *amk_cmd_opt(const struct amk_opt *o, const char *name, size_t n, char letter)
{
	for (; o && o->name; o++)
		if (name ? strlen(o->name) == n && memcmp(o->name, name, n) == 0 : letter && o->letter == letter)
			return o;
	return NULL;
}

static const struct amk_opt *opt_find(struct parse *p, const char *name, size_t n, char letter)
{
	const struct amk_opt *o = amk_cmd_opt(p->cmd->opts, name, n, letter);

	return o ? o : amk_cmd_opt(common, name, n, letter);
}

static int hint_near(const struct parse *p, const struct amk_near *near, const char *lead)
{
	char *otherwise AMK_AUTO(mem) = amk_strf("see %s --help", p->prog);

	return amk_near_hint(near, p->e, lead, otherwise);
}

/* `dashes` and the n bytes of name are what was typed. */
static int opt_unknown(struct parse *p, const char *dashes, const char *name, size_t n)
{
	char given[64];
	struct amk_near near;

	snprintf(given, sizeof given, "%.*s", (int)(n < 60 ? n : 60), name);
	amk_near_init(&near, given);
	for (const struct amk_opt *o = p->cmd->opts; o && o->name; o++)
		amk_near_add(&near, o->name);
	for (const struct amk_opt *o = common; o->name; o++)
		amk_near_add(&near, o->name);
	amk_err_set(p->e, AMK_EUSAGE, "unknown option %s%s", dashes, given);
	return hint_near(p, &near, "--");
}

/* `value` is part of argv, which is ours to write. */
static void opt_hide(char **to, char *value)
{
	if (*to)
		explicit_bzero(*to, strlen(*to));
	free(*to);
	*to = amk_strdup(value);
	explicit_bzero(value, strlen(value));
}

static int opt_set(struct parse *p, const struct amk_opt *o, char *value)
{
	char *end;

	switch (o->type) {
	case AMK_OPT_FLAG:
		*(bool *)o->to = true;
		return 0;
	case AMK_OPT_STR:
		*(const char **)o->to = value;
		return 0;
	case AMK_OPT_LIST:
		amk_strv_add(o->to, value);
		return 0;
	case AMK_OPT_SECRET:
		opt_hide(o->to, value);
		return 0;
	case AMK_OPT_DURATION:
		if (amk_time_parse_duration(value, o->to, p->e) < 0)
			return amk_err_wrap(p->e, "--%s", o->name);
		return 0;
	case AMK_OPT_INT:
		errno = 0;
		*(int64_t *)o->to = strtoll(value, &end, 10);
		if (errno || end == value || *end)
			return amk_err_set(p->e, AMK_EUSAGE, "--%s: \"%s\" is not a whole number", o->name, value);
		return 0;
	}
	AMK_BUG("option type %d", o->type);
}

static int opt_value(struct parse *p, const struct amk_opt *o, char *attached)
{
	if (o->type == AMK_OPT_FLAG && attached)
		return amk_err_set(p->e, AMK_EUSAGE, "--%s takes no value", o->name);
	if (o->type == AMK_OPT_FLAG || attached)
		return opt_set(p, o, attached);
	if (p->at >= p->argc) {
		amk_err_set(p->e, AMK_EUSAGE, "--%s needs %s", o->name, o->arg);
		return amk_err_hint(p->e, "see %s --help", p->prog);
	}
	return opt_set(p, o, p->argv[p->at++]);
}

static int opt_long(struct parse *p, char *word)
{
	size_t n = strcspn(word, "=");
	const struct amk_opt *o = opt_find(p, word, n, 0);

	if (!o)
		return opt_unknown(p, "--", word, n);
	return opt_value(p, o, word[n] ? word + n + 1 : NULL);
}

static int opt_letters(struct parse *p, char *word)
{
	for (; *word; word++) {
		const struct amk_opt *o = opt_find(p, NULL, 0, *word);

		if (!o)
			return opt_unknown(p, "-", word, 1);
		if (o->type != AMK_OPT_FLAG)
			return opt_value(p, o, word[1] ? word + 1 : NULL);
		if (opt_set(p, o, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Operands are gathered at the front of argv. */
static int parse_words(struct parse *p, struct amk_args *a)
{
	a->argv = p->argv + p->at;
	while (p->at < p->argc) {
		char *word = p->argv[p->at++];
		int r = 0;

		if (strcmp(word, "--") == 0) {
			if (p->cmd->rest) {
				a->rest = p->argv + p->at;
				a->restc = p->argc - p->at;
				return 0;
			}
			while (p->at < p->argc)
				a->argv[a->argc++] = p->argv[p->at++];
			return 0;
		}
		if (word[0] == '-' && word[1] == '-')
			r = opt_long(p, word + 2);
		else if (word[0] == '-' && word[1])
			r = opt_letters(p, word + 1);
		else
			a->argv[a->argc++] = word;
		if (r < 0)
			return -1;
	}
	return 0;
}

static int check_operands(struct parse *p, const struct amk_args *a)
{
	const struct amk_cmd *c = p->cmd;

	if (a->argc >= c->min && (c->max < 0 || a->argc <= c->max))
		return 0;
	if (a->argc < c->min)
		amk_err_set(p->e, AMK_EUSAGE, "%s [OPTION…] %s", p->prog, c->operands ? c->operands : "");
	else
		amk_err_set(p->e, AMK_EUSAGE, "unexpected operand \"%.100s\"", a->argv[c->max]);
	return amk_err_hint(p->e, "see %s --help", p->prog);
}

static int print(const struct amk_buf *b, struct amk_err *e)
{
	if (amk_write_all(STDOUT_FILENO, b->s, b->n) == 0)
		return 0;
	if (errno == EPIPE)
		return amk_err_set(e, AMK_OK, "the reader has gone");
	return amk_err_sys(e, "writing to standard output");
}

static int print_version(const char *prog, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1024);

	amk_buf_addf(&b, "%s %s\n", prog, PACKAGE_VERSION);
	return print(&b, e);
}

static int print_help(const struct parse *p, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	amk_help_write(&b, p->cmd, p->prog, common, amk_help_width());
	return print(&b, e);
}

static void spec_opts(struct amk_buf *b, const struct amk_opt *o)
{
	static const char *const types[] = { "flag", "string", "integer", "duration", "list", "string" };
	char letter[2] = "";

	for (; o && o->name; o++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_cstr(b, "name", o->name);
		letter[0] = o->letter;
		amk_jw_cstr(b, "letter", o->letter ? letter : NULL);
		amk_jw_cstr(b, "type", types[o->type]);
		amk_jw_cstr(b, "arg", o->arg);
		amk_jw_cstr(b, "help", o->help);
		amk_jw_close(b, '}');
	}
}

/* What a program has beside its verbs' tables: the statuses it ends with, the variables it reads. */
static void spec_program(struct amk_buf *b, const struct amk_cmd *c)
{
	const char *name = c->environment ? c->environment : "";

	amk_jw_open(b, "statuses", '[');
	for (int i = 0; i < AMK_EXIT_COUNT; i++) {
		amk_jw_open(b, NULL, '{');
		amk_jw_int(b, "status", i);
		amk_jw_cstr(b, "name", amk_exits[i].name);
		amk_jw_cstr(b, "text", amk_exits[i].text);
		amk_jw_close(b, '}');
	}
	amk_jw_close(b, ']');
	amk_jw_open(b, "environment", '[');
	for (size_t n; (n = strcspn(name, " ")); name += n + (name[n] ? 1 : 0))
		amk_jw_str(b, NULL, name, n);
	amk_jw_close(b, ']');
}

static void spec_cmd(struct amk_buf *b, const struct amk_cmd *c, bool is_program)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "type", "spec");
	amk_jw_cstr(b, "name", c->name);
	amk_jw_cstr(b, "summary", c->summary);
	amk_jw_cstr(b, "operands", c->operands);
	amk_jw_bool(b, "rest", c->rest);
	amk_jw_cstr(b, "reads", c->reads);
	amk_jw_cstr(b, "writes", c->writes);
	amk_jw_cstr(b, "example", c->example);
	amk_jw_open(b, "options", '[');
	spec_opts(b, c->opts);
	if (c->run || c->verbs)
		spec_opts(b, common);
	amk_jw_close(b, ']');
	amk_jw_open(b, "verbs", '[');
	for (const struct amk_cmd *const *v = c->verbs; v && *v; v++)
		spec_cmd(b, *v, false);
	amk_jw_close(b, ']');
	if (is_program)
		spec_program(b, c);
	amk_jw_close(b, '}');
}

static int print_spec(const struct amk_cmd *c, bool is_program, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1 << 20);

	spec_cmd(&b, c, is_program);
	amk_buf_addc(&b, '\n');
	return print(&b, e);
}

static int print_complete(const struct amk_cmd *c, int n, char **words, struct amk_err *e)
{
	struct amk_complete to;
	int r;

	amk_complete_words(&to, c, common, n, words);
	r = print(&to.out, e);
	amk_complete_release(&to);
	return r;
}

/* Somebody is typing: nothing is to be said between the words. */
static int complete_quietly(const struct amk_cmd *c, int n, char **words)
{
	int null AMK_AUTO(fd) = open("/dev/null", O_WRONLY | O_CLOEXEC);

	return null >= 0 && dup2(null, STDERR_FILENO) >= 0 && print_complete(c, n, words, NULL) == 0 ?
		AMK_EXIT_DONE : AMK_EXIT_FAILED;
}

static int verb_unknown(struct parse *p, const char *word)
{
	char *lead AMK_AUTO(mem) = amk_strf("%s ", p->prog);
	struct amk_near near;

	amk_near_init(&near, word);
	for (const struct amk_cmd *const *v = p->cmd->verbs; *v; v++)
		amk_near_add(&near, (*v)->name);
	amk_err_set(p->e, AMK_EUSAGE, "unknown verb \"%.60s\"", word);
	return hint_near(p, &near, lead);
}

/* --json and --text may stand before the verb: they are moved behind it. Returns where the verb is. */
static int verb_at(const struct parse *p)
{
	int at = p->at;

	while (at < p->argc && (strcmp(p->argv[at], "--json") == 0 || strcmp(p->argv[at], "--text") == 0))
		at++;
	return at;
}

/* Without a verb, options that are not for every command are those of the default verb. */
static const char *verb_word(struct parse *p, int at)
{
	const char *word = at < p->argc ? p->argv[at] : NULL;

	if (!word)
		return p->cmd->default_verb;
	if (word[0] != '-')
		return word;
	if (word[1] == '-' ? amk_cmd_opt(common, word + 2, strlen(word + 2), 0) : amk_cmd_opt(common, NULL, 0, word[1]))
		return NULL;
	return p->cmd->default_verb;
}

static int verb_take(struct parse *p, int at, const char *word, char prog[128])
{
	size_t n = strlen(prog);

	for (const struct amk_cmd *const *v = p->cmd->verbs; *v; v++)
		if (strcmp((*v)->name, word) == 0) {
			snprintf(prog + n, 128 - n, " %s", word);
			p->cmd = *v;
			if (at < p->argc && p->argv[at] == word) {
				memmove(p->argv + p->at + 1, p->argv + p->at, (size_t)(at - p->at) * sizeof *p->argv);
				p->at++;
			}
			return 0;
		}
	return verb_unknown(p, word);
}

/* A verb can have verbs: "amika-decision rule add". */
static int verb_select(struct parse *p, char prog[128])
{
	snprintf(prog, 128, "%s", p->prog);
	p->prog = prog;
	while (p->cmd->verbs) {
		int at = verb_at(p);
		const char *word = verb_word(p, at);

		if (!word)
			return 0;
		if (verb_take(p, at, word, prog) < 0)
			return -1;
	}
	return 0;
}

static int run(struct parse *p, const char *prog)
{
	struct amk_args a = { .prog = prog };

	if (parse_words(p, &a) < 0)
		return -1;
	if (want_help)
		return print_help(p, p->e);
	if (want_version)
		return print_version(prog, p->e);
	if (want_spec)
		return print_spec(p->cmd, strcmp(p->cmd->name, prog) == 0, p->e);
	if (want_complete)
		return print_complete(p->cmd, 0, NULL, p->e);
	if (!p->cmd->run) {
		amk_err_set(p->e, AMK_EUSAGE, "a verb is needed");
		return amk_err_hint(p->e, "see %s --help", p->prog);
	}
	if (check_operands(p, &a) < 0)
		return -1;
	return p->cmd->run(&a, p->e);
}

/* An error met before --json was reached is printed as asked for all the same. */
static bool asks_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

/* A standard descriptor that is closed would be given to the next file opened: it gets one nobody can use. */
static void hold_standard(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(AMK_EXIT_FAILED);
}

int amk_cmd_main(const struct amk_cmd *cmd, int argc, char **argv)
{
	struct amk_err e = { 0 };
	struct parse p = { cmd, cmd->name, argv, argc, 1, &e };
	char prog[128];
	int r;

	hold_standard();
	signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an errno, and a quiet end */
	if (argc > 2 && strcmp(argv[1], "--complete") == 0 && strcmp(argv[2], "--") == 0)
		r = complete_quietly(cmd, argc - 3, argv + 3);
	else if ((r = verb_select(&p, prog)) == 0)
		r = run(&p, cmd->name);
	if (r >= 0 && (fflush(stdout) != 0 || (close(STDOUT_FILENO) < 0 && errno != EBADF)))
		r = amk_err_sys(&e, "writing to standard output");
	if (r >= 0)
		return r;
	if (e.code == AMK_OK)
		return 0;
	amk_err_print(&e, cmd->name, amk_cmd_json || (e.code == AMK_EUSAGE && asks_json(argc, argv)));
	return (int)amk_err_exit(&e);
}
