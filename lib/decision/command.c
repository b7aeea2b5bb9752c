/* SPDX-License-Identifier: Apache-2.0 */
/* From a shell's text to words, or to the reason why not. */
#include "decision/command.h"

#include <string.h>

#include "core/utf8.h"
#include "decision/glob.h"

/* These are more than words, or could be, wherever they stand: in quotes, too. */
#define NEVER ";&|<>$`()\\"
/* Without quotes these are more than words in one shell or another. */
#define NOT_BARE "{}#!~"
/* Without quotes these stand for names of files. */
#define GLOBS "*?[]^"

struct reader {
	const char *at;
	struct amk_buf word;
	struct amk_command *to;
	struct amk_err *e;
};

static int refuse(struct reader *r, const char *what)
{
	return amk_err_set(r->e, AMK_EINVALID, "not one simple command: %s", what);
}

static int refuse_char(struct reader *r, char c)
{
	return amk_err_set(r->e, AMK_EINVALID, "not one simple command: it has a %c", c);
}

static int check_bytes(struct reader *r)
{
	for (const char *p = r->at; *p; p++) {
		if (*p == '\n' || *p == '\r')
			return refuse(r, "it has more than one line");
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return refuse(r, "it has a control character");
		if (strchr(NEVER, *p))
			return refuse_char(r, *p);
	}
	return amk_utf8_valid(r->at, strlen(r->at)) ? 0 : refuse(r, "it is not UTF-8");
}

static int take_quoted(struct reader *r, char quote)
{
	const char *end = strchr(r->at, quote);

	if (!end)
		return refuse(r, "a quote is not closed");
	amk_buf_add(&r->word, r->at, (size_t)(end - r->at));
	r->at = end + 1;
	return 0;
}

static int take_bare(struct reader *r)
{
	char c = *r->at++;

	if (strchr(NOT_BARE, c))
		return refuse_char(r, c);
	if (c == '=' && r->word.n == 0)
		return refuse(r, "a word begins with =");
	if (c == '=' && r->to->words.n == 0)
		return refuse(r, "a variable is set before it");
	if (strchr(GLOBS, c))
		c = c == '*' ? AMK_GLOB_STAR : AMK_GLOB_ONE;
	amk_buf_addc(&r->word, c);
	return 0;
}

static int take_word(struct reader *r)
{
	while (*r->at && *r->at != ' ' && *r->at != '\t') {
		char c = *r->at;

		if (c == '\'' || c == '"')
			r->at++;
		if ((c == '\'' || c == '"' ? take_quoted(r, c) : take_bare(r)) < 0)
			return -1;
	}
	if (!amk_buf_ok(&r->word))
		return refuse(r, "a word is too long");
	if (r->to->words.n == AMK_COMMAND_WORDS)
		return refuse(r, "it has too many words");
	amk_strv_add(&r->to->words, r->word.s);
	amk_buf_clear(&r->word);
	return 0;
}

static bool has_wildcard(const char *word)
{
	return strpbrk(word, "\1\2") != NULL;
}

static int take_words(struct reader *r)
{
	const char *name;

	if (check_bytes(r) < 0)
		return -1;
	while (r->at += strspn(r->at, " \t"), *r->at)
		if (take_word(r) < 0)
			return -1;
	if (r->to->words.n == 0)
		return refuse(r, "it is empty");
	name = r->to->words.v[0];
	if (name[0] == '\0')
		return refuse(r, "its first word is empty");
	return has_wildcard(name) ? refuse(r, "its first word has a wildcard") : 0;
}

int amk_command_read(struct amk_command *c, const char *text, struct amk_err *e)
{
	struct reader r = { .at = text, .word = AMK_BUF_INIT(AMK_GLOB_MAX), .to = c, .e = e };
	int n;

	*c = (struct amk_command){ 0 };
	n = take_words(&r);
	amk_buf_release(&r.word);
	if (n < 0)
		amk_command_release(c);
	return n;
}

