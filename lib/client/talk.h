/* SPDX-License-Identifier: Apache-2.0 */
/* A message and its turn, printed as it goes to its end: what amika-send and amika-run do. */
#ifndef AMK_CLIENT_TALK_H
#define AMK_CLIENT_TALK_H

#include "client/client.h"
#include "client/message.h"

struct amk_talk_options {
	bool no_wait, wait, final, no_input;
	int64_t timeout; /* ms */
	const char *id;
	struct amk_strv attach;
};
extern struct amk_talk_options amk_talk_given;

/* Rows for an option table. */
#define AMK_TALK_OPTIONS \
	{ 0, "no-wait", AMK_OPT_FLAG, &amk_talk_given.no_wait, NULL, "print a receipt, do not wait for the turn" }, \
	{ 'w', "wait", AMK_OPT_FLAG, &amk_talk_given.wait, NULL, "wait for decisions too, whoever makes them" }, \
	{ 't', "timeout", AMK_OPT_DURATION, &amk_talk_given.timeout, "TIME", "wait no longer (30s, 5m); the turn goes on" }, \
	{ 0, "final", AMK_OPT_FLAG, &amk_talk_given.final, NULL, "print only the last text of the assistant" }, \
	{ 0, "id", AMK_OPT_STR, &amk_talk_given.id, "KEY", "the message's id: sent twice it counts once" }, \
	{ 0, "attach", AMK_OPT_LIST, &amk_talk_given.attach, "FILE", "give the agent a file with the message" }, \
	{ 0, "no-input", AMK_OPT_FLAG, &amk_talk_given.no_input, NULL, "ask nothing on the terminal" }

/* Refuses options that contradict each other, and starts the clock of --timeout. */
int amk_talk_begin(struct amk_err *e);

struct amk_talk {
	struct amk_client *client;
	const char *session, *message; /* the message's id */
	uint64_t after;		       /* from its receipt */
	bool accepted;		       /* from its receipt: the turn is ours to cancel */
	bool looks_on; /* only reads: to the end of the turn, without signals, prompts and a judgement */
};

/* Prints the turn of the message. An exit status, or -1: AMK_EFAILED, AMK_ETIMEOUT, AMK_EWAITING… */
int amk_talk_print(const struct amk_talk *t, struct amk_err *e);

/* Sends the message, then prints its receipt (--no-wait) or its turn. */
int amk_talk_send(struct amk_client *c, const char *session, const struct amk_message *m, struct amk_err *e);

#endif
