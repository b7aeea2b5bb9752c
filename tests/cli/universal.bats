#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The universal API as a client of the original sees it: curl and jq, none of our tools but to start the
# daemon. The cases are the original's behaviours to hold; what is deliberately other is said beside it.

load helper

api() { # PATH CURL-ARGUMENT…
	local path=$1
	shift
	curl -sS --max-time 30 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" "$@" "http://localhost$path" 3>&-
}

post() { # PATH JSON CURL-ARGUMENT…
	local path=$1 body=$2
	shift 2
	api "$path" -H 'Content-Type: application/json' -d "$body" "$@"
}

# The status of a request; its body is in $body.
status_of() { # PATH CURL-ARGUMENT…
	api "$@" -o "$body" -w '%{http_code}'
}

post_status() { # PATH JSON
	status_of "$1" -H 'Content-Type: application/json' -d "$2"
}

detail() { jq -r .detail "$body"; }

new_session() { # NAME [MEMBERS]
	post "/v1/sessions/$1" '{"agent":"mock","arguments":["--pace","0"]'"${2:+,$2}"'}'
}

say() { # SESSION TEXT
	[ "$(post_status "/v1/sessions/$1/messages" "{\"message\":\"$2\"}")" = 204 ]
}

# Waits until the COUNT-th event of that type is in a session's stream, and prints all of them up to it.
stream_until() { # SESSION TYPE COUNT [QUERY]
	local line left=$3 stream pid
	exec {stream}< <(exec curl -sSN --max-time 30 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" \
		"http://localhost/v1/sessions/$1/events/sse${4:+?$4}" 3>&-)
	pid=$!
	while [ "$left" -gt 0 ] && IFS= read -r -u "$stream" line; do
		[[ $line == data:* ]] || continue
		printf '%s\n' "${line#data: }"
		[[ $line != *"\"type\":\"$2\",\"data\""* ]] || left=$((left - 1))
	done
	kill "$pid"
	exec {stream}<&-
	[ "$left" = 0 ]
}

turns() { stream_until "$1" turn.ended "$2" >/dev/null; } # SESSION COUNT

# All pages of a session's events.
events() { # SESSION [QUERY]
	local page=$BATS_TEST_TMPDIR/page
	api "/v1/sessions/$1/events${2:+?$2}" >"$page"
	jq -c '.events[]' "$page"
	while [[ ${2:-} != *limit* ]] && jq -e .hasMore "$page" >/dev/null; do
		api "/v1/sessions/$1/events?offset=$(jq '.events[-1].sequence' "$page")${2:+&$2}" >"$page"
		jq -c '.events[]' "$page"
	done
}

types() { jq -rs '[.[] | .type + (if .data.item.role then ":" + .data.item.role else "" end)] | join(" ")'; }

setup_file() {
	helper_setup_file
	amika session list >/dev/null
}

teardown_file() { helper_teardown_file; }

setup() { body=$BATS_TEST_TMPDIR/body; }

@test "health: ok" {
	[ "$(api /v1/health | jq -r .status)" = ok ]
}

@test "agents: what there is, in the original's order, with every field and flag" {
	api /v1/agents >"$BATS_TEST_TMPDIR/agents"
	[ "$(jq -c '[.agents[].id]' "$BATS_TEST_TMPDIR/agents")" = '["claude","mock"]' ]
	jq -e 'all(.agents[]; (.installed | type) == "boolean" and (.credentialsAvailable | type) == "boolean" and
		(.capabilities | keys) == ["commandExecution","errorEvents","fileAttachments","fileChanges","images",
		"itemStarted","mcpTools","permissions","planMode","questions","reasoning","sessionLifecycle",
		"sharedProcess","status","steer","streamingDeltas","textMessages","toolCalls","toolResults"] and
		all(.capabilities[]; type == "boolean"))' "$BATS_TEST_TMPDIR/agents"
	jq -e '.agents[] | select(.id == "mock") | .installed and .credentialsAvailable and
		(.capabilities | del(.sharedProcess) | all) and (.capabilities.sharedProcess | not)' "$BATS_TEST_TMPDIR/agents"
}

@test "modes and models of every agent; an unknown agent is 400" {
	for agent in claude mock; do
		api "/v1/agents/$agent/modes" | jq -e '[.modes[].id] == ["build","plan"] and
			all(.modes[]; (.name | length) > 0 and (.description | length) > 0)'
		api "/v1/agents/$agent/models" | jq -e '(.models | length) > 0 and all(.models[]; (.id | length) > 0)'
	done
	[ "$(api /v1/agents/mock/models | jq -r .defaultModel)" = mock ]
	[ "$(api /v1/agents/claude/models | jq -c '.models[0].variants')" = '["low","medium","high","xhigh","max"]' ]
	for what in modes models; do
		[ "$(status_of "/v1/agents/nobody/$what")" = 400 ]
		jq -e '.type == "urn:sandbox-agent:error:unsupported_agent" and .agent == "nobody" and
			.detail == "unsupported agent: nobody"' "$body"
	done
}

@test "install: the mock and what is there 204; else the command that does it" {
	[ "$(post_status /v1/agents/mock/install '{}')" = 204 ]
	[ "$(post_status /v1/agents/mock/install '{"reinstall":true}')" = 204 ]
	[ "$(post_status /v1/agents/nobody/install '{}')" = 400 ]
	[ "$(post_status /v1/agents/mock/install '{"reinstall":"yes"}')" = 400 ]
	[ "$(status_of /v1/agents/mock/install -X POST)" = 415 ]
	[ "$(post_status '/v1/agents/claude/install?path=/nowhere' '{}')" = 500 ]
	jq -e '.type == "urn:sandbox-agent:error:install_failed" and .title == "Install Failed" and
		.agent == "claude" and (.hint | test("npm install"))' "$body"
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/claude"
	chmod +x "$BATS_TEST_TMPDIR/claude"
	[ "$(post_status "/v1/agents/claude/install?path=$BATS_TEST_TMPDIR" '{"reinstall":false}')" = 204 ]
	[ "$(post_status "/v1/agents/claude/install?path=$BATS_TEST_TMPDIR" '{"reinstall":true}')" = 500 ]
}

@test "create: the answer, and the session in the list with all its fields" {
	[ "$(post /v1/sessions/first '{"agent":"mock","permissionMode":"bypass","model":null,"variant":null,"title":null,"mcp":null,"skills":null}' |
		jq -c .)" = '{"healthy":true,"error":null,"nativeSessionId":"mock-first"}' ]
	api /v1/sessions | jq -e '.sessions[] | select(.sessionId == "first") |
		.agent == "mock" and .agentMode == "build" and .permissionMode == "bypass" and .model == "mock" and
		.variant == null and has("variant") and .nativeSessionId == "mock-first" and .ended == false and
		.eventCount == 1 and (.createdAt | type) == "number" and .updatedAt >= .createdAt and
		(.directory | type) == "string" and .title == null and has("title") and
		(has("mcp") or has("skills") | not)'
	post /v1/sessions/full '{"agent":"mock","agentMode":"plan","permissionMode":"plan","model":"m","variant":"v",
		"agentVersion":"1.2","directory":"/tmp","title":"A title","mcp":{},"skills":{"sources":[]}}' >/dev/null
	api /v1/sessions | jq -e '.sessions[0] | [.sessionId,.agentMode,.permissionMode,.model,.variant,.directory,.title] ==
		["full","plan","plan","m","v","/tmp","A title"]'
	events full | jq -e 'select(.sequence == 1) | .type == "session.started" and .synthetic and .data.metadata ==
		{"agent":"mock","agentMode":"plan","model":"m","permissionMode":"plan","variant":"v"}'
}

