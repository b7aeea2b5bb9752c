#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The whole way with the real Claude Code, which talks to a scripted model in a namespace that has only
# loopback. One daemon for the file. See tests/tools/fake-llm for the [[directives]].

bats_require_minimum_version 1.5.0

setup_file() {
	local top=${top_srcdir:-$BATS_TEST_DIRNAME/../..}
	lacks=
	PATH=${bindir:-$top/bin}:${top_builddir:-$top}/tests/tools:$PATH
	export PATH
	claude=$("$BATS_TEST_DIRNAME/get-claude" "${CLAUDE_FOLDER:-$top/check/npm}" --no-install) ||
		lacks="claude: run ./bootstrap check, which installs it"
	command -v node >/dev/null || lacks="claude: no node for the model's stand-in"
	[ "$(tail -n +3 /proc/net/dev | grep -c -v '^ *lo:')" = 0 ] || lacks="netns: run through tests/run"
	export claude lacks
	[ -z "$lacks" ] || return 0
	PATH=$(dirname "$claude"):$PATH
	export HOME=$BATS_FILE_TMPDIR/home XDG_STATE_HOME=
	export AMIKA_STATE_DIRECTORY=$BATS_FILE_TMPDIR/state
	mkdir -p "$HOME" "$BATS_FILE_TMPDIR/work"
	mkfifo "$BATS_FILE_TMPDIR/first"
	# Claude sends a message after an unanswered one together with it: a rule goes before directives.
	echo '{"rules": [{"match": "be well again", "steps": [{"text": "recovered"}]}]}' >"$BATS_FILE_TMPDIR/rules"
	node "$top/tests/tools/fake-llm/server.js" --port 0 --scenario "$BATS_FILE_TMPDIR/rules" --log "$BATS_FILE_TMPDIR/requests" \
		>"$BATS_FILE_TMPDIR/first" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/model.pid"
	read -r line <"$BATS_FILE_TMPDIR/first"
	export ANTHROPIC_BASE_URL=${line##* }
	export ANTHROPIC_API_KEY=sk-test-not-real CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \
		CLAUDE_CODE_MAX_RETRIES=1 DISABLE_TELEMETRY=1 DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1
	cd "$BATS_FILE_TMPDIR/work" || return
	amika session create --agent claude --title "end to end" main 3>&-
}

teardown_file() {
	[ -z "$lacks" ] || return 0
	amikad stop 3>&-
	kill "$(cat "$BATS_FILE_TMPDIR/model.pid")"
}

setup() {
	[ -z "$lacks" ] || skip "$lacks"
	cd "$BATS_FILE_TMPDIR/work" || return
}

# A command that may start the daemon, without bats's own descriptor in it.
a() { "$@" 3>&-; }

# The text of the last assistant message in the events on stdin.
last_text() {
	jq -rs '[.[] | select(.type == "item.completed" and .data.item.kind == "message"
		and .data.item.role == "assistant")] | last.data.item.content | map(.text // empty) | join("")'
}

outcome() { jq -r 'select(.type == "turn.ended").amika.outcome'; }

# Follows a session until an event of that type is there, and prints it.
wait_for() { # SESSION[@N] TYPE
	local line follow pid
	exec {follow}< <(exec amika events --json --follow "$1" 3>&-)
	pid=$!
	while read -r -u "$follow" line; do
		[[ $line != *"\"type\":\"$2\",\"data\""* ]] || break
	done
	kill "$pid"
	exec {follow}<&-
	echo "$line"
}

# True when the filter is true of one of the events on stdin.
some() { # FILTER
	jq -se "any(.[]; $1)" >/dev/null
}

# The events of a session, which the independent checker agrees with.
checked() { # SESSION
	a amika events "$1" >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
}

# The number of its last event.
end_of() { a amika session show "$1" | jq .after; }

@test "claude is the version these tests are written for" {
	[ "$("$claude" --version | cut -d ' ' -f 1)" = 2.1.329 ]
}

