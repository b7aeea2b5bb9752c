/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of a whole message. Written here because no library the daemon is linked with offers one. */
#include "core/sha256.h"

#include <string.h>

#define BLOCK 64

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t word_get(const uint8_t *s)
{
	return (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3];
}

static void word_put(uint8_t *to, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(x >> (24 - 8 * i));
}

static void schedule(uint32_t w[64], const uint8_t block[BLOCK])
{
	for (unsigned t = 0; t < 16; t++)
		w[t] = word_get(block + 4 * t);
	for (unsigned t = 16; t < 64; t++) {
		uint32_t a = right(w[t - 15], 7) ^ right(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t b = right(w[t - 2], 17) ^ right(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = b + w[t - 7] + a + w[t - 16];
	}
}

static void block_add(uint32_t h[8], const uint8_t block[BLOCK])
{
	uint32_t w[64], v[8]; /* v: the standard's a to h */

	schedule(w, block);
	memcpy(v, h, sizeof v);
	for (unsigned t = 0; t < 64; t++) {
		uint32_t s1 = right(v[4], 6) ^ right(v[4], 11) ^ right(v[4], 25);
		uint32_t one = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[t] + w[t];
		uint32_t s0 = right(v[0], 2) ^ right(v[0], 13) ^ right(v[0], 22);
		uint32_t two = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += one;
		v[0] = one + two;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

void amk_sha256(const void *s, size_t n, uint8_t to[AMK_SHA256_SIZE])
{
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint8_t last[2 * BLOCK] = { 0 };
	const uint8_t *at = s;
	size_t left = n, blocks;

	for (; left >= BLOCK; left -= BLOCK, at += BLOCK)
		block_add(h, at);
	if (left)
		memcpy(last, at, left);
	last[left] = 0x80;
	blocks = left + 9 > BLOCK ? 2 : 1;
	word_put(last + blocks * BLOCK - 8, (uint32_t)((uint64_t)n >> 29));
	word_put(last + blocks * BLOCK - 4, (uint32_t)((uint64_t)n << 3));
	for (size_t i = 0; i < blocks; i++)
		block_add(h, last + i * BLOCK);
	for (unsigned i = 0; i < 8; i++)
		word_put(to + 4 * i, h[i]);
	explicit_bzero(last, sizeof last);
}

bool amk_sha256_equal(const uint8_t a[AMK_SHA256_SIZE], const uint8_t b[AMK_SHA256_SIZE])
{
	volatile uint8_t differ = 0;

	for (unsigned i = 0; i < AMK_SHA256_SIZE; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}
