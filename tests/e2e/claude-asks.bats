#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the real Claude Code asks, and all that can be answered: questions, plans, other input, an end to the turn; its
# sub-agents and what it does in the background; slash commands.

bats_require_minimum_version 1.5.0

load ../cli/helper
load claude

# What a sub-agent is told stands in its parent's message, too, behind a quote.
setup_file() {
	claude_setup_file '{"match": "(?<!\")sub: touch ([a-z]+)", "steps": [
		{"tools": [{"name": "bash", "input": {"command": "touch {{1}}"}}]}, {"text": "sub done"}]}'
}
teardown_file() { claude_teardown_file; }
setup() { claude_setup; }

questions='{"questions":[{"question":"Which colour?","header":"Colour","multiSelect":false,
	"options":[{"label":"Red","description":"warm"},{"label":"Blue","description":"cold"}]},
	{"question":"Which sizes?","header":"Sizes","multiSelect":true,
	"options":[{"label":"S","description":"small"},{"label":"L","description":"large"}]}]}'
questions=${questions//[$'\n\t']/}

# Sends a message that is answered by a request, which it leaves in "asked"; what comes after stands behind $at.
ask() { # SESSION TEXT
	run --separate-stderr a amika send "$1" "$2"
	[ "$status" = 9 ]
	tail -n 1 <<<"$output" >asked
	at=$(end_of "$1")
	id=$(jq -r .amika.decision.id asked)
}

# The events of a session behind $at, once its turn is over.
rest() { # SESSION
	wait_for "$1@$at" turn.ended >/dev/null
	a amika events "$1@$at"
}

# What the tool told the model.
tool_output() { jq -rs '[.[] | select(.type == "item.completed" and .data.item.kind == "tool_result")] | last.data.item.content[0].output'; }

@test "two questions: both are shown, both are answered" {
	ask main "[[tool:AskUserQuestion $questions]]"
	jq -e '.type == "question.requested" and .data.prompt == "Which colour?" and .data.options == ["Red","Blue"]' asked
	jq -e --argjson q "$questions" '.amika.decision.questions == $q.questions' asked
	run ! some '.type == "permission.requested"' <<<"$output"
	run a amika decision reply "$id" Red
	[ "$status" = 3 ]
	[[ $output = *'2 questions are asked: 2 lists of answers, not 1'* ]]
	run a amika decision reply --answers '[["Red","Blue"],["S"]]' "$id"
	[ "$status" = 3 ]
	[ "$(a amika decision show "$id" | jq -r .state)" = open ]
	a amika decision reply --answers '[["Red"],["S","L"]]' "$id" | jq -e '.answer.answers == [["Red"],["S","L"]]'
	rest main >out
	some '.type == "question.resolved" and .data.status == "answered" and .data.response == "Red, S, L"' <out
	[[ $(tool_output <out) = *'"Which colour?"="Red"'*'"Which sizes?"="S, L"'* ]]
	[ "$(outcome <out)" = completed ]
	checked main
}

@test "a question is answered in the person's own words" {
	ask main "[[tool:AskUserQuestion $questions]]"
	a amika decision reply "$id" "the colour of the sea" "whatever is left"
	rest main >out
	[[ $(tool_output <out) = *'"Which colour?"="the colour of the sea"'*'"Which sizes?"="whatever is left"'* ]]
	checked main
}

@test "a question is declined, with a word to it" {
	ask main "[[tool:AskUserQuestion $questions]]"
	a amika decision deny --message "ask me tomorrow" "$id"
	rest main >out
	some '.type == "question.resolved" and .data.status == "rejected" and .data.response == null' <out
	[[ $(tool_output <out) = *'ask me tomorrow'* ]]
	[ "$(outcome <out)" = completed ]
	checked main
}

@test "on a terminal: both questions, one after the other, by their numbers" {
	on_terminal "amika send main '[[tool:AskUserQuestion $questions]]'"
	sees '(1 of 2): Which colour?'
	sees '2 Blue - cold'
	types '2\n'
	sees '(2 of 2): Which sizes?'
	sees 'numbers (1,2)'
	types '1,2\n'
	ends
	a amika decision list --all -s main | tail -n 1 | jq -e '.answer.answers == [["Blue"],["S","L"]]'
	checked main
}

@test "a question is still open when the daemon was killed, and is answered" {
	ask main "[[tool:AskUserQuestion $questions]]"
	kill -KILL "$(a amikad status --json | jq .pid)"
	a amika decision reply "$id" Blue S
	rest main >out
	[[ $(tool_output <out) = *'"Which colour?"="Blue"'*'"Which sizes?"="S"'* ]]
	[ "$(outcome <out)" = completed ]
	checked main
}

@test "plan mode: rejected in words, revised, approved; then edits are asked about again" {
	a amika session create --agent claude --permission-mode plan plans
	ask plans "[[tool:planfile First this.]][[tool:ExitPlanMode {}]][[tool:planfile First a test, then this.]][[tool:ExitPlanMode {}]][[tool:write planned.txt words]]"
	jq -e '.type == "question.requested" and .data.options == ["approve","reject"] and
		(.amika.decision.plan | test("First this.")) and (.amika.decision.plan_path | test("/plans/"))' asked
	a amika decision reply "$id" "where is the test?"
	wait_for "plans@$at" question.requested >asked
	a amika events "plans@$at" >out
	[[ $(jq -rs '[.[] | select(.data.item.kind? == "tool_result")] | .[0].data.item.content[0].output' <out) = *'where is the test?'* ]]
	jq -e '.amika.decision.plan | test("First a test, then this.")' asked
	[ ! -e planned.txt ]
	a amika decision reply "$(jq -r .amika.decision.id asked)" approve
	wait_for "plans@$at" permission.requested >asked
	a amika events "plans@$at" >out
	some '.type == "item.completed" and .data.item.content[0] == {"type":"status","label":"permission.mode","detail":"default"}' <out
	jq -e '.data.action == "Write"' asked
	a amika decision allow "$(jq -r .amika.decision.id asked)"
	wait_for "plans@$at" turn.ended | jq -e '.amika.outcome == "completed"'
	[ "$(cat planned.txt)" = words ]
	checked plans
}

@test "another input is executed as it is given" {
	ask main "[[tool:bash touch asked.txt]]"
	a amika decision allow --input '{"command":"touch given.txt"}' "$id" |
		jq -e '.answer == {"reply":"once","input":{"command":"touch given.txt"}}'
	rest main >out
	some '.type == "permission.resolved" and .amika.decision.changed_input == {"command":"touch given.txt"}' <out
	[ -e given.txt ]
	[ ! -e asked.txt ]
	[ "$(outcome <out)" = completed ]
	checked main
}

@test "denied and stopped: the turn ends as cancelled, the session goes on" {
	ask main "[[tool:bash touch stopped.txt]]"
	a amika decision deny --stop --message "enough" "$id" | jq -e '.answer.stop'
	rest main >out
	[ "$(outcome <out)" = cancelled ]
	[ ! -e stopped.txt ]
	ask main "[[tool:AskUserQuestion $questions]]"
	a amika decision deny --stop "$id"
	[ "$(rest main | outcome)" = cancelled ]
	a amika send main "[[text:and on]]" >out
	[ "$(last_text <out)" = "and on" ]
	checked main
}

@test "a sub-agent asks: who it is, and below which call" {
	ask main '[[tool:Task {"description":"d","prompt":"sub: touch foreground","subagent_type":"general-purpose","run_in_background":false}]]'
	jq -e '.amika.decision.agent_id and .amika.decision.background' asked
	a amika events main >out
	some "(.data.item.item_id? == $(jq .amika.decision.item_id asked)) and .data.item.parent_id != null" <out
	a amika decision allow "$id"
	rest main >out
	[ -e foreground ]
	[ "$(outcome <out)" = completed ]
	checked main
}

@test "a sub-agent in the background asks after its turn, and ends a turn that nobody asked for" {
	a amika session create --agent claude subs
	a amika send --wait subs '[[tool:Task {"description":"d","prompt":"sub: touch background","subagent_type":"general-purpose","run_in_background":true}]]' >out
	wait_for subs permission.requested >asked
	jq -e '.amika.decision.agent_id' asked
	at=$(end_of subs)
	a amika decision allow "$(jq -r .amika.decision.id asked)"
	wait_for "subs@$at" turn.ended | jq -e '.amika.outcome == "completed" and (.amika.message == null)'
	[ -e background ]
	some '.type == "item.completed" and .data.item.content[0].label? == "task.ended" and .data.item.parent_id != null' < <(a amika events subs)
	checked subs
}

@test "a command in the background: its end brings on a turn of its own" {
	mkfifo go
	a amika send main '[[tool:Bash {"command":"cat go; echo background-done","run_in_background":true,"description":"waits"}]]' >out
	[ "$(outcome <out)" = completed ]
	at=$(end_of main)
	echo now >go
	wait_for "main@$at" turn.ended | jq -e '.amika.message == null and .amika.outcome == "completed"'
	some '.data.item.content[0].label? == "task.ended"' < <(a amika events "main@$at")
	checked main
}

@test "slash commands: the program's own are answered by it, others go to the model" {
	a amika send main /context >out
	[[ $(last_text <out) = *Context* ]]
	a amika send main "/nosuch [[text:from the model]]" >out
	[ "$(last_text <out)" = "from the model" ]
	a amika send main /compact >out
	some '.data.item.content[0].label? == "compacted"' <out
	before=$(a amika session show main | jq -r .native_session_id)
	a amika send main /clear >out
	some '.data.item.content[0].label? == "conversation.reset"' <out
	a amika send main "[[text:after]]" >out
	[ "$(last_text <out)" = after ]
	[ "$(a amika session show main | jq -r .native_session_id)" != "$before" ]
	checked main
}

@test "an MCP server's form: one question for each property, answers by their type" {
	cat >form.js <<'END'
const send = (m) => console.log(JSON.stringify({ jsonrpc: '2.0', ...m }));
const properties = { name: { type: 'string', title: 'Name' }, age: { type: 'integer', description: 'How old?' },
	colour: { type: 'string', enum: ['red', 'blue'] } };
let call;
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
	const m = JSON.parse(line);
	if (m.method === 'initialize')
		send({ id: m.id, result: { protocolVersion: m.params.protocolVersion, capabilities: { tools: {} },
			serverInfo: { name: 'form', version: '1' } } });
	else if (m.method === 'tools/list')
		send({ id: m.id, result: { tools: [{ name: 'fill', inputSchema: { type: 'object', properties: {} } }] } });
	else if (m.method === 'tools/call') {
		call = m.id;
		send({ id: 900, method: 'elicitation/create', params: { message: 'Who are you?',
			requestedSchema: { type: 'object', properties, required: ['name'] } } });
	} else if (m.id === 900)
		send({ id: call, result: { content: [{ type: 'text', text: JSON.stringify(m.result) }] } });
	else if (m.id !== undefined)
		send({ id: m.id, error: { code: -32601, message: 'no such method' } });
});
END
	a amika session create --agent claude forms -- --strict-mcp-config \
		--mcp-config "{\"mcpServers\":{\"form\":{\"command\":\"$(command -v node)\",\"args\":[\"$PWD/form.js\"]}}}" \
		--allowedTools mcp__form__fill
	ask forms "[[tool:mcp__form__fill {}]]"
	jq -e '.data.prompt == "Who are you?" and .amika.decision.server == "form" and
		[.amika.decision.questions[].name] == ["name","age","colour"]' asked
	run a amika decision reply "$id" Me old red
	[ "$status" = 3 ]
	a amika decision reply "$id" Me 33 red
	rest forms >out
	[ "$(tool_output <out)" = '{"action":"accept","content":{"name":"Me","age":33,"colour":"red"}}' ]
	ask forms "[[tool:mcp__form__fill {}]]"
	a amika decision deny "$id"
	rest forms >out
	[ "$(tool_output <out)" = '{"action":"decline"}' ]
	checked forms
}

@test "no line of all that was not understood" {
	for s in main plans subs forms; do
		run ! some '.type == "agent.unparsed"' < <(a amika events "$s")
	done
}
