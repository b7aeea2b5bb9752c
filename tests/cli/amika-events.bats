#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika events: replay, following, and what lines on stdin stand for.

load helper

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

setup() {
	tau=t$BATS_TEST_NUMBER
	amika session create --agent mock "$tau" -- --pace 0 >/dev/null
}

sequences() { jq -r .sequence <<<"$1" | tr '\n' ' '; }

@test "a session, from its beginning to its present end" {
	amika send "$tau" hello >/dev/null
	run --separate-stderr amika events "$tau"
	[ "$status" -eq 0 ]
	[ "$(sequences "$output")" = '1 2 3 4 5 6 7 8 ' ]
	check-stream - <<<"$output"
}

@test "SESSION@N: after event N" {
	amika send "$tau" hello >/dev/null
	run amika events "$tau@6"
	[ "$(sequences "$output")" = '7 8 ' ]
	run amika events "$tau@8"
	[ -z "$output" ]
	run amika events "$tau@1000"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	for bad in "$tau@" "$tau@x" "$tau@-1" "$tau@1.5" "$tau@99999999999999999999"; do
		run amika events "$bad"
		[ "$status" -eq 2 ]
	done
}

@test "several sessions, one after the other" {
	amika session create --agent mock "u$tau" >/dev/null
	run amika events "$tau" "u$tau" "$tau"
	[ "$(jq -r .session_id <<<"$output" | tr '\n' ' ')" = "$tau u$tau $tau " ]
	run amika events "$tau" nosuch
	[ "$status" -eq 4 ]
}

@test "session lines on stdin: each session to its present end" {
	amika send "$tau" hello >/dev/null
	run bash -c "amika session show $tau | amika events"
	[ "$(sequences "$output")" = '1 2 3 4 5 6 7 8 ' ]
}

@test "receipt lines: each turn from its start to its end, which is waited for" {
	run bash -c "printf '{\"text\":\"one\"}\n{\"text\":\"two\"}\n' | amika send --lines --no-wait $tau | amika events"
	[ "$status" -eq 0 ]
	[ "$(jq -r 'select(.type == "turn.started" or .type == "turn.ended").amika.turn' <<<"$output" | tr '\n' ' ')" = '1 1 2 2 ' ]
}

@test "a receipt's turn that waits for a decision is waited for" {
	amika send --no-wait "$tau" permission >"$BATS_TEST_TMPDIR/receipt"
	amika events <"$BATS_TEST_TMPDIR/receipt" >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	await "$tau" permission.requested 2 >/dev/null
	amika decision list -s "$tau" | amika decision allow >/dev/null
	wait "$pid"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r .type)" = turn.ended ]
}

@test "a turn that failed is no failure of who looks at it" {
	amika send --no-wait "$tau" exit >"$BATS_TEST_TMPDIR/receipt"
	run amika events <"$BATS_TEST_TMPDIR/receipt"
	[ "$status" -eq 0 ]
	[ "$(tail -n 1 <<<"$output" | jq -r .amika.outcome)" = failed ]
}

@test "other lines are refused by their number" {
	run --separate-stderr amika events <<<'{"type":"decision","session_id":"x"}'
	[ "$status" -eq 3 ]
	[ "$stderr" = 'amika-events: bad_input: line 1: a session or receipt line is needed' ]
	run --separate-stderr bash -c "{ amika session show $tau; echo nonsense; } | amika events"
	[ "$status" -eq 3 ]
	[[ $stderr = *'line 2: '* ]]
}

