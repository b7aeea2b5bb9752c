/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzing the reader of commands and the wildcards: "PATTERN newline COMMAND". What is read holds nothing a shell makes more
 * of; the pattern made from it is about it; what is compared ends soon.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decision/command.h"
#include "decision/glob.h"

static void check_read(const char *text)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct amk_command c, again;

	if (amk_command_read(&c, text, NULL) < 0)
		return;
	if (strpbrk(text, ";&|<>$`()\\\n\r") || c.words.n == 0 || strpbrk(c.words.v[0], "\1\2"))
		abort();
	if (amk_command_quote(&b, &c)) {
		if (amk_command_pattern(&again, b.s, NULL) < 0 || again.rest || again.words.n != c.words.n ||
		    amk_command_match(&again, &c) != AMK_MATCH_YES)
			abort();
		amk_command_release(&again);
	}
	amk_command_release(&c);
}

static void check_match(const char *pattern, const char *text)
{
	struct amk_buf glob AMK_AUTO(buf) = AMK_BUF_INIT(AMK_GLOB_MAX);
	struct amk_command p, c;

	if (amk_glob_path(&glob, pattern, NULL) == 0 && amk_glob_match(glob.s, text) && !strpbrk(pattern, "*?/") &&
	    strcmp(pattern, text) != 0)
		abort();
	if (amk_command_pattern(&p, pattern, NULL) < 0)
		return;
	if (amk_command_read(&c, text, NULL) == 0) {
		/* No pattern is about another program. */
		if (amk_command_match(&p, &c) == AMK_MATCH_YES && strcmp(p.words.v[0], c.words.v[0]) != 0)
			abort();
		amk_command_release(&c);
	}
	amk_command_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *pattern = amk_strndup((const char *)data, n), *text = strchr(pattern, '\n');

	if (text) {
		*text++ = '\0';
		check_read(text);
		check_match(pattern, text);
	}
	check_read(pattern);
	free(pattern);
	return 0;
}
