/* SPDX-License-Identifier: Apache-2.0 */
/* The routes, by noun. Every function is a row of the table in api.c. */
#ifndef AMK_DAEMON_API_H
#define AMK_DAEMON_API_H

#include "daemon/daemon.h"

extern const struct amk_route amk_api_routes[];

#define AMK_API_REPLY_MAX (64u << 20)

/* Helpers of all of them (api.c). */
/* The session of the first parameter; NULL when the problem was sent. */
struct amk_session *amk_api_session(struct amk_daemon *d, struct amk_request *rq);
/* False while the store cannot be written, or for GET and HEAD cannot be read: 503 was sent. */
bool amk_api_ready(struct amk_daemon *d, struct amk_request *rq);
/* 503: what was asked for is not known to be on disk; says what that means. */
void amk_api_reply_unwritten(struct amk_daemon *d, struct amk_request *rq);
/* Replies once everything written so far is on disk; body may be NULL. 503 when it cannot be. */
void amk_api_reply_flushed(struct amk_daemon *d, struct amk_request *rq, int status, const struct amk_buf *body);
bool amk_api_flag(const struct amk_request *rq, const char *name, const char *other);
/* A whole number from the query; false when a problem was sent. */
bool amk_api_number(struct amk_request *rq, const char *name, uint64_t *v);
/* "Prefer: return=representation". */
bool amk_api_wants_representation(const struct amk_request *rq);
/* Who is at the other end, when the body does not say. */
const char *amk_api_peer(const struct amk_request *rq, char to[64]);

/* api_session.c */
void amk_api_session_list(struct amk_request *rq, void *arg);
void amk_api_session_create(struct amk_request *rq, void *arg);
void amk_api_session_get(struct amk_request *rq, void *arg);
void amk_api_session_post(struct amk_request *rq, void *arg);
void amk_api_session_forget(struct amk_request *rq, void *arg);
void amk_api_session_terminate(struct amk_request *rq, void *arg);
void amk_api_session_cancel(struct amk_request *rq, void *arg);
void amk_api_session_set(struct amk_request *rq, void *arg);
void amk_api_session_sleep(struct amk_request *rq, void *arg);
void amk_api_session_warm(struct amk_request *rq, void *arg);

/* The message in the body of a request: checked, recorded, queued or started. */
int amk_api_session_message(struct amk_request *rq, struct amk_session *s, struct amk_receipt *r, struct amk_err *e);

const char *amk_api_session_receipt_state(const struct amk_receipt *r);

/* api_queue.c */
void amk_api_queue_list(struct amk_request *rq, void *arg);
void amk_api_queue_cancel(struct amk_request *rq, void *arg);
void amk_api_queue_clear(struct amk_request *rq, void *arg);

/* api_event.c: everything that reads the log */
void amk_api_event_list(struct amk_request *rq, void *arg);	/* of a session */
void amk_api_event_sse(struct amk_request *rq, void *arg);
void amk_api_event_list_all(struct amk_request *rq, void *arg); /* of all */
void amk_api_event_sse_all(struct amk_request *rq, void *arg);
void amk_api_event_turn(struct amk_request *rq, void *arg);	/* messages/stream */

/* api_decision.c */
void amk_api_decision_list(struct amk_request *rq, void *arg);
void amk_api_decision_get(struct amk_request *rq, void *arg);
void amk_api_decision_answer(struct amk_request *rq, void *arg);
void amk_api_decision_permission_reply(struct amk_request *rq, void *arg);
void amk_api_decision_question_reply(struct amk_request *rq, void *arg);
void amk_api_decision_question_reject(struct amk_request *rq, void *arg);

struct amk_api_answer {
	const struct amk_json *body; /* reply, answers, input, stop, message, by; or NULL */
	const char *reply;	     /* overrides the body's, or NULL */
	const char *by;		     /* when the body does not say */
};
/* Answers the one found. */
int amk_api_decision_take(struct amk_daemon *d, const struct amk_decision *found, const struct amk_api_answer *how,
			  struct amk_err *e);
/* After AMK_EANSWERED: the members that say who was first, with what and when; for a reply or for a line. */
void amk_api_decision_conflict(struct amk_buf *b, const struct amk_decision *found, bool line, const struct amk_err *e);

/* api_hook.c */
void amk_api_hook_list(struct amk_request *rq, void *arg);
void amk_api_hook_deliveries(struct amk_request *rq, void *arg);
void amk_api_hook_retry(struct amk_request *rq, void *arg);
void amk_api_hook_drop(struct amk_request *rq, void *arg);

/* api_rule.c */
void amk_api_rule_list(struct amk_request *rq, void *arg);
void amk_api_rule_add(struct amk_request *rq, void *arg);
void amk_api_rule_remove(struct amk_request *rq, void *arg);
void amk_api_rule_test(struct amk_request *rq, void *arg);

/* api_ws.c */
void amk_api_ws(struct amk_request *rq, void *arg); /* of a session */
void amk_api_ws_all(struct amk_request *rq, void *arg);

/* api_metric.c */
void amk_api_metric_list(struct amk_request *rq, void *arg);

/* api_agent.c */
void amk_api_agent_list(struct amk_request *rq, void *arg);
void amk_api_agent_modes(struct amk_request *rq, void *arg);
void amk_api_agent_models(struct amk_request *rq, void *arg);
void amk_api_agent_install(struct amk_request *rq, void *arg);

#endif
