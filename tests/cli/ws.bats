#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The WebSockets of the API: read from a cursor, send, answer, on one connection. See tests/tools/ws-talk.c.

load helper
load dying

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

setup() {
	amika session list >/dev/null
	session=s$BATS_TEST_NUMBER
	amika session create --agent mock "$session" -- --pace 0 >/dev/null
	at=/v1/sessions/$session/ws
}

# Lines to a connection that ends itself after the N-th line with TEXT; what came goes to $lines.
talk() { # PATH TEXT N LINE…
	local path=$1 text=$2 n=$3
	shift 3
	lines=$BATS_TEST_TMPDIR/lines
	printf '%s\n' "$@" | timeout 60 ws-talk "$path" "$text" "$n" >"$lines"
}

# A connection to be talked with: `tell` it, and `hear` it until TEXT comes.
connect() { # PATH
	coproc SOCKET { exec timeout 60 ws-talk "$1" 3>&-; }
	exec {from}<&"${SOCKET[0]}" {to}>&"${SOCKET[1]}"
	socket=$SOCKET_PID
}
tell() { printf '%s\n' "$1" >&"$to"; }
hear() { # TEXT: the line that has it
	while IFS= read -r -t 30 line <&"$from"; do
		[[ $line == *"$1"* ]] && return
	done
	echo "never heard: $1"
	return 1
}
hang_up() {
	tell '!close'
	hear '"type":"closed"'
	exec {from}<&- {to}>&-
}

of() { jq -cn --arg type "$1" 'inputs | select(.type == $type)' "$lines"; }

events() { jq -cn 'inputs | select(.sequence)' "$lines"; }

@test "subscribe from a cursor: replay, then what happens, in one line a message" {
	amika send --no-wait "$session" one >/dev/null
	said "$session" 1 turn.ended
	local n
	n=$(amika events --json "$session" | wc -l)
	talk "$at" turn.ended 2 '{"type":"subscribe","after":1}' '{"type":"message","text":"two"}'
	events >"$BATS_TEST_TMPDIR/events"
	amika events --json "$session" >"$BATS_TEST_TMPDIR/all"
	diff "$BATS_TEST_TMPDIR/events" <(tail -n +2 "$BATS_TEST_TMPDIR/all" | jq -c .)
	[ "$(wc -l <"$BATS_TEST_TMPDIR/events")" -gt "$n" ]
	[ "$(of hello | jq -c '[.session_id,.after,.state]')" = "[\"$session\",1,\"idle\"]" ]
	[ "$(of session.state | jq -r .state | paste -sd' ')" = 'working idle' ] ||
		[ "$(of session.state | jq -r .state | paste -sd' ')" = 'starting working idle' ]
	[ "$(of closed | jq .code)" = 1000 ]
}

@test "profiles, raw, now; a second subscribe replaces the first, unsubscribe ends it" {
	amika send "$session" one >/dev/null
	talk "$at" turn.ended 1 '{"type":"subscribe","profile":"universal","raw":true}'
	[ -z "$(of hello)" ]
	[ "$(events | jq -c 'select(.raw != null)' | wc -l)" -gt 0 ]
	talk "$at" '"request_id":2' 1 '{"type":"subscribe","after":"now","request_id":1}' \
		'{"type":"unsubscribe","request_id":2}'
	[ -z "$(events)" ]
	connect "$at"
	tell '{"type":"subscribe","after":"now"}'
	hear '"type":"hello"'
	local after
	after=$(jq .after <<<"$line")
	[ "$after" = "$(amika events --json "$session" | jq -s '.[-1].sequence')" ]
	tell '{"type":"subscribe","after":2}'
	hear '"after":2,'
	hear '"sequence":3,'
	tell '{"type":"unsubscribe","request_id":"u"}'
	hear '"done"'
	amika send "$session" two >/dev/null
	tell '{"type":"cancel","request_id":"c"}'
	hear '"type":'
	[ "$(jq -r .type <<<"$line")" = 'done' ]
	hang_up
}

@test "a message: receipt after the flush, the same id counts once, another text is a conflict" {
	talk "$at" '"request_id":3' 1 '{"type":"subscribe","profile":"universal"}' \
		'{"type":"message","request_id":"first","text":"hello","message_id":"k1"}' \
		'{"type":"message","request_id":2,"text":"hello","message_id":"k1"}' \
		'{"type":"message","request_id":3,"text":"other","message_id":"k1"}'
	said "$session" 1 turn.ended
	[ "$(of problem | jq -c '[.request_id,.code,.status]')" = '[3,"conflict",409]' ]
	talk "$at" '"request_id":4' 1 '{"type":"message","request_id":4,"text":"hello","message_id":"k1"}'
	[ "$(of receipt | jq -c '[.request_id,.session_id,.message_id,.state]')" = "[4,\"$session\",\"k1\",\"duplicate\"]" ]
	[ "$(of receipt | jq .after)" = 1 ]
	[ "$(amika events --json "$session" | grep -c turn.started)" = 1 ]
}

