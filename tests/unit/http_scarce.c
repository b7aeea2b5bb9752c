/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server when descriptors run out: nobody spins, streams go on, clients that waited are served. */
#include "http_fixture.h"

#include <sys/resource.h>

#define HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

static int hoard[4096];
static int hoarded;

/* Takes all descriptors there are, those too that the server is about to close: until for 200 ms none came. */
static void take_all(void)
{
	int fd;

	for (int quiet = 0; quiet < 10; quiet++) {
		while (hoarded < 4096 && (fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0) {
			hoard[hoarded++] = fd;
			quiet = 0;
		}
		poll(NULL, 0, 20);
	}
}

static void give_back(void)
{
	while (hoarded > 0)
		close(hoard[--hoarded]);
}

/* A client whose socket was made while that was possible. */
static void client_connect(struct client *c)
{
	struct sockaddr_storage to;
	socklen_t n = sizeof to;

	if (getsockname(server.conf.listen_fd, (struct sockaddr *)&to, &n) < 0 ||
	    connect(c->fd, (struct sockaddr *)&to, n) < 0)
		abort();
	client_sends(c, HELLO);
}

static void client_socket(struct client *c)
{
	struct timeval patience = { .tv_sec = 20 };

	*c = (struct client){ .fd = socket(over_tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	amk_buf_init(&c->in, 1u << 20);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static int64_t cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* For a second there is no answer, and nothing is done about it but looking now and then. */
static void waits(struct client *c, const char *name)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int64_t before = cpu_ms(), used;
	int r = poll(&p, 1, 1000);

	used = cpu_ms() - before;
	ok(r == 0 && used < 300, "%s (%d ms of CPU in a second)", name, (int)used);
}

static void answered(struct client *c, const char *name)
{
	struct answer a;

	client_answer(c, &a, false);
	is_int(a.status, 200, name);
	answer_free(&a);
}

static void test_alone(void)
{
	struct client c;

	is_int(ask_status("GET /hello", NULL, NULL), 200, "the server is up");
	client_socket(&c);
	take_all();
	client_connect(&c);
	waits(&c, "the first client waits when there is no descriptor for it");
	give_back();
	answered(&c, "and is served when there is one");
	client_close(&c);
}

static void test_others(void)
{
	struct amk_buf got AMK_AUTO(buf) = AMK_BUF_INIT(65536);
	struct client stream, kept, c[3];
	struct answer a;

	is_int(ask_status("GET /hello", NULL, NULL), 200, "the server is up");
	client_open(&stream);
	client_sends(&stream, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	client_head(&stream, &a);
	answer_free(&a);
	client_open(&kept);
	client_sends(&kept, HELLO);
	answered(&kept, "one connection is kept, one is a stream");
	for (int i = 0; i < 3; i++)
		client_socket(&c[i]);
	take_all();
	for (int i = 0; i < 3; i++)
		client_connect(&c[i]);
	waits(&c[0], "more clients wait");
	client_sends(&kept, "POST /feed HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
	client_answer(&kept, &a, false);
	ok(a.status == 204 && client_chunk(&stream, &got) && strstr(got.s, "data: hi"), "those who are there are served");
	answer_free(&a);
	give_back();
	for (int i = 0; i < 3; i++)
		answered(&c[i], "when descriptors come back, they are served, though nobody has left");
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	client_close(&kept);
	client_close(&stream);
}

int main(void)
{
	struct amk_http_conf conf = usual;
	struct rlimit rl;

	conf.idle_ms = 120000; /* that a connection is closed for idling is not to help */
	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 1;
	rl.rlim_cur = 256;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 1;
	for (int i = 0; i < 2; i++) {
		over_tcp = i == 1;
		/* A server for each: what a server before held has been closed. */
		server_start(&conf);
		test_alone();
		server_stop();
		server_remove();
		server_start(&conf);
		test_others();
		server_stop();
		server_remove();
	}
	return tap_done();
}