@test "no lines, no events" {
	run amika events </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "--follow: what is there and what comes, until a signal, which is no failure" {
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow "$tau" >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$! line
	exec 7<"$BATS_TEST_TMPDIR/out"
	read -r line <&7
	[ "$(jq .sequence <<<"$line")" = 1 ]
	amika send --no-wait "$tau" hello >/dev/null
	for n in 2 3 4 5 6 7 8; do
		read -r line <&7
		[ "$(jq .sequence <<<"$line")" = "$n" ]
	done
	kill -TERM "$pid"
	wait "$pid"
}

@test "--follow of two sessions: both at once" {
	amika session create --agent mock "u$tau" -- --pace 0 >/dev/null
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow "$tau@1" "u$tau@1" >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$! line
	exec 7<"$BATS_TEST_TMPDIR/out"
	for s in "u$tau" "$tau" "u$tau"; do
		amika send --no-wait "$s" hello >/dev/null
		while read -r line <&7; do
			[ "$(jq -r .session_id <<<"$line")" = "$s" ]
			[[ $line != *'"turn.ended"'* ]] || break
		done
	done
	kill -TERM "$pid"
	wait "$pid"
}

@test "--follow of lines: all of them are gathered, then followed" {
	run bash -c "amika session list | grep $tau | amika events --follow | sed -n '/session.started/{p;q}'"
	[ "$(jq -r .session_id <<<"$output")" = "$tau" ]
}

@test "--follow: a killed daemon is started again, and nothing is missed or repeated" {
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow "$tau" >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$! line n=0
	exec 7<"$BATS_TEST_TMPDIR/out"
	read -r line <&7
	kill -KILL "$(amikad status | jq .pid)"
	amika send --no-wait "$tau" hello >/dev/null
	for n in 2 3 4 5 6 7 8; do
		read -r line <&7
		[ "$(jq .sequence <<<"$line")" = "$n" ]
	done
	kill -TERM "$pid"
	wait "$pid"
}

@test "--follow: a daemon that is stopped on purpose stays so; status 8" {
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow "$tau" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! line status=0
	exec 7<"$BATS_TEST_TMPDIR/out"
	read -r line <&7
	amikad stop >/dev/null
	wait "$pid" || status=$?
	[ "$status" -eq 8 ]
	[[ $(cat "$BATS_TEST_TMPDIR/err") = *'the daemon was stopped'* ]]
	run amikad status
	[ "$status" -eq 8 ]
}

@test "--follow with --no-start: the end of the daemon is the end" {
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --no-start --follow "$tau" >"$BATS_TEST_TMPDIR/out" 2>/dev/null 3>&- &
	local pid=$! line status=0
	exec 7<"$BATS_TEST_TMPDIR/out"
	read -r line <&7
	kill -KILL "$(amikad status | jq .pid)"
	wait "$pid" || status=$?
	[ "$status" -eq 8 ]
}

@test "a reader that goes away ends it, also while nothing happens" {
	run bash -c "amika events --follow $tau | sed -n '/session.started/q'; echo \"\${PIPESTATUS[0]}\""
	[ "$output" = 0 ]
}

@test "text: a conversation, control characters escaped, two sessions told apart" {
	amika send "$tau" "$(printf 'say \033[2Jhi')" >/dev/null
	run amika events --text "$tau"
	[ "$output" = $'> say \\x1b[2Jhi\n\\x1b[2Jhi' ]
	amika session create --agent mock "u$tau" -- --pace 0 >/dev/null
	amika send "u$tau" tool >/dev/null
	run amika events --text "$tau" "u$tau"
	[ "${lines[0]}" = "== $tau ==" ]
	[[ $output = *"== u$tau =="$'\n> tool\n* mock.search: example\n'* ]]
}

@test "a record of 8 MiB comes through whole" {
	head -c 8000000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/big"
	amika send --final "$tau" <"$BATS_TEST_TMPDIR/big" >"$BATS_TEST_TMPDIR/out"
	[ "$(wc -c <"$BATS_TEST_TMPDIR/out")" -eq 8000001 ]
}

# Some turns of three sessions at the same time.
three_at_once() {
	local s pids=()
	for s in "$tau" "u$tau" "v$tau"; do
		[ "$s" = "$tau" ] || amika session create --agent mock "$s" -- --pace 0 >/dev/null
		printf '{"text":"%s"}\n' 'flood 300 40' tool hello | amika send --lines "$s" >/dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
}

@test "--all: every session in one stream, each line with its cursor, in the order of commits" {
	three_at_once
	amika events --all >"$BATS_TEST_TMPDIR/all"
	check-stream --all "$BATS_TEST_TMPDIR/all"
	[ "$(jq -r 'keys_unsorted | last' "$BATS_TEST_TMPDIR/all" | sort -u)" = cursor ]
	for s in "$tau" "u$tau" "v$tau"; do
		[ "$(jq -c "select(.session_id == \"$s\") | del(.cursor)" "$BATS_TEST_TMPDIR/all")" = "$(amika events "$s" | jq -c .)" ]
	done
}

@test "--all --after CURSOR: from behind that line, with --follow and without" {
	local half
	three_at_once
	amika events --all >"$BATS_TEST_TMPDIR/all"
	half=$(sed -n 400p "$BATS_TEST_TMPDIR/all" | jq .cursor)
	amika events --all --after "$half" | cmp - <(tail -n +401 "$BATS_TEST_TMPDIR/all")
	amika events --all --follow --after "$half" 3>&- | head -n 300 | cmp - <(sed -n 401,700p "$BATS_TEST_TMPDIR/all")
	[ -z "$(amika events --all --after now)" ]
	[ -z "$(amika events --all --after 999999999)" ]
}

@test "--all --follow: resumed by its cursor over killed and restarted daemons" {
	local line pid n s cursor
	cursor=$(amika events --all | tail -n 1 | jq .cursor)
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --all --follow --after "$cursor" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	exec 7<"$BATS_TEST_TMPDIR/out"
	amika session create --agent mock "u$tau" -- --pace 0 >/dev/null
	read -r line <&7
	[ "$(jq -r .session_id <<<"$line")" = "u$tau" ]
	for s in "$tau" "u$tau" "$tau"; do
		amika send "$s" hello >/dev/null
		for n in 1 2 3 4 5 6 7; do
			cursor=$(jq .cursor <<<"$line")
			read -r line <&7
			[ "$(jq -r .session_id <<<"$line")" = "$s" ]
			[ "$(jq .cursor <<<"$line")" -gt "$cursor" ]
		done
		[ "$s" = "$tau" ] && kill -KILL "$(amikad status | jq .pid)" || amikad restart
	done
	kill -TERM "$pid"
	wait "$pid"
}

@test "--all --follow --after now: only what happens from now on" {
	amika send "$tau" hello >/dev/null
	amika events --all --follow --after now 3>&- | head -n 1 >"$BATS_TEST_TMPDIR/first" &
	until [ -s "$BATS_TEST_TMPDIR/first" ]; do amika send "$tau" hello >/dev/null; done
	wait
	[ "$(jq .sequence "$BATS_TEST_TMPDIR/first")" -gt 8 ]
}

@test "--all --text: whole lines, each with the name of its session" {
	amika session create --agent mock "long-$tau" -- --pace 0 >/dev/null
	amika send "$tau" "$(printf 'say one\ntwo \033[2J')" >/dev/null
	amika send "long-$tau" hello >/dev/null
	run amika events --all --text
	[[ $output = *"$tau"*' | one'$'\n'"$tau"*' | two \x1b[2J'* ]]
	[ "$(grep -c "^long-$tau *| hello\$" <<<"$output")" -eq 1 ]
	run grep -v '^[a-z0-9-]* *| ' <<<"$output"
	[ "$status" -eq 1 ]
}

@test "--all takes no sessions, --after only goes with it, and both are refused as such" {
	run --separate-stderr amika events --all "$tau"
	[ "$status" -eq 2 ]
	[[ $stderr = *'with --all no SESSION is named'* ]]
	run --separate-stderr amika events --after 3 "$tau"
	[ "$status" -eq 2 ]
	[[ $stderr = *'--after goes with --all'*'SESSION@N'* ]]
	for bad in x -1 1.5 99999999999999999999 ''; do
		run amika events --all --after "$bad"
		[ "$status" -eq 2 ]
	done
}
