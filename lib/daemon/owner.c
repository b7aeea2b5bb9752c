/* SPDX-License-Identifier: Apache-2.0 */
/* A caller over the network has no environment that would mean anything here: PATH is of another machine. */
#include "daemon/owner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "core/jw.h"
#include "core/strv.h"
#include "core/utf8.h"
#include "daemon/door.h"

#define REQUEST_MAX (64u << 20)

static bool name_is_lent(const char *name, const char *const *wanted)
{
	for (; wanted && *wanted; wanted++)
		if (amk_strv_name_is(name, strlen(name), *wanted))
			return true;
	return strcmp(name, "PATH") == 0 || strcmp(name, "HOME") == 0;
}

/* What the request brings, then what it does not. */
static void environment_write(struct amk_buf *b, const struct amk_json *own, const char *const *wanted)
{
	amk_jw_open(b, "environment", '{');
	for (const struct amk_json *v = amk_json_first(own); v; v = amk_json_next(v))
		amk_json_print(b, amk_json_key(v), v);
	for (char **v = environ; v && *v; v++) {
		size_t n = strcspn(*v, "=");
		char *name AMK_AUTO(mem) = amk_strndup(*v, n);

		/* A name twice, or what JSON cannot say, would make the whole unusable. */
		if ((*v)[n] && name_is_lent(name, wanted) && !amk_json_get(own, name) && getenv(name) == *v + n + 1 &&
		    amk_utf8_valid(*v, strlen(*v)))
			amk_jw_cstr(b, name, *v + n + 1);
	}
	amk_jw_close(b, '}');
}

bool amk_owner_serves(const struct amk_daemon *d, const struct amk_request *rq)
{
	char address[AMK_HTTP_ADDRESS];

	return d->door && (d->door->owner || amk_request_address(rq, address));
}

struct amk_json *amk_owner_request(const struct amk_json *request)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(REQUEST_MAX);
	const char *agent = amk_json_get_str(request, "agent");
	const struct amk_codec *codec = agent ? amk_agent_find(agent) : NULL;
	const struct amk_json *own = amk_json_get(request, "environment");

	if (!codec || (own && !amk_json_is_null(own) && !amk_json_is_object(own)))
		return NULL;
	amk_jw_open(&b, NULL, '{');
	for (const struct amk_json *m = amk_json_first(request); m; m = amk_json_next(m))
		if (m != own)
			amk_json_print(&b, amk_json_key(m), m);
	environment_write(&b, own, codec->env);
	amk_jw_close(&b, '}');
	return amk_buf_ok(&b) ? amk_json_parse(b.s, b.n, NULL) : NULL;
}