@test "create refuses in the original's order, each with its code and sentence" {
	local code want body_text
	post /v1/sessions/taken '{"agent":"mock"}' >/dev/null
	while IFS='|' read -r code want body_text; do
		[ "$(post_status /v1/sessions/taken2 "$body_text")" = 400 ]
		[ "$(jq -r .type "$body")" = "urn:sandbox-agent:error:$code" ]
		[ "$(detail)" = "$want" ]
	done <<-'END'
		unsupported_agent|unsupported agent: nobody|{"agent":"nobody","permissionMode":"nonsense"}
		invalid_request|invalid request: invalid permission mode: nonsense|{"agent":"mock","permissionMode":"nonsense","directory":"no"}
		invalid_request|invalid request: invalid permission mode: |{"agent":"mock","permissionMode":""}
		mode_not_supported|mode not supported: mock custom|{"agent":"mock","agentMode":"custom"}
		invalid_request|invalid request: skills cannot be given to a session yet|{"agent":"mock","permissionMode":"x","skills":{"sources":[{"type":"local","source":"/"}]},"mcp":{"a":{}}}
		invalid_request|invalid request: skills: "sources" must be an array|{"agent":"mock","skills":{"sources":1}}
		invalid_request|invalid request: mcp: servers cannot be given to a session yet|{"agent":"mock","mcp":{"a":{"type":"local","command":"x"}},"agentMode":"custom"}
		invalid_request|invalid request: agentVersion: "a b" is no version|{"agent":"mock","agentVersion":"a b"}
		invalid_request|invalid request: directory is not an absolute path: no|{"agent":"mock","directory":"no"}
	END
	jq -e 'has("agent") | not' "$body"
	post_status /v1/sessions/x '{"agent":"mock","agentMode":"custom"}' >/dev/null
	jq -e '.agent == "mock" and .details.mode == "custom"' "$body"
	[ "$(post_status /v1/sessions/taken '{"agent":"mock","permissionMode":"nonsense"}')" = 409 ]
	[ "$(post_status /v1/sessions/taken '{"agent":"nobody"}')" = 400 ]
	[ "$(post_status /v1/sessions/x '{"agent":"claude","agentVersion":"2.1.329","agentMode":"custom","environment":{"PATH":"/nowhere"}}')" = 404 ]
	jq -e '.type == "urn:sandbox-agent:error:agent_not_installed" and .agent == "claude" and
		.hint == "install it: npm install -g @anthropic-ai/claude-code@2.1.329"' "$body"
	for type in '"agentMode":1' '"variant":[]' '"title":{}' '"mcp":[]' '"skills":"s"'; do
		[ "$(post_status /v1/sessions/x "{\"agent\":\"mock\",$type}")" = 400 ]
	done
	[ "$(status_of /v1/sessions/x)" = 404 ]
}

# A claude that writes down its arguments and waits to be ended.
fake_claude() {
	printf '#!/bin/sh\necho "$@" >"%s/argv"\nexec cat >/dev/null\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/claude"
	chmod +x "$BATS_TEST_TMPDIR/claude"
	mkfifo "$BATS_TEST_TMPDIR/argv"
}

@test "modes matrix: claude is really told its mode and its variant" {
	fake_claude
	local env="\"environment\":{\"PATH\":\"$BATS_TEST_TMPDIR:/usr/bin:/bin\",\"IS_SANDBOX\":\"1\"}" mode want
	while read -r mode want; do
		post "/v1/sessions/claude-$mode" "{\"agent\":\"claude\",\"permissionMode\":\"$mode\",\"variant\":\"low\",$env}" >/dev/null
		say "claude-$mode" hello
		run cat "$BATS_TEST_TMPDIR/argv"
		[[ $output == *"--include-partial-messages --effort low${want:+ $want}" ]]
		[ "$(api "/v1/sessions/claude-$mode" | jq -r .permissionMode)" = "$mode" ]
		[ "$(status_of "/v1/sessions/claude-$mode/terminate" -X POST)" = 204 ]
	done <<-'END'
		default
		plan --permission-mode plan
		acceptEdits --permission-mode acceptEdits
		bypass --dangerously-skip-permissions
	END
	[ "$(post_status /v1/sessions/x "{\"agent\":\"claude\",\"variant\":\"huge\",$env}")" = 400 ]
	[ "$(detail)" = 'invalid request: claude has no variant "huge"' ]
}

@test "bypass is refused to root, with what to do" {
	fake_claude
	want=200
	[ "$(id -u)" != 0 ] || want=400
	[ "$(post_status /v1/sessions/root "{\"agent\":\"claude\",\"permissionMode\":\"bypass\",\"environment\":{\"PATH\":\"$BATS_TEST_TMPDIR\"}}")" = "$want" ]
	[ "$want" = 200 ] || jq -e '.hint | test("another user") and test("IS_SANDBOX=1")' "$body"
}

@test "acceptEdits for the mock: the session shows default" {
	new_session edits '"permissionMode":"acceptEdits"' >/dev/null
	[ "$(api /v1/sessions/edits | jq -r .permissionMode)" = default ]
}

@test "a message: 204, and the events of its turn, numbered from 1" {
	new_session list >/dev/null
	say list hello
	turns list 1
	events list >"$BATS_TEST_TMPDIR/list"
	[ "$(jq -cs 'map(.sequence)' "$BATS_TEST_TMPDIR/list")" = '[1,2,3,4,5,6,7,8]' ]
	[ "$(types <"$BATS_TEST_TMPDIR/list")" = "session.started turn.started item.started:user item.completed:user item.started:assistant item.delta item.completed:assistant turn.ended" ]
	jq -es 'all(.[]; .event_id == "evt_\(.sequence)" and .session_id == "list" and .native_session_id == "mock-list" and
		.synthetic == (.source == "daemon") and has("raw") and .raw == null)' "$BATS_TEST_TMPDIR/list"
	say list again
	turns list 2
	[ "$(events list offset=8 | types)" = "turn.started item.started:user item.completed:user item.started:assistant item.delta item.completed:assistant turn.ended" ]
	[ "$(events list "offset=8&limit=1" | jq .sequence)" = 9 ]
}

@test "SSE says the same as polling" {
	new_session same >/dev/null
	say same tool
	stream_until same turn.ended 1 >"$BATS_TEST_TMPDIR/sse"
	events same | diff - <(jq -c . "$BATS_TEST_TMPDIR/sse")
}

@test "two sessions at once: each its own list" {
	new_session left >/dev/null
	new_session right >/dev/null
	say left one
	say right two
	turns left 1
	turns right 1
	for name in left right; do
		events "$name" | jq -es "map(.sequence) == [1,2,3,4,5,6,7,8] and all(.[]; .session_id == \"$name\")"
	done
}

@test "a turn's stream: exactly one turn.started and one turn.ended, then it is closed" {
	new_session turn >/dev/null
	say turn before
	turns turn 1
	post /v1/sessions/turn/messages/stream '{"message":"hello"}' -N | sed -n 's/^data: //p' >"$BATS_TEST_TMPDIR/turn"
	jq -es 'map(select(.type == "turn.started")) | length == 1' "$BATS_TEST_TMPDIR/turn"
	[ "$(jq -rs 'last.type' "$BATS_TEST_TMPDIR/turn")" = turn.ended ]
	jq -es 'all(.[]; .raw == null)' "$BATS_TEST_TMPDIR/turn"
	for name in includeRaw include_raw; do
		post "/v1/sessions/turn/messages/stream?$name=true" '{"message":"hello"}' -N | sed -n 's/^data: //p' |
			jq -es 'any(.[]; .raw.type == "completed")'
	done
}

@test "a permission: asked, answered once, unknown ids refused" {
	new_session allow >/dev/null
	say allow "List files in the current directory using available tools."
	stream_until allow permission.requested 1 >"$BATS_TEST_TMPDIR/asked"
	jq -es 'last.data | .action == "command_execution" and .status == "requested" and .metadata.command == "ls"' "$BATS_TEST_TMPDIR/asked"
	id=$(jq -rs 'last.data.permission_id' "$BATS_TEST_TMPDIR/asked")
	[ "$(post_status "/v1/sessions/allow/permissions/$id/reply" '{"reply":"once"}')" = 204 ]
	turns allow 1
	[ "$(events allow | jq -r 'select(.type == "permission.resolved").data.status')" = accept ]
	[ "$(post_status /v1/sessions/allow/permissions/missing-permission/reply '{"reply":"once"}')" = 400 ]
	[ "$(detail)" = 'invalid request: unknown permission id: missing-permission' ]
}

@test "a question: answered, and rejected; unknown ids refused" {
	new_session quiz >/dev/null
	say quiz questions
	stream_until quiz question.requested 2 | jq -c 'select(.type == "question.requested").data' >"$BATS_TEST_TMPDIR/asked"
	jq -es '(map(.options | length) == [2,2]) and all(.[]; .response == null and .status == "requested")' "$BATS_TEST_TMPDIR/asked"
	[ "$(post_status "/v1/sessions/quiz/questions/$(jq -rs '.[0].question_id' "$BATS_TEST_TMPDIR/asked")/reply" '{"answers":[["Red"]]}')" = 204 ]
	[ "$(status_of "/v1/sessions/quiz/questions/$(jq -rs '.[1].question_id' "$BATS_TEST_TMPDIR/asked")/reject" -X POST)" = 204 ]
	turns quiz 1
	[ "$(events quiz | jq -cs '[.[] | select(.type == "question.resolved").data | [.status,.response]]')" = '[["answered","Red"],["rejected",null]]' ]
	[ "$(post_status /v1/sessions/quiz/questions/missing-question/reply '{"answers":[["x"]]}')" = 400 ]
	[ "$(detail)" = 'invalid request: unknown question id: missing-question' ]
	[ "$(status_of /v1/sessions/quiz/questions/missing-question/reject -X POST)" = 400 ]
}

answer_all() { # SESSION REPLY: what is open there now
	local id
	for id in $(api "/v1/decisions?session=$1" | jq -r '.decisions[].decisionId'); do
		[ "$(post_status "/v1/sessions/$1/permissions/$id/reply" "{\"reply\":\"$2\"}")" = 204 ]
	done
}

# The requests and answers since a number: "requested accept_for_session:rule r_1 …".
decided() { # SESSION OFFSET
	events "$1" "offset=$2" | jq -rs '[.[] | select(.type | startswith("permission")) |
		.data.status + (if .amika.by then ":" + .amika.by else "" end)] | join(" ")'
}

@test "always: the same request is resolved by itself, through the end of the agent and of the daemon" {
	new_session always >/dev/null
	say always permissions
	stream_until always permission.requested 2 >/dev/null
	answer_all always always
	turns always 1
	at=$(api /v1/sessions/always | jq .eventCount)
	# The command is the same again; the other one's file is not.
	say always permissions
	stream_until always permission.requested 4 >/dev/null
	[ "$(decided always "$at")" = 'requested accept_for_session:rule r_1 requested' ]
	events always "offset=$at" | jq -es 'map(select(.amika.rule)) | length == 1 and (.[0] | .synthetic and
		.amika.rule.id == "r_1" and .amika.rule.scope == "session" and .amika.rule.action == "allow")'
	api '/v1/rules?session=always' | jq -e '.rules[0] | .ruleId == "r_1" and .command == "echo mock" and
		(.by | startswith("uid "))'
	# It is a decision like others: asked, answered, kept.
	api '/v1/decisions?session=always&all=true' | jq -e '[.decisions[].state | sub("delivered"; "answered")] == ["answered","answered","answered","open"] and
		(.decisions[2] | .by == "rule r_1" and .answer.reply == "always")'
	answer_all always reject
	turns always 2
	kill -KILL "$(api /v1/health | jq .pid)"
	amika session list >/dev/null
	at=$(api /v1/sessions/always | jq .eventCount)
	say always "Use the bash tool to run \`ls\`"
	stream_until always permission.requested 5 >/dev/null
	answer_all always once
	turns always 3
	[[ $(decided always "$at") == 'requested accept:uid '* ]]
	amikad stop >/dev/null
	amika session list >/dev/null
	at=$(api /v1/sessions/always | jq .eventCount)
	say always permissions
	stream_until always permission.requested 7 >/dev/null
	[ "$(decided always "$at")" = 'requested accept_for_session:rule r_1 requested' ]
	events always | check-stream --open -
}

@test "raw: the agent's own words when asked for, polled and streamed, under both names" {
	new_session raw >/dev/null
	say raw "hello"
	turns raw 1
	for name in includeRaw include_raw; do
		events raw "$name=true" >"$BATS_TEST_TMPDIR/raw"
		# What the program said has its line; what was made of the message and of nothing has none.
		jq -es 'all(.[]; (.raw != null) == (.sequence >= 5)) and (.[4].raw | .type == "started" and .item == "mock_1_reply") and
			(.[7].raw == {"type":"end","outcome":"completed"})' "$BATS_TEST_TMPDIR/raw"
		stream_until raw turn.ended 1 "$name=true" | diff - "$BATS_TEST_TMPDIR/raw"
	done
	say raw garbage
	turns raw 2
	[ "$(events raw includeRaw=true | jq -r 'select(.type == "agent.unparsed").raw')" = "this line is not JSON" ]
}

@test "raw: of a line of 2 MiB, after the agent's end, and null once its words are gone" {
	new_session large >/dev/null
	head -c 2097152 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/text"
	jq -nc --rawfile text "$BATS_TEST_TMPDIR/text" '{message: $text}' >"$BATS_TEST_TMPDIR/message"
	[ "$(post_status /v1/sessions/large/messages "@$BATS_TEST_TMPDIR/message")" = 204 ]
	turns large 1
	large_raw() { events large "includeRaw=true" | jq 'select(.type == "item.completed" and .raw.type == "completed").raw.content[0].text | length'; }
	[ "$(large_raw)" = 2097152 ]
	[ "$(status_of /v1/sessions/large/terminate -X POST)" = 204 ]
	[ "$(large_raw)" = 2097152 ]
	amikad stop >/dev/null # which would still have them in memory
	for run in "$AMIKA_STATE_DIRECTORY"/run/*; do
		! grep -q -m 1 xxxxxxxx "$run/out" 2>/dev/null || rm "$run/out"
	done
	amika session list >/dev/null
	events large "includeRaw=true" | jq -es 'length == 9 and all(.[]; .raw == null)'
	stream_until large session.ended 1 "includeRaw=true" | jq -es 'length == 9 and all(.[]; .raw == null)'
}

attach() { # SESSION JSON
	post_status "/v1/sessions/$1/messages" "{\"message\":\"see\",\"attachments\":$2}"
}

@test "attachments: shown with the message and given to the agent" {
	mkdir -p "$BATS_TEST_TMPDIR/place/sub"
	printf 'words\n' >"$BATS_TEST_TMPDIR/place/sub/notes.txt"
	printf '\211PNG\r\n\032\n' >"$BATS_TEST_TMPDIR/picture"
	new_session files "\"directory\":\"$BATS_TEST_TMPDIR/place\"" >/dev/null
	[ "$(attach files "[{\"path\":\"sub/notes.txt\",\"mime\":\"text/plain\",\"filename\":\"Notes\"},{\"path\":\"$BATS_TEST_TMPDIR/picture\"}]")" = 204 ]
	turns files 1
	want="[{\"type\":\"text\",\"text\":\"see\"},{\"type\":\"file_ref\",\"path\":\"sub/notes.txt\",\"action\":\"read\",\"diff\":null},{\"type\":\"image\",\"path\":\"$BATS_TEST_TMPDIR/picture\",\"mime\":\"image/png\"}]"
	[ "$(events files | jq -c 'select(.type == "item.completed").data.item.content' | uniq)" = "$want" ]
	[ "$(attach files null)" = 204 ]
	[ "$(attach files '[]')" = 204 ]
	turns files 3
	[ "$(events files | jq -cs 'last(.[] | select(.data.item.role == "user")).data.item.content')" = '[{"type":"text","text":"see"}]' ]
}

@test "attachments that cannot be: 400 with the path, and nothing is accepted" {
	local want list
	new_session none '"directory":"/etc"' >/dev/null
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	while IFS='|' read -r want list; do
		[ "$(attach none "$list")" = 400 ]
		[ "$(detail)" = "invalid request: $want" ]
	done <<-END
		no such file to attach: no/such|[{"path":"passwd"},{"path":"no/such"}]
		cannot attach /etc: it is no file|[{"path":"/etc"}]
		cannot attach $BATS_TEST_TMPDIR/pipe: it is no file|[{"path":"$BATS_TEST_TMPDIR/pipe"}]
		attachments: ../etc/passwd leads out of the session's directory|[{"path":"../etc/passwd"}]
		attachments: "path" is missing|[{"mime":"x"}]
		"attachments" must be an array|"passwd"
		attachments: more than 20|$(jq -nc '[range(21) | {path: "passwd"}]')
	END
	[ "$(api /v1/sessions/none | jq .eventCount)" = 1 ]
}

@test "attachments of a message sent twice: the same files are the same message" {
	printf 'one' >"$BATS_TEST_TMPDIR/a"
	printf 'two' >"$BATS_TEST_TMPDIR/b"
	new_session twice "\"directory\":\"$BATS_TEST_TMPDIR\"" >/dev/null
	send() { post_status /v1/sessions/twice/messages "{\"message\":\"see\",\"messageId\":\"k\",\"attachments\":$1}"; }
	[ "$(send '[{"path":"a"}]')" = 204 ]
	turns twice 1
	rm "$BATS_TEST_TMPDIR/a"
	[ "$(send '[{"path":"a"}]')" = 204 ]
	[ "$(send '[{"path":"b"}]')" = 409 ]
	[ "$(send '[]')" = 409 ]
	[ "$(events twice | jq -s 'map(select(.type == "turn.started")) | length')" = 1 ]
}

@test "attachments wait with their message, though the file goes and the daemon dies" {
	printf 'GIF89a' >"$BATS_TEST_TMPDIR/late.gif"
	new_session late "\"directory\":\"$BATS_TEST_TMPDIR\"" >/dev/null
	say late hang
	[ "$(attach late '[{"path":"late.gif"}]')" = 204 ]
	rm "$BATS_TEST_TMPDIR/late.gif"
	kill -KILL "$(api /v1/health | jq .pid)"
	amika session list >/dev/null
	[ "$(status_of /v1/sessions/late/cancel -X POST)" = 204 ]
	turns late 2
	events late | jq -es 'last(.[] | select(.type == "item.completed")).data.item.content[1] ==
		{"type":"image","path":"late.gif","mime":"image/gif"}'
}

@test "the mock's demo shows everything, and ends when all is answered" {
	new_session demo >/dev/null
	say demo demo
	stream_until demo question.requested 2 >/dev/null
	answer_all_kinds() {
		api "/v1/decisions?session=demo" | jq -r '.decisions[] | .kind + "s/" + .decisionId' | while read -r what; do
			case $what in
			p*) [ "$(post_status "/v1/sessions/demo/$what/reply" '{"reply":"once"}')" = 204 ] ;;
			q*) [ "$(status_of "/v1/sessions/demo/$what/reject" -X POST)" = 204 ] ;;
			esac
		done
	}
	answer_all_kinds
	turns demo 1
	events demo | tee "$BATS_TEST_TMPDIR/demo" | check-stream -
	jq -es '(map(.data.item.kind // empty) | unique) == ["message","status","tool_call","tool_result","unknown"] and
		(map(.data.item.native_item_id // empty | select(test("marker"))) | unique | length) == 11 and
		any(.[]; .type == "error" and .data.code == "mock_error") and
		(map(select(.type == "agent.unparsed")) | length) == 2 and any(.[]; .type == "session.ended" and
		.data == {"reason":"completed","terminated_by":"agent"})' "$BATS_TEST_TMPDIR/demo"
	# The session can be used on, as in the original.
	say demo hello
	turns demo 2
}

@test "the prompts of the original's tests have their answers" {
	local want text
	new_session prompts >/dev/null
	while IFS='|' read -r want text; do
		post /v1/sessions/prompts/messages/stream "{\"message\":\"$text\"}" -N | sed -n 's/^data: //p' |
			jq -rs 'last(.[] | select(.type == "item.completed")).data.item.content | map(.type + ":" + (.text // .detail // "")) | join(" ")' >"$BATS_TEST_TMPDIR/said"
		[ "$(cat "$BATS_TEST_TMPDIR/said")" = "$want" ]
	done <<-'END'
		text:OK|Reply with exactly the single word OK.
		text:OK|  reply with exactly the SINGLE word ok.
		text:FIRST|Reply with exactly the word FIRST.
		text:SECOND|Reply with exactly the single word SECOND.
		status:Done|Provide a short status update.
		text:The answer, in brief. reasoning:Said to all: it was asked briefly. reasoning:Kept to myself: nobody will read this. json:|Answer briefly and include your reasoning.
	END
}

@test "terminate: 204, session.ended by the daemon, messages refused" {
	new_session gone >/dev/null
	say gone hello
	turns gone 1
	[ "$(status_of /v1/sessions/gone/terminate -X POST)" = 204 ]
	events gone | jq -es 'last | .type == "session.ended" and .data.reason == "terminated" and .data.terminated_by == "daemon"'
	[ "$(post_status /v1/sessions/gone/messages '{"message":"more"}')" = 400 ]
	[[ $(detail) == "session terminated"* ]]
	[ "$(status_of /v1/sessions/gone/terminate -X POST)" = 204 ]
}
