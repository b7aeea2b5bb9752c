/* SPDX-License-Identifier: Apache-2.0 */
/* The words before the last say where the last one stands; the table says what may stand there. */
#include "core/complete.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX (1u << 20)
#define WHAT_MAX 32

/* A help text stays on its line. */
static void add_help(struct amk_buf *b, const char *help)
{
	for (; *help; help++)
		amk_buf_addc(b, (unsigned char)*help < ' ' || *help == 0x7f ? ' ' : *help);
}

void amk_complete_offer(struct amk_complete *c, const char *word, const char *help)
{
	if (strncmp(word, c->begun, strlen(c->begun)) != 0 || strpbrk(word, "\t\r\n"))
		return;
	amk_buf_addf(&c->out, "%s%s\t", c->lead, word);
	add_help(&c->out, help ? help : "");
	amk_buf_addc(&c->out, '\n');
}

const char *amk_complete_given(const struct amk_complete *c, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = c->given.n; i-- > 0;)
		if (strncmp(c->given.v[i], name, n) == 0 && c->given.v[i][n] == '=')
			return c->given.v[i] + n + 1;
	return NULL;
}

static const struct amk_cmd *verb_find(const struct amk_cmd *cmd, const char *name)
{
	for (const struct amk_cmd *const *v = cmd->verbs; name && v && *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

/* Before a verb is named, the options of the one that needs no naming count as well. */
static const struct amk_opt *opt_find(const struct amk_complete *c, const char *name, size_t n, char letter)
{
	const struct amk_cmd *usual = verb_find(c->cmd, c->cmd->default_verb);
	const struct amk_opt *o = amk_cmd_opt(c->cmd->opts, name, n, letter);

	if (!o && usual)
		o = amk_cmd_opt(usual->opts, name, n, letter);
	return o ? o : amk_cmd_opt(c->common, name, n, letter);
}

/* The option a word ends with that wants a value; *value is what is attached, or NULL. */
static const struct amk_opt *word_option(struct amk_complete *c, const char *word, const char **value)
{
	const struct amk_opt *o;

	*value = NULL;
	if (word[1] == '-') {
		size_t n = strcspn(word + 2, "=");

		*value = word[2 + n] ? word + 2 + n + 1 : NULL;
		return opt_find(c, word + 2, n, 0);
	}
	for (word++; *word; word++) {
		o = opt_find(c, NULL, 0, *word);
		if (!o || o->type != AMK_OPT_FLAG) {
			*value = word[1] ? word + 1 : NULL;
			return o;
		}
		amk_strv_addf(&c->given, "%s=", o->name);
	}
	return NULL;
}

/* A value is never looked at twice: a token is forgotten at once. */
static void note(struct amk_complete *c, const struct amk_opt *o, const char *value)
{
	amk_strv_addf(&c->given, "%s=%s", o->name, o->type != AMK_OPT_SECRET && value ? value : "");
}

/* A verb, or an operand. False: what follows an unknown verb is unknown, too. */
static bool word_plain(struct amk_complete *c, const char *word)
{
	const struct amk_cmd *verb = verb_find(c->cmd, word);

	if (!c->cmd->verbs)
		amk_strv_add(&c->operands, word);
	else if (verb)
		c->cmd = verb;
	else
		return false;
	return true;
}

/*
 * Walks the words before the last. False when nothing is known of what may follow them; *of is the option
 * whose value the last word is.
 */
static bool walk(struct amk_complete *c, int n, char **words, const struct amk_opt **of)
{
	bool options = true;

	*of = NULL;
	for (int i = 0; i < n; i++) {
		const struct amk_opt *o;
		const char *value;

		if (options && strcmp(words[i], "--") == 0) {
			options = false;
			c->rest = c->cmd->rest;
		} else if (!options || words[i][0] != '-' || !words[i][1]) {
			if (!c->rest && !word_plain(c, words[i]))
				return false;
		} else if ((o = word_option(c, words[i], &value))) {
			if (o->type != AMK_OPT_FLAG && !value && i + 1 == n)
				*of = o;
			else if (o->type != AMK_OPT_FLAG && !value)
				value = words[++i];
			if (!*of)
				note(c, o, value);
		}
	}
	c->rest = c->rest || !options;
	return true;
}

static void offer_options(struct amk_complete *c, const struct amk_opt *o)
{
	for (; o && o->name; o++) {
		/* For programs, unless somebody asks for them. */
		bool machine = strcmp(o->name, "spec") == 0 || strcmp(o->name, "complete") == 0;
		char *word;

		if ((machine && strlen(c->begun) < 3) ||
		    (o->type != AMK_OPT_LIST && amk_complete_given(c, o->name)))
			continue;
		word = amk_strf("--%s", o->name);
		amk_complete_offer(c, word, o->help);
		free(word);
	}
}

static void offer_all_options(struct amk_complete *c)
{
	const struct amk_cmd *usual = verb_find(c->cmd, c->cmd->default_verb);

	offer_options(c, c->cmd->opts);
	if (usual)
		offer_options(c, usual->opts);
	offer_options(c, c->common);
}

/* Paths are the shell's, what the table's words mean to this program is its own. */
static void offer_named(struct amk_complete *c, const struct amk_cmd *top, const char *what)
{
	if (strcmp(what, "FILE") == 0)
		amk_buf_adds(&c->out, ":file\n");
	else if (strcmp(what, "DIR") == 0)
		amk_buf_adds(&c->out, ":directory\n");
	else if (top->offer)
		top->offer(c, what);
}

/* An option is known by its own name, as "session", or by its argument's, as "SESSION". */
static void offer_value(struct amk_complete *c, const struct amk_cmd *top, const struct amk_opt *o)
{
	size_t before = c->out.n;

	offer_named(c, top, o->name);
	if (c->out.n == before && o->arg)
		offer_named(c, top, o->arg);
}

/* The word of the table for the operand that comes next: of "SESSION [TEXT]" and "[ID…]" only the letters. */
static void operand_name(const struct amk_complete *c, char to[WHAT_MAX])
{
	const char *s = c->cmd->operands ? c->cmd->operands : "";
	size_t n = 0;

	for (size_t left = c->operands.n;; left--) {
		size_t end = strcspn(s, " ");
		bool repeats = memmem(s, end, "…", strlen("…")) != NULL;

		if (left == 0 || repeats || !s[end])
			break;
		s += end + 1;
	}
	s += strspn(s, "[");
	while (isupper((unsigned char)s[n]) && n < WHAT_MAX - 1)
		n++;
	snprintf(to, WHAT_MAX, "%.*s", (int)n, s);
}

static void offer_operand(struct amk_complete *c, const struct amk_cmd *top)
{
	char what[WHAT_MAX];

	if (c->cmd->max >= 0 && c->operands.n >= (size_t)c->cmd->max)
		return;
	operand_name(c, what);
	if (what[0])
		offer_named(c, top, what);
}

static void offer_plain(struct amk_complete *c, const struct amk_cmd *top)
{
	for (const struct amk_cmd *const *v = c->cmd->verbs; v && *v; v++)
		amk_complete_offer(c, (*v)->name, (*v)->summary);
	if (!c->cmd->verbs)
		offer_operand(c, top);
	/* Options are for where nothing else must stand. */
	if (c->out.n == 0 && !c->begun[0] && !c->rest && c->operands.n >= (size_t)c->cmd->min)
		offer_all_options(c);
}

/* "--agent=cl": what is before the "=" leads every answer. */
static const struct amk_opt *attached(struct amk_complete *c)
{
	const char *value;
	const struct amk_opt *o;

	if (c->rest || strncmp(c->begun, "--", 2) != 0 || !strchr(c->begun, '='))
		return NULL;
	o = word_option(c, c->begun, &value);
	if (!o || o->type == AMK_OPT_FLAG)
		return NULL;
	snprintf(c->lead, sizeof c->lead, "--%s=", o->name);
	c->begun = value;
	return o;
}

void amk_complete_words(struct amk_complete *c, const struct amk_cmd *cmd, const struct amk_opt *common, int n,
			char **words)
{
	const struct amk_opt *of;

	*c = (struct amk_complete){ .cmd = cmd, .common = common, .out = AMK_BUF_INIT(OUT_MAX) };
	c->begun = n > 0 ? words[n - 1] : "";
	if (!walk(c, n > 0 ? n - 1 : 0, words, &of))
		return;
	if (!of)
		of = attached(c);
	if (of)
		offer_value(c, cmd, of);
	else if (c->rest && c->cmd->rest)
		offer_named(c, cmd, "FILE");
	else if (!c->rest && c->begun[0] == '-')
		offer_all_options(c);
	else
		offer_plain(c, cmd);
}

void amk_complete_release(struct amk_complete *c)
{
	amk_strv_release(&c->operands);
	amk_strv_release(&c->given);
	amk_buf_release(&c->out);
}
