/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzing what reads an Authorization header: nothing without the token in it, plain or in base64, is let in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "daemon/token.h"

#define TOKEN "s3" /* short, so that the fuzzer finds it */

static bool holds_token(const char *s, size_t n)
{
	struct amk_buf plain AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);

	if (memmem(s, n, TOKEN, strlen(TOKEN)))
		return true;
	/* In base64 it may begin anywhere. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = n; k > i; k--) {
			amk_buf_clear(&plain);
			if (amk_base64_decode(&plain, s + i, k - i) && memmem(plain.s, plain.n, TOKEN, strlen(TOKEN)))
				return true;
		}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *header = amk_malloc(n + 1); /* so that reading one byte too far is noticed */
	struct amk_token t;
	struct amk_err e;

	if (n)
		memcpy(header, data, n);
	header[n] = '\0';
	amk_token_set(&t, TOKEN, &e);
	if (amk_token_allows(&t, header) && !holds_token(header, strlen(header)))
		abort();
	free(header);
	return 0;
}
