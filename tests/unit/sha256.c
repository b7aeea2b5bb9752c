/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256: the vectors of RFC 6234, every length around a block, and the comparison. */
#include "core/sha256.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "tap.h"

static void digest_is(const void *s, size_t n, const char *want, const char *name)
{
	char got[2 * AMK_SHA256_SIZE + 1];
	uint8_t d[AMK_SHA256_SIZE];

	amk_sha256(s, n, d);
	for (int i = 0; i < AMK_SHA256_SIZE; i++)
		snprintf(got + 2 * i, 3, "%02x", d[i]);
	is_str(got, want, name);
}

/* RFC 6234, 8.5: TEST1, TEST2_1, TEST3, TEST4, TEST5_256 */
static void test_vectors(void)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static const char four[] = "01234567012345670123456701234567"
				   "01234567012345670123456701234567";
	char *million = amk_malloc(1000000), ten[640];

	memset(million, 'a', 1000000);
	for (int i = 0; i < 10; i++)
		memcpy(ten + 64 * i, four, 64);
	digest_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "nothing");
	digest_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "three bytes");
	digest_is(two, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "56 bytes");
	digest_is(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", "a million bytes");
	digest_is(ten, 640, "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5", "ten blocks");
	digest_is("\x19", 1, "68aa2e2ee5dff96e3355e6c7ee373e3d6a4e17f75f9518d843709c0c9bc3e3d4", "one byte");
	free(million);
}

/* The digest of all digests; the expected value is another implementation's (Python's hashlib). */
static void test_lengths(void)
{
	uint8_t bytes[256], all[257 * AMK_SHA256_SIZE];

	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	for (size_t n = 0; n <= 256; n++)
		amk_sha256(bytes, n, all + n * AMK_SHA256_SIZE);
	digest_is(all, sizeof all, "35970715cb0d62a006d72921e886dd4ea67151affe64b55164397fe5bb5c1730", "0 to 256 bytes");
}

static void test_equal(void)
{
	uint8_t a[AMK_SHA256_SIZE], b[AMK_SHA256_SIZE];
	int found = 0;

	amk_sha256("a", 1, a);
	memcpy(b, a, sizeof b);
	ok(amk_sha256_equal(a, b), "a digest equals itself");
	for (int i = 0; i < AMK_SHA256_SIZE * 8; i++) {
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		found += !amk_sha256_equal(a, b);
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	is_int(found, AMK_SHA256_SIZE * 8, "one bit makes a difference, whichever it is");
}

int main(void)
{
	test_vectors();
	test_lengths();
	test_equal();
	return tap_done();
}
