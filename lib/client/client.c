/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, and what is done when one gets no answer. */
#include "client/client.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "client/place.h"
#include "client/start.h"
#include "core/id.h"
#include "core/near.h"
#include "core/time.h"

#define SESSIONS "/v1/sessions/"
#define NEAR_MOST "500" /* sessions, the newest, whose names are looked at */
#define REPLY_MAX (64u << 20)
#define PATIENCE 2000000000 /* ns a signal waits for an answer */
#define AGAIN_MOST 3 /* times a call is sent again */
#define CALL_SECONDS 120L /* a daemon that lives answers sooner */
#define PAUSE_MS 100	   /* between two looks for a daemon at a URL */
#define PAUSE_MOST_MS 1000

struct amk_client_options amk_client_given;

struct amk_client {
	CURL *curl;
	struct amk_place place;
	bool met; /* it answered at least once */
	int64_t until; /* monotonic ns when hurry ends; 0: there is none */
};

const char *amk_client_url(void)
{
	const char *url = getenv("AMIKA_URL");

	if (amk_client_given.url)
		return amk_client_given.url;
	return url && url[0] ? url : NULL;
}

int amk_client_open(struct amk_client **to, struct amk_err *e)
{
	struct amk_client *c = amk_calloc(1, sizeof *c);

	if (amk_place_open(&c->place, e) < 0) {
		amk_client_free(c);
		return -1;
	}
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
	amk_place_close(&c->place);
	free(c);
}

void amk_auto_client(struct amk_client **c)
{
	amk_client_free(*c);
}

const struct amk_place *amk_client_place(const struct amk_client *c)
{
	return &c->place;
}

bool amk_client_met(const struct amk_client *c)
{
	return c->met;
}

void amk_client_meet(struct amk_client *c)
{
	c->met = true;
}

void amk_client_hurry(struct amk_client *c, int64_t ms)
{
	c->until = amk_time_monotonic() + ms * 1000000;
}

bool amk_client_may_start(void)
{
	const char *forbidden = getenv("AMIKA_NO_START");

	return !amk_client_given.no_start && !(forbidden && forbidden[0] && strcmp(forbidden, "0") != 0);
}

static size_t take(char *s, size_t size, size_t n, void *arg)
{
	struct amk_buf *b = arg;

	amk_buf_add(b, s, size * n);
	return amk_buf_ok(b) ? size * n : 0;
}

static bool signal_waits(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

/*
 * A tool may have blocked ^C to answer it in its own time. A daemon that does not answer must not make
 * it wait for that: the call ends, and the signal strikes when it is let through.
 */
static int look_for_signal(void *started, curl_off_t dn, curl_off_t d, curl_off_t un, curl_off_t u)
{
	(void)dn, (void)d, (void)un, (void)u;
	return amk_time_monotonic() - *(int64_t *)started > PATIENCE && signal_waits();
}

static struct curl_slist *headers(const struct amk_client *c, const struct amk_call *call)
{
	struct curl_slist *h = amk_place_headers(&c->place);

	if (call->body)
		h = curl_slist_append(h, "Content-Type: application/json");
	if (call->whole)
		h = curl_slist_append(h, "Prefer: return=representation");
	return h;
}

/* In ms, and never 0, which would be for ever. */
static long time_left(const struct amk_client *c)
{
	int64_t left = c->until ? (c->until - amk_time_monotonic()) / 1000000 : CALL_SECONDS * 1000;

	return left > 0 ? (long)left : 1;
}

static void set_up(struct amk_client *c, const struct amk_call *call, struct amk_buf *reply)
{
	amk_place_set_up(&c->place, c->curl, call->path);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, time_left(c));
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, reply);
	if (strcmp(call->method, "GET") == 0)
		return;
	/* On a connection that was used before, libcurl would by itself send again what got no answer. */
	curl_easy_setopt(c->curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, call->body ? call->body->s : "");
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(call->body ? call->body->n : 0));
}

