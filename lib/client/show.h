/* SPDX-License-Identifier: Apache-2.0 */
/* How tools print: records as lines, or for a terminal as a table, a row or a list of members. */
#ifndef AMK_CLIENT_SHOW_H
#define AMK_CLIENT_SHOW_H

#include "core/buf.h"
#include "core/cmd.h"
#include "core/json.h"
#include "core/strv.h"

/* Bytes to stdout as they are; a reader that has gone is told as amk_out_record tells it. */
int amk_show_bytes(const char *s, size_t n, struct amk_err *e);

#define AMK_SHOW_COLUMNS 8 /* a table has at most */
enum amk_show_as {
	AMK_SHOW_PLAIN,
	AMK_SHOW_AGE,  /* of a time; the key is the API's */
	AMK_SHOW_SIZE, /* of bytes */
};
struct amk_show_column {
	const char *head, *key; /* the key of the line, not of the API */
};

/*
 * Records of the API come in; `type` is that of their lines (see fields.h). In records form each is a
 * line; in text form all together are a table. More may follow its end: they are rows below it.
 */
struct amk_show_table {
	const char *type;
	const struct amk_show_column *columns;
	unsigned n;
	enum amk_show_as as[AMK_SHOW_COLUMNS];
	/* Writes the last column from the whole line, safe for a terminal, in at most `max` characters; NULL: by its key. */
	void (*last)(struct amk_buf *out, const struct amk_json *line, size_t max);
	struct amk_strv cells; /* gathered until amk_show_end */
	size_t room[AMK_SHOW_COLUMNS]; /* what columns take so far */
	bool headed;
};
int amk_show_add(struct amk_show_table *t, const struct amk_json *record, struct amk_err *e);
int amk_show_end(struct amk_show_table *t, struct amk_err *e); /* prints the table, releases */

/* One record: its line, or in text form a member per line. */
int amk_show_record(const char *type, const struct amk_json *record, struct amk_err *e);
/* The same for a line that is made already. */
int amk_show_line(const struct amk_buf *line, struct amk_err *e);

/* Says on stderr, once and in one line, that records are awaited from the terminal. */
void amk_show_awaits(const char *program, const char *records);

#endif
