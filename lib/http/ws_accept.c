/* SPDX-License-Identifier: Apache-2.0 */
/* The proof that a server has read the client's key: base64 of SHA-1 (RFC 6455, section 4.2.2; RFC 3174). */
#include <string.h>

#include "http/ws_wire.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define INPUT (AMK_WS_KEY + sizeof GUID - 1) /* 60 bytes: with their padding two blocks */

static uint32_t rotate(uint32_t v, int by)
{
	return v << by | v >> (32 - by);
}

static void sha1_block(uint32_t h[5], const unsigned char *s)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)s[4 * i] << 24 | (uint32_t)s[4 * i + 1] << 16 | (uint32_t)s[4 * i + 2] << 8 |
		       s[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t next = rotate(a, 5) + f + e + k[i / 20] + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

static void sha1_of_input(unsigned char to[20], const char *input)
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	unsigned char blocks[128] = { 0 };

	memcpy(blocks, input, INPUT);
	blocks[INPUT] = 0x80;
	blocks[126] = INPUT * 8 >> 8;
	blocks[127] = INPUT * 8 & 0xff;
	sha1_block(h, blocks);
	sha1_block(h, blocks + 64);
	for (int i = 0; i < 20; i++)
		to[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* `s` has a zero byte behind its 20. */
static void base64_write(char to[AMK_WS_ACCEPT], const unsigned char *s)
{
	for (int i = 0; i < 21; i += 3) {
		uint32_t three = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];

		for (int k = 0; k < 4; k++)
			*to++ = digits[three >> (18 - 6 * k) & 63];
	}
	to[-1] = '=';
	*to = '\0';
}

bool amk_ws_accept(char to[AMK_WS_ACCEPT], const char *key)
{
	unsigned char digest[21] = { 0 };
	char input[INPUT + 1];

	/* 16 bytes in base64: 22 digits, the last of which holds four unused bits, and two signs of padding. */
	if (!key || strlen(key) != AMK_WS_KEY || strspn(key, digits) != AMK_WS_KEY - 2 ||
	    strcmp(key + AMK_WS_KEY - 2, "==") != 0)
		return false;
	memcpy(input, key, AMK_WS_KEY);
	memcpy(input + AMK_WS_KEY, GUID, sizeof GUID);
	sha1_of_input(digest, input);
	base64_write(to, digest);
	return true;
}
