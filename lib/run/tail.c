/* SPDX-License-Identifier: Apache-2.0 */
/* Writing what is kept of stderr. */
#include "run/tail.h"

#include <stdbool.h>
#include <unistd.h>

#include "core/crash.h"

void amk_tail_add(struct amk_tail *t, const char *s, size_t n)
{
	AMK_CRASH("shim.err.before");
	while (n > 0) {
		bool first = t->n < AMK_TAIL_HEAD;
		uint64_t at = first ? t->n : AMK_TAIL_HEAD + (t->n - AMK_TAIL_HEAD) % AMK_TAIL_RING;
		uint64_t room = (first ? AMK_TAIL_HEAD : AMK_TAIL_KEPT) - at;
		ssize_t w = pwrite(t->fd, s, n < room ? n : (size_t)room, (off_t)at);

		if (w <= 0)
			return;
		t->n += (uint64_t)w;
		s += w;
		n -= (size_t)w;
	}
	if (t->n > AMK_TAIL_KEPT && pwrite(t->fd, &t->n, sizeof t->n, AMK_TAIL_KEPT) < 0)
		return;
	AMK_CRASH("shim.err.after");
}
