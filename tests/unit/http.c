/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server, request by request: gate, routes, bodies, replies, problems. */
#include "http_fixture.h"

static void test_plain(void)
{
	struct answer a;

	ask("GET /hello", NULL, NULL, &a);
	ok(a.status == 200 && strcmp(a.body.s, "hello") == 0 && answer_header_is(&a, "Content-Type", "text/plain"),
	   "a reply with its type");
	answer_free(&a);
	ask("HEAD /hello", NULL, NULL, &a);
	ok(a.status == 200 && answer_header_is(&a, "Content-Length", "5") && a.body.n == 0, "HEAD is GET without body");
	answer_free(&a);
	ask("GET /echo/a%20b%C3%A4?q=1+2%2F3&other", "X-Colour: green\r\n", NULL, &a);
	is_str(a.body.s,
	       "{\"param\":\"a b\xc3\xa4\",\"second\":null,\"query\":\"1 2/3\",\"other\":\"\",\"header\":\"green\","
	       "\"self\":true}",
	       "parameter, query, header, peer");
	ok(answer_header_is(&a, "Content-Type", "application/json"), "JSON says so");
	answer_free(&a);
	ask("GET /echo/1/and/2", NULL, NULL, &a);
	ok(strstr(a.body.s, "\"param\":\"1\",\"second\":\"2\",\"query\":null"), "two parameters, no query");
	answer_free(&a);
	ask("POST /empty", NULL, "", &a);
	ok(a.status == 204 && a.body.n == 0 && !answer_header(&a, "Content-Type"), "204 has neither body nor type");
	answer_free(&a);
	ask("GET /big", NULL, NULL, &a);
	ok(a.body.n == 1 << 20 && memcmp(a.body.s + a.body.n - 8, "0131071\n", 8) == 0, "a reply of 1 MiB");
	answer_free(&a);
	ask("GET /both", NULL, NULL, &a);
	is_str(a.body.s, "both", "a handler that meant to reply later may reply at once");
	answer_free(&a);
}

static void test_problems(void)
{
	struct answer a;

	ask("GET /problem", NULL, NULL, &a);
	is_int(a.status, 409, "a problem has the status of its code");
	is_str(a.body.s,
	       "{\"type\":\"urn:sandbox-agent:error:decision_answered\",\"title\":\"Decision Answered\",\"status\":409,"
	       "\"detail\":\"it said \\\"no\\\"\",\"by\":\"me\",\"n\":1,\"hint\":\"ask again\"}",
	       "its members in order");
	answer_free(&a);
	ask("GET /overflow", NULL, NULL, &a);
	ok(a.status == 500 && answer_is_problem(&a, "internal"), "a reply that did not fit is a 500");
	answer_free(&a);
}

static void test_routes(void)
{
	static const char *const missing[] = { "GET /", "GET /hello/", "GET /hell", "GET /helloo", "GET /echo",
					       "GET /echo/", "GET /echo/1/and", "GET /echo/1/2", "GET //hello" };
	struct answer a;

	for (size_t i = 0; i < AMK_COUNT(missing); i++) {
		ask(missing[i], NULL, NULL, &a);
		ok(a.status == 404 && answer_is_problem(&a, "not_found"), "not found: %s", missing[i]);
		answer_free(&a);
	}
	is_int(ask_status("GET /%68ello?x", NULL, NULL), 200, "a path is compared decoded");
	ask("DELETE /thing/1", NULL, NULL, &a);
	ok(a.status == 405 && answer_is_problem(&a, "method_not_allowed"), "wrong method");
	ok(answer_header_is(&a, "Allow", "GET, HEAD, POST"), "with what is possible");
	answer_free(&a);
	is_int(ask_status("get /hello", NULL, NULL), 405, "methods are in capitals");
	is_int(ask_status("PUT /nowhere", NULL, "x"), 404, "no route, whatever the method");
	is_int(ask_status("POST /thing/1", NULL, "x"), 204, "two rows of one path");
}

