/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: the frame around one line. */
#include <inttypes.h>

#include "http/http.h"

void amk_sse_frame(struct amk_buf *b, uint64_t id, const char *data, size_t n)
{
	if (id)
		amk_buf_addf(b, "id: %" PRIu64 "\n", id);
	amk_buf_adds(b, "data: ");
	amk_buf_add(b, data, n);
	amk_buf_add(b, "\n\n", 2);
}
