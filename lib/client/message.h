/* SPDX-License-Identifier: Apache-2.0 */
/* A message: where its text comes from, what it may be, and sending it. */
#ifndef AMK_CLIENT_MESSAGE_H
#define AMK_CLIENT_MESSAGE_H

#include <stdint.h>

#include "client/client.h"
#include "core/buf.h"
#include "core/lines.h"
#include "core/strv.h"

#define AMK_MESSAGE_TEXT_MAX (8u << 20) /* bytes; the API's bodies may have 10 MiB */
#define AMK_MESSAGE_ID 132

#define AMK_MESSAGE_ATTACHMENTS_MAX (1u << 20)

struct amk_message {
	struct amk_buf text;
	struct amk_buf attachments; /* a JSON array, or empty */
	char id[AMK_MESSAGE_ID];
	bool steer; /* into the running turn */
};
#define AMK_MESSAGE_INIT \
	{ .text = AMK_BUF_INIT(AMK_MESSAGE_TEXT_MAX), .attachments = AMK_BUF_INIT(AMK_MESSAGE_ATTACHMENTS_MAX) }

/* The text: `operand`, or all of stdin when it is NULL. */
int amk_message_read(struct amk_message *m, const char *operand, struct amk_err *e);
/*
 * Files by their paths, relative to where the caller is; with a daemon at a URL they are that one's, relative to
 * the session's directory. The daemon looks whether they are there.
 */
int amk_message_attach(struct amk_message *m, const struct amk_strv *files, struct amk_err *e);
/* The next object {"text":…,"message_id":…,"attachments":[…]} of stdin, only the text is a must. 1, 0 at the end, or -1. */
int amk_message_next(struct amk_message *m, struct amk_lines *in, struct amk_err *e);
/* Sets the id: `key`, with "-N" when n is not 0; a random one when key is NULL. */
int amk_message_name(struct amk_message *m, const char *key, unsigned n, struct amk_err *e);
void amk_message_release(struct amk_message *m);

struct amk_message_receipt {
	uint64_t after; /* the session's last sequence when it was accepted */
	bool accepted;	/* its turn begins now, or it went into the one that runs: not queued, not sent before */
	struct amk_buf line; /* as a record */
};
#define AMK_MESSAGE_RECEIPT_INIT { .line = AMK_BUF_INIT(65536) }

/* Sends it. Safe to repeat: the id makes it count once. */
int amk_message_send(struct amk_client *c, const char *session, const struct amk_message *m,
		     struct amk_message_receipt *r, struct amk_err *e);

#endif
