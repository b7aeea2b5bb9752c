/* SPDX-License-Identifier: Apache-2.0 */
/* The network door, opened from what was asked for or taken over from the daemon that was here before. */
#include "daemon/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/json.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/say.h"

#define BACKLOG 1024
#define LEFT_MAX (64u << 10)
#define HOST_MAX (INET6_ADDRSTRLEN + 2)

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static bool port_read(const char *text, in_port_t *port)
{
	char *end;
	long n = strtol(text, &end, 10);

	*port = htons((in_port_t)n);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= 65535;
}

static bool host_read(union address *to, char *host, in_port_t port)
{
	size_t n = strlen(host);

	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		to->in6.sin6_family = AF_INET6;
		to->in6.sin6_port = port;
		return inet_pton(AF_INET6, host + 1, &to->in6.sin6_addr) == 1;
	}
	to->in.sin_family = AF_INET;
	to->in.sin_port = port;
	return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &to->in.sin_addr) == 1;
}

/* Names are not looked up: a name may have several addresses, and not all may be meant. */
static int address_read(union address *to, const char *text, struct amk_err *e)
{
	const char *colon = strrchr(text, ':');
	char *host AMK_AUTO(mem) = amk_strndup(text, colon ? (size_t)(colon - text) : 0);
	in_port_t port;

	*to = (union address){ 0 };
	if (colon && port_read(colon + 1, &port) && host_read(to, host, port))
		return 0;
	amk_err_set(e, AMK_EUSAGE, "\"%.100s\" is no address to listen on", text);
	return amk_err_hint(e, "like 127.0.0.1:60999, [::1]:60999 or localhost:60999; port 0 takes a free one");
}

static void host_say(char to[HOST_MAX], const union address *a)
{
	char text[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_INET)
		snprintf(to, HOST_MAX, "%s", inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof text));
	else
		snprintf(to, HOST_MAX, "[%s]", inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text));
}

static bool is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static int reach_check(const union address *a, const struct amk_door_conf *conf, struct amk_err *e)
{
	if (conf->far || is_loopback(a))
		return 0;
	amk_err_set(e, AMK_EUSAGE, "%.60s can be reached from beyond this machine, where the token travels in clear",
		    conf->listen);
	return amk_err_hint(e, "listen on 127.0.0.1, or say --insecure-listen");
}

static int listen_failed(const char *text, struct amk_err *e)
{
	if (errno != EADDRINUSE)
		return amk_err_sys(e, "listening on %.100s", text);
	amk_err_set(e, AMK_ECONFLICT, "%.100s is in use by another program", text);
	return amk_err_hint(e, "choose another port; 0 takes a free one");
}

/* Also says where: the port may have been chosen just now. */
static int listen_on(struct amk_door *d, union address *a, const char *text, struct amk_err *e)
{
	socklen_t n = a->any.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
	char host[HOST_MAX];
	int on = 1;

	d->listen_fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Connections of a daemon that has just ended do not keep the port from the next one. */
	if (d->listen_fd < 0 || setsockopt(d->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(d->listen_fd, &a->any, n) < 0 || listen(d->listen_fd, BACKLOG) < 0 ||
	    getsockname(d->listen_fd, &a->any, &n) < 0)
		return listen_failed(text, e);
	host_say(host, a);
	snprintf(d->url, sizeof d->url, "http://%s:%d", host,
		 ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port));
	d->cors.known_origins = is_loopback(a);
	d->cors.known_hosts = is_loopback(a) || d->cors.hosts.n > 0;
	amk_strv_add(&d->cors.hosts, host);
	return 0;
}

static int token_open(struct amk_door *d, const struct amk_door_conf *conf, const char *state, struct amk_err *e)
{
	char *usual AMK_AUTO(mem) = amk_strf("%s/token", state);
	const char *path = conf->token_file ? conf->token_file : usual;
	char whole[PATH_MAX];

	if (conf->token && conf->token_file)
		return amk_err_set(e, AMK_EUSAGE, "--token and --token-file: only one of them can be meant");
	if (conf->token) {
		int r = amk_token_set(&d->token, conf->token, e);

		explicit_bzero(conf->token, strlen(conf->token));
		return r;
	}
	if (amk_token_load(&d->token, path, e) < 0)
		return -1;
	d->token_file = amk_strdup(realpath(path, whole) ? whole : path);
	return 0;
}

static int open_anew(struct amk_door *d, const struct amk_door_conf *conf, const char *state, struct amk_err *e)
{
	union address a;

	d->owner = conf->owner;
	if (address_read(&a, conf->listen, e) < 0 || reach_check(&a, conf, e) < 0 || amk_cors_check(&d->cors, e) < 0)
		return -1;
	return token_open(d, conf, state, e) < 0 ? -1 : listen_on(d, &a, conf->listen, e);
}

static void list_write(struct amk_buf *b, const char *key, const struct amk_strv *list)
{
	amk_jw_open(b, key, '[');
	for (size_t i = 0; i < list->n; i++)
		amk_jw_cstr(b, NULL, list->v[i]);
	amk_jw_close(b, ']');
}

static void list_read(struct amk_strv *to, const struct amk_json *j, const char *key)
{
	for (const struct amk_json *v = amk_json_first(amk_json_get(j, key)); v; v = amk_json_next(v))
		if (amk_json_str(v))
			amk_strv_add(to, amk_json_str(v));
}

