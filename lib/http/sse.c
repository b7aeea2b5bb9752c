/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: the frame around one line. */
#include "http/http.h"

/* By hand: every event passes here. */
static void add_number(struct amk_buf *b, uint64_t v)
{
	char digits[20], *first = digits + sizeof digits;

	do
		*--first = (char)('0' + v % 10);
	while ((v /= 10));
	amk_buf_add(b, first, (size_t)(digits + sizeof digits - first));
}

void amk_sse_frame(struct amk_buf *b, uint64_t id, const char *data, size_t n)
{
	if (id) {
		amk_buf_add(b, "id: ", 4);
		add_number(b, id);
		amk_buf_addc(b, '\n');
	}
	amk_buf_add(b, "data: ", 6);
	amk_buf_add(b, data, n);
	amk_buf_add(b, "\n\n", 2);
}
