/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks as their owner defines them: a name, what to be told of, a command, its deadline. */
#ifndef AMK_OUTLET_HOOK_H
#define AMK_OUTLET_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/strv.h"

#define AMK_HOOKS_MAX 16
#define AMK_HOOK_DEADLINE_MS 10000 /* where none is given */

struct amk_hook {
	char *name;
	unsigned on; /* a bit for each row of amk_hook_events */
	struct amk_strv command;
	int64_t deadline_ms;
};

struct amk_hooks {
	struct amk_hook v[AMK_HOOKS_MAX];
	size_t n;
};

/* What a hook can be told of, and the events that are it. Two rows may have one name. */
struct amk_hook_event {
	const char *name, *type;
};
#define AMK_HOOK_EVENTS 7
extern const struct amk_hook_event amk_hook_events[AMK_HOOK_EVENTS];

/* From the list in the settings; `to` is empty before, and to be released also after -1. */
int amk_hooks_read(struct amk_hooks *to, const struct amk_json *list, struct amk_err *e);
void amk_hooks_release(struct amk_hooks *h);
/* NULL: there is none of that name. */
const struct amk_hook *amk_hooks_find(const struct amk_hooks *h, const char *name);

/* The bit of an event's type, 0: no hook is told of it; *name is what it is called. */
unsigned amk_hook_bit(const char *type, const char **name);
/* Whether its command is a file that may be run; -1 with e says why not. */
int amk_hook_check(const struct amk_hook *h, struct amk_err *e);

#endif
