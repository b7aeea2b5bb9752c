/* SPDX-License-Identifier: Apache-2.0 */
/* A command is a table: options, verbs, operands. Parsing, help, usage errors and --spec come from it. */
#ifndef AMK_CORE_CMD_H
#define AMK_CORE_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/strv.h"

enum amk_opt_type {
	AMK_OPT_FLAG,	  /* bool * */
	AMK_OPT_STR,	  /* const char **, points into argv */
	AMK_OPT_INT,	  /* int64_t * */
	AMK_OPT_DURATION, /* int64_t *, ms */
	AMK_OPT_LIST,	  /* struct amk_strv *, may be given again and again */
	AMK_OPT_SECRET,	  /* char **, a copy to be freed; what stood in argv is overwritten, so ps(1) has nothing to show */
};

struct amk_opt {
	char letter; /* or 0 */
	const char *name;
	enum amk_opt_type type;
	void *to;
	const char *arg; /* "NAME"; NULL for flags */
	const char *help;
};
#define AMK_OPT_END { 0, NULL, AMK_OPT_FLAG, NULL, NULL, NULL }

struct amk_args {
	const char *prog; /* "amika-session" */
	int argc;
	char **argv; /* operands */
	int restc;
	char **rest; /* what stood behind "--", where the command takes it */
};

struct amk_complete;

struct amk_cmd {
	const char *name;     /* "amika-send"; of a verb: "create" */
	const char *summary;  /* "Send a message to a session" */
	const char *operands; /* "SESSION [TEXT]" */
	int min, max;	      /* operands; max -1: any number */
	bool rest;	      /* takes "-- ARG…" apart from its operands */
	const char *reads, *writes; /* record types on stdin and stdout, for --spec */
	const char *environment; /* of a program: variables it reads, for --spec: "AMIKA_URL AMIKA_TOKEN" */
	const char *example;
	const struct amk_opt *opts;	    /* or NULL */
	const struct amk_cmd *const *verbs; /* NULL-terminated, instead of run; they may have verbs themselves */
	const char *default_verb;	    /* when no verb is given, or NULL */
	/* An exit status, or -1 with e set. e->code AMK_OK with -1 is a quiet end (EPIPE): status 0. */
	int (*run)(const struct amk_args *a, struct amk_err *e);
	/*
	 * Of a program, or NULL: offers what can stand for `what`, an operand or an option's argument as the table
	 * calls it ("SESSION"), or an option's name ("permission-mode"); see core/complete.h.
	 */
	void (*offer)(struct amk_complete *c, const char *what);
};

/* Options every command takes, besides --help, --version, --spec and --complete. */
extern bool amk_cmd_json; /* --json */
extern bool amk_cmd_text; /* --text */

/* True when records are to be printed, false for text: --json, --text, else whether stdout is a terminal. */
bool amk_cmd_records(void);

/* One of a list (NULL: none): by its name of n bytes, or with name NULL by its letter. NULL: it is not there. */
const struct amk_opt *amk_cmd_opt(const struct amk_opt *o, const char *name, size_t n, char letter);

/* Parses, runs, prints the error there was, closes stdout and checks it. The result is for exit(). */
int amk_cmd_main(const struct amk_cmd *cmd, int argc, char **argv);

#endif
