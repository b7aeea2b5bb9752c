/* SPDX-License-Identifier: Apache-2.0 */
/* Two readings of one request are an attack: whatever could be read in two ways is refused here. */
#include "http/gate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"

struct header {
	const char *name, *value; /* NUL-terminated where the parser split */
};

struct head {
	struct header at[AMK_GATE_HEADERS_MAX];
	unsigned n;
};

static int refuse(struct amk_err *e, const char *why)
{
	return amk_err_set(e, AMK_EINVALID, "the request is not usable: %s", why);
}

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/* isalnum without a locale's opinion */
static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(const char *s)
{
	const char *p = s;

	while (*p && (is_plain(*p) || strchr("!#$%&'*+-.^_`|~", *p)))
		p++;
	return p > s && *p == '\0';
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
					      : c >= 'A' && c <= 'F' ? c - 'A' + 10
								     : -1;
}

/* The byte behind "%", -1 when the two digits are not there. */
static int escaped_byte(const char *s, const char *end)
{
	if (end - s < 2 || hex(s[0]) < 0 || hex(s[1]) < 0)
		return -1;
	return hex(s[0]) * 16 + hex(s[1]);
}

static int target_check(const char *s, size_t n, struct amk_err *e)
{
	const char *end = s + n;
	bool path = true;

	if (n > AMK_GATE_TARGET_MAX)
		return refuse(e, "its target is too long");
	if (n == 0 || *s != '/')
		return refuse(e, "its target does not begin with /");
	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;
		int byte;

		if (c <= ' ' || c >= 0x7f || c == '#')
			return refuse(e, "its target holds a byte that must be escaped");
		if (c == '?')
			path = false;
		if (c != '%')
			continue;
		byte = escaped_byte(s + 1, end);
		if (byte < 0)
			return refuse(e, "its target holds a malformed escape");
		if (is_control((unsigned char)byte))
			return refuse(e, "its target holds an escaped control character");
		if (path && byte == '/')
			return refuse(e, "its path holds an escaped slash");
	}
	return 0;
}

/* One header line at *at; moves behind its CR LF. */
static int line_split(const char **at, const char *end, struct header *to, struct amk_err *e)
{
	const char *stop;

	to->name = *at;
	if (*to->name == ' ' || *to->name == '\t')
		return refuse(e, "a header line is folded");
	stop = memchr(*at, '\0', (size_t)(end - *at));
	if (!stop || !is_token(to->name))
		return refuse(e, "a header name is malformed, or a header line folded");
	to->value = stop + 1;
	stop = memchr(to->value, '\0', (size_t)(end - to->value));
	if (!stop || end - stop < 2 || stop[1] != '\0')
		return refuse(e, "a header line does not end with CR LF");
	while (*to->value == ' ' || *to->value == '\t')
		to->value++;
	for (const char *p = to->value; *p; p++)
		if (*p != '\t' && is_control((unsigned char)*p))
			return refuse(e, "a header value holds a control character");
	*at = stop + 2;
	return 0;
}

static int lines_split(const struct amk_gate *g, struct head *head, struct amk_err *e)
{
	const char *at = g->lines, *end = g->lines + g->lines_n;

	if (end - at < 2 || at[0] || at[1])
		return refuse(e, "its first line does not end with CR LF");
	at += 2;
	head->n = 0;
	while (end - at != 2 || at[0] || at[1]) {
		if (at >= end)
			return refuse(e, "its header does not end");
		if (head->n == AMK_GATE_HEADERS_MAX)
			return refuse(e, "it has too many headers");
		if (line_split(&at, end, &head->at[head->n++], e) < 0)
			return -1;
	}
	return 0;
}

/* The value of a header that may be there once; NULL when it is not. */
static int only_value(const struct head *head, const char *name, const char **value, struct amk_err *e)
{
	*value = NULL;
	for (unsigned i = 0; i < head->n; i++) {
		if (strcasecmp(head->at[i].name, name) != 0)
			continue;
		if (*value)
			return amk_err_set(e, AMK_EINVALID, "the request is not usable: it has two %s headers",
					   name);
		*value = head->at[i].value;
	}
	return 0;
}

static int host_check(const struct head *head, bool required, struct amk_err *e)
{
	const char *host;

	if (only_value(head, "Host", &host, e) < 0)
		return -1;
	if (!host)
		return required ? refuse(e, "it has no Host header") : 0;
	for (; *host; host++)
		if (!is_plain(*host) && !strchr("-._~!$&'()*+,;=%:[]", *host))
			return refuse(e, "its Host header is malformed");
	return 0;
}

static int length_check(const struct head *head, bool http10, struct amk_err *e)
{
	const char *length, *coding;

	if (only_value(head, "Content-Length", &length, e) < 0 ||
	    only_value(head, "Transfer-Encoding", &coding, e) < 0)
		return -1;
	if (length && coding)
		return refuse(e, "it has both a Content-Length and a Transfer-Encoding");
	if (coding && (http10 || strcasecmp(coding, "chunked") != 0))
		return refuse(e, "its Transfer-Encoding is not chunked");
	if (length && (strspn(length, "0123456789") != strlen(length) || strlen(length) - 1 >= 18))
		return refuse(e, "its Content-Length is malformed");
	return 0;
}

int amk_gate_check(const struct amk_gate *g, struct amk_err *e)
{
	static const char *const once[] = { "Authorization", "Content-Type", "Origin" };
	bool http10 = strcmp(g->version, "HTTP/1.0") == 0;
	const char *value;
	struct head head;

	if (!is_token(g->method))
		return refuse(e, "its method is malformed");
	if (target_check(g->target, g->target_n, e) < 0 || lines_split(g, &head, e) < 0)
		return -1;
	if (host_check(&head, !http10, e) < 0 || length_check(&head, http10, e) < 0)
		return -1;
	for (size_t i = 0; i < AMK_COUNT(once); i++)
		if (only_value(&head, once[i], &value, e) < 0)
			return -1;
	return 0;
}