@test "a message put into the running turn, one taken back from the queue, and all of it cancelled" {
	amika send --no-wait --id first "$session" hang >/dev/null
	await "$session" turn.started >/dev/null
	connect "$at"
	tell '{"type":"message","request_id":1,"text":"left","message_id":"s","steer":true}'
	hear '"request_id":1'
	[ "$(jq -c '[.type,.message_id,.state]' <<<"$line")" = '["receipt","s","steered"]' ]
	tell '{"type":"message","request_id":2,"text":"waits","message_id":"q"}'
	hear '"request_id":2'
	[ "$(jq -r .state <<<"$line")" = queued ]
	tell '{"type":"cancel","request_id":3,"message_id":"q"}'
	hear '"request_id":3'
	[ "$(jq -r .type <<<"$line")" = 'done' ]
	tell '{"type":"cancel","request_id":4,"message_id":"nosuch"}'
	hear '"request_id":4'
	[ "$(jq -c '[.type,.status]' <<<"$line")" = '["problem",404]' ]
	tell '{"type":"message","request_id":5,"text":"waits, too","message_id":"r"}'
	hear '"request_id":5'
	tell '{"type":"cancel","request_id":6,"all":true}'
	hear '"request_id":6'
	hang_up
	said "$session" 1 turn.ended
	[ "$(amika events --json "$session" | jq -rs 'map(select(.type == "message.cancelled").data.message_id) | join(" ")')" = 'q r' ]
	[ "$(amika session show --json "$session" | jq .queued)" = 0 ]
}

@test "a message with attachments" {
	talk "$at" turn.ended 1 '{"type":"subscribe"}' '{"type":"message","text":"see","attachments":[{"path":"/etc/passwd"}]}'
	[ "$(of item.completed | jq -rs '.[0].data.item.content[1] | .type + " " + .path')" = "file_ref /etc/passwd" ]
	talk "$at" problem 1 '{"type":"message","text":"see","attachments":[{"path":"/no/such"}]}'
	[ "$(of problem | jq -r '.detail')" = "no such file to attach: /no/such" ]
}

@test "a decision is asked, answered and read on one connection; the second to answer is told by whom" {
	connect "$at"
	tell '{"type":"subscribe"}'
	tell '{"type":"message","text":"permission"}'
	hear permission.requested
	local first
	first=$(jq -r .amika.decision.id <<<"$line")
	hear permission.requested
	local second
	second=$(jq -r .amika.decision.id <<<"$line")
	tell "{\"type\":\"answer\",\"request_id\":1,\"decision_id\":\"$first\",\"reply\":\"once\"}"
	hear '"type":"decision"'
	[ "$(jq -c '[.request_id,.decision_id,.state,.answer.reply]' <<<"$line")" = "[1,\"$first\",\"answered\",\"once\"]" ]
	# It may have been delivered meanwhile.
	diff <(jq -S 'del(.type,.request_id,.state,.delivered_at)' <<<"$line") \
		<(amika decision show --json "$first" | jq -S 'del(.type,.state,.delivered_at)')
	talk "$at" problem 1 "{\"type\":\"answer\",\"request_id\":2,\"decision_id\":\"$first\",\"reply\":\"reject\"}"
	[ "$(of problem | jq -c '[.request_id,.code,.status,.answer.reply]')" = '[2,"decision_answered",409,"once"]' ]
	[[ $(of problem | jq -r .by) == "uid $(id -u), pid "* ]]
	amika decision deny "$second" >/dev/null
	hear permission.resolved
	hear turn.ended
	hang_up
}

@test "two clients race for one decision: one is heard, the other gets 409" {
	amika send --no-wait "$session" permission >/dev/null
	said "$session" 1 permission.requested
	local id line
	id=$(amika decision list --json | jq -r "select(.session_id == \"$session\").decision_id" | head -n 1)
	for n in 1 2 3 4 5 6; do
		printf '%s\n' "{\"type\":\"answer\",\"request_id\":$n,\"decision_id\":\"$id\",\"reply\":\"once\"}" |
			timeout 60 ws-talk /v1/ws '"request_id"' >"$BATS_TEST_TMPDIR/race.$n" 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/race.* | jq -r 'select(.request_id).type' | sort | uniq -c | xargs)" = '1 decision 5 problem' ]
	[ "$(cat "$BATS_TEST_TMPDIR"/race.* | jq 'select(.type == "problem").status' | sort -u)" = 409 ]
}

