/* SPDX-License-Identifier: Apache-2.0 */
/* Help in columns, and what becomes of it where there is little room. */
#include "core/help.h"

#include "tap.h"

static bool flag;
static const char *text;

static const struct amk_opt options[] = {
	{ 'f', "flag", AMK_OPT_FLAG, &flag, NULL, "a flag" },
	{ 'p', "permission-mode-of", AMK_OPT_STR, &text, "MODE", "what it may do – unasked – as it is told so at length here" },
	AMK_OPT_END,
};
static const struct amk_opt common[] = {
	{ 0, "help", AMK_OPT_FLAG, &flag, NULL, "show this help" },
	AMK_OPT_END,
};
static const struct amk_cmd one = { .name = "one", .summary = "Do one thing" };
static const struct amk_cmd *const verbs[] = { &one, NULL };
static const struct amk_cmd plain = {
	.name = "amika-plain", .summary = "Do it plainly and at such length that it has to be broken", .operands = "ONE",
	.opts = options, .example = "amika plain x",
};
static const struct amk_cmd noun = { .name = "amika-noun", .summary = "Nouns", .verbs = verbs, .default_verb = "one" };

static struct amk_buf out = AMK_BUF_INIT(65536);

static const char *help(const struct amk_cmd *c, unsigned width)
{
	amk_buf_clear(&out);
	amk_help_write(&out, c, c->name, common, width);
	return out.s;
}

static unsigned longest(const char *s)
{
	unsigned most = 0, n = 0;

	for (; *s; s++) {
		n = *s == '\n' ? 0 : n + (((unsigned char)*s & 0xc0) != 0x80);
		most = n > most ? n : most;
	}
	return most;
}

int main(void)
{
	is_str(help(&plain, 80),
	       "Do it plainly and at such length that it has to be broken\n\nusage: amika-plain [OPTION…] ONE\n\n"
	       "  -f, --flag                 a flag\n"
	       "  -p, --permission-mode-of MODE\n"
	       "                             what it may do – unasked – as it is told so at\n"
	       "                             length here\n"
	       "\n      --help                 show this help\n\nexample: amika plain x\n",
	       "two columns");
	is_str(help(&plain, 40),
	       "Do it plainly and at such length that it\nhas to be broken\n\nusage: amika-plain [OPTION…] ONE\n\n"
	       "  -f, --flag\n      a flag\n"
	       "  -p, --permission-mode-of MODE\n"
	       "      what it may do – unasked – as it\n      is told so at length here\n"
	       "\n      --help\n      show this help\n\nexample: amika plain x\n",
	       "one below the other");
	for (unsigned width = 33; width <= 100; width++)
		if (longest(help(&plain, width)) > width)
			ok(false, "width %u has a line of %u", width, longest(out.s));
	is_str(help(&noun, 80),
	       "Nouns\n\nusage: amika-noun [OPTION…] [VERB …]\n  one        Do one thing (without a verb, too)\n\n"
	       "amika-noun VERB --help shows the options of a verb.\n\n      --help                 show this help\n",
	       "verbs");
	ok(amk_help_width() == 80, "where there is no terminal: 80");
	amk_buf_release(&out);
	return tap_done();
}
