/* SPDX-License-Identifier: Apache-2.0 */
/* Settings by table: name, place, default, bounds. */
#include "daemon/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json.h"
#include "core/near.h"
#include "core/path.h"
#include "http/http.h"

#define NAME "settings.json"
#define DAY_MS (24 * 3600 * 1000LL)

static const struct setting {
	const char *name;
	size_t offset;
	int64_t value, least, most;
} table[] = {
#define ROW(name, value, least, most) { #name, offsetof(struct amk_settings, name), value, least, most }
	ROW(keepalive_ms, 15000, 10, DAY_MS),
	ROW(header_ms, 10000, 10, DAY_MS),
	ROW(body_ms, 100000, 10, DAY_MS),
	ROW(idle_ms, 60000, 10, DAY_MS),
	ROW(grace_ms, 3000, 10, DAY_MS),
	ROW(cancel_ms, 1000, 10, DAY_MS),
	ROW(lease_ms, DAY_MS, 10, 365 * DAY_MS),
	ROW(recover_ms, 1000, 10, DAY_MS),
	ROW(checkpoint_bytes, 1 << 20, 1, 1LL << 40),
	ROW(step_bytes, 256 << 10, 1, 1LL << 40),
	ROW(log_bytes, 8 << 20, 4096, 1LL << 40),
	ROW(sleep_ms, 30 * 60 * 1000, 0, 365 * DAY_MS),
	ROW(keep_events, 0, 0, 1LL << 40),
	ROW(streams, 4096, 1, 65536),
	ROW(streams_per_peer, 0, 1, 65536),
	ROW(connections, 8192, 2, 131072),
	ROW(requests, 10000, 1, 1 << 30),
	ROW(header_bytes, AMK_HTTP_POOL, 4096, 65536),
	ROW(body_bytes, 10 << 20, 1024, 1 << 30),
	ROW(hook_retry_ms, 1000, 1, DAY_MS),
	ROW(hook_give_up_ms, DAY_MS, 1, 365 * DAY_MS),
	ROW(permission_deadline_ms, 0, 0, 365 * DAY_MS),
	ROW(question_deadline_ms, 0, 0, 365 * DAY_MS),
#undef ROW
};

static int set_log_level(struct amk_settings *st, const char *text, struct amk_err *e)
{
	if (!text)
		return amk_err_set(e, AMK_EINVALID, "log_level must be a string");
	if (amk_say_check(text, e) < 0)
		return amk_err_wrap(e, "log_level");
	snprintf(st->log_level, sizeof st->log_level, "%s", text);
	return 0;
}

static int set_permission_default(struct amk_settings *st, const char *text, struct amk_err *e)
{
	if (!text || (strcmp(text, "deny") != 0 && strcmp(text, "allow") != 0))
		return amk_err_set(e, AMK_EINVALID, "permission_default must be \"deny\" or \"allow\"");
	snprintf(st->permission_default, sizeof st->permission_default, "%s", text);
	return 0;
}

static int set_question_default(struct amk_settings *st, const char *text, struct amk_err *e)
{
	if (!text || strlen(text) >= sizeof st->question_default)
		return amk_err_set(e, AMK_EINVALID, "question_default must be a string of less than %zu bytes",
				   sizeof st->question_default);
	snprintf(st->question_default, sizeof st->question_default, "%s", text);
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct amk_settings *st, const char *text, struct amk_err *e);
} texts[] = {
	{ "log_level", set_log_level },
	{ "permission_default", set_permission_default },
	{ "question_default", set_question_default },
};

static int unknown(const char *name, struct amk_err *e)
{
	struct amk_near near;

	amk_near_init(&near, name);
	for (size_t i = 0; i < AMK_COUNT(texts); i++)
		amk_near_add(&near, texts[i].name);
	amk_near_add(&near, "hooks");
	for (size_t i = 0; i < AMK_COUNT(table); i++)
		amk_near_add(&near, table[i].name);
	amk_err_set(e, AMK_EINVALID, "unknown setting \"%.60s\"", name);
	return amk_near_hint(&near, e, "", "see amikad(8)");
}

static int set_one(struct amk_settings *st, const struct amk_json *j, struct amk_err *e)
{
	const char *name = amk_json_key(j);
	int64_t v;

	for (size_t i = 0; i < AMK_COUNT(texts); i++)
		if (strcmp(texts[i].name, name) == 0)
			return texts[i].set(st, amk_json_str(j), e);
	if (strcmp(name, "hooks") == 0)
		return amk_hooks_read(&st->hooks, j, e);
	for (size_t i = 0; i < AMK_COUNT(table); i++) {
		if (strcmp(table[i].name, name) != 0)
			continue;
		if (!amk_json_int(j, &v) || v < table[i].least || v > table[i].most)
			return amk_err_set(e, AMK_EINVALID, "%s must be a whole number from %lld to %lld", name,
					   (long long)table[i].least, (long long)table[i].most);
		*(int64_t *)((char *)st + table[i].offset) = v;
		return 0;
	}
	return unknown(name, e);
}

/* Whoever writes a hook has programs run as the owner. (The folder was looked at when it was opened.) */
static int check_hands(int dirfd, struct amk_err *e)
{
	struct stat st;

	if (fstatat(dirfd, NAME, &st, 0) < 0)
		return amk_err_sys(e, NAME);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return amk_err_set(e, AMK_EDENIED, NAME ": it holds hooks, and belongs to another user");
	if (!(st.st_mode & 0022))
		return 0;
	amk_err_set(e, AMK_EDENIED, NAME ": it holds hooks, and others can write it");
	return amk_err_hint(e, "chmod go-w STATE/" NAME);
}

static int file_read(struct amk_settings *st, int dirfd, struct amk_err *e)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct amk_json *j AMK_AUTO(json) = NULL;

	if (amk_path_read(dirfd, NAME, &b, e) < 0)
		return e->code == AMK_ENOTFOUND ? 0 : -1;
	j = amk_json_parse(b.s, b.n, e);
	if (!j)
		return amk_err_wrap(e, NAME);
	if (!amk_json_is_object(j))
		return amk_err_set(e, AMK_EINVALID, NAME ": a JSON object is needed");
	for (const struct amk_json *m = amk_json_first(j); m; m = amk_json_next(m))
		if (set_one(st, m, e) < 0)
			return amk_err_wrap(e, NAME);
	return st->hooks.n ? check_hands(dirfd, e) : 0;
}

int amk_settings_load(struct amk_settings *st, int dirfd, struct amk_err *e)
{
	*st = (struct amk_settings){ 0 };
	for (size_t i = 0; i < AMK_COUNT(table); i++)
		*(int64_t *)((char *)st + table[i].offset) = table[i].value;
	snprintf(st->log_level, sizeof st->log_level, "info");
	snprintf(st->permission_default, sizeof st->permission_default, "deny");
	st->question_default[0] = '\0';
	if (file_read(st, dirfd, e) < 0)
		return -1;
	if (st->streams_per_peer == 0)
		st->streams_per_peer = (st->streams + 1) / 2;
	return 0;
}

void amk_settings_release(struct amk_settings *st)
{
	amk_hooks_release(&st->hooks);
}
