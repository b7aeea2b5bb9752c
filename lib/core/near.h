/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest of the words there are, for a sentence that refuses one: it suggests and never acts. */
#ifndef AMK_CORE_NEAR_H
#define AMK_CORE_NEAR_H

#include "core/err.h"

#define AMK_NEAR_WORD 64 /* bytes of a word, its end included; what is longer is no typing error */

struct amk_near {
	const char *word; /* what was typed; borrowed */
	char best[AMK_NEAR_WORD]; /* the nearest so far, "" when none is near */
	unsigned least;
};

/*
 * How many single changes lie between two words: a character put in, left out, replaced, or two neighbours
 * exchanged (Damerau-Levenshtein, no part changed twice). Upper and lower case are the same.
 * AMK_NEAR_WORD when one of them has that many bytes or more.
 */
unsigned amk_near_distance(const char *a, const char *b);

void amk_near_init(struct amk_near *n, const char *word);
/*
 * One of the words there are. It is near when a third of what was typed, at least one character and at
 * most three, would have to change, or when at least two characters were typed that it begins with.
 */
void amk_near_add(struct amk_near *n, const char *candidate);

/* The remedy "did you mean LEADbest?", or `otherwise` when no word is near. Returns -1. */
int amk_near_hint(const struct amk_near *n, struct amk_err *e, const char *lead, const char *otherwise);

#endif
