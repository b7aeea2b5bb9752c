/* SPDX-License-Identifier: Apache-2.0 */
/* A rule: what it is about, and what it answers. Its language is in amika-rule(5). */
#ifndef AMK_DECISION_RULE_H
#define AMK_DECISION_RULE_H

#include "core/buf.h"
#include "core/err.h"
#include "core/id.h"
#include "core/json.h"
#include "decision/match.h"
#include "decision/subject.h"
#include "store/state_rule.h"

#define AMK_RULE_ID AMK_ID_ROW /* "r_N" */

const char *amk_rule_id(char to[AMK_RULE_ID], int64_t row);
/* The row named by "r_N", 0 when it is no such name. */
int64_t amk_rule_row(const char *id);

/* Whether the rule can be one: its words, its patterns, what goes together. */
int amk_rule_check(const struct amk_state_rule *r, struct amk_err *e);
/*
 * Compares the two; `why` gets a few words on what decided it. An allow of paths alone says nothing about commands, whatever
 * path comes with them.
 */
enum amk_match amk_rule_match(const struct amk_state_rule *r, const struct amk_subject *s, struct amk_buf *why);
/* It allows the very same input only, so nothing needs to be read. */
bool amk_rule_is_exact(const struct amk_state_rule *r);

/*
 * Checks and stores it: `before` as in amk_state_rule_add. AMK_ECONFLICT when its scope (a session, for those of
 * sessions) has AMK_RULE_MOST already.
 */
#define AMK_RULE_MOST 256
int amk_rule_add(struct amk_store *store, struct amk_state_rule *r, int64_t before, struct amk_err *e);
/* The same where there is no such rule yet: 1; else r->row becomes that one's: 0. */
int amk_rule_add_once(struct amk_store *store, struct amk_state_rule *r, struct amk_err *e);

/* The rule as the API has it, an object. */
void amk_rule_write(struct amk_buf *b, const char *key, const struct amk_state_rule *r);
/* The same with the names of lines (amika-lines(5)). */
void amk_rule_write_line(struct amk_buf *b, const char *key, const struct amk_state_rule *r);

#endif
