/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as rules see them: what is read, what is not, and which patterns are about it. */
#include "decision/command.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* The words in brackets, or why not. */
static const char *words_of(const char *text)
{
	static char shown[1024];
	struct amk_command c;
	struct amk_err e = { 0 };
	size_t n = 0;

	shown[0] = '\0';
	if (amk_command_read(&c, text, &e) < 0) {
		snprintf(shown, sizeof shown, "%s", strrchr(e.msg, ':') + 2);
		return shown;
	}
	for (size_t i = 0; i < c.words.n; i++)
		n += (size_t)snprintf(shown + n, sizeof shown - n, "[%s]", c.words.v[i]);
	amk_command_release(&c);
	return shown;
}

static void test_words(void)
{
	is_str(words_of("npm test"), "[npm][test]", "two words");
	is_str(words_of("  npm\t\ttest  "), "[npm][test]", "spaces and tabs are between them");
	is_str(words_of("echo 'a b' \"c 'd\" e'f'\"g\" ''"), "[echo][a b][c 'd][efg][]", "quotes");
	is_str(words_of("grep 'a*b?' x"), "[grep][a*b?][x]", "in quotes a wildcard is itself");
	is_str(words_of("ls *.c"), "[ls][\1.c]", "without, it is marked");
	is_str(words_of("make CC=gcc"), "[make][CC=gcc]", "a variable behind the first word is a word");
}

static void test_unread(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "a; b", "it has a ;" }, { "a & b", "it has a &" }, { "a && b", "it has a &" }, { "a | b", "it has a |" },
		{ "a < b", "it has a <" }, { "a > b", "it has a >" }, { "a $B", "it has a $" }, { "a `b`", "it has a `" },
		{ "a \"$(b)\"", "it has a $" }, { "(a)", "it has a (" }, { "a )", "it has a )" }, { "a \\b", "it has a \\" },
		{ "a 'x;y'", "it has a ;" }, { "a\nb", "it has more than one line" }, { "a\rb", "it has more than one line" },
		{ "a\001b", "it has a control character" }, { "a\033[2J", "it has a control character" },
		{ "a {b,c}", "it has a {" }, { "a #b", "it has a #" }, { "! a", "it has a !" }, { "a ~/b", "it has a ~" },
		{ "V=x a", "a variable is set before it" }, { "a =b", "a word begins with =" },
		{ "a 'b", "a quote is not closed" }, { "", "it is empty" }, { " \t ", "it is empty" },
		{ "'' a", "its first word is empty" }, { "/bin/l* a", "its first word has a wildcard" },
		{ "l? a", "its first word has a wildcard" }, { "l[s] a", "its first word has a wildcard" },
		{ "a \377", "it is not UTF-8" },
	};

	for (size_t i = 0; i < AMK_COUNT(cases); i++)
		is_str(words_of(cases[i].text), cases[i].why, cases[i].why);
}

static void test_bounds(void)
{
	char *many = amk_calloc(1, 4 * AMK_COMMAND_WORDS + 8), *longer = amk_calloc(1, 8192);

	for (int i = 0; i < AMK_COMMAND_WORDS; i++)
		memcpy(many + strlen(many), "a ", 3);
	ok(strlen(words_of(many)) > 700, "so many words are read");
	memcpy(many + strlen(many), "a", 2);
	is_str(words_of(many), "it has too many words", "one more is too many");
	memset(longer, 'a', 8000);
	is_str(words_of(longer), "a word is too long", "a word has a bound");
	free(many);
	free(longer);
}

static const char *match(const char *pattern, const char *text)
{
	static const char *const names[] = { "no", "yes", "doubt", "unreadable" };
	struct amk_command p = { 0 }, c = { 0 };
	struct amk_err e = { 0 };
	const char *r = "no pattern";

	if (amk_command_pattern(&p, pattern, &e) == 0)
		r = amk_command_read(&c, text, &e) < 0 ? "unreadable" : names[amk_command_match(&p, &c)];
	amk_command_release(&p);
	amk_command_release(&c);
	return r;
}

static void test_match(void)
{
	static const struct {
		const char *pattern, *command, *want;
	} cases[] = {
		{ "npm test", "npm test", "yes" },	  { "npm test", "npm  'test'", "yes" },
		{ "npm test", "npm test --watch", "no" }, { "npm test", "npm", "no" },
		{ "npm test", "npmx test", "no" },	  { "npm test **", "npm test --watch a/../b", "yes" },
		{ "npm test **", "npm test", "yes" },	  { "npm test **", "npm run", "no" },
		{ "npm run *", "npm run build", "yes" },  { "npm run *", "npm run a b", "no" },
		{ "npm run *", "npm run -s", "doubt" },	  { "npm run -*", "npm run -s", "yes" },
		{ "cat src/*", "cat src/a.c", "yes" },	  { "cat src/*", "cat src/a/b.c", "doubt" },
		{ "cat src/*", "cat src/..", "doubt" },	  { "cat src/*", "cat src/../x", "doubt" },
		{ "cat src/*", "cat lib/a.c", "no" },	  { "git diff *", "git diff a..b", "yes" },
		{ "cp --to=* x", "cp --to=.. x", "doubt" }, { "cp --to=* x", "cp --to=y x", "yes" },
		{ "cat *", "cat *.c", "doubt" },	  { "cat **", "cat *.c", "yes" },
		{ "cat a.c", "cat ?.c", "doubt" },	  { "cat a.c b.c", "cat *", "doubt" },
		{ "cat '*'", "cat '*'", "yes" },	  { "cat '*'", "cat x", "no" },
		{ "rm *", "rm .", "doubt" },		  { "a **", "b x", "no" },
		{ "npm test", "npm test; rm x", "unreadable" },
		{ "n* test", "npm test", "no pattern" },  { "npm ** x", "npm x", "no pattern" },
		{ "npm t**", "npm tx", "no pattern" },	  { "npm t?st", "npm test", "no pattern" },
		{ "npm $X", "npm test", "no pattern" },
	};
	char name[128];

	for (size_t i = 0; i < AMK_COUNT(cases); i++) {
		snprintf(name, sizeof name, "%s: %s", cases[i].pattern, cases[i].command);
		is_str(match(cases[i].pattern, cases[i].command), cases[i].want, name);
	}
}

static void quotes(const char *text, const char *want)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1024);
	struct amk_command c;

	ok(amk_command_read(&c, text, NULL) == 0, "%s is read", text);
	is_str(amk_command_quote(&b, &c) ? b.s : "none", want, "its pattern");
	ok(!want[0] || strcmp(want, "none") == 0 || strcmp(match(b.s, text), "yes") == 0, "which is about it");
	amk_command_release(&c);
}

static void test_quote(void)
{
	quotes("npm  test", "npm test");
	quotes("git commit -m 'a b' \"it's\"", "git commit -m 'a b' 'it'\"'\"'s'");
	quotes("echo \"\xc3\xa4's ''\"", "echo '\xc3\xa4'\"'\"'s '\"''\"");
	quotes("grep 'a*' '' '~'", "grep 'a*' '' '~'");
	quotes("'a=b' c=d", "'a=b' c=d");
	quotes("ls *.c", "none");
}

int main(void)
{
	test_words();
	test_unread();
	test_bounds();
	test_match();
	test_quote();
	return tap_done();
}
