/* SPDX-License-Identifier: Apache-2.0 */
/* A command's table as --help shows it, as wide as the terminal. */
#ifndef AMK_CORE_HELP_H
#define AMK_CORE_HELP_H

#include "core/cmd.h"

/* Columns of the terminal on standard output; 0 where there is none, or it does not say. */
unsigned amk_help_columns(void);
/* How wide text is to be there: its columns, from 30 to 100, or 80. */
unsigned amk_help_width(void);

/* "  WORD       TEXT", the text broken between words and lined up; on a narrow terminal below its word. */
void amk_help_row(struct amk_buf *b, const char *word, unsigned room, const char *text, unsigned width);

/* `prog` is what was typed so far: "amika-session create". */
void amk_help_write(struct amk_buf *b, const struct amk_cmd *c, const char *prog, const struct amk_opt *common,
		    unsigned width);

#endif
