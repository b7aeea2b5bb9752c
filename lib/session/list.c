/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as a list, page by page: most of them have ended and are read from the store. */
#include <string.h>

#include "session/forget.h"
#include "session/internal.h"

struct page {
	struct amk_sessions *all;
	struct amk_buf *b;
	uint64_t left;
	int64_t last;
	bool more;
};

static bool write_one(void *arg, const struct amk_state_session *r)
{
	struct page *p = arg;
	struct amk_session *s = amk_sessions_loaded(p->all, r->id);

	if (p->left == 0) {
		p->more = true;
		return false;
	}
	p->left--;
	p->last = r->row;
	if (s) {
		amk_session_write(p->b, s);
		return true;
	}
	s = amk_sessions_make(p->all, r);
	amk_session_write(p->b, s);
	amk_sessions_free(s);
	return true;
}

int amk_session_list(struct amk_sessions *all, int64_t *before, uint64_t limit, struct amk_buf *b, struct amk_err *e)
{
	struct page p = { .all = all, .b = b, .left = limit, .last = *before ? *before : INT64_MAX };

	if (amk_state_sessions_before(all->conf.store, p.last, write_one, &p, e) < 0)
		return -1;
	*before = p.more ? p.last : 0;
	return 0;
}

static int64_t *place_of(struct amk_session_numbers *n, const char *state)
{
	if (strcmp(state, "starting") == 0)
		return &n->starting;
	if (strcmp(state, "working") == 0)
		return &n->working;
	if (strcmp(state, "waiting") == 0)
		return &n->waiting;
	if (strcmp(state, "idle") == 0)
		return &n->idle;
	return strcmp(state, "failed") == 0 ? &n->failed : &n->asleep;
}

void amk_session_count(const struct amk_sessions *all, struct amk_session_numbers *n)
{
	*n = (struct amk_session_numbers){ .ended = all->ended };
	for (const struct amk_forget *f = all->forgets; f; f = amk_forget_next(f))
		n->forgetting++;
	for (const struct amk_session *s = all->newest; s; s = s->older) {
		n->programs += s->live.run != NULL;
		n->open_decisions += s->open_decisions;
		n->queued += s->queued;
		if (s->broken)
			n->broken++;
		else if (!s->ended)
			++*place_of(n, amk_session_state(s));
	}
}
