/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Claude Code codec share. */
#ifndef AMK_AGENT_CLAUDE_H
#define AMK_AGENT_CLAUDE_H

#include "agent/track.h"

#define AMK_CLAUDE_LOCATION "claude"
#define AMK_CLAUDE_PART (15u << 20)  /* of a piece of JSON on its way into an event */
#define AMK_CLAUDE_STREAMS 16	     /* agents (the main one and its sub-agents) that stream at a time */

/*
 * One agent's message in the making. An item's native id is MESSAGE/INDEX: the lines "assistant" carry
 * one finished content block each without its index, so it is counted here.
 */
struct amk_claude_stream {
	char *parent;	/* tool call of the sub-agent, NULL: the main agent */
	char *message;	/* message id */
	int64_t next;	/* index of the next block */
	int64_t open;	/* the streaming block that the next "assistant" line finishes, -1: none */
};

/* Something that was set and is not answered yet. */
struct amk_claude_setting {
	int64_t request;
	char *input; /* as it is recorded */
};

struct amk_claude {
	struct amk_track track;
	struct amk_claude_stream streams[AMK_CLAUDE_STREAMS];
	size_t nstreams;
	int64_t users;	  /* messages of the user, over the whole session */
	int64_t requests; /* control requests of this process */
	bool cancelling;  /* we interrupted the running turn */
	bool error_said;  /* in the running turn */
	int64_t background; /* tasks it works on outside turns */
	struct amk_claude_setting *settings;
	size_t nsettings;
	double cost;	  /* total at the end of the last turn */
	char *native, *model, *mode;
};

/* lib/agent/claude.c: ends the running turn. */
void amk_claude_interrupt(struct amk_claude *c);

/* lib/agent/claude_message.c: the line of a message; `list` are its attachments, or NULL. */
void amk_claude_message_write(struct amk_buf *b, const struct amk_input *in, const struct amk_json *list);
/* What became of a line we sent. */
bool amk_claude_message_lifecycle(struct amk_claude *c, const struct amk_json *j);

/* lib/agent/claude_item.c: content becomes items. False: not understood. */
bool amk_claude_item_assistant(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_item_user(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_item_stream(struct amk_claude *c, const struct amk_json *j);
/* A status item, complete at once. `detail` may be NULL. */
void amk_claude_item_status(struct amk_claude *c, const char *label, const char *detail);
/* The same below the item whose native id is `parent`, or NULL. */
void amk_claude_item_status_of(struct amk_claude *c, const char *label, const char *detail, const char *parent);
/* Forgets messages in the making. */
void amk_claude_item_reset(struct amk_claude *c);
void amk_claude_item_save(const struct amk_claude *c, struct amk_buf *b);
int amk_claude_item_load(struct amk_claude *c, const struct amk_json *list, struct amk_err *e);

/* lib/agent/claude_result.c: a tool's result as a content array; false when it does not fit a record. */
bool amk_claude_result_content(struct amk_buf *b, const struct amk_json *block, const struct amk_json *extra);

/* lib/agent/claude_ask.c: permissions, and who answers what. */
bool amk_claude_ask_request(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_ask_withdraw(struct amk_claude *c, const struct amk_json *j);
void amk_claude_ask_answer(struct amk_claude *c, const struct amk_input *in);
/* Members that say which call and which agent a request comes from. */
void amk_claude_ask_origin(const struct amk_claude *c, struct amk_buf *b, const struct amk_json *request);
void amk_claude_ask_deny(struct amk_buf *b, const char *message, bool stop);

/* A request that is a decision of kind question. */
struct amk_claude_question {
	const char *action, *prompt;
	const char *options;   /* JSON [string] */
	const char *questions; /* JSON [{"question","header","options":[{"label"}],"multiSelect"}], or NULL: only the prompt */
	const char *more;      /* members of amika.decision that only the request carries, or NULL */
};

/* lib/agent/claude_question.c: questions and plans. False: it is neither, or does not fit. */
bool amk_claude_question_request(struct amk_claude *c, const char *id, const struct amk_json *request);
/* Members of the response; `about` is what amika.decision says of it. */
void amk_claude_question_answer(struct amk_buf *b, const struct amk_input *in, const struct amk_json *about);
bool amk_claude_question_open(struct amk_claude *c, const char *id, const struct amk_json *request,
			      const struct amk_claude_question *q);
void amk_claude_question_labels(struct amk_buf *b, const struct amk_json *question);
/* The strings of a list with ", " between them. */
void amk_claude_question_join(struct amk_buf *b, const struct amk_json *list);

/* lib/agent/claude_form.c: what an MCP server wants to know. */
bool amk_claude_form_request(struct amk_claude *c, const char *id, const struct amk_json *request);
void amk_claude_form_answer(struct amk_buf *b, const struct amk_input *in, const struct amk_json *about);

/* lib/agent/claude_task.c: what it works on beside and between the turns. */
bool amk_claude_task_started(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_task_updated(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_task_ended(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_task_list(struct amk_claude *c, const struct amk_json *j);

/* lib/agent/claude_note.c: lines that tell something in one word or sentence. False: not one of them. */
bool amk_claude_note_system(struct amk_claude *c, const struct amk_json *j);

/* lib/agent/claude_set.c: what is asked of the program beside its turns. */
void amk_claude_set_start(struct amk_claude *c, bool warm);
void amk_claude_set_take(struct amk_claude *c, const struct amk_input *in);
bool amk_claude_set_response(struct amk_claude *c, const struct amk_json *j);
void amk_claude_set_mode(struct amk_claude *c, const char *its); /* it is in another permission mode now */
void amk_claude_set_exit(struct amk_claude *c);
void amk_claude_set_reset(struct amk_claude *c);
void amk_claude_set_save(const struct amk_claude *c, struct amk_buf *b);
int amk_claude_set_load(struct amk_claude *c, const struct amk_json *saved, struct amk_err *e);

/* lib/agent/claude_turn.c: system lines and results. */
bool amk_claude_turn_system(struct amk_claude *c, const struct amk_json *j);
bool amk_claude_turn_result(struct amk_claude *c, const struct amk_json *j);
/* Sends a line; its newline is added. */
void amk_claude_turn_send(struct amk_claude *c, struct amk_buf *line);

#endif
