#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika run: a session, a message, its turn, in one command.

load helper

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

@test "the session line, then the turn; the session stays" {
	run --separate-stderr amika run mock hello
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq -r .type <<<"${lines[0]}")" = session ]
	[ "$(jq -r .type <<<"${lines[1]}")" = turn.started ]
	[ "$(jq -r .amika.outcome <<<"${lines[-1]}")" = completed ]
	local name
	name=$(jq -r .session_id <<<"${lines[0]}")
	[[ $name =~ ^[a-z]+-[a-z]+$ ]]
	run amika send --final "$name" again
	[ "$output" = again ]
}

@test "-n names it, -C is where it works, the message may come on stdin" {
	run amika run -n own -C / mock <<<hello
	[ "$(jq -r '[.session_id,.directory]|join(" ")' <<<"${lines[0]}")" = 'own /' ]
	run amika run -n own mock hello
	[ "$status" -eq 5 ]
	run amika run -n 'Not A Name' mock hello
	[ "$status" -eq 3 ]
}

@test "arguments after -- go to the agent's program" {
	run amika run -n paced mock hello -- --pace 0
	[ "$status" -eq 0 ]
	[ "$(jq -c .arguments <<<"${lines[0]}")" = '["--pace","0"]' ]
}

@test "--final is the answer and nothing else" {
	local x
	x=$(amika run --final mock 'echo one two')
	[ "$x" = 'one two' ]
}

@test "--text names the session first" {
	run amika run --text -n told mock hello
	[ "$output" = $'session told\nhello' ]
}

@test "--no-wait: a session line and a receipt, which amika events understands" {
	run bash -c 'amika run --no-wait -n later mock hello | tail -n 1 | amika events'
	[ "$(tail -n 1 <<<"$output" | jq -r .amika.outcome)" = completed ]
}

@test "an empty message makes no session" {
	run amika run -n never mock ''
	[ "$status" -eq 3 ]
	run amika run -n never mock </dev/null
	[ "$status" -eq 3 ]
	run amika session show never
	[ "$status" -eq 4 ]
}

@test "status as send: 9 when it waits, 1 when it failed, 7 when time ran out, 4 for an unknown agent" {
	run amika run mock permission
	[ "$status" -eq 9 ]
	run amika run mock exit
	[ "$status" -eq 1 ]
	run amika run --timeout 100ms mock hang
	[ "$status" -eq 7 ]
	run --separate-stderr amika run nosuch hello
	[ "$status" -eq 4 ]
	[ "$stderr" = 'amika-run: not_found: no agent "nosuch" (see: amika agent list)' ]
}

@test "from cron: no environment, no terminal, closed stdin" {
	run env -i PATH="$PATH" HOME="$HOME" AMIKA_STATE_DIRECTORY="$AMIKA_STATE_DIRECTORY" \
		bash -c 'cd / && amika run --final mock hello <&-'
	[ "$status" -eq 0 ]
	[ "$output" = hello ]
}

@test "ten at once on an empty state folder" {
	local i
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/empty
	for i in 1 2 3 4 5 6 7 8 9 10; do
		amika run --final -n "r$i" mock "say $i" >"$BATS_TEST_TMPDIR/$i" 2>&1 3>&- &
	done
	wait
	for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(cat "$BATS_TEST_TMPDIR/$i")" = "$i" ]; done
	[ "$(grep -c '"message":"serving ' "$AMIKA_STATE_DIRECTORY/amikad.log")" -eq 1 ]
	amikad stop
}
