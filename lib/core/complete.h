/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could follow on a command line that is being typed: a shell asks the program itself.
 *
 *     PROGRAM --complete -- WORD…     the words behind the program, the last one begun or ""
 *
 * prints a line for each whole word that could stand in the last one's place: WORD TAB HELP. A line ":file"
 * or ":directory" asks the shell for paths: in place of the last word, or of what stands behind its "=".
 */
#ifndef AMK_CORE_COMPLETE_H
#define AMK_CORE_COMPLETE_H

#include "core/cmd.h"

struct amk_complete {
	const struct amk_cmd *cmd; /* the verb, once it is known */
	const struct amk_opt *common; /* options of every command */
	const char *begun;	   /* the part of the last word that is being completed */
	struct amk_strv operands;  /* before it */
	struct amk_strv given;	   /* options before it: "name=value", flags "name=" */
	char lead[64];		   /* what stands before .begun in its word: "--agent=" */
	bool rest;		   /* behind "--" */
	struct amk_buf out;
};

/* Adds a word if what was begun is its beginning. `help` may be NULL. */
void amk_complete_offer(struct amk_complete *c, const char *word, const char *help);
/* The value of an option that was given, or NULL. */
const char *amk_complete_given(const struct amk_complete *c, const char *name);

/* The lines for these words go to *c->out. The caller releases *c, whatever came of it. */
void amk_complete_words(struct amk_complete *c, const struct amk_cmd *cmd, const struct amk_opt *common, int n,
			char **words);
void amk_complete_release(struct amk_complete *c);

#endif