@test "all sessions on one connection, in the order of their commits, resumed by the cursor" {
	amika session create --agent mock other -- --pace 0 >/dev/null
	connect /v1/ws
	tell '{"type":"subscribe","after":"now"}'
	hear hello
	tell "{\"type\":\"message\",\"session_id\":\"$session\",\"text\":\"one\"}"
	tell '{"type":"message","session_id":"other","text":"two"}'
	hear turn.ended
	hear turn.ended
	local cursor
	cursor=$(jq .cursor <<<"$line")
	tell '{"type":"message","text":"to whom?","request_id":1}'
	hear '"problem"'
	[ "$(jq -r .code <<<"$line")" = invalid_request ]
	hang_up
	amika send other three >/dev/null
	talk /v1/ws turn.ended 1 "{\"type\":\"subscribe\",\"after\":$cursor}"
	[ "$(events | jq -r .session_id | sort -u)" = other ]
	[ "$(events | jq -r 'select(.type == "turn.started").type')" = turn.started ]
	[ "$(events | jq .cursor | head -n 1)" -gt "$cursor" ]
}

@test "what cannot be used is a problem line, and the connection goes on" {
	local n=0 status body
	while IFS=' ' read -r status body; do
		n=$((n + 1))
		printf '%s\n' "$body" '{"type":"unsubscribe","request_id":"end"}' |
			timeout 60 ws-talk "$at" '"end"' >"$BATS_TEST_TMPDIR/out"
		[ "$(jq -r 'select(.type == "problem") | "\(.status) \(.detail | length > 0)"' "$BATS_TEST_TMPDIR/out")" = "$status true" ]
		grep -q '^{"type":"done","request_id":"end"}$' "$BATS_TEST_TMPDIR/out"
	done <<-'END'
		400 garbage
		400 []
		400 {}
		400 {"type":"nosuch"}
		400 {"type":7}
		400 {"type":"message"}
		400 {"type":"message","text":7}
		400 {"type":"message","text":"x","session_id":"another"}
		400 {"type":"message","text":"x","type":"message"}
		400 {"type":"message","text":"x","message_id":"not an id"}
		400 {"type":"subscribe","after":-1}
		400 {"type":"subscribe","after":"then"}
		400 {"type":"subscribe","profile":"nosuch"}
		400 {"type":"subscribe","request_id":{}}
		400 {"type":"answer"}
		404 {"type":"answer","decision_id":"d_99999","reply":"once"}
		404 {"type":"answer","decision_id":"nosuch","reply":"once"}
	END
	[ "$n" = 17 ]
}

@test "a decision of another session is not to be found on this one's connection" {
	amika session create --agent mock elsewhere -- --pace 0 >/dev/null
	amika send --no-wait elsewhere permission >/dev/null
	said elsewhere 1 permission.requested
	local id
	id=$(amika decision list --json | jq -r 'select(.session_id == "elsewhere").decision_id' | head -n 1)
	talk "$at" problem 1 "{\"type\":\"answer\",\"decision_id\":\"$id\",\"reply\":\"once\"}"
	[ "$(of problem | jq -c '[.code,.status]')" = '["decision_not_found",404]' ]
	amika session end elsewhere >/dev/null
}

@test "limits: 16 MiB a message, text only; a message of 8 MiB goes through" {
	talk "$at" nothing 1 '!size 16777217'
	[ "$(of closed | jq .code)" = 1009 ]
	talk "$at" problem 1 '!size 16777216'
	[ "$(of problem | jq .status)" = 400 ]
	talk "$at" nothing 1 '!binary'
	[ "$(of closed | jq .code)" = 1003 ]
	head -c 8000000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/text"
	{ printf '{"type":"message","text":"' && cat "$BATS_TEST_TMPDIR/text" && echo '"}'; } |
		timeout 60 ws-talk "$at" receipt >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -r 'select(.state).state' "$BATS_TEST_TMPDIR/out")" = accepted ]
}