@test "a message, and the reply as it comes" {
	a amika send main "[[text:Hello from a real agent.]]" >out
	[ "$(last_text <out)" = "Hello from a real agent." ]
	[ "$(outcome <out)" = completed ]
	[ "$(jq -r 'select(.type == "item.delta") | .data.delta' <out | tr -d '\n')" != "" ]
	[ "$(jq -r 'select(.type == "turn.ended").amika.usage.output_tokens' <out)" != null ]
	checked main
}

@test "only the last text, for a script" {
	run --separate-stderr a amika run --final -n final claude "[[text:just this]]"
	[ "$status" = 0 ]
	[ "$output" = "just this" ]
}

@test "thinking is private reasoning" {
	a amika send main "[[think:I wonder.]]" >out
	some '.type == "item.completed" and
		any(.data.item.content[]; .type == "reasoning" and .visibility == "private")' <out
}

@test "a tool runs: its call, its result, its status" {
	a amika send main "[[tool:bash echo seen-by-tool]]" >out
	some '.type == "item.completed" and .data.item.kind == "tool_call" and
		.data.item.content[0].name == "Bash"' <out
	some '.type == "item.completed" and .data.item.kind == "tool_result" and
		.data.item.status == "completed" and (.data.item.content[0].output | test("seen-by-tool"))' <out
	[ "$(outcome <out)" = completed ]
	checked main
}

@test "a permission is answered from a second terminal" {
	a amika send --wait main "[[tool:bash touch allowed.txt]]" >out &
	sender=$!
	wait_for main permission.requested >asked
	id=$(jq -r .amika.decision.id asked)
	a amika decision list | some ".decision_id == \"$id\" and .state == \"open\""
	a amika decision allow "$id" >answered
	wait "$sender"
	[ -e allowed.txt ]
	some '.type == "permission.resolved" and .data.status == "accept"' <out
	[ "$(outcome <out)" = completed ]
	run a amika decision deny "$id"
	[ "$status" = 5 ]
	checked main
}

@test "nobody there: send ends with 9, and a denial lets the turn go on" {
	run --separate-stderr a amika send main "[[tool:bash touch denied.txt]]"
	[ "$status" = 9 ]
	echo "$output" | tail -n 1 | jq -e '.type == "permission.requested"'
	echo "$output" | tail -n 1 | jq -r .amika.decision.id >id
	at=$(end_of main)
	a amika decision deny "$(cat id)" --message "not today"
	wait_for "main@$at" turn.ended | jq -e '.amika.outcome == "completed"'
	[ ! -e denied.txt ]
	checked main
}

@test "always: asked once, and nothing is written into the project" {
	a amika run -n always claude "[[tool:bash touch one.txt]]" >out || [ "$?" = 9 ]
	at=$(end_of always)
	id=$(jq -r 'select(.type == "permission.requested").amika.decision.id' out)
	[ "$(a amika decision allow --always "$id" | jq -c '.answer.rule | [.scope, .tool, .command]')" = \
		'["session","Bash","touch one.txt"]' ]
	wait_for "always@$at" turn.ended
	a amika send always "[[tool:bash touch one.txt]]" >out
	[ "$(outcome <out)" = completed ]
	[ ! -e .claude ]
	checked always
}

@test "a file it writes is seen with its diff" {
	a amika session create --agent claude --permission-mode acceptEdits files
	a amika send files "[[tool:write note.txt some words]]" >out
	[ "$(cat note.txt)" = "some words" ]
	some 'any(.data.item.content[]?; .type == "file_ref" and .action == "write" and .diff != null)' <out
	checked files
}

# Where the request log of the model's stand-in ends, and what was asked after that.
asked_upto() { wc -l <"$BATS_FILE_TMPDIR/requests"; }
asked_since() { tail -n "+$(($1 + 1))" "$BATS_FILE_TMPDIR/requests"; } # N