static void left_write(struct amk_buf *b, const struct amk_door *d, int listen_fd)
{
	char digest[2 * AMK_SHA256_SIZE + 1];

	for (int i = 0; i < AMK_SHA256_SIZE; i++)
		snprintf(digest + 2 * i, 3, "%02x", d->token.digest[i]);
	amk_jw_open(b, NULL, '{');
	amk_jw_int(b, "listen_fd", listen_fd);
	amk_jw_cstr(b, "url", d->url);
	amk_jw_cstr(b, "token_file", d->token_file);
	amk_jw_cstr(b, "digest", digest);
	amk_jw_bool(b, "owner", d->owner);
	amk_jw_bool(b, "known_hosts", d->cors.known_hosts);
	amk_jw_bool(b, "known_origins", d->cors.known_origins);
	amk_jw_bool(b, "credentials", d->cors.credentials);
	list_write(b, "hosts", &d->cors.hosts);
	list_write(b, "origins", &d->cors.origins);
	list_write(b, "methods", &d->cors.methods);
	list_write(b, "headers", &d->cors.headers);
	amk_jw_close(b, '}');
}

static bool digest_read(struct amk_token *t, const char *text)
{
	unsigned byte;

	if (!text || strlen(text) != 2 * AMK_SHA256_SIZE)
		return false;
	for (int i = 0; i < AMK_SHA256_SIZE; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		t->digest[i] = (uint8_t)byte;
	}
	return true;
}

static bool left_read(struct amk_door *d, const struct amk_json *j)
{
	const char *url = amk_json_get_str(j, "url"), *file = amk_json_get_str(j, "token_file");

	d->listen_fd = (int)amk_json_get_int(j, "listen_fd", -1);
	d->token_file = file ? amk_strdup(file) : NULL;
	d->owner = amk_json_true(amk_json_get(j, "owner"));
	d->cors.known_hosts = amk_json_true(amk_json_get(j, "known_hosts"));
	d->cors.known_origins = amk_json_true(amk_json_get(j, "known_origins"));
	d->cors.credentials = amk_json_true(amk_json_get(j, "credentials"));
	list_read(&d->cors.hosts, j, "hosts");
	list_read(&d->cors.origins, j, "origins");
	list_read(&d->cors.methods, j, "methods");
	list_read(&d->cors.headers, j, "headers");
	if (url)
		snprintf(d->url, sizeof d->url, "%s", url);
	return url && digest_read(&d->token, amk_json_get_str(j, "digest")) &&
	       fcntl(d->listen_fd, F_SETFD, FD_CLOEXEC) == 0;
}

static int take_over(struct amk_door *d, int fd, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(LEFT_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	int left AMK_AUTO(fd) = fd;
	struct amk_err why;

	if (lseek(left, 0, SEEK_SET) < 0 || amk_lines_all(left, &text, e) < 0)
		return amk_err_set(e, AMK_EUSAGE, "--door-fd: descriptor %d is not what a restart leaves", fd);
	j = amk_json_parse(text.s, text.n, NULL);
	if (!left_read(d, j))
		return amk_err_set(e, AMK_EUSAGE, "--door-fd: descriptor %d does not hold what a restart leaves", fd);
	/* The file may hold a new token by now; if it has become unusable the old one still counts. */
	if (d->token_file && amk_token_load(&d->token, d->token_file, &why) < 0)
		amk_say(AMK_SAY_WARN, "door", "%s: the token stays as it was", why.msg);
	return 0;
}

struct amk_door *amk_door_open(struct amk_door_conf *conf, const char *state, struct amk_err *e)
{
	struct amk_door *d = amk_calloc(1, sizeof *d);
	int r;

	d->listen_fd = -1;
	if (conf->inherited < 0) {
		d->cors = conf->cors;
		conf->cors = (struct amk_cors){ 0 };
		r = open_anew(d, conf, state, e);
	} else {
		r = take_over(d, conf->inherited, e);
	}
	if (r == 0)
		return d;
	amk_door_close(d);
	return NULL;
}

void amk_door_close(struct amk_door *d)
{
	if (!d)
		return;
	if (d->listen_fd >= 0)
		close(d->listen_fd);
	amk_cors_release(&d->cors);
	free(d->token_file);
	free(d);
}

int amk_door_leave(const struct amk_door *d, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(LEFT_MAX);
	int fd AMK_AUTO(fd) = memfd_create("amikad-door", MFD_ALLOW_SEALING);
	int listen_fd AMK_AUTO(fd) = dup(d->listen_fd);

	left_write(&text, d, listen_fd);
	if (fd < 0 || listen_fd < 0 || amk_write_all(fd, text.s, text.n) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return amk_err_sys(e, "handing on the network door");
	amk_take_fd(&listen_fd);
	return amk_take_fd(&fd);
}

bool amk_door_judge(const struct amk_door *d, struct amk_request *rq)
{
	struct amk_err e;

	if (!amk_cors_judge(&d->cors, rq))
		return false;
	if (amk_request_is_open(rq) || amk_token_allows(&d->token, amk_request_header(rq, "Authorization")))
		return true;
	amk_request_add_header(rq, "WWW-Authenticate", "Bearer");
	amk_err_set(&e, AMK_ETOKEN, "token invalid");
	amk_request_problem(rq, &e, "\"details\":{\"message\":\"missing or invalid token\"}");
	return false;
}
