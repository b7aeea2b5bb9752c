/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over the state folder's socket. */
#include "client/client.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <curl/curl.h>

#include "client/problem.h"
#include "client/start.h"
#include "core/id.h"
#include "core/path.h"
#include "core/time.h"

#define REPLY_MAX (64u << 20)
#define PATIENCE 2000000000 /* ns a signal waits for an answer */
#define CALL_SECONDS 120L /* a daemon on the same machine answers sooner or never */

bool amk_client_no_start;

struct amk_client {
	CURL *curl;
	int dir;
	struct sockaddr_un at;
	char state[AMK_PATH_MAX];
};

int amk_client_open(struct amk_client **to, struct amk_err *e)
{
	struct amk_client *c = amk_calloc(1, sizeof *c);

	c->dir = -1;
	if (amk_path_state(c->state, e) < 0 || amk_path_state_open(c->state, &c->dir, e) < 0) {
		amk_client_free(c);
		return -1;
	}
	amk_path_socket(&c->at, c->dir, "socket");
	curl_global_init(CURL_GLOBAL_NOTHING);
	c->curl = curl_easy_init();
	if (!c->curl)
		AMK_BUG("no memory for a connection");
	*to = c;
	return 0;
}

void amk_client_free(struct amk_client *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	amk_auto_fd(&c->dir);
	free(c);
}

void amk_auto_client(struct amk_client **c)
{
	amk_client_free(*c);
}

const char *amk_client_state(const struct amk_client *c)
{
	return c->state;
}

const char *amk_client_socket(const struct amk_client *c)
{
	return c->at.sun_path;
}

bool amk_client_may_start(void)
{
	const char *forbidden = getenv("AMIKA_NO_START");

	return !amk_client_no_start && !(forbidden && forbidden[0] && strcmp(forbidden, "0") != 0);
}

int amk_client_ensure(struct amk_client *c, bool start, struct amk_err *e)
{
	return amk_start_daemon(c->dir, c->state, start && amk_client_may_start(), e);
}

static size_t take(char *s, size_t size, size_t n, void *arg)
{
	struct amk_buf *b = arg;

	amk_buf_add(b, s, size * n);
	return amk_buf_ok(b) ? size * n : 0;
}

/*
 * A tool may have blocked ^C to answer it in its own time. A daemon that does not answer must not make
 * it wait for that: the call ends, and the signal strikes when it is let through.
 */
static int look_for_signal(void *started, curl_off_t dn, curl_off_t d, curl_off_t un, curl_off_t u)
{
	sigset_t pending;

	(void)dn, (void)d, (void)un, (void)u;
	return amk_time_monotonic() - *(int64_t *)started > PATIENCE && sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

/* Empty values take a header away: no waiting for "100 Continue". */
static struct curl_slist *headers(const struct amk_call *call)
{
	struct curl_slist *h = curl_slist_append(NULL, "Expect:");

	if (call->body)
		h = curl_slist_append(h, "Content-Type: application/json");
	if (call->whole)
		h = curl_slist_append(h, "Prefer: return=representation");
	return h;
}

/* A proxy of the environment must not see what is meant for the socket. */
static void set_up(struct amk_client *c, const struct amk_call *call, struct amk_buf *reply)
{
	char url[8192];

	snprintf(url, sizeof url, "http://localhost%s", call->path);
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->at.sun_path);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, CALL_SECONDS);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, reply);
	if (strcmp(call->method, "GET") == 0)
		return;
	curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, call->body ? call->body->s : "");
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(call->body ? call->body->n : 0));
}

static CURLcode attempt(struct amk_client *c, const struct amk_call *call, struct amk_buf *reply)
{
	struct curl_slist *h = headers(call);
	int64_t started = amk_time_monotonic();
	CURLcode r;

	amk_buf_clear(reply);
	set_up(c, call, reply);
	curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, look_for_signal);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, &started);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, h);
	r = curl_easy_perform(c->curl);
	curl_slist_free_all(h);
	return r;
}

/* The daemon went away before or while it answered; one that is not there has done nothing. */
static bool worth_another(CURLcode r, const struct amk_call *call)
{
	if (r == CURLE_COULDNT_CONNECT)
		return true;
	return (r == CURLE_RECV_ERROR || r == CURLE_SEND_ERROR || r == CURLE_GOT_NOTHING || r == CURLE_PARTIAL_FILE) &&
	       (call->again || strcmp(call->method, "GET") == 0);
}

static int transfer_failed(CURLcode r, const struct amk_buf *reply, struct amk_err *e)
{
	if (!amk_buf_ok(reply))
		return amk_err_set(e, AMK_ETOOBIG, "the daemon's answer is longer than %zu bytes", reply->max);
	if (r == CURLE_OPERATION_TIMEDOUT)
		return amk_err_set(e, AMK_ETIMEOUT, "the daemon did not answer within %ld s", CALL_SECONDS);
	amk_err_set(e, AMK_EUNREACHABLE, "the connection to the daemon broke: %s", curl_easy_strerror(r));
	return amk_err_hint(e, "see: amikad status");
}

static int answer_read(const struct amk_buf *body, struct amk_json **reply, struct amk_err *e)
{
	if (!reply || body->n == 0)
		return 0;
	*reply = amk_json_parse(body->s, body->n, e);
	return *reply ? 0 : amk_err_wrap(e, "the daemon's answer");
}

int amk_client_call(struct amk_client *c, const struct amk_call *call, struct amk_json **reply, struct amk_err *e)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	long status = 0;
	CURLcode r;

	if (reply)
		*reply = NULL;
	r = attempt(c, call, &body);
	if (worth_another(r, call)) {
		if (amk_client_ensure(c, true, e) < 0)
			return -1;
		r = attempt(c, call, &body);
	}
	if (r != CURLE_OK)
		return transfer_failed(r, &body, e);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 400)
		return amk_problem_read(status, body.s, body.n, e);
	return answer_read(&body, reply, e);
}

int amk_client_get(struct amk_client *c, struct amk_json **reply, struct amk_err *e, const char *fmt, ...)
{
	char path[8000];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof path)
		return amk_err_set(e, AMK_EINVALID, "the request is too long");
	return amk_client_call(c, &(struct amk_call){ .method = "GET", .path = path }, reply, e);
}

int amk_client_id(const char *what, const char *id, struct amk_err *e)
{
	if (amk_id_valid(id))
		return 0;
	amk_err_set(e, AMK_EINVALID, "\"%.140s\" cannot be the name of a %s", id, what);
	return amk_err_hint(e, "1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot");
}

void amk_client_escape(struct amk_buf *b, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:";

	for (; *s; s++) {
		if (strchr(plain, *s))
			amk_buf_addc(b, *s);
		else
			amk_buf_addf(b, "%%%02X", (unsigned char)*s);
	}
}
