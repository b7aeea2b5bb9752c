/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on their way to a session. */
#include "client/message.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/fields.h"
#include "core/id.h"
#include "core/jw.h"
#include "core/path.h"
#include "core/utf8.h"

static int check(const struct amk_buf *text, struct amk_err *e)
{
	size_t blank = 0;

	if (memchr(text->s, '\0', text->n))
		return amk_err_set(e, AMK_EINVALID, "the message holds a NUL byte");
	if (!amk_utf8_valid(text->s, text->n))
		return amk_err_set(e, AMK_EINVALID, "the message is not UTF-8");
	while (blank < text->n && isspace((unsigned char)text->s[blank]))
		blank++;
	if (blank < text->n)
		return 0;
	amk_err_set(e, AMK_EINVALID, "the message is empty");
	return amk_err_hint(e, "give it as TEXT or on standard input");
}

static int too_long(struct amk_err *e)
{
	return amk_err_set(e, AMK_ETOOBIG, "the message has more than %u MiB", AMK_MESSAGE_TEXT_MAX >> 20);
}

int amk_message_read(struct amk_message *m, const char *operand, struct amk_err *e)
{
	amk_buf_clear(&m->text);
	if (operand) {
		amk_buf_adds(&m->text, operand);
		if (!amk_buf_ok(&m->text))
			return too_long(e);
	} else if (amk_lines_all(STDIN_FILENO, &m->text, e) < 0) {
		return e->code == AMK_ETOOBIG ? too_long(e) : -1;
	}
	return check(&m->text, e);
}

/* `folder` is what it is relative to; "": it stays as it is. */
static int put_file(struct amk_buf *b, const char *folder, const char *file, struct amk_err *e)
{
	bool as_given = file[0] == '/' || !folder[0];
	char *path AMK_AUTO(mem) = as_given ? amk_strdup(file) : amk_strf("%s/%s", folder, file);

	if (!file[0])
		return amk_err_set(e, AMK_EUSAGE, "--attach needs a file");
	if (!amk_utf8_valid(path, strlen(path)))
		return amk_err_set(e, AMK_EINVALID, "the path of a file to attach is not UTF-8");
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "path", path);
	amk_jw_close(b, '}');
	return 0;
}

int amk_message_attach(struct amk_message *m, const struct amk_strv *files, struct amk_err *e)
{
	char folder[AMK_PATH_MAX] = "";

	amk_buf_clear(&m->attachments);
	if (files->n == 0)
		return 0;
	if (!amk_client_url() && !getcwd(folder, sizeof folder))
		return amk_err_sys(e, "the current directory");
	amk_jw_open(&m->attachments, NULL, '[');
	for (size_t i = 0; i < files->n; i++)
		if (put_file(&m->attachments, folder, files->v[i], e) < 0)
			return -1;
	amk_jw_close(&m->attachments, ']');
	return amk_buf_ok(&m->attachments) ? 0 : amk_err_set(e, AMK_ETOOBIG, "too many files to attach");
}

/* The daemon looks at what is in it. */
static int attachments_read(struct amk_message *m, const struct amk_json *list, struct amk_err *e)
{
	amk_buf_clear(&m->attachments);
	if (!list || amk_json_is_null(list))
		return 0;
	if (!amk_json_is_array(list))
		return amk_err_set(e, AMK_EINVALID, "\"attachments\" must be an array");
	amk_json_print(&m->attachments, NULL, list);
	return amk_buf_ok(&m->attachments) ? 0 : amk_err_set(e, AMK_ETOOBIG, "too many attachments");
}

/* What one line says. */
static int line_read(struct amk_message *m, const char *line, size_t n, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, e);
	const char *text = amk_json_get_str(j, "text"), *id = amk_json_get_str(j, "message_id");

	if (!j)
		return -1;
	if (!amk_json_is_object(j) || !text)
		return amk_err_set(e, AMK_EINVALID, "an object with a string \"text\" is needed");
	amk_buf_clear(&m->text);
	amk_buf_adds(&m->text, text);
	if (!amk_buf_ok(&m->text))
		return too_long(e);
	m->id[0] = '\0';
	if (attachments_read(m, amk_json_get(j, "attachments"), e) < 0)
		return -1;
	if (id && amk_message_name(m, id, 0, e) < 0)
		return -1;
	return check(&m->text, e);
}

int amk_message_next(struct amk_message *m, struct amk_lines *in, struct amk_err *e)
{
	char *line;
	size_t n;
	int r = amk_lines_next(in, &line, &n, e);

	if (r <= 0)
		return r;
	if (line_read(m, line, n, e) < 0)
		return amk_err_wrap(e, "line %zu", in->number);
	return 1;
}

int amk_message_name(struct amk_message *m, const char *key, unsigned n, struct amk_err *e)
{
	int len;

	if (!key) {
		memcpy(m->id, "m_", 2);
		amk_id_random(m->id + 2, 20);
		return 0;
	}
	len = n ? snprintf(m->id, sizeof m->id, "%s-%u", key, n) : snprintf(m->id, sizeof m->id, "%s", key);
	if (len < (int)sizeof m->id && amk_id_valid(m->id))
		return 0;
	amk_err_set(e, AMK_EINVALID, "\"%.140s\" cannot be a message's id", key);
	return amk_err_hint(e, "1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot");
}

void amk_message_release(struct amk_message *m)
{
	amk_buf_release(&m->text);
	amk_buf_release(&m->attachments);
}

static int receipt_read(const struct amk_json *reply, struct amk_message_receipt *r, struct amk_err *e)
{
	int64_t after = amk_json_get_int(reply, "after", -1);

	if (after < 0)
		return amk_err_set(e, AMK_EINTERNAL, "the daemon took the message but gave no receipt");
	r->after = (uint64_t)after;
	r->accepted = amk_json_is(reply, "state", "accepted") || amk_json_is(reply, "state", "steered");
	amk_buf_clear(&r->line);
	amk_fields_line(&r->line, "receipt", reply);
	return 0;
}

int amk_message_send(struct amk_client *c, const char *session, const struct amk_message *m,
		     struct amk_message_receipt *r, struct amk_err *e)
{
	/* Escaping may make six bytes of one. */
	struct amk_buf body AMK_AUTO(buf) =
		AMK_BUF_INIT(6 * AMK_MESSAGE_TEXT_MAX + AMK_MESSAGE_ATTACHMENTS_MAX + 1024);
	struct amk_json *reply AMK_AUTO(json) = NULL;
	char path[256];
	struct amk_call call = { .method = "POST", .path = path, .body = &body, .whole = true, .again = true };

	if (amk_client_id("session", session, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/v1/sessions/%s/messages", session);
	amk_jw_open(&body, NULL, '{');
	amk_jw_str(&body, "message", m->text.s, m->text.n);
	amk_jw_cstr(&body, "messageId", m->id);
	if (m->steer)
		amk_jw_bool(&body, "steer", true);
	if (m->attachments.n)
		amk_jw_raw(&body, "attachments", m->attachments.s, m->attachments.n);
	amk_jw_close(&body, '}');
	if (amk_client_call(c, &call, &reply, e) < 0)
		return -1;
	return receipt_read(reply, r, e);
}
