/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mock agent's scripts are made of: steps; fixed lines, JSON with ' for " and $ for the prefix of the message's ids;
 * and what a tool may leave behind.
 */
#ifndef AMIKA_MOCK_H
#define AMIKA_MOCK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* One line to come, or the end of the program. */
struct step {
	char *line;
	int exit_code;
	struct step *next;
};

/* A message that came during a script: a script that waits for one takes it up, else it is run after it. */
struct steer {
	struct amk_json *line;
	struct steer *next;
};

#define MESSAGE "'kind':'message','role':'assistant'"
#define CALL \
	"'item':'$_tool_call','kind':'tool_call','role':'assistant','content':[{'type':'tool_call'," \
	"'name':'mock.search','arguments':'{\\'query\\':\\'example\\'}','call_id':'$_call'}]"
#define RESULT \
	"'item':'$_tool_result','kind':'tool_result','role':'tool','content':[" \
	"{'type':'tool_result','call_id':'$_call','output':'mock search results'}," \
	"{'type':'file_ref','path':'$/readme.md','action':'read','diff':null}," \
	"{'type':'file_ref','path':'$/output.txt','action':'write','diff':'+mock output\\n'}," \
	"{'type':'file_ref','path':'$/patch.txt','action':'patch','diff':'@@ -1,1 +1,1 @@\\n-old\\n+new\\n'}]"
#define STATUS(detail) \
	"'item':'$_status','kind':'status','role':'assistant','content':[{'type':'status'," \
	"'label':'Indexing','detail':'" detail "'}]"
#define IMAGE \
	"'item':'$_image'," MESSAGE ",'content':[{'type':'text','text':'A picture.'}," \
	"{'type':'image','path':'$/image.png','mime':'image/png'}]"
#define UNKNOWN "'item':'$_unknown','kind':'unknown','role':'assistant','content':[]"

static const char *const tool[] = { "{'type':'started'," CALL "}", "{'type':'completed'," CALL "}",
				    "{'type':'started'," RESULT "}",
				    "{'type':'completed'," RESULT ",'status':'failed'}", NULL };
static const char *const status[] = { "{'type':'started'," STATUS("2 files") "}",
				      "{'type':'completed'," STATUS("Done") "}", NULL };
static const char *const image[] = { "{'type':'started'," IMAGE "}", "{'type':'completed'," IMAGE "}", NULL };
static const char *const unknown[] = { "{'type':'started'," UNKNOWN "}", "{'type':'completed'," UNKNOWN "}", NULL };
static const char *const permissions[] = {
	"{'type':'permission','id':'$_permission','action':'command_execution',"
	"'metadata':{'codexRequestKind':'commandExecution','command':'echo mock'}}",
	"{'type':'permission','id':'$_permission_denied','action':'file_change',"
	"'metadata':{'codexRequestKind':'fileChange','path':'$/deny.txt'}}",
	NULL
};
static const char *const questions[] = {
	"{'type':'question','id':'$_question','prompt':'Choose a color','options':['Red','Blue']}",
	"{'type':'question','id':'$_question_reject','prompt':'Proceed?','options':['Yes','No']}", NULL
};
static const char *const error[] = {
	"{'type':'error','message':'Mock error event.','code':'mock_error','details':{'mock':true}}",
	"{'type':'unsupported'}", NULL
};
static const char *const unparsed[] = { "{'type':'unsupported'}", NULL };
static const char *const ended[] = { "{'type':'session_ended'}", NULL };
static const char *const garbage[] = { "this line is not JSON", NULL };
static const char *const hang[] = { NULL };
static const char *const steer[] = {
	"{'type':'started','item':'$_ear'," MESSAGE ",'content':[{'type':'text','text':'Tell me where to go.'}]}",
	"{'type':'completed','item':'$_ear'," MESSAGE ",'content':[{'type':'text','text':'Tell me where to go.'}]}", NULL
};
static const char *const list_files[] = {
	"{'type':'permission','id':'$_permission','action':'command_execution',"
	"'metadata':{'codexRequestKind':'commandExecution','command':'ls'}}",
	NULL
};
static const char *const proceed[] = {
	"{'type':'question','id':'$_question','prompt':'Proceed?','options':['Yes','No']}", NULL
};
#define RICH(text) "'item':'$_rich'," MESSAGE ",'content':[{'type':'text','text':'" text "'}"
static const char *const rich[] = {
	"{'type':'started'," RICH("") "]}",
	"{'type':'delta','item':'$_rich','delta':'The answer, '}",
	"{'type':'delta','item':'$_rich','delta':'in brief.'}",
	"{'type':'completed'," RICH("The answer, in brief.") ","
	"{'type':'reasoning','text':'Said to all: it was asked briefly.','visibility':'public'},"
	"{'type':'reasoning','text':'Kept to myself: nobody will read this.','visibility':'private'},"
	"{'type':'json','json':{'mock':true}}]}",
	NULL
};

/* A process that does not end by TERM; `away`: in a session of its own, as agents run their tools. */
static pid_t leave_process(bool away)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN); /* it is not waited for */
	pid = fork();
	if (pid != 0)
		return pid;
	if (away)
		setsid();
	signal(SIGTERM, SIG_IGN);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	for (;;)
		pause();
}

#endif