@test "who may not come in is refused before the upgrade" {
	run -4 timeout 20 ws-talk /v1/sessions/nosuch/ws
	[ "$(jq -r .status <<<"$output")" = 404 ]
	run curl -sS --max-time 20 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -w '%{http_code}' "http://amika$at"
	[[ $output == *'"status":426'*426 ]]
	# In Claude's place, a program that calls from below its shim.
	cat >"$BATS_TEST_TMPDIR/claude" <<-END
		#!/bin/sh
		AMIKA_STATE_DIRECTORY='$AMIKA_STATE_DIRECTORY' '$(command -v ws-talk)' $at
		AMIKA_STATE_DIRECTORY='$AMIKA_STATE_DIRECTORY' '$(command -v ws-talk)' /v1/ws
	END
	chmod +x "$BATS_TEST_TMPDIR/claude"
	PATH="$BATS_TEST_TMPDIR:$PATH" amika session create spy --agent claude >/dev/null
	run -1 amika send spy hello
	run curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" 'http://localhost/v1/sessions/spy/events?includeRaw=true'
	[ "$(jq -c '[.events[].raw|select(.!=null)|.status]' <<<"$output")" = '[403,403]' ]
}

@test "the daemon is killed: whoever comes back at the cursor has missed nothing and got nothing twice" {
	local after=0 n=0
	amika send --no-wait "$session" "flood 20000" >/dev/null
	: >"$BATS_TEST_TMPDIR/got"
	for _ in 1 2 3; do
		amika session list >/dev/null
		talk "$at" "\"sequence\":$((after + 3000))," 1 "{\"type\":\"subscribe\",\"after\":$after}"
		events >>"$BATS_TEST_TMPDIR/got"
		after=$(tail -n 1 "$BATS_TEST_TMPDIR/got" | jq .sequence)
		kill -9 "$(amikad status --json | jq .pid)"
	done
	amika session list >/dev/null
	talk "$at" '"type":"turn.ended"' 1 "{\"type\":\"subscribe\",\"after\":$after}"
	events >>"$BATS_TEST_TMPDIR/got"
	check-stream "$BATS_TEST_TMPDIR/got"
	amika events --json "$session" | jq -c . | head -n "$(wc -l <"$BATS_TEST_TMPDIR/got")" | cmp - "$BATS_TEST_TMPDIR/got"
	[ "$(grep -c '"type":"item.delta"' "$BATS_TEST_TMPDIR/got")" -ge 20000 ]
}

@test "clients that stall cost no memory and delay nobody" {
	local pid before after
	! grep -q __asan_init "$(command -v amikad)" || skip "rss: the sanitizer keeps what was freed"
	pid=$(amikad status --json | jq .pid)
	amika send "$session" "flood 1000" >/dev/null
	before=$(ps -o rss= "$pid")
	stalled=()
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		connect "$at"
		tell '{"type":"subscribe"}'
		hear '"sequence":1,'
		kill -STOP "$socket"
		stalled+=("$socket")
		exec {from}<&- {to}>&-
	done
	amika send "$session" "flood 50000" >/dev/null
	after=$(ps -o rss= "$pid")
	kill -CONT "${stalled[@]}"
	kill "${stalled[@]}"
	echo "rss before $before KiB, after $after KiB"
	# Queues would hold ten times 16 MB.
	[ $((after - before)) -lt 8000 ]
}

@test "what cannot be written is refused with 503, and accepted when it fits again" {
	local AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/full line
	mkdir "$AMIKA_STATE_DIRECTORY"
	echo '{"recover_ms":10}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	amika session create --agent mock full -- --pace 0 >/dev/null
	amikad stop
	mkfifo "$BATS_TEST_TMPDIR/ready"
	# No file of the daemon may grow beyond 1 MiB.
	(ulimit -f 1024 && trap '' XFSZ && exec amikad serve --ready-fd 5 5>"$BATS_TEST_TMPDIR/ready" 2>/dev/null 3>&-) &
	read -r line <"$BATS_TEST_TMPDIR/ready"
	head -c 3000000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/text"
	{ printf '{"type":"message","request_id":1,"text":"' && cat "$BATS_TEST_TMPDIR/text" && echo '"}'; } |
		timeout 60 ws-talk /v1/sessions/full/ws problem >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -c 'select(.code == "unavailable") | [.request_id,.status]' "$BATS_TEST_TMPDIR/out")" = '[1,503]' ]
	until amika send full hello >/dev/null 2>&1; do [ $? = 8 ]; done
	[ "$(amika events --json full | grep -c turn.started)" = 1 ]
	amikad stop
}

@test "the daemon stops: every connection is closed with 1001" {
	connect "$at"
	tell '{"type":"subscribe"}'
	hear session.started
	amikad stop
	hear '"type":"closed"'
	[ "$(jq .code <<<"$line")" = 1001 ]
}