static CURLcode attempt(struct amk_client *c, const struct amk_call *call, struct amk_buf *reply)
{
	struct curl_slist *h = headers(c, call);
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

static long answer_status(const struct amk_client *c)
{
	long status = 0;

	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/*
 * A daemon at a URL is nobody's to start. One that answered before may be restarting, or the way to it
 * may: it is looked for until it answers again or patience ends.
 */
static int wait_back(struct amk_client *c, struct amk_err *e)
{
	struct amk_call look = { .method = "GET", .path = "/v1/health" };
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	int64_t end = amk_time_monotonic() + AMK_PLACE_PATIENCE;
	int pause = PAUSE_MS;

	for (;;) {
		CURLcode r = attempt(c, &look, &body);

		if (r == CURLE_OK && answer_status(c) < 500)
			return 0;
		if (r == CURLE_OK)
			r = CURLE_HTTP_RETURNED_ERROR; /* what stands between has nobody behind it yet */
		if (amk_time_monotonic() >= end || signal_waits())
			return amk_place_unreachable(&c->place, r, e);
		poll(NULL, 0, pause);
		pause = 2 * pause < PAUSE_MOST_MS ? 2 * pause : PAUSE_MOST_MS;
	}
}

int amk_client_ensure(struct amk_client *c, bool start, struct amk_err *e)
{
	if (c->place.remote)
		return wait_back(c, e);
	return amk_start_daemon(c->place.dir, c->place.state, start && amk_client_may_start(), e);
}

/*
 * The daemon went away before or while it answered; one that is not there has done nothing. At a URL one
 * that never answered is waited for only when it may have done what was asked.
 */
static bool worth_another(const struct amk_client *c, CURLcode r, const struct amk_call *call)
{
	bool known = c->met || !c->place.remote, asks = strcmp(call->method, "GET") == 0;

	if (r == CURLE_COULDNT_CONNECT)
		return known;
	return (r == CURLE_RECV_ERROR || r == CURLE_SEND_ERROR || r == CURLE_GOT_NOTHING || r == CURLE_PARTIAL_FILE) &&
	       (asks ? known : call->again);
}

static bool was_asked(const struct amk_client *c)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(c->curl, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

static int transfer_failed(const struct amk_client *c, CURLcode r, const struct amk_buf *reply, struct amk_err *e)
{
	if (!amk_buf_ok(reply))
		return amk_err_set(e, AMK_ETOOBIG, "the daemon's answer is longer than %zu bytes", reply->max);
	if (r == CURLE_OPERATION_TIMEDOUT && was_asked(c))
		return amk_err_set(e, AMK_ETIMEOUT, "the daemon did not answer within %ld s", CALL_SECONDS);
	return amk_place_unreachable(&c->place, r, e);
}

static int answer_read(const struct amk_client *c, const struct amk_buf *body, struct amk_json **reply,
		       struct amk_err *e)
{
	if (!reply || body->n == 0)
		return 0;
	*reply = amk_json_parse(body->s, body->n, e);
	if (*reply)
		return 0;
	if (!c->place.remote)
		return amk_err_wrap(e, "the daemon's answer");
	return amk_err_set(e, AMK_EUNREACHABLE, "what answers at %.200s is no amikad", c->place.url.base);
}

void amk_client_near(struct amk_client *c, const char *session, struct amk_err *e)
{
	static const struct amk_call ask = { .method = "GET", .path = "/v1/sessions?limit=" NEAR_MOST };
	char *otherwise AMK_AUTO(mem) = amk_strdup(e->hint);
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	struct amk_json *reply AMK_AUTO(json) = NULL;
	struct amk_near near;

	if (attempt(c, &ask, &body) == CURLE_OK && answer_status(c) < 300)
		reply = amk_json_parse(body.s, body.n, NULL);
	amk_near_init(&near, session);
	for (const struct amk_json *s = amk_json_first(amk_json_get(reply, "sessions")); s; s = amk_json_next(s))
		if (amk_json_get_str(s, "sessionId"))
			amk_near_add(&near, amk_json_get_str(s, "sessionId"));
	amk_near_hint(&near, e, "", otherwise);
}

/* The session a path is about: its own, or one that is asked for. */
static void near_path(struct amk_client *c, const char *path, struct amk_err *e)
{
	bool own = strncmp(path, SESSIONS, strlen(SESSIONS)) == 0;
	const char *at = own ? path + strlen(SESSIONS) : strstr(path, "session=");
	char *name AMK_AUTO(mem) = NULL;

	if (!at)
		return;
	at += own ? 0 : strlen("session=");
	name = amk_strndup(at, strcspn(at, "/?&"));
	amk_client_near(c, name, e);
}

/* Asks, again if that can help; the answer is no refusal. */
static int exchange(struct amk_client *c, const struct amk_call *call, struct amk_buf *body, struct amk_err *e)
{
	CURLcode r = attempt(c, call, body);

	for (int left = c->until ? 0 : AGAIN_MOST; left > 0 && worth_another(c, r, call); left--) {
		if (call->twice && r != CURLE_COULDNT_CONNECT)
			*call->twice = true;
		if (amk_client_ensure(c, true, e) < 0)
			return -1;
		r = attempt(c, call, body);
	}
	if (r != CURLE_OK)
		return transfer_failed(c, r, body, e);
	c->met = true;
	if (answer_status(c) < 300)
		return 0;
	amk_place_refused(&c->place, answer_status(c), body->s, body->n, e);
	if (e && e->code == AMK_ENOSESSION)
		near_path(c, call->path, e);
	return -1;
}

int amk_client_call(struct amk_client *c, const struct amk_call *call, struct amk_json **reply, struct amk_err *e)
{
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);

	if (reply)
		*reply = NULL;
	return exchange(c, call, &body, e) < 0 ? -1 : answer_read(c, &body, reply, e);
}

int amk_client_text(struct amk_client *c, const char *path, struct amk_buf *body, struct amk_err *e)
{
	return exchange(c, &(struct amk_call){ .method = "GET", .path = path }, body, e);
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
