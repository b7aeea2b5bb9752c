/* SPDX-License-Identifier: Apache-2.0 */
/* The gate, byte by byte. */
#include "http/gate.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/buf.h"
#include "tap.h"

/* Splits as the parser does: NULs for the ':' of a header line and for CR LF or a bare LF. */
static void split(struct amk_buf *b, const char *head, size_t n)
{
	bool colon = false;

	amk_buf_add(b, "\0", 2);
	for (size_t i = 0; i < n; i++) {
		if (head[i] == ':' && !colon) {
			colon = true;
			amk_buf_addc(b, '\0');
		} else if (head[i] == '\r' && i + 1 < n && head[i + 1] == '\n') {
			amk_buf_addc(b, '\0');
		} else if (head[i] == '\n') {
			amk_buf_addc(b, '\0');
			colon = false;
		} else {
			amk_buf_addc(b, head[i]);
		}
	}
	amk_buf_add(b, "\0", 2);
}

static int check_bytes(const char *method, const char *target, size_t target_n, const char *version,
		       const struct amk_buf *lines)
{
	struct amk_gate g = { .method = method, .target = target, .target_n = target_n, .version = version,
			      .lines = lines->s, .lines_n = lines->n };
	struct amk_err e = { 0 };
	int r = amk_gate_check(&g, &e);

	if (r < 0 && e.code != AMK_EINVALID)
		return -2;
	return r;
}

static int target(const char *s, size_t n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	split(&b, "Host: a\r\n", 9);
	return check_bytes("GET", s, n, "HTTP/1.1", &b);
}

static int headers_n(const char *version, const char *head, size_t n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	split(&b, head, n);
	return check_bytes("POST", "/v1/x", 5, version, &b);
}

static int headers(const char *head)
{
	return headers_n("HTTP/1.1", head, strlen(head));
}

static void test_targets(void)
{
	static const struct {
		const char *target;
		int want;
	} cases[] = {
		{ "/", 0 },
		{ "/v1/sessions/a-b_c.d~e", 0 },
		{ "/v1/sessions/a%20b", 0 },
		{ "/v1/x?path=%2Fusr%2fbin&y=a+b", 0 },
		{ "/v1/x?y=%C3%A4", 0 },
		{ "", -1 },
		{ "*", -1 },
		{ "v1", -1 },
		{ "http://h/v1", -1 },
		{ "/v1/%00", -1 },
		{ "/v1/health%00x", -1 },
		{ "/v1?x=%00", -1 },
		{ "/v1?x=%0a", -1 },
		{ "/v1/%1f", -1 },
		{ "/v1/%7f", -1 },
		{ "/v1/a%2fb", -1 },
		{ "/v1/a%2Fb", -1 },
		{ "/v1/%", -1 },
		{ "/v1/%4", -1 },
		{ "/v1/%4g", -1 },
		{ "/v1/%%41", -1 },
		{ "/v1?x=%zz", -1 },
		{ "/a b", -1 },
		{ "/a#b", -1 },
		{ "/\xc3\xa4", -1 },
	};
	char *longest = amk_malloc(AMK_GATE_TARGET_MAX + 2);

	for (size_t i = 0; i < AMK_COUNT(cases); i++)
		is_int(target(cases[i].target, strlen(cases[i].target)), cases[i].want, cases[i].target);
	memset(longest, 'a', AMK_GATE_TARGET_MAX + 1);
	longest[0] = '/';
	longest[AMK_GATE_TARGET_MAX + 1] = '\0';
	is_int(target(longest, AMK_GATE_TARGET_MAX), 0, "the longest target");
	is_int(target(longest, AMK_GATE_TARGET_MAX + 1), -1, "one byte more");
	free(longest);
}

static void test_every_byte(void)
{
	unsigned wrong = 0;

	for (int c = 0; c < 256; c++) {
		char s[] = "/v1/?b", raw[] = "Host: a\r\nX: a?b\r\n", name[] = "Host: a\r\nX?Y: b\r\n";
		bool fine = c > ' ' && c < 0x7f && c != '#' && c != '%';

		s[4] = (char)c;
		wrong += (target(s, 6) == 0) != fine;
		raw[13] = (char)c;
		fine = c == '\t' || (c >= ' ' && c != 0x7f);
		wrong += (headers_n("HTTP/1.1", raw, sizeof raw - 1) == 0) != fine;
		name[10] = (char)c;
		fine = c == ':' || (c && c < 0x80 && (isalnum(c) || strchr("!#$%&'*+-.^_`|~", c)));
		wrong += (headers_n("HTTP/1.1", name, sizeof name - 1) == 0) != fine;
	}
	is_int(wrong, 0, "each of the 256 bytes in a target, a value and a name");
	is_int(target("/v1\0x", 5), -1, "a NUL in a target");
}

