/* SPDX-License-Identifier: Apache-2.0 */
/* One question with its choices as a person on a terminal sees and answers it. */
#ifndef AMK_CLIENT_CHOICE_H
#define AMK_CLIENT_CHOICE_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/strv.h"

struct amk_choice {
	char *what;		/* safe for the screen */
	struct amk_strv labels; /* as they are sent */
	struct amk_strv shown;	/* safe for the screen, each with its description */
	bool several;		/* may be chosen */
	bool optional;		/* may be left out */
};

/* From a question of amika.decision.questions. */
void amk_choice_of_question(struct amk_choice *c, const struct amk_json *question);
/* From an event that asks one question, or a permission. */
void amk_choice_of_event(struct amk_choice *c, const struct amk_json *event);
void amk_choice_release(struct amk_choice *c);
/* Its choices, each on a line with its number, and what can be typed. */
void amk_choice_show(const struct amk_choice *c, struct amk_buf *screen);
/* What was typed, as a list of answers: labels for their numbers, otherwise the words. False: no answer. */
bool amk_choice_take(const struct amk_choice *c, const char *line, struct amk_buf *json);

#endif
