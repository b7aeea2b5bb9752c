/* SPDX-License-Identifier: Apache-2.0 */
/* Events are cut out of one buffer in place: nothing is copied but the bytes that arrive. */
#include "client/frames.h"

#include <string.h>

#include "core/lines.h"

#define SLACK (1u << 20) /* what may arrive behind a record of full length */
#define FULL (SLACK / 2)

void amk_frames_init(struct amk_frames *f)
{
	*f = (struct amk_frames){ .buf = AMK_BUF_INIT(AMK_LINE_MAX + SLACK) };
}

void amk_frames_release(struct amk_frames *f)
{
	amk_buf_release(&f->buf);
	f->at = f->seen = 0;
}

void amk_frames_clear(struct amk_frames *f)
{
	amk_buf_clear(&f->buf);
	f->at = f->seen = 0;
}

int amk_frames_add(struct amk_frames *f, const char *s, size_t n, struct amk_err *e)
{
	amk_buf_drop(&f->buf, f->at);
	f->seen -= f->at;
	f->at = 0;
	amk_buf_add(&f->buf, s, n);
	if (!amk_buf_ok(&f->buf))
		return amk_err_set(e, AMK_ETOOBIG, "the daemon sent a record of more than %u bytes", AMK_LINE_MAX);
	return 0;
}

/* The end of the event that starts at f->at: just behind its empty line. NULL when it is not there yet. */
static char *event_end(struct amk_frames *f)
{
	char *end = f->buf.s + f->buf.n, *nl = f->buf.s + f->seen;

	while ((nl = memchr(nl, '\n', (size_t)(end - nl)))) {
		char *next = nl + 1;

		if (next < end && *next == '\r')
			next++;
		if (next < end && *next == '\n')
			return next + 1;
		if (next >= end)
			break;
		nl = next;
	}
	f->seen = nl ? (size_t)(nl - f->buf.s) : f->buf.n;
	return NULL;
}

bool amk_frames_full(struct amk_frames *f)
{
	return f->buf.n - f->at >= FULL && event_end(f);
}

/* The value of a field, if the line is one; the specification lets one space precede it. */
static char *field_value(char *line, size_t n, const char *name, size_t *value_n)
{
	size_t k = strlen(name);

	if (n < k + 1 || memcmp(line, name, k) != 0 || line[k] != ':')
		return NULL;
	k++;
	if (k < n && line[k] == ' ')
		k++;
	*value_n = n - k;
	return line + k;
}

static uint64_t number(const char *s, size_t n)
{
	uint64_t v = 0;

	if (n == 0 || n > 19)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	return v;
}

/* Reads one event; several data lines are moved together, a newline between them. */
static char *event_read(char *s, char *end, uint64_t *id, size_t *n)
{
	char *data = NULL, *value;

	*id = 0;
	*n = 0;
	while (s < end) {
		char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)(nl - s), value_n;

		if (len && s[len - 1] == '\r')
			len--;
		if ((value = field_value(s, len, "id", &value_n))) {
			*id = number(value, value_n);
		} else if ((value = field_value(s, len, "data", &value_n))) {
			if (data)
				data[(*n)++] = '\n';
			else
				data = value;
			memmove(data + *n, value, value_n);
			*n += value_n;
		}
		s = nl + 1;
	}
	if (data)
		data[*n] = '\0';
	return data;
}

int amk_frames_next(struct amk_frames *f, uint64_t *id, char **data, size_t *n)
{
	for (;;) {
		char *start = f->buf.s + f->at, *end;

		/* An empty line that ends nothing, left by a comment. */
		if (f->at < f->buf.n && *start == '\n') {
			f->at++;
			if (f->seen < f->at)
				f->seen = f->at;
			continue;
		}
		end = event_end(f);
		if (!end)
			return 0;
		f->at = f->seen = (size_t)(end - f->buf.s);
		*data = event_read(start, end, id, n);
		if (*data)
			return 1;
	}
}
