/* SPDX-License-Identifier: Apache-2.0 */
/* A request as rules see it: made once, compared with many. */
#ifndef AMK_DECISION_SUBJECT_H
#define AMK_DECISION_SUBJECT_H

#include <stdbool.h>

#include "core/json.h"
#include "core/path.h"
#include "decision/command.h"

/* Where the request comes from. All borrowed. */
struct amk_subject_from {
	const char *agent;     /* or NULL: not known */
	const char *kind;      /* "permission", "question" */
	const char *mode;      /* the session's permission mode */
	const char *directory; /* the session's */
	const struct amk_json *request; /* amika.decision: tool or action, command, path, input, personal */
};

struct amk_subject {
	struct amk_subject_from from;
	bool is_question; /* or a permission that is the person's own to give each time */
	const char *tool, *path; /* borrowed; NULL: it has none */
	const char *text;	 /* its command, or NULL */
	struct amk_command command; /* read from it: words.n is 0 when it could not be read */
	char resolved[AMK_PATH_MAX]; /* where path leads, or "" */
	char home[AMK_PATH_MAX];     /* where the directory is, or "" */
	struct amk_buf input;	     /* see amk_subject_write_input */
	struct amk_err command_err, path_err;
};
void amk_subject_init(struct amk_subject *s, const struct amk_subject_from *from);
void amk_subject_release(struct amk_subject *s);

/*
 * An input as it is compared: the members of all objects in the order of their keys, and without the agent's comment on a
 * command ("description"), which it words anew each time. "null" when it is NULL.
 */
#define AMK_SUBJECT_INPUT_MAX 65536 /* bytes; a longer one is equal to none */
void amk_subject_write_input(struct amk_buf *b, const struct amk_json *input);

#endif