static void test_rights(void)
{
	struct answer a;

	server.deny = true;
	is_int(ask_status("GET /open", NULL, NULL), 200, "an open route is for all");
	ask("GET /hello", NULL, NULL, &a);
	ok(a.status == 403 && answer_is_problem(&a, "permission_denied"), "others are not");
	answer_free(&a);
	is_int(ask_status("GET /nowhere", NULL, NULL), 403, "and what there is, is not told");
	is_int(ask_status("POST /json", NULL, "{}"), 403, "nor what it wants");
	server.deny = false;
	is_int(ask_status("GET /hello", NULL, NULL), 200, "the next connection is asked about anew");
}

static void test_bodies(void)
{
	static char longest[BODY_MAX + 1];
	struct answer a;

	memset(longest, 'x', BODY_MAX);
	ask("POST /body", NULL, longest, &a);
	ok(a.status == 200 && a.body.n == BODY_MAX && memcmp(a.body.s, longest, BODY_MAX) == 0, "the longest body");
	answer_free(&a);
	ask("POST /body", "Expect: 100-continue\r\n", "abc", &a);
	is_int(a.status, 100, "a client that asks whether to send is told so");
	answer_free(&a);
	is_int(ask_status("POST /nowhere", "Expect: 100-continue\r\n", ""), 404, "or why not");
	is_int(ask_status("GET /hello", NULL, "a body nobody wants"), 200, "a body for GET is ignored");
}

static void test_json(void)
{
	static const char *const bad[] = { "", "{", "[1]", "\"a\"", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}",
					   "{\"a\":\"\\u0000\"}" };
	static const char json[] = "Content-Type: application/json\r\n";
	struct answer a;

	ask("POST /json", json, "{\"a\":[1,{\"b\":null}]}", &a);
	ok(a.status == 201 && strcmp(a.body.s, "[1,{\"b\":null}]") == 0, "a JSON body is read");
	answer_free(&a);
	is_int(ask_status("POST /json", "Content-Type: Application/JSON; charset=utf-8\r\n", "{}"), 201,
	       "its type may be written so");
	for (size_t i = 0; i < AMK_COUNT(bad); i++) {
		ask("POST /json", json, bad[i], &a);
		ok(a.status == 400 && answer_is_problem(&a, "invalid_request"), "refused: %s", bad[i]);
		answer_free(&a);
	}
	ask("POST /json", "Content-Type: text/plain\r\n", "{}", &a);
	ok(a.status == 415 && answer_is_problem(&a, "unsupported_media_type"), "another type is refused");
	answer_free(&a);
	is_int(ask_status("POST /json", NULL, "{}"), 415, "so is none");
	is_int(ask_status("POST /json", "Content-Type: application/jsonx\r\n", "{}"), 415, "so is one that begins alike");
}

/* Sends `request` in one piece or byte by byte, and wants a problem of that status, then the end. */
static void refused(const char *request, size_t n, bool bytes, int status, const char *name)
{
	struct client c;
	struct answer a;
	bool good;

	client_open(&c);
	for (size_t i = 0; bytes && i < n; i++)
		client_send(&c, request + i, 1);
	if (!bytes)
		client_send(&c, request, n);
	client_answer(&c, &a, false);
	good = a.status == status && answer_header_is(&a, "Connection", "close");
	good = good && answer_is_problem(&a, status == 413 ? "too_large" : "invalid_request");
	if (!ok(good && client_closed(&c), "%s%s", name, bytes ? ", byte by byte" : ""))
		printf("# status %d: %.200s\n", a.status, a.body.s);
	answer_free(&a);
	client_close(&c);
}

