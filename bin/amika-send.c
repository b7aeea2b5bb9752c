/* SPDX-License-Identifier: Apache-2.0 */
/* amika-send: a message to a session, and its turn or its receipt. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/message.h"
#include "client/offer.h"
#include "client/show.h"
#include "client/talk.h"
#include "core/lines.h"

#define SESSION_LINE_MAX (1u << 20)

static bool opt_lines, opt_steer;

/* SESSION is "-": one line of stdin names it, the rest stays unread. */
static int session_from_stdin(char to[129], struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(SESSION_LINE_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	const char *id;
	int r;

	amk_show_awaits("amika-send", "a session line");
	r = amk_lines_one(STDIN_FILENO, &line, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return amk_err_set(e, AMK_EINVALID, "no session line on standard input");
	j = amk_json_parse(line.s, line.n, e);
	if (!j)
		return amk_err_wrap(e, "the session line");
	id = amk_json_get_str(j, "session_id");
	if (!id)
		return amk_err_set(e, AMK_EINVALID, "the session line has no session_id");
	if (amk_client_id("session", id, e) < 0)
		return -1;
	snprintf(to, 129, "%s", id);
	return 0;
}

static int send_one(struct amk_client *c, const char *session, const char *text, struct amk_err *e)
{
	struct amk_message m = AMK_MESSAGE_INIT;
	int r = -1;

	m.steer = opt_steer;
	if (amk_message_name(&m, amk_talk_given.id, 0, e) == 0 && amk_message_read(&m, text, e) == 0 &&
	    amk_message_attach(&m, &amk_talk_given.attach, e) == 0)
		r = amk_talk_send(c, session, &m, e);
	amk_message_release(&m);
	return r;
}

/* A turn that does not complete ends it: what follows may build upon it. */
static int send_lines(struct amk_client *c, const char *session, struct amk_err *e)
{
	struct amk_message m = AMK_MESSAGE_INIT;
	struct amk_lines in;
	unsigned n = 0;
	int r;

	m.steer = opt_steer;
	amk_show_awaits("amika-send", "messages");
	amk_lines_init(&in, STDIN_FILENO);
	while ((r = amk_message_next(&m, &in, e)) > 0) {
		n++;
		r = m.id[0] ? 0 : amk_message_name(&m, amk_talk_given.id, amk_talk_given.id ? n : 0, e);
		if (r == 0)
			r = amk_talk_send(c, session, &m, e);
		if (r != 0)
			break;
	}
	amk_lines_release(&in);
	amk_message_release(&m);
	return r;
}

static int send_all(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	const char *session = a->argv[0], *text = a->argc > 1 ? a->argv[1] : NULL;
	char name[129];

	if (opt_lines && (text || strcmp(session, "-") == 0))
		return amk_err_set(e, AMK_EUSAGE, "--lines takes all of standard input: name the SESSION, give no TEXT");
	if (opt_lines && amk_talk_given.attach.n)
		return amk_err_set(e, AMK_EUSAGE, "with --lines each line has its own \"attachments\"");
	if (strcmp(session, "-") == 0 && !text)
		return amk_err_set(e, AMK_EUSAGE, "with - as SESSION the TEXT is needed");
	if (amk_talk_begin(e) < 0)
		return -1;
	if (strcmp(session, "-") == 0) {
		if (session_from_stdin(name, e) < 0)
			return -1;
		session = name;
	}
	if (amk_client_id("session", session, e) < 0 || amk_client_open(&c, e) < 0)
		return -1;
	return opt_lines ? send_lines(c, session, e) : send_one(c, session, text, e);
}

static int run(const struct amk_args *a, struct amk_err *e)
{
	int r = send_all(a, e);

	amk_strv_release(&amk_talk_given.attach);
	return r;
}

static const struct amk_opt options[] = {
	{ 0, "lines", AMK_OPT_FLAG, &opt_lines, NULL, "stdin holds one {\"text\":…} a line, a turn for each" },
	{ 0, "steer", AMK_OPT_FLAG, &opt_steer, NULL, "put it into the running turn, where the agent can" },
	AMK_TALK_OPTIONS,
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

static const struct amk_cmd cmd = {
	.name = "amika-send",
	.summary = "Send a message to a session and show its turn",
	.operands = "SESSION [TEXT]",
	.min = 1,
	.max = 2,
	.reads = "message",
	.writes = "event, receipt",
	.opts = options,
	.run = run,
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "echo \"fix the tests\" | amika send tau",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
