/* SPDX-License-Identifier: Apache-2.0 */
/* Words on the left, what they mean on the right. */
#include "core/help.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL 80
#define LEAST 30
#define MOST 100   /* longer lines are hard to read */
#define NARROW 60  /* below that two columns have no room */
#define INDENT 6   /* of a text below its word */
#define VERB_ROOM 10
#define OPT_ROOM 26

unsigned amk_help_columns(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

unsigned amk_help_width(void)
{
	unsigned n = amk_help_columns();

	if (n == 0)
		return USUAL;
	return n < LEAST ? LEAST : n > MOST ? MOST : n;
}

/* Characters, not bytes. */
static unsigned shown(const char *s, size_t n)
{
	unsigned k = 0;

	for (size_t i = 0; i < n; i++)
		k += ((unsigned char)s[i] & 0xc0) != 0x80;
	return k;
}

static void pad(struct amk_buf *b, unsigned n)
{
	amk_buf_addf(b, "%*s", (int)n, "");
}

/* From column `at` on; lines after the first begin at `indent`. */
static void put_text(struct amk_buf *b, const char *text, unsigned at, unsigned indent, unsigned width)
{
	bool first = true;

	while (*text) {
		size_t n = strcspn(text, " ");
		unsigned k = shown(text, n);

		if (!first && at + 1 + k > width) {
			amk_buf_addc(b, '\n');
			pad(b, indent);
			at = indent;
		} else if (!first) {
			amk_buf_addc(b, ' ');
			at++;
		}
		amk_buf_add(b, text, n);
		at += k;
		first = false;
		text += n + strspn(text + n, " ");
	}
	amk_buf_addc(b, '\n');
}

void amk_help_row(struct amk_buf *b, const char *word, unsigned room, const char *text, unsigned width)
{
	unsigned k = shown(word, strlen(word)), column = 2 + room + 1;

	if (width < NARROW)
		column = INDENT;
	amk_buf_addf(b, "  %s", word);
	if (width < NARROW || k > room) {
		amk_buf_addc(b, '\n');
		pad(b, column);
	} else {
		pad(b, room - k + 1);
	}
	put_text(b, text, column, column, width);
}

static void put_opts(struct amk_buf *b, const struct amk_opt *o, unsigned width)
{
	char left[64];

	for (; o && o->name; o++) {
		snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? "," : " ", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		amk_help_row(b, left, OPT_ROOM, o->help, width);
	}
}

static void put_verbs(struct amk_buf *b, const struct amk_cmd *c, const char *prog, unsigned width)
{
	for (const struct amk_cmd *const *v = c->verbs; *v; v++) {
		bool usual = c->default_verb && strcmp((*v)->name, c->default_verb) == 0;
		char *text AMK_AUTO(mem) = amk_strf("%s%s", (*v)->summary, usual ? " (without a verb, too)" : "");

		amk_help_row(b, (*v)->name, VERB_ROOM, text, width);
	}
	amk_buf_addf(b, "\n%s VERB --help shows the options of a verb.\n", prog);
}

void amk_help_write(struct amk_buf *b, const struct amk_cmd *c, const char *prog, const struct amk_opt *common,
		    unsigned width)
{
	const char *operands = c->verbs ? c->default_verb ? "[VERB …]" : "VERB …" : c->operands ? c->operands : "";

	put_text(b, c->summary, 0, 0, width);
	amk_buf_addf(b, "\nusage: %s [OPTION…] %s%s\n", prog, operands, c->rest ? " [-- ARG…]" : "");
	if (c->verbs)
		put_verbs(b, c, prog, width);
	amk_buf_addc(b, '\n');
	put_opts(b, c->opts, width);
	if (c->opts && c->opts->name)
		amk_buf_addc(b, '\n');
	put_opts(b, common, width);
	if (c->example)
		amk_buf_addf(b, "\nexample: %s\n", c->example);
}