@test "acceptEdits: edits in the session's folder are not asked about, others are" {
	a amika session create --agent claude --permission-mode acceptEdits edits
	a amika send edits "[[tool:write inside.txt words]]" >out
	[ "$(outcome <out)" = completed ]
	run ! some '.type == "permission.requested"' <out
	[ "$(cat inside.txt)" = words ]
	run --separate-stderr a amika send edits "[[tool:write $BATS_TEST_TMPDIR/outside.txt words]]"
	[ "$status" = 9 ]
	at=$(end_of edits)
	echo "$output" | tail -n 1 | jq -e ".amika.decision.path == \"$BATS_TEST_TMPDIR/outside.txt\""
	echo "$output" | tail -n 1 | jq -r .amika.decision.id >id
	a amika decision deny "$(cat id)"
	wait_for "edits@$at" turn.ended >/dev/null
	[ ! -e "$BATS_TEST_TMPDIR/outside.txt" ]
	checked edits
}

@test "plan mode: a plan is made and shown before anything is changed" {
	a amika session create --agent claude --permission-mode plan plans
	run --separate-stderr a amika send plans "[[tool:planfile First this, then that.]][[tool:ExitPlanMode {}]]"
	[ "$status" = 9 ]
	at=$(end_of plans)
	echo "$output" | tail -n 1 | jq -e '.data.action == "ExitPlanMode" and
		(.data.metadata.input.plan | test("First this, then that."))'
	a amika decision allow "$(echo "$output" | tail -n 1 | jq -r .amika.decision.id)"
	wait_for "plans@$at" turn.ended | jq -e '.amika.outcome == "completed"'
	checked plans
}

@test "a variant is the effort the model is asked for" {
	a amika session create --agent claude --variant low effort
	at=$(asked_upto)
	a amika send effort "[[text:hardly any]]" >out
	[ "$(outcome <out)" = completed ]
	[ "$(asked_since "$at" | jq -r '.body.output_config.effort // empty' | sort -u)" = low ]
	run --separate-stderr a amika session create --agent claude --variant huge huge
	[ "$status" = 3 ]
	[[ $stderr == *'no variant "huge" (it has low, medium, high, xhigh, max)'* ]]
}

