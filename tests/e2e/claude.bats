#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The whole way with the real Claude Code, which talks to a scripted model in a namespace that has only
# loopback. One daemon for the file. See tests/tools/fake-llm for the [[directives]].

bats_require_minimum_version 1.5.0

load claude

# Claude sends a message after an unanswered one together with it: a rule goes before directives.
setup_file() { claude_setup_file '{"match": "be well again", "steps": [{"text": "recovered"}]}'; }
teardown_file() { claude_teardown_file; }
setup() { claude_setup; }

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
	[ "$(a amika decision allow --always "$id" | jq -c '.answer.rule_made | [.scope, .tool, .command]')" = \
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

@test "a message put into a turn goes to the model with a tool's result, and is one item of that turn" {
	a amika session create --agent claude turns -- --allowedTools Bash
	mkfifo gate
	a amika send --no-wait --id asked turns "[[tool:bash cat gate]] [[tool:bash echo two]]" >receipt
	a amika events --json --follow turns | grep -m 1 '"kind":"tool_call"' | cat >/dev/null
	[ "$(a amika send --no-wait --steer --id steered turns "turn left at the church" | jq -r .state)" = steered ]
	echo one >gate
	a amika events <receipt >out
	[ "$(outcome <out)" = completed ]
	[ "$(jq -rs 'map(select(.type == "item.completed" and .data.item.role == "user")
		| "\(.amika.message)@\(.amika.turn)") | join(" ")' out)" = 'asked@1 steered@1' ]
	grep -q 'turn left at the church' "$BATS_FILE_TMPDIR/requests"
	checked turns
}

@test "a message put into a turn that uses no further tool: a turn of its own, by the user's own uuid" {
	at=$(end_of turns)
	uuid=8d6c2a0e-5b1f-4c3d-9e7a-0123456789ab
	a amika send --no-wait turns "[[slow:100 one two three four five six]]" >/dev/null
	wait_for "turns@$at" item.delta >/dev/null
	a amika send --steer --id "$uuid" turns "[[text:said in its own turn]]" >out
	[ "$(last_text <out)" = "said in its own turn" ]
	[ "$(head -n 1 out | jq -r '[.type, .amika.message] | join(" ")')" = "turn.started $uuid" ]
	checked turns
}

@test "cancelled in a tool: within a second, and no process the tool started is left" {
	mkfifo left never
	at=$(end_of turns)
	a amika send --no-wait turns \
		"[[tool:bash (setsid sh -c 'trap \"\" TERM; echo \$\$ >left; exec cat never' &) ; cat gate]]" >/dev/null
	read -r pid <left
	kill -0 "$pid"
	began=$(date +%s%3N)
	a amika session cancel turns >/dev/null
	wait_for "turns@$at" turn.ended >ended
	[ $(($(date +%s%3N) - began)) -lt 1000 ]
	[ "$(jq -r .amika.outcome ended)" = cancelled ]
	timeout 10 tail --pid="$pid" -f /dev/null
	a amika send turns "[[text:after the cancel]]" >out
	[ "$(last_text <out)" = "after the cancel" ]
	a amika events "turns@$at" >all
	run ! some '.type == "error"' <all
	checked turns
}

@test "ended sessions leave no process" {
	a amika session end main final always files edits effort errors retries turns
	a amikad stop
	for p in /proc/[0-9]*; do
		case $(cat "$p/comm" 2>/dev/null) in
		amikad | amika-shim | claude) run ! grep -s "$BATS_FILE_TMPDIR" "$p/environ" ;;
		esac
	done
}

# The model the last request after N was for.
asked_model() { asked_since "$1" | jq -rs 'map(.body.model // .model // empty) | last'; } # N

@test "asleep and awake again: the conversation goes on by its native id" {
	a amika session create --agent claude sleeper
	a amika send sleeper "[[text:before the sleep]]" >/dev/null
	native=$(a amika session show sleeper | jq -r .native_session_id)
	[ "$(a amika session sleep sleeper | jq -r '[.state, .state_reason, .resident] | join(" ")')" = "asleep stopped " ]
	a amika send sleeper "[[text:after it]]" >out
	[ "$(outcome <out)" = completed ]
	[ "$(a amika session show sleeper | jq -r .native_session_id)" = "$native" ]
	tail -n 1 "$BATS_FILE_TMPDIR/requests" | grep -q "before the sleep"
	[ "$(a amika session show sleeper | jq .resident)" -gt 50000000 ]
	checked sleeper
}

@test "warm: the program has answered before there is a message" {
	a amika session create --agent claude warm
	a amika session warm warm
	exec {states}< <(exec amika session list --json --follow 3>&-)
	follower=$!
	while read -r -u "$states" line; do
		[ "$(jq -r '[.session_id, .state] | join(" ")' <<<"$line")" != "warm idle" ] || break
	done
	kill "$follower"
	exec {states}<&-
	a amika send warm "[[text:quick]]" >out
	[ "$(last_text <out)" = quick ]
	[ "$(a amika events warm | jq -s 'map(select(.amika.incarnation // 1 > 1)) | length')" = 0 ]
	checked warm
}

@test "the model is set in the running program" {
	a amika session create --agent claude --model opus model
	at=$(asked_upto)
	a amika send model "[[text:one]]" >/dev/null
	first=$(asked_model "$at")
	a amika session set --model made-up-name model
	at=$(asked_upto)
	a amika send model "[[text:two]]" >out
	[ "$(asked_model "$at")" = made-up-name ]
	[ "$first" != made-up-name ]
	a amika events model | some '.type == "session.changed" and .data.what == "model" and .data.how == "live" and
		.data.to == "made-up-name"'
	a amika session sleep model >/dev/null
	at=$(asked_upto)
	a amika send model "[[text:three]]" >/dev/null
	[ "$(asked_model "$at")" = made-up-name ]
	checked model
}

@test "the permission mode is set in the running program" {
	a amika session create --agent claude modes
	a amika send modes "[[text:one]]" >/dev/null
	a amika session set --permission-mode acceptEdits modes
	a amika send modes "[[tool:write set-live.txt words]]" >out
	[ "$(outcome <out)" = completed ]
	[ "$(cat set-live.txt)" = words ]
	a amika session set --permission-mode plan modes
	a amika send modes "[[text:two]]" >/dev/null
	[ "$(a amika events modes | jq -r 'select(.type == "session.changed").data | [.to, .how] | join(" ")')" = \
		$'acceptEdits live\nplan live' ]
	[ "$(a amika session show modes | jq -r .permission_mode)" = plan ]
	checked modes
}

@test "bypass cannot be set live: the program is started anew with it, where root may" {
	a amika session create --agent claude --env IS_SANDBOX=1 free
	a amika send free "[[text:one]]" >/dev/null
	a amika session set --permission-mode bypass free
	a amika send free "[[tool:bash touch unasked.txt]]" >out
	[ "$(outcome <out)" = completed ]
	[ -e unasked.txt ]
	a amika events free | some '.type == "session.changed" and .data.to == "bypass" and .data.how == "restart" and
		(.data.error | length) > 0'
	a amika session create --agent claude --env IS_SANDBOX=0 bound
	[ "$(id -u)" != 0 ] || run -3 --separate-stderr a amika session set --permission-mode bypass bound
	[ "$(id -u)" != 0 ] || [[ $stderr = *"from root"*"IS_SANDBOX=1"* ]]
	checked free
}
