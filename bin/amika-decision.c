/* SPDX-License-Identifier: Apache-2.0 */
/* amika-decision: the inbox of what agents ask, and answers to it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/answer.h"
#include "client/asked.h"
#include "client/caller.h"
#include "client/client.h"
#include "client/fields.h"
#include "client/inbox.h"
#include "client/offer.h"
#include "client/rules.h"
#include "client/show.h"
#include "core/jw.h"
#include "core/lines.h"
#include "core/utf8.h"
#include "event/render.h"

#define BODY_MAX (1u << 20)
#define TEXT_MAX (64u << 20)
#define WORD_MAX 200 /* characters of what is asked, on its line */

static bool opt_all, opt_always, opt_follow, opt_stop, opt_tool_wide;
static const char *opt_session, *opt_message, *opt_input, *opt_lists, *opt_command, *opt_path, *opt_scope;
static struct amk_strv opt_answers;
static struct amk_buf made = AMK_BUF_INIT(BODY_MAX); /* the rules that "always" made, as text */

static const struct amk_show_column columns[] = {
	{ "DECISION", "decision_id" }, { "SESSION", "session_id" }, { "KIND", "kind" }, { "STATE", "state" },
	{ "BY", "by" },		       { "REQUEST", "request" },
};
static struct amk_show_table table = {
	.type = "decision", .columns = columns, .n = AMK_COUNT(columns), .last = amk_asked_word
};

static int row_add(void *arg, const struct amk_json *decision, struct amk_err *e)
{
	return amk_show_add(arg, decision, e);
}

static struct amk_json *line_of(const struct amk_json *decision, struct amk_buf *line, struct amk_err *e)
{
	amk_fields_line(line, "decision", decision);
	return amk_json_parse(line->s, line->n, e);
}

/* A change as a line: those to come are not known, so nothing stands in columns. */
static int change_print(void *arg, const struct amk_json *decision, struct amk_err *e)
{
	static const char *const keys[] = { "decision_id", "session_id", "kind", "state", "reason", "by" };
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX), out AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	struct amk_json *j AMK_AUTO(json) = line_of(decision, &line, e);

	(void)arg;
	if (!j)
		return -1;
	if (amk_cmd_records())
		return amk_out_record(line.s, line.n, e);
	for (size_t i = 0; i < AMK_COUNT(keys); i++) {
		const char *word = amk_json_get_str(j, keys[i]);

		if (word)
			amk_render_word(&out, word, WORD_MAX);
		if (word)
			amk_buf_adds(&out, "  ");
	}
	amk_asked_word(&out, j, WORD_MAX);
	amk_buf_addc(&out, '\n');
	return amk_show_bytes(out.s, out.n, e);
}

static int list(const struct amk_args *a, struct amk_err *e)
{
	const struct amk_inbox_reader rows = { row_add, &table }, changes = { change_print, NULL };
	struct amk_client *c AMK_AUTO(client) = NULL;

	(void)a;
	if ((opt_session && amk_client_id("session", opt_session, e) < 0) || amk_client_open(&c, e) < 0)
		return -1;
	if (opt_follow)
		return amk_inbox_follow(c, opt_session, opt_all, &changes, e);
	return amk_inbox_list(c, opt_session, opt_all, &rows, e) < 0 ? -1 : amk_show_end(&table, e);
}

static int show_one(const struct amk_json *decision, struct amk_err *e)
{
	struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX), out AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);
	struct amk_json *j AMK_AUTO(json) = line_of(decision, &line, e);

	if (!j)
		return -1;
	if (amk_cmd_records())
		return amk_out_record(line.s, line.n, e);
	amk_asked_show(&out, j, amk_asked_colour());
	return amk_show_bytes(out.s, out.n, e);
}

static int show(const struct amk_args *a, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;

	if (amk_client_open(&c, e) < 0)
		return -1;
	for (int i = 0; i < a->argc; i++) {
		struct amk_json *record AMK_AUTO(json) = NULL;

		if (amk_client_id("decision", a->argv[i], e) < 0 ||
		    amk_client_get(c, &record, e, "/v1/decisions/%s", a->argv[i]) < 0 ||
		    show_one(record, e) < 0)
			return -1;
	}
	return 0;
}

