/* SPDX-License-Identifier: Apache-2.0 */
/* amika-run: a new session, a message to it, its turn. The session stays. */
#include <stdio.h>

#include "client/client.h"
#include "client/create.h"
#include "client/message.h"
#include "client/offer.h"
#include "client/show.h"
#include "client/talk.h"

static const char *opt_name;

static int show_session(const char *name, const struct amk_json *record, struct amk_err *e)
{
	char text[160];
	int n;

	if (amk_talk_given.final)
		return 0;
	if (amk_cmd_records())
		return amk_show_record("session", record, e);
	n = snprintf(text, sizeof text, "session %s\n", name);
	return amk_show_bytes(text, (size_t)n, e);
}

static int create_and_send(const struct amk_args *a, const struct amk_message *m, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct amk_buf body AMK_AUTO(buf) = AMK_BUF_INIT(8u << 20);
	struct amk_json *record AMK_AUTO(json) = NULL;
	const char *name;

	if ((opt_name && amk_create_check(opt_name, e) < 0) || amk_client_open(&c, e) < 0 ||
	    amk_create_body(c, a->argv[0], a, &body, e) < 0 || amk_create_session(c, opt_name, &body, &record, e) < 0)
		return -1;
	name = amk_json_get_str(record, "sessionId");
	if (!name)
		return amk_err_set(e, AMK_EINTERNAL, "the daemon did not say what the session is called");
	if (show_session(name, record, e) < 0)
		return -1;
	return amk_talk_send(c, name, m, e);
}

static int run(const struct amk_args *a, struct amk_err *e)
{
	struct amk_message m = AMK_MESSAGE_INIT;
	int r = -1;

	/* The message comes first: without one there is nothing to make a session for. */
	if (amk_talk_begin(e) == 0 && amk_message_name(&m, amk_talk_given.id, 0, e) == 0 &&
	    amk_message_read(&m, a->argc > 1 ? a->argv[1] : NULL, e) == 0 &&
	    amk_message_attach(&m, &amk_talk_given.attach, e) == 0)
		r = create_and_send(a, &m, e);
	amk_message_release(&m);
	amk_strv_release(&amk_talk_given.attach);
	amk_strv_release(&amk_create_given.environment);
	return r;
}

static const struct amk_opt options[] = {
	{ 'n', "name", AMK_OPT_STR, &opt_name, "NAME", "the session's name, else one like teal-tokyo" },
	AMK_CREATE_OPTIONS,
	AMK_TALK_OPTIONS,
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

static const struct amk_cmd cmd = {
	.name = "amika-run",
	.summary = "Start a session, send it a message, show the turn",
	.operands = "AGENT [TEXT]",
	.min = 1,
	.max = 2,
	.rest = true,
	.reads = "text",
	.writes = "session, event, receipt",
	.opts = options,
	.run = run,
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika run claude \"what does this program do?\"",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
