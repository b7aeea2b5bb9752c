/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket frames as a server writes them: whole and unmasked. */
#include <string.h>

#include "http/ws_wire.h"

#define FIN 0x80

void amk_ws_frame_put(struct amk_buf *b, enum wslay_opcode opcode, const char *s, size_t n)
{
	unsigned bytes = n <= 125 ? 0 : n <= 0xffff ? 2 : 8; /* of length behind the second one */

	amk_buf_addc(b, (char)(FIN | opcode));
	amk_buf_addc(b, (char)(bytes == 0 ? n : bytes == 2 ? 126 : 127));
	while (bytes--)
		amk_buf_addc(b, (char)(n >> 8 * bytes));
	amk_buf_add(b, s, n);
}

void amk_ws_frame_close(struct amk_buf *b, unsigned code, const char *reason)
{
	char body[AMK_WS_CONTROL] = { (char)(code >> 8), (char)code };
	size_t n = reason ? strnlen(reason, sizeof body - 2) : 0;

	if (n)
		memcpy(body + 2, reason, n);
	amk_ws_frame_put(b, WSLAY_CONNECTION_CLOSE, body, code ? n + 2 : 0);
}

void amk_ws_frame(struct amk_buf *b, uint64_t id, const char *data, size_t n)
{
	(void)id;
	amk_ws_frame_put(b, WSLAY_TEXT_FRAME, data, n);
}
