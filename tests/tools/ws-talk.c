/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws-talk PATH [TEXT [N]]: a WebSocket of the daemon in $AMIKA_STATE_DIRECTORY. Lines on stdin are sent as
 * messages, messages are printed as lines, the end as {"type":"closed","code":N,"reason":"…"}. After the N-th
 * line that holds TEXT it closes. Orders among the lines: "!binary", "!size N", "!close".
 * Status 4 when it was not let in; the refusal's body is printed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/jw.h"

enum opcode { TEXT = 1, BINARY, CLOSE = 8, PING, PONG };

static struct amk_buf in = AMK_BUF_INIT(256u << 20), typed = AMK_BUF_INIT(64u << 20);
static int sock;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void frame_send(enum opcode opcode, const char *s, size_t n)
{
	static const unsigned char key[4] = { 1, 2, 3, 4 };
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);
	unsigned bytes = n <= 125 ? 0 : n <= 0xffff ? 2 : 8;

	amk_buf_addc(&b, (char)(0x80 | opcode));
	amk_buf_addc(&b, (char)(0x80 | (bytes == 0 ? n : bytes == 2 ? 126 : 127)));
	while (bytes--)
		amk_buf_addc(&b, (char)(n >> 8 * bytes));
	amk_buf_add(&b, (const char *)key, 4);
	for (size_t i = 0; i < n; i++)
		amk_buf_addc(&b, (char)(s[i] ^ key[i % 4]));
	for (size_t at = 0; at < b.n;) {
		ssize_t m = send(sock, b.s + at, b.n - at, MSG_NOSIGNAL);

		if (m < 0)
			return; /* closed meanwhile: what was said before tells why */
		at += (size_t)m;
	}
}

static void close_send(unsigned code)
{
	char body[2] = { (char)(code >> 8), (char)code };

	frame_send(CLOSE, body, code ? 2 : 0);
}

static void socket_open(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "socket" };
	const char *state = getenv("AMIKA_STATE_DIRECTORY");

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!state || chdir(state) < 0 || connect(sock, (struct sockaddr *)&to, sizeof to) < 0)
		fail("no daemon");
}

static bool read_more(struct amk_buf *b, int fd)
{
	char *to = amk_buf_room(b, 65536);
	ssize_t n = to ? read(fd, to, 65536) : -1;

	if (n <= 0)
		return false;
	b->n += (size_t)n;
	b->s[b->n] = '\0';
	return true;
}

static void handshake(const char *path)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	bool refused;
	char *end;

	amk_buf_addf(&b, "GET %s HTTP/1.1\r\nHost: amika\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", path);
	if (send(sock, b.s, b.n, MSG_NOSIGNAL) < 0)
		fail("handshake");
	while (!(end = strstr(in.s, "\r\n\r\n")))
		if (!read_more(&in, sock))
			fail("handshake");
	refused = strncmp(in.s, "HTTP/1.1 101 ", 13) != 0;
	amk_buf_drop(&in, (size_t)(end + 4 - in.s));
	if (!refused)
		return;
	while (!memchr(in.s, '}', in.n) && read_more(&in, sock))
		;
	printf("%s\n", in.s);
	exit(4);
}

static void said_end(unsigned code, const char *reason, size_t n)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);

	amk_jw_open(&b, NULL, '{');
	amk_jw_cstr(&b, "type", "closed");
	amk_jw_int(&b, "code", code);
	amk_jw_str(&b, "reason", reason, n);
	amk_jw_close(&b, '}');
	printf("%s\n", b.s);
	exit(0);
}

/* True when it is what was waited for. */
static bool message_print(const char *s, size_t n, const char *text)
{
	fwrite(s, 1, n, stdout);
	putchar('\n');
	fflush(stdout);
	return text && memmem(s, n, text, strlen(text));
}

static bool frame_take(unsigned opcode, const char *s, size_t n, const char *text)
{
	const unsigned char *code = (const unsigned char *)s;

	if (opcode == PING)
		frame_send(PONG, s, n);
	if (opcode == CLOSE) {
		close_send(n < 2 ? 0 : (unsigned)code[0] << 8 | code[1]);
		said_end(n < 2 ? 1005 : (unsigned)code[0] << 8 | code[1], s + 2, n < 2 ? 0 : n - 2);
	}
	return opcode == TEXT && message_print(s, n, text);
}

/* The frames that are there; returns how many lines held the text. */
static int frames_take(const char *text)
{
	size_t at = 0;
	int hits = 0;

	while (in.n - at >= 2) {
		const unsigned char *s = (const unsigned char *)in.s + at;
		size_t bytes = s[1] < 126 ? 0 : s[1] == 126 ? 2 : 8, n = bytes ? 0 : s[1];

		if (in.n - at < 2 + bytes)
			break;
		for (size_t i = 0; i < bytes; i++)
			n = n << 8 | s[2 + i];
		if (in.n - at - 2 - bytes < n)
			break;
		hits += frame_take(s[0] & 15, in.s + at + 2 + bytes, n, text);
		at += 2 + bytes + n;
	}
	amk_buf_drop(&in, at);
	return hits;
}

static void line_send(const char *s, size_t n)
{
	struct amk_buf big AMK_AUTO(buf) = AMK_BUF_INIT(64u << 20);

	if (strcmp(s, "!close") == 0)
		close_send(1000);
	else if (strcmp(s, "!binary") == 0)
		frame_send(BINARY, "{}", 2);
	else if (strncmp(s, "!size ", 6) == 0) {
		for (n = strtoul(s + 6, NULL, 10); big.n < n;)
			amk_buf_addc(&big, 'x');
		frame_send(TEXT, big.s, big.n);
	} else {
		frame_send(TEXT, s, n);
	}
}

static void lines_send(void)
{
	char *end;

	while ((end = memchr(typed.s, '\n', typed.n))) {
		*end = '\0';
		line_send(typed.s, (size_t)(end - typed.s));
		amk_buf_drop(&typed, (size_t)(end + 1 - typed.s));
	}
}

int main(int argc, char **argv)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	const char *text = argc > 2 ? argv[2] : NULL;
	long wanted = argc > 3 ? strtol(argv[3], NULL, 10) : 1;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: ws-talk PATH [TEXT [N]]\n");
		return 2;
	}
	socket_open();
	handshake(argv[1]);
	p[0].fd = sock;
	for (;;) {
		int hits = frames_take(text);

		if (hits && wanted > 0 && (wanted -= hits) <= 0)
			close_send(1000);
		if (poll(p, 2, -1) < 0)
			fail("poll");
		if (p[0].revents && !read_more(&in, sock))
			said_end(1006, "", 0);
		if (p[1].revents && !read_more(&typed, STDIN_FILENO))
			p[1].fd = -1;
		lines_send();
	}
}