static void test_headers(void)
{
	static const struct {
		const char *head;
		int want;
	} cases[] = {
		{ "Host: localhost\r\n", 0 },
		{ "Host:\r\n", 0 },
		{ "Host: [::1]:80\r\nX:\r\nY:  a: b\r\n", 0 },
		{ "host: a\r\nContent-Length: 12\r\nContent-Type: application/json\r\n", 0 },
		{ "Host: a\r\nTransfer-Encoding: Chunked\r\n", 0 },
		{ "Host: a\r\nX: 1\r\nX: 2\r\n", 0 },
		{ "", -1 },
		{ "X: 1\r\n", -1 },
		{ "Host: a b\r\n", -1 },
		{ "Host: a/b\r\n", -1 },
		{ "Host: a\r\nHost: a\r\n", -1 },
		{ "Host: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n", -1 },
		{ "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", -1 },
		{ "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", -1 },
		{ "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", -1 },
		{ "Host: a\r\nTransfer-Encoding: bogus\r\n", -1 },
		{ "Host: a\r\nTransfer-Encoding:\r\n", -1 },
		{ "Host: a\r\nContent-Length:\r\n", -1 },
		{ "Host: a\r\nContent-Length: +1\r\n", -1 },
		{ "Host: a\r\nContent-Length: 1, 1\r\n", -1 },
		{ "Host: a\r\nContent-Length: 9999999999999999999\r\n", -1 },
		{ "Host: a\r\nAuthorization: x\r\nAuthorization: y\r\n", -1 },
		{ "Host: a\r\nOrigin: http://x\r\norigin: http://y\r\n", -1 },
		{ "Host: a\r\nContent-Type: x\r\nContent-Type: y\r\n", -1 },
		{ "Host: a\r\n b\r\n", -1 },
		{ "Host: a\r\nX: 1\r\n\tb: c\r\n", -1 },
		{ "Host: a\r\nX : 1\r\n", -1 },
		{ "Host: a\r\n: 1\r\n", -1 },
		{ "Host: a\r\nX\r\n", -1 },
		{ "Host: a\nX: 1\r\n", -1 },
		{ "Host: a\n", -1 },
	};

	for (size_t i = 0; i < AMK_COUNT(cases); i++) {
		struct amk_buf name AMK_AUTO(buf) = AMK_BUF_INIT(4096);

		amk_buf_adds(&name, cases[i].head);
		for (char *p = name.s; *p; p++)
			if (*p == '\r' || *p == '\n' || *p == '\t')
				*p = '|';
		is_int(headers(cases[i].head), cases[i].want, name.s);
	}
	is_int(headers_n("HTTP/1.0", "X: 1\r\n", 6), 0, "HTTP/1.0 needs no Host");
	is_int(headers_n("HTTP/1.0", "Transfer-Encoding: chunked\r\n", 28), -1, "HTTP/1.0 has no transfer coding");
}

static void test_bounds(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct amk_buf lines AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	unsigned accepted = 0;

	amk_buf_adds(&b, "Host: a\r\n");
	for (int i = 1; i < AMK_GATE_HEADERS_MAX; i++)
		amk_buf_addf(&b, "X%d: y\r\n", i);
	is_int(headers(b.s), 0, "as many headers as may be");
	amk_buf_adds(&b, "Z: y\r\n");
	is_int(headers(b.s), -1, "one more");
	split(&lines, "Host: a\r\nX: y\r\n", 15);
	for (size_t n = 0; n < lines.n; n++) {
		char *cut = amk_malloc(n); /* of its own size, so that a byte read too far is noticed */
		struct amk_buf part = { .s = cut, .n = n, .max = n };

		memcpy(cut, lines.s, n);
		accepted += check_bytes("GET", "/", 1, "HTTP/1.1", &part) == 0;
		free(cut);
	}
	is_int(accepted, 0, "a head cut anywhere is refused");
	is_int(check_bytes("GET", "/", 1, "HTTP/1.1", &lines), 0, "the whole is not");
	is_int(check_bytes("G(T", "/", 1, "HTTP/1.1", &lines), -1, "a malformed method is");
}

int main(void)
{
	test_targets();
	test_every_byte();
	test_headers();
	test_bounds();
	return tap_done();
}
