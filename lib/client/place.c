/* SPDX-License-Identifier: Apache-2.0 */
/* One way to the daemon at a time: nothing falls back from a URL to the socket, or the other way round. */
#include "client/place.h"

#include <stdio.h>

#include "client/bearer.h"
#include "client/client.h"
#include "client/listener.h"
#include "client/problem.h"

#define CONNECT_SECONDS 15L
#define ALIVE_SECONDS 30L /* a connection on which nothing comes is asked whether it still stands */

static int open_state(struct amk_place *p, struct amk_err *e)
{
	if (amk_client_given.token_file) {
		amk_err_set(e, AMK_EUSAGE, "--token-file is for a daemon at a URL");
		return amk_err_hint(e, "name it with --url or AMIKA_URL");
	}
	if (amk_path_state(p->state, e) < 0 || amk_path_state_open(p->state, &p->dir, e) < 0)
		return -1;
	amk_path_socket(&p->at, p->dir, "socket");
	return 0;
}

static int open_url(struct amk_place *p, const char *url, struct amk_err *e)
{
	bool own;

	p->remote = true;
	if (amk_url_parse(&p->url, url, e) < 0)
		return -1;
	own = p->url.loopback && amk_listener_is_ours(p->url.port);
	if (amk_bearer_find(&p->token, amk_client_given.token_file, own, e) < 0)
		return -1;
	if (p->token && !p->url.tls && !p->url.loopback)
		fprintf(stderr, "warning: the token goes to %s in the clear: use https, or a tunnel\n", p->url.host);
	return 0;
}

int amk_place_open(struct amk_place *p, struct amk_err *e)
{
	const char *url = amk_client_url();

	p->dir = -1;
	if ((url ? open_url(p, url, e) : open_state(p, e)) < 0)
		return -1;
	curl_global_init(p->url.tls ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING);
	return 0;
}

void amk_place_close(struct amk_place *p)
{
	amk_bearer_free(p->token);
	amk_auto_fd(&p->dir);
}

/* A proxy of the environment must not see what stays on this machine. */
void amk_place_set_up(const struct amk_place *p, CURL *curl, const char *path)
{
	char *url AMK_AUTO(mem) = amk_strf("%s%s", p->remote ? p->url.base : "http://localhost", path);

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (!p->remote || p->url.loopback)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (!p->remote) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, p->at.sun_path);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, ALIVE_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, ALIVE_SECONDS / 2);
}

/* An empty value takes a header away: no waiting for "100 Continue". */
struct curl_slist *amk_place_headers(const struct amk_place *p)
{
	struct curl_slist *h = curl_slist_append(NULL, "Expect:");
	char *bearer;

	if (!p->token)
		return h;
	bearer = amk_strf("Authorization: Bearer %s", p->token);
	h = curl_slist_append(h, bearer);
	amk_bearer_free(bearer);
	return h;
}

static int token_refused(const struct amk_place *p, struct amk_err *e)
{
	if (!p->token) {
		amk_err_set(e, AMK_EDENIED, "the daemon at %.200s wants a token", p->url.base);
		return amk_err_hint(e, "set AMIKA_TOKEN, or give --token-file FILE");
	}
	amk_err_set(e, AMK_EDENIED, "the token was not accepted by the daemon at %.200s", p->url.base);
	return amk_err_hint(e, "it is in the file token of that daemon's state folder, or what it was started with");
}

int amk_place_refused(const struct amk_place *p, long status, const char *body, size_t n, struct amk_err *e)
{
	if (p->remote && status == 401)
		return token_refused(p, e);
	if (p->remote && status < 400) {
		amk_err_set(e, AMK_EUNREACHABLE, "%.200s sends elsewhere, which is not followed", p->url.base);
		return amk_err_hint(e, "name the daemon's own URL");
	}
	return amk_problem_read(status, body, n, e);
}

int amk_place_unreachable(const struct amk_place *p, CURLcode why, struct amk_err *e)
{
	if (p->remote) {
		amk_err_set(e, AMK_EUNREACHABLE, "no daemon answers at %.200s: %s", p->url.base, curl_easy_strerror(why));
		return amk_err_hint(e, "is it started there, with --listen?");
	}
	amk_err_set(e, AMK_EUNREACHABLE, "the connection to the daemon broke: %s", curl_easy_strerror(why));
	return amk_err_hint(e, "see: amikad status");
}
