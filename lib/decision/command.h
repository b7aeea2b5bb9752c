/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command as rules see it: the words of one simple command. What a shell would make more of than words is not read at
 * all; the list is in amika-rule(5), and each entry of it is tested.
 */
#ifndef AMK_DECISION_COMMAND_H
#define AMK_DECISION_COMMAND_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/strv.h"
#include "decision/match.h"

#define AMK_COMMAND_WORDS 256 /* a command has at most */

struct amk_command {
	struct amk_strv words; /* without their quotes; wildcards as in glob.h, but for all but '*' AMK_GLOB_ONE */
	bool rest;	       /* of a pattern: any further words */
};

/* -1: not one simple command, and why. Release what was read. */
int amk_command_read(struct amk_command *c, const char *text, struct amk_err *e);
/* The same, but '*' is the only wildcard, and "**" may be the last word. */
int amk_command_pattern(struct amk_command *c, const char *text, struct amk_err *e);
void amk_command_release(struct amk_command *c);

enum amk_match amk_command_match(const struct amk_command *pattern, const struct amk_command *command);
/* Whether a pattern can say this command, and no other. Written is that pattern. */
bool amk_command_quote(struct amk_buf *to, const struct amk_command *command);

#endif