/* A member whose value is JSON: the text itself, or behind "@" a file, "-" being standard input. */
static int json_write(struct amk_buf *b, const char *key, const char *text, struct amk_err *e)
{
	struct amk_buf read AMK_AUTO(buf) = AMK_BUF_INIT(BODY_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	int fd AMK_AUTO(fd) = -1;

	if (text[0] != '@') {
		amk_buf_adds(&read, text);
	} else {
		fd = strcmp(text, "@-") == 0 ? dup(STDIN_FILENO) : open(text + 1, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return amk_err_set(e, AMK_EINVALID, "--%s %s: %s", key, text, strerror(errno));
		if (amk_lines_all(fd, &read, e) < 0)
			return amk_err_wrap(e, "--%s %s", key, text);
	}
	j = amk_json_parse(read.s, read.n, e);
	if (!j)
		return amk_err_wrap(e, "--%s", key);
	amk_json_print(b, key, j);
	return 0;
}

struct answer {
	struct amk_client *client;
	struct amk_buf body;
	int status; /* of the first that failed */
};

/* What "always" is to hold for, where that was said. */
static int write_wanted(struct amk_buf *b, struct amk_err *e)
{
	const char *const keys[] = { "scope", "command", "path" };
	const char *const values[] = { opt_scope, opt_command, opt_path };
	bool given = opt_scope || opt_command || opt_path || opt_tool_wide;

	if (given && !opt_always)
		return amk_err_set(e, AMK_EUSAGE, "--scope, --command, --path and --tool-wide belong to --always");
	if (!given)
		return 0;
	amk_jw_open(b, "rule", '{');
	for (size_t i = 0; i < AMK_COUNT(keys); i++) {
		if (values[i] && !amk_utf8_valid(values[i], strlen(values[i])))
			return amk_err_set(e, AMK_EINVALID, "--%s is not UTF-8", keys[i]);
		if (values[i])
			amk_jw_cstr(b, keys[i], values[i]);
	}
	if (opt_tool_wide)
		amk_jw_bool(b, "toolWide", true);
	amk_jw_close(b, '}');
	return 0;
}

/* The same for every decision of one command. */
static int body_write(struct amk_buf *b, const char *reply, struct amk_err *e)
{
	char by[AMK_CALLER_NAME];

	if (opt_message && !amk_utf8_valid(opt_message, strlen(opt_message)))
		return amk_err_set(e, AMK_EINVALID, "--message is not UTF-8");
	amk_caller_name(by, "amika decision", false);
	amk_jw_open(b, NULL, '{');
	amk_jw_cstr(b, "reply", reply);
	if (opt_message)
		amk_jw_cstr(b, "message", opt_message);
	if (opt_answers.n)
		amk_jw_open(b, "answers", '[');
	for (size_t i = 0; i < opt_answers.n; i++) {
		if (!amk_utf8_valid(opt_answers.v[i], strlen(opt_answers.v[i])))
			return amk_err_set(e, AMK_EINVALID, "the answer is not UTF-8");
		amk_jw_open(b, NULL, '[');
		amk_jw_cstr(b, NULL, opt_answers.v[i]);
		amk_jw_close(b, ']');
	}
	if (opt_answers.n)
		amk_jw_close(b, ']');
	if ((opt_lists && json_write(b, "answers", opt_lists, e) < 0) ||
	    (opt_input && json_write(b, "input", opt_input, e) < 0))
		return -1;
	if (opt_stop)
		amk_jw_bool(b, "stop", true);
	if (write_wanted(b, e) < 0)
		return -1;
	amk_jw_cstr(b, "by", by);
	amk_jw_close(b, '}');
	return amk_buf_ok(b) ? 0 : amk_err_set(e, AMK_ETOOBIG, "the answer has more than %u bytes", BODY_MAX);
}

/* For people behind the table; a record has it as answer.rule_made. */
static void note_rule(const struct amk_json *record)
{
	const struct amk_json *rule = amk_json_get(amk_json_get(record, "answer"), "rule_made");

	if (!rule || amk_cmd_records())
		return;
	amk_buf_adds(&made, "from now on ");
	amk_render_rule(&made, rule);
	amk_buf_addc(&made, '\n');
}

static int answer_post(struct answer *an, const char *id, struct amk_err *e)
{
	struct amk_json *record AMK_AUTO(json) = NULL;

	if (amk_client_id("decision", id, e) < 0 || amk_answer_send(an->client, id, &an->body, &record, e) < 0)
		return -1;
	note_rule(record);
	return amk_show_add(&table, record, e);
}

/* One that cannot be answered does not keep the others from it. -1: nothing can go on. */
static int answer_one(struct answer *an, const char *id, struct amk_err *e)
{
	struct amk_err one = { 0 };

	if (answer_post(an, id, &one) == 0)
		return 0;
	if (one.code == AMK_OK || one.code == AMK_EUNREACHABLE) {
		*e = one;
		return -1;
	}
	amk_err_print(&one, "amika-decision", amk_cmd_json);
	if (an->status == 0)
		an->status = (int)amk_err_exit(&one);
	return 0;
}

/* The decision a line is about; NULL for an event that asks nothing. */
static const char *line_decision(const struct amk_json *j)
{
	if (amk_json_is(j, "type", "permission.requested") || amk_json_is(j, "type", "question.requested"))
		return amk_json_get_str(amk_json_get(amk_json_get(j, "amika"), "decision"), "id");
	return amk_json_get(j, "event_id") ? NULL : amk_json_get_str(j, "decision_id");
}

static int answer_line(struct answer *an, const char *line, size_t n, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, n, e);
	const char *id = line_decision(j);

	if (!j)
		return -1;
	if (id)
		return answer_one(an, id, e);
	if (amk_json_get_str(j, "type") && !amk_json_is(j, "type", "decision"))
		return 0; /* a record of another kind, as amika send prints them too */
	return amk_err_set(e, AMK_EINVALID, "no decision_id");
}

static int answer_lines(struct answer *an, struct amk_err *e)
{
	struct amk_lines in;
	char *line;
	size_t n;
	int r;

	amk_show_awaits("amika-decision", "decision lines");
	amk_lines_init(&in, STDIN_FILENO);
	while ((r = amk_lines_next(&in, &line, &n, e)) > 0)
		if (answer_line(an, line, n, e) < 0) {
			r = e->code == AMK_EINVALID ? amk_err_wrap(e, "line %zu", in.number) : -1;
			break;
		}
	amk_lines_release(&in);
	return r;
}

static int answer_all(const char *reply, char *const *ids, int n, struct amk_err *e)
{
	struct amk_client *c AMK_AUTO(client) = NULL;
	struct answer an = { .body = AMK_BUF_INIT(BODY_MAX) };
	int r = body_write(&an.body, reply, e);

	if (r == 0)
		r = amk_client_open(&c, e);
	an.client = c;
	for (int i = 0; i < n && r == 0; i++)
		r = answer_one(&an, ids[i], e);
	if (r == 0 && n == 0)
		r = answer_lines(&an, e);
	if (r == 0)
		r = amk_show_end(&table, e);
	if (r == 0 && made.n)
		r = amk_show_bytes(made.s, made.n, e);
	amk_buf_release(&made);
	amk_buf_release(&an.body);
	amk_strv_release(&opt_answers);
	return r < 0 ? -1 : an.status;
}

static int allow(const struct amk_args *a, struct amk_err *e)
{
	if (opt_input && (a->argc != 1 || opt_always))
		return amk_err_set(e, AMK_EUSAGE, "--input is for one ID, and for once");
	return answer_all(opt_always ? "always" : "once", a->argv, a->argc, e);
}

static int deny(const struct amk_args *a, struct amk_err *e)
{
	return answer_all("reject", a->argv, a->argc, e);
}

/* The first operand is the decision, the others are its answers: never guessed from their looks. */
static int reply(const struct amk_args *a, struct amk_err *e)
{
	for (int i = 1; i < a->argc; i++)
		amk_strv_add(&opt_answers, a->argv[i]);
	if (opt_lists && opt_answers.n)
		return amk_err_set(e, AMK_EUSAGE, "--answers holds all of them");
	if (opt_answers.n == 0 && !opt_lists) {
		amk_err_set(e, AMK_EUSAGE, "an answer is needed");
		return amk_err_hint(e, "amika decision reply ID ANSWER, or --answer ANSWER with decision lines on stdin");
	}
	return answer_all("answer", a->argv, a->argc ? 1 : 0, e);
}

static const struct amk_opt list_options[] = {
	{ 's', "session", AMK_OPT_STR, &opt_session, "NAME", "only what this session asks" },
	{ 0, "all", AMK_OPT_FLAG, &opt_all, NULL, "those that are closed, too" },
	{ 'f', "follow", AMK_OPT_FLAG, &opt_follow, NULL, "then each that is opened or closed, until a signal" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt show_options[] = { AMK_CLIENT_OPTION, AMK_OPT_END };
static const struct amk_opt allow_options[] = {
	{ 0, "always", AMK_OPT_FLAG, &opt_always, NULL, "the same again in this session, too: makes a rule" },
	{ 0, "scope", AMK_OPT_STR, &opt_scope, "SCOPE", "with --always: session, agent or daemon" },
	{ 0, "command", AMK_OPT_STR, &opt_command, "COMMAND", "with --always: commands of this pattern" },
	{ 0, "path", AMK_OPT_STR, &opt_path, "PATH", "with --always: paths of this pattern" },
	{ 0, "tool-wide", AMK_OPT_FLAG, &opt_tool_wide, NULL, "with --always: whatever the tool is to do" },
	{ 0, "input", AMK_OPT_STR, &opt_input, "JSON", "do this instead (@FILE and @- read it)" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt deny_options[] = {
	{ 0, "message", AMK_OPT_STR, &opt_message, "TEXT", "what the agent is told" },
	{ 0, "stop", AMK_OPT_FLAG, &opt_stop, NULL, "end its turn, too" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};
static const struct amk_opt reply_options[] = {
	{ 0, "answer", AMK_OPT_LIST, &opt_answers, "TEXT", "the answer to the next question of the request" },
	{ 0, "answers", AMK_OPT_STR, &opt_lists, "JSON", "one list of answers for each question (@FILE, @-)" },
	AMK_CLIENT_OPTION,
	AMK_OPT_END,
};

static const struct amk_cmd cmd_list = {
	.name = "list",
	.summary = "List what waits for an answer, the oldest first",
	.writes = "decision",
	.opts = list_options,
	.run = list,
};
static const struct amk_cmd cmd_show = {
	.name = "show",
	.summary = "Show all of what is asked",
	.operands = "ID…",
	.min = 1,
	.max = -1,
	.writes = "decision",
	.opts = show_options,
	.run = show,
};
static const struct amk_cmd cmd_allow = {
	.name = "allow",
	.summary = "Give permission; without ID for each decision line on stdin",
	.operands = "[ID…]",
	.max = -1,
	.reads = "decision",
	.writes = "decision",
	.opts = allow_options,
	.run = allow,
	.example = "amika decision list | amika decision allow",
};
static const struct amk_cmd cmd_deny = {
	.name = "deny",
	.summary = "Refuse a permission or a question",
	.operands = "[ID…]",
	.max = -1,
	.reads = "decision",
	.writes = "decision",
	.opts = deny_options,
	.run = deny,
};
static const struct amk_cmd cmd_reply = {
	.name = "reply",
	.summary = "Answer a question, one ANSWER for each it holds",
	.operands = "[ID [ANSWER…]]",
	.max = -1,
	.reads = "decision",
	.writes = "decision",
	.opts = reply_options,
	.run = reply,
	.example = "amika decision reply d_7 Yes",
};
static const struct amk_cmd *const verbs[] = { &cmd_list, &cmd_show, &cmd_allow, &cmd_deny, &cmd_reply, &amk_rules_cmd, NULL };

static const struct amk_cmd cmd = {
	.name = "amika-decision",
	.summary = "Show and answer what agents ask",
	.verbs = verbs,
	.environment = AMK_CLIENT_ENVIRONMENT,
	.offer = amk_offer,
	.example = "amika decision list",
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
