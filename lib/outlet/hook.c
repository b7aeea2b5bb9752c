/* SPDX-License-Identifier: Apache-2.0 */
/* Reading definitions of hooks: whatever is not understood is refused, nothing is guessed. */
#include "outlet/hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 40
#define DEADLINE_MOST_MS (3600 * 1000LL)

const struct amk_hook_event amk_hook_events[AMK_HOOK_EVENTS] = {
	{ "decision.open", "permission.requested" },
	{ "decision.open", "question.requested" },
	{ "decision.closed", "permission.resolved" },
	{ "decision.closed", "question.resolved" },
	{ "turn.ended", "turn.ended" },
	{ "session.ended", "session.ended" },
	{ "error", "error" },
};

unsigned amk_hook_bit(const char *type, const char **name)
{
	for (size_t i = 0; type && i < AMK_HOOK_EVENTS; i++) {
		if (strcmp(amk_hook_events[i].type, type) != 0)
			continue;
		*name = amk_hook_events[i].name;
		return 1u << i;
	}
	return 0;
}

static bool is_name(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = s ? strspn(s, letters) : 0;

	return n > 0 && n <= NAME_MAX_BYTES && s[n] == '\0';
}

static int read_on(struct amk_hook *h, const struct amk_json *on, struct amk_err *e)
{
	for (const struct amk_json *m = amk_json_is_array(on) ? amk_json_first(on) : NULL; m; m = amk_json_next(m)) {
		const char *word = amk_json_str(m);
		unsigned bits = 0;

		for (size_t i = 0; word && i < AMK_HOOK_EVENTS; i++)
			if (strcmp(amk_hook_events[i].name, word) == 0)
				bits |= 1u << i;
		if (!bits) {
			amk_err_set(e, AMK_EINVALID, "on: there is no \"%.40s\"", word ? word : "(not a string)");
			return amk_err_hint(e, "decision.open, decision.closed, turn.ended, session.ended, error");
		}
		h->on |= bits;
	}
	return h->on ? 0 : amk_err_set(e, AMK_EINVALID, "on must be a list of what to be told of");
}

static int read_command(struct amk_hook *h, const struct amk_json *command, struct amk_err *e)
{
	for (const struct amk_json *m = amk_json_is_array(command) ? amk_json_first(command) : NULL; m;
	     m = amk_json_next(m)) {
		if (!amk_json_str(m))
			return amk_err_set(e, AMK_EINVALID, "command must be a list of strings");
		amk_strv_add(&h->command, amk_json_str(m));
	}
	if (h->command.n == 0)
		return amk_err_set(e, AMK_EINVALID, "command must be a list: the program and its arguments");
	if (h->command.v[0][0] == '/')
		return 0;
	amk_err_set(e, AMK_EINVALID, "the program \"%.100s\" is not an absolute path", h->command.v[0]);
	return amk_err_hint(e, "no shell and no PATH are asked: name the file");
}

static int read_member(struct amk_hook *h, const struct amk_json *m, struct amk_err *e)
{
	const char *key = amk_json_key(m);

	if (strcmp(key, "on") == 0)
		return read_on(h, m, e);
	if (strcmp(key, "command") == 0)
		return read_command(h, m, e);
	if (strcmp(key, "deadline_ms") == 0) {
		if (amk_json_int(m, &h->deadline_ms) && h->deadline_ms >= 1 && h->deadline_ms <= DEADLINE_MOST_MS)
			return 0;
		return amk_err_set(e, AMK_EINVALID, "deadline_ms must be a whole number from 1 to %lld", DEADLINE_MOST_MS);
	}
	return strcmp(key, "name") == 0 ? 0 : amk_err_set(e, AMK_EINVALID, "unknown member \"%.60s\"", key);
}

static int read_one(struct amk_hook *h, const struct amk_json *object, struct amk_err *e)
{
	h->deadline_ms = AMK_HOOK_DEADLINE_MS;
	for (const struct amk_json *m = amk_json_first(object); m; m = amk_json_next(m))
		if (read_member(h, m, e) < 0)
			return -1;
	if (h->on && h->command.n)
		return 0;
	return amk_err_set(e, AMK_EINVALID, "%s is missing", h->on ? "command" : "on");
}

int amk_hooks_read(struct amk_hooks *to, const struct amk_json *list, struct amk_err *e)
{
	if (!amk_json_is_array(list))
		return amk_err_set(e, AMK_EINVALID, "hooks must be a list");
	for (const struct amk_json *m = amk_json_first(list); m; m = amk_json_next(m)) {
		const char *name = amk_json_get_str(m, "name");

		if (to->n == AMK_HOOKS_MAX)
			return amk_err_set(e, AMK_EINVALID, "there are more than %d hooks", AMK_HOOKS_MAX);
		if (!is_name(name))
			return amk_err_set(e, AMK_EINVALID, "hook %zu needs a name of letters, digits, - and _, at most %d",
					   to->n + 1, NAME_MAX_BYTES);
		if (amk_hooks_find(to, name))
			return amk_err_set(e, AMK_EINVALID, "two hooks are called %s", name);
		to->v[to->n] = (struct amk_hook){ .name = amk_strdup(name) };
		if (read_one(&to->v[to->n++], m, e) < 0)
			return amk_err_wrap(e, "hook %s", name);
	}
	return 0;
}

void amk_hooks_release(struct amk_hooks *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].name);
		amk_strv_release(&h->v[i].command);
	}
	h->n = 0;
}

const struct amk_hook *amk_hooks_find(const struct amk_hooks *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->v[i].name, name) == 0)
			return &h->v[i];
	return NULL;
}

int amk_hook_check(const struct amk_hook *h, struct amk_err *e)
{
	const char *program = h->command.v[0];
	struct stat st;

	if (stat(program, &st) < 0)
		return amk_err_sys(e, "%s", program);
	if (!S_ISREG(st.st_mode))
		return amk_err_set(e, AMK_EFAILED, "%s is not a file", program);
	return access(program, X_OK) < 0 ? amk_err_sys(e, "%s may not be run", program) : 0;
}