static int check_pattern(struct amk_command *c, struct amk_err *e)
{
	for (size_t i = 1; i < c->words.n; i++) {
		if (strchr(c->words.v[i], AMK_GLOB_ONE))
			return amk_err_set(e, AMK_EINVALID, "a command pattern has no ? [ ] ^ but in quotes");
		if (!strstr(c->words.v[i], "\1\1"))
			continue;
		if (i + 1 < c->words.n || strcmp(c->words.v[i], "\1\1") != 0)
			return amk_err_set(e, AMK_EINVALID, "in a command pattern ** is the last word, or in quotes");
		c->rest = true;
	}
	return 0;
}

int amk_command_pattern(struct amk_command *c, const char *text, struct amk_err *e)
{
	if (amk_command_read(c, text, e) < 0)
		return -1;
	if (check_pattern(c, e) == 0)
		return 0;
	amk_command_release(c);
	return -1;
}

void amk_command_release(struct amk_command *c)
{
	amk_strv_release(&c->words);
	*c = (struct amk_command){ 0 };
}

/* A "." or ".." between what separates names in a path, a list or an option's value. */
static bool has_dots(const char *word)
{
	while (*word) {
		size_t n = strcspn(word, "/=:,");

		if ((n == 1 && word[0] == '.') || (n == 2 && word[0] == '.' && word[1] == '.'))
			return true;
		word += n + (word[n] != '\0');
	}
	return false;
}

static bool matches_widely(const char *pattern, const char *word)
{
	char *wide AMK_AUTO(mem) = amk_strdup(pattern);

	for (char *p = wide; *p; p++)
		if (*p == AMK_GLOB_STAR)
			*p = AMK_GLOB_ALL;
	return amk_glob_match(wide, word);
}

static enum amk_match match_word(const char *pattern, const char *word)
{
	if (has_wildcard(word))
		return AMK_MATCH_DOUBT;
	if (!has_wildcard(pattern))
		return strcmp(pattern, word) == 0 ? AMK_MATCH_YES : AMK_MATCH_NO;
	if (!matches_widely(pattern, word))
		return AMK_MATCH_NO;
	if (has_dots(word) || (word[0] == '-' && pattern[0] != '-') || !amk_glob_match(pattern, word))
		return AMK_MATCH_DOUBT;
	return AMK_MATCH_YES;
}

enum amk_match amk_command_match(const struct amk_command *pattern, const struct amk_command *command)
{
	size_t fixed = pattern->words.n - (pattern->rest ? 1 : 0);
	enum amk_match all = AMK_MATCH_YES;

	for (size_t i = 0; i < fixed; i++) {
		enum amk_match one = AMK_MATCH_NO;

		if (i < command->words.n)
			one = match_word(pattern->words.v[i], command->words.v[i]);
		if (one == AMK_MATCH_NO)
			return AMK_MATCH_NO;
		if (one == AMK_MATCH_DOUBT)
			all = AMK_MATCH_DOUBT;
		/* It can become any number of words: what comes behind it is anywhere. */
		if (i < command->words.n && has_wildcard(command->words.v[i]))
			return AMK_MATCH_DOUBT;
	}
	return command->words.n > fixed && !pattern->rest ? AMK_MATCH_NO : all;
}

static bool is_plain(const char *word)
{
	static const char special[] = " \t'\"" NOT_BARE GLOBS;

	return word[0] && word[0] != '=' && !strpbrk(word, special);
}

/* Runs with and without the quote that surrounds the others. */
static void quote_word(struct amk_buf *to, const char *word)
{
	if (!*word)
		amk_buf_adds(to, "''");
	while (*word) {
		bool single = *word != '\'';
		size_t n = single ? strcspn(word, "'") : strspn(word, "'");

		amk_buf_addf(to, single ? "'%.*s'" : "\"%.*s\"", (int)n, word);
		word += n;
	}
}

bool amk_command_quote(struct amk_buf *to, const struct amk_command *command)
{
	for (size_t i = 0; i < command->words.n; i++) {
		const char *word = command->words.v[i];

		if (has_wildcard(word))
			return false;
		if (i)
			amk_buf_addc(to, ' ');
		if (is_plain(word) && (i || !strchr(word, '=')))
			amk_buf_adds(to, word);
		else
			quote_word(to, word);
	}
	return amk_buf_ok(to);
}