@test "attachments: an image is seen, a file is named" {
	png=iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
	base64 -d >picture <<<"$png"
	echo words >notes.txt
	at=$(asked_upto)
	a amika send --attach picture --attach notes.txt main "[[text:I see it.]]" >out
	[ "$(last_text <out)" = "I see it." ]
	some ".type == \"item.completed\" and .data.item.role == \"user\" and .data.item.content[1:] ==
		[{\"type\":\"image\",\"path\":\"$PWD/picture\",\"mime\":\"image/png\"},
		{\"type\":\"file_ref\",\"path\":\"$PWD/notes.txt\",\"action\":\"read\",\"diff\":null}]" <out
	asked_since "$at" | jq -c '.body.messages[]? | select(.role == "user").content[]?' >blocks
	some ".type == \"image\" and .source.media_type == \"image/png\" and (.source.data | startswith(\"iVBORw0KGgo\"))" <blocks
	some ".type == \"text\" and (.text | test(\"Attached files:\\n- $PWD/picture \\\\(image/png\\\\)\\n- $PWD/notes.txt\"))" <blocks
	a amika send --lines main <<<'{"text":"[[text:once more]]","attachments":[{"path":"notes.txt","filename":"Notes"}]}' >out
	[ "$(last_text <out)" = "once more" ]
	run --separate-stderr a amika send --attach nosuch main "[[text:never]]"
	[ "$status" = 3 ]
	[[ $stderr == *"no such file to attach: $PWD/nosuch"* ]]
	checked main
}

@test "second turn: the same process" {
	a amika send main "[[text:first]]" >out
	before=$(ls "$AMIKA_STATE_DIRECTORY/run")
	a amika send main "[[text:second]]" >out
	[ "$(last_text <out)" = second ]
	[ "$(ls "$AMIKA_STATE_DIRECTORY/run")" = "$before" ]
	[ "$(a amika events main | jq -r 'select(.type == "session.started") | 1' | wc -l)" = 1 ]
}

@test "cancel: ^C ends the turn, and the session goes on" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	env --default-signal=INT amika send main "[[slow:200 one two three four five six seven eight nine ten]]" \
		>"$BATS_TEST_TMPDIR/pipe" 3>&- &
	sender=$!
	exec {shown}<"$BATS_TEST_TMPDIR/pipe"
	line=
	while [[ $line != *item.delta* ]]; do read -r -u "$shown" line; done
	kill -INT "$sender"
	cat <&"$shown" >out
	status=0
	wait "$sender" || status=$?
	[ "$status" = 1 ]
	[ "$(outcome <out)" = cancelled ]
	a amika send main "[[text:still here]]" >out
	[ "$(last_text <out)" = "still here" ]
	checked main
}

@test "an API error fails the turn and says why, and the next message is answered" {
	a amika session create --agent claude errors
	run --separate-stderr a amika send errors "[[error:400]]"
	[ "$status" = 1 ]
	[[ $stderr == "amika-send: failed: "*400* ]]
	[ "$(outcome <<<"$output")" = failed ]
	a amika send errors "be well again" >out
	[ "$(last_text <out)" = recovered ]
	checked errors
}

@test "retries of the server are seen, and end well" {
	a amika session create --agent claude retries
	a amika send retries "[[error:529 1]][[text:got through]]" >out
	[ "$(last_text <out)" = "got through" ]
	some '.type == "item.completed" and .data.item.kind == "status"' <out
	checked retries
}

@test "the daemon is killed in mid-turn: nothing is lost" {
	at=$(end_of main)
	words="one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
	a amika send --no-wait main "[[slow:60 $words]]" >receipt
	wait_for "main@$at" item.delta >/dev/null
	kill -KILL "$(a amikad status --json | jq .pid)"
	wait_for "main@$at" turn.ended >ended
	[ "$(jq -r .amika.outcome ended)" = completed ]
	a amika events <receipt >out
	[ "$(last_text <out)" = "$words" ]
	[ "$(jq -r 'select(.type == "item.delta" and (.data.delta | length > 0)) | .data.item_id' out | sort -u | wc -l)" -ge 1 ]
	checked main
}

@test "a killed daemon forgets no open decision" {
	a amika send main "[[tool:bash touch later.txt]]" >out || [ "$?" = 9 ]
	kill -KILL "$(a amikad status --json | jq .pid)"
	at=$(end_of main)
	a amika decision list | a amika decision allow
	wait_for "main@$at" turn.ended | jq -e '.amika.outcome == "completed"'
	[ -e later.txt ]
	checked main
}

@test "stopped and started again, the conversation is resumed by its native id" {
	before=$(a amika session show main | jq -r .native_session_id)
	a amikad stop
	a amika send main "[[text:resumed]]" >out
	[ "$(last_text <out)" = resumed ]
	[ "$(a amika session show main | jq -r .native_session_id)" = "$before" ]
	checked main
}

@test "always holds on where Claude has forgotten it: in its next process" {
	a amika send always "[[tool:bash touch one.txt]]" >out
	[ "$(outcome <out)" = completed ]
	some '.type == "permission.requested" and .data.action == "Bash"' <out
	some '.type == "permission.resolved" and .data.status == "accept_for_session" and .amika.by == "rule r_1"
		and .amika.rule.scope == "session"' <out
	run --separate-stderr a amika send always "[[tool:bash touch two.txt]]"
	[ "$status" = 9 ]
	at=$(end_of always)
	a amika decision deny "$(echo "$output" | tail -n 1 | jq -r .amika.decision.id)"
	wait_for "always@$at" turn.ended >/dev/null
	checked always
}

@test "ended sessions leave no process" {
	a amika session end main final always files edits plans effort errors retries
	a amikad stop
	for p in /proc/[0-9]*; do
		case $(cat "$p/comm" 2>/dev/null) in
		amikad | amika-shim | claude) run ! grep -s "$BATS_FILE_TMPDIR" "$p/environ" ;;
		esac
	done
}