static void test_gate(void)
{
#define CASE(text) { text, sizeof text - 1, #text }
	static const struct {
		const char *request;
		size_t n;
		const char *name;
	} cases[] = {
		CASE("GET /hello HTTP/1.1\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\nHost: a\n\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\n\tb\r\nX: b\r\n\r\n"),
		CASE("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n 0\r\n\r\nx"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"),
		CASE("GET /hello\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /hello\0/x HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /hello\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /hello%00x HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /hello?q=%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /echo/a%2fb HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /echo/a%0ab HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /echo/% HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET /echo/%x1 HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("G\x01T /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
		CASE("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		CASE("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
		CASE("POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: bogus\r\n\r\n0\r\n\r\n"),
		CASE("POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
		CASE("GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: b\r\nAuthorization: c\r\n\r\n"),
		/* What follows a refused request is not served. */
		CASE("GET /hello%00 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
	};
	int called = server.called;

	for (size_t i = 0; i < AMK_COUNT(cases); i++) {
		refused(cases[i].request, cases[i].n, false, 400, cases[i].name);
		refused(cases[i].request, cases[i].n, true, 400, cases[i].name);
	}
	is_int(server.called, called, "no handler was called");
	is_int(ask_status("GET /hello", NULL, NULL), 200, "and the server goes on");
}

static void test_too_large(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4u << 20);

	amk_buf_addf(&b, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY_MAX + 1);
	refused(b.s, b.n, false, 413, "a body announced as too long is not waited for");
	amk_buf_clear(&b);
	amk_buf_addf(&b, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000000000000\r\n\r\n");
	refused(b.s, b.n, false, 413, "nor a very long one");
	amk_buf_clear(&b);
	amk_buf_addf(&b, "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < BODY_MAX / 1024 + 1; i++) {
		amk_buf_addf(&b, "400\r\n");
		for (int k = 0; k < 1024 / 16; k++)
			amk_buf_adds(&b, "0123456789abcdef");
		amk_buf_adds(&b, "\r\n");
	}
	refused(b.s, b.n, false, 413, "one that turns out too long is refused in its middle");
	memcpy(b.s + 6, "nada", 4);
	refused(b.s, b.n, false, 413, "also where nobody wants it");
}

/* A header of about n bytes in lines of `line` bytes. */
static void ask_longer(const char *first, unsigned n, unsigned line, struct answer *a)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 20);
	struct client c;

	amk_buf_addf(&b, "%s HTTP/1.1\r\nHost: a\r\n", first);
	for (unsigned i = 0; b.n < n - 4; i++) {
		amk_buf_addf(&b, "X%u: ", i);
		for (unsigned k = 0; k < line && b.n < n - 4; k++)
			amk_buf_addc(&b, 'x');
		amk_buf_adds(&b, "\r\n");
	}
	amk_buf_adds(&b, "\r\n");
	client_open(&c);
	client_send(&c, b.s, b.n);
	if (strncmp(first, "GET /stream", 11) == 0)
		client_head(&c, a);
	else
		client_answer(&c, a, false);
	client_close(&c);
}

static int ask_long(const char *first, unsigned n, unsigned line)
{
	struct answer a;

	ask_longer(first, n, line, &a);
	answer_free(&a);
	return a.status;
}

/* Headers of every size up to beyond the pool are answered, be it by a refusal. */
static void test_header_sizes(void)
{
	unsigned silent = 0, served = 0, mixed = 0;
	struct answer a;

	for (unsigned n = 64; n < AMK_HTTP_POOL + 512; n += n < AMK_HTTP_POOL - 2048 ? 512 : 13) {
		int status = ask_long("GET /hello", n, AMK_HTTP_POOL);

		silent += status == 0;
		mixed += status == 200 && served != 0 && served + 513 < n;
		if (status == 200)
			served = n;
	}
	is_int(silent, 0, "a header of any size is answered");
	ok((server.conf.guard || served >= AMK_HTTP_POOL - 1024) && !mixed, "served when it has up to %u bytes", served);
	for (unsigned n = 512, line = 0; n < 6000; n += 97, line = (line + 7) % 100)
		silent += ask_long("GET /stream", n, line) == 0 || ask_long("PUT /thing/1", n, line) == 0;
	is_int(silent, 0, "also one of many lines, for a stream, for a refusal");
	ask_longer("GET /hello", AMK_HTTP_POOL - 400, AMK_HTTP_POOL, &a);
	ok(a.status == 431 && answer_is_problem(&a, "header_too_large") && answer_header_is(&a, "Connection", "close"),
	   "one that leaves no room for a reply is refused as a problem");
	answer_free(&a);
}

static void test_connections(void)
{
	struct client c;
	struct answer a[5];

	client_open(&c);
	client_sends(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
			 "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
			 "\r\nPOST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "3;x=y\r\nfir\r\n3\r\nst \r\n6\r\nsecond\r\n0\r\nTrailer: x\r\n\r\n"
			 "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /echo/last HTTP/1.1\r\nHost: a\r\n\r\n");
	for (int i = 0; i < 5; i++)
		client_answer(&c, &a[i], i == 3);
	ok(a[0].status == 200 && a[1].status == 404 && a[2].status == 200 && a[3].status == 200 && a[4].status == 200,
	   "five requests in one piece are answered in order");
	is_str(a[2].body.s, "first second", "a chunked body is joined");
	ok(strstr(a[4].body.s, "last"), "a refused body is read past");
	for (int i = 0; i < 5; i++)
		answer_free(&a[i]);
	client_close(&c);
	client_open(&c);
	client_sends(&c, "GET /hello HTTP/1.0\r\n\r\n");
	client_answer(&c, &a[0], false);
	ok(a[0].status == 200 && client_closed(&c), "HTTP/1.0 is answered, then closed");
	answer_free(&a[0]);
	client_close(&c);
}

static void test_half_a_client(void)
{
	struct client c;
	struct answer a;

	client_open(&c);
	client_sends(&c, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
	client_close(&c);
	client_open(&c);
	client_sends(&c, "GET /hel");
	client_close(&c);
	client_open(&c);
	client_sends(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	shutdown(c.fd, SHUT_WR);
	client_answer(&c, &a, false);
	is_int(a.status, 200, "a client that has said all it has to say still gets its answer");
	answer_free(&a);
	client_close(&c);
}

static bool guard(void *arg, struct amk_request *rq)
{
	struct amk_err e;

	(void)arg;
	amk_request_add_header(rq, "X-Guard", amk_request_method(rq));
	amk_request_add_header(rq, "X-Open", amk_request_is_open(rq) ? "yes" : "no");
	if (strcmp(amk_request_method(rq), "OPTIONS") == 0) {
		amk_request_reply(rq, 200, NULL, "", 0);
		return false;
	}
	if (amk_request_is_open(rq) || amk_request_header(rq, "X-Key"))
		return true;
	amk_err_set(&e, AMK_EDENIED, "no key");
	amk_request_problem(rq, &e, NULL);
	return false;
}

static void test_guard(void)
{
	int called = server.called;
	struct answer a;

	ask("GET /hello", NULL, NULL, &a);
	ok(a.status == 403 && answer_is_problem(&a, "permission_denied"), "the guard refuses");
	ok(answer_header_is(&a, "X-Guard", "GET") && answer_header_is(&a, "X-Open", "no"), "its headers go with that");
	answer_free(&a);
	is_int(ask_status("GET /nowhere", NULL, NULL), 403, "before it is said that there is nothing");
	is_int(ask_status("DELETE /hello", NULL, NULL), 403, "or that this is not possible");
	is_int(ask_status("POST /json", NULL, "{}"), 403, "or what the body must be");
	ask("OPTIONS /hello", NULL, NULL, &a);
	ok(a.status == 200 && a.body.n == 0 && answer_header_is(&a, "X-Guard", "OPTIONS"), "it may answer itself");
	answer_free(&a);
	is_int(server.called, called, "no handler was called");
	ask("GET /open", NULL, NULL, &a);
	ok(a.status == 200 && answer_header_is(&a, "X-Open", "yes"), "it knows an open route");
	answer_free(&a);
	ask("GET /nowhere", "X-Key: 1\r\n", NULL, &a);
	ok(a.status == 404 && answer_header_is(&a, "X-Guard", "GET"), "its headers go with every reply");
	answer_free(&a);
	ask("POST /json", "X-Key: 1\r\nContent-Type: application/json\r\n", "{\"a\":1}", &a);
	ok(a.status == 201 && answer_header_is(&a, "X-Guard", "POST"), "also when the handler replies");
	answer_free(&a);
}

int main(void)
{
	struct amk_http_conf guarded = usual;

	server_start(&usual);
	test_plain();
	test_problems();
	test_routes();
	test_rights();
	test_bodies();
	test_json();
	test_gate();
	test_too_large();
	test_header_sizes();
	test_connections();
	test_half_a_client();
	server_stop();
	ok(fcntl(server.conf.listen_fd, F_GETFL) != -1, "the listening socket is left open");
	server_remove();
	guarded.guard = guard;
	guarded.guard_bytes = 1024;
	server_start(&guarded);
	test_guard();
	test_header_sizes();
	server_stop();
	server_remove();
	return tap_done();
}
