/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzing the JSON gate: what it accepts is printed, and printed again after another reading the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct amk_buf one AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20), two AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	char *exact = amk_malloc(n); /* so that reading one byte too far is noticed */
	struct amk_json *j, *again;
	struct amk_err e = { 0 };

	if (n)
		memcpy(exact, data, n);
	j = amk_json_parse(exact, n, &e);
	if (!j && (e.code != AMK_EINVALID || !e.msg[0]))
		abort();
	if (j) {
		amk_json_print(&one, NULL, j);
		again = amk_json_parse(one.s, one.n, &e);
		if (!again || !amk_utf8_valid(exact, n) || memchr(one.s, '\n', one.n))
			abort();
		amk_json_print(&two, NULL, again);
		if (one.n != two.n || memcmp(one.s, two.s, one.n) != 0)
			abort();
		amk_json_free(again);
		amk_json_free(j);
	}
	free(exact);
	return 0;
}
