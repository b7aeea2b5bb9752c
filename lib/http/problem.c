/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as RFC 9457 problems. */
#include <string.h>

#include "core/jw.h"
#include "http/internal.h"

void amk_problem_write(struct amk_buf *b, const struct amk_err *e, const char *extension)
{
	const struct amk_code_info *code = &amk_codes[e->code];
	/* The original's wording. */
	char *bad AMK_AUTO(mem) = e->code == AMK_EINVALID ? amk_strf("invalid request: %s", e->msg) : NULL;

	amk_jw_open(b, NULL, '{');
	amk_buf_addf(b, "\"type\":\"urn:sandbox-agent:error:%s\"", code->name);
	amk_jw_cstr(b, "title", code->title);
	amk_jw_int(b, "status", code->http);
	amk_jw_cstr(b, "detail", bad ? bad : e->msg);
	if (extension)
		amk_jw_members(b, extension, strlen(extension));
	if (e->hint[0])
		amk_jw_cstr(b, "hint", e->hint);
	amk_jw_close(b, '}');
}
