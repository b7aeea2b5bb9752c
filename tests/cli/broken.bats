#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Connections that break while something is asked for: afterwards the tool says what is, not what it heard.

load helper
load dying
load url

setup() {
	export XDG_RUNTIME_DIR=
	there=$BATS_TEST_TMPDIR/state
	export AMIKA_STATE_DIRECTORY=$there
}

teardown() {
	stand_in_stop
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$there amikad stop
}

needs_crash_points() {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
}

# Calls a function in a state folder of its own for each point at which a reply can be lost, twice.
at_each_point() { # FUNCTION
	local point n status
	for point in {commit,flush,reply}.{before,after}; do
		for n in 1 2; do
			echo "$point:$n"
			there=$BATS_TEST_TMPDIR/state.$point.$n
			AMIKA_STATE_DIRECTORY=$there
			"$1" "$point:$n"
			amikad stop >/dev/null
			status=0
			wait "$daemon" || status=$?
			[ "$status" = 137 ] || [ "$n" = 2 ]
		done
	done
}

create_over() { # POINT:N
	daemon_dying_at "$1"
	run amika session create --agent mock --title 'A title' --env MINE=1 tau -- --pace 0
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.session_id,.title,.arguments[1]]|join(" ")' <<<"$output")" = 'tau A title 0' ]
	[ "$(amika session list | wc -l)" -eq 1 ]
	run amika session create --agent mock --title 'A title' --env MINE=1 tau -- --pace 0
	[ "$status" -eq 5 ]
}

@test "session create over a daemon that dies: made once, and said to be" {
	needs_crash_points
	at_each_point create_over
}

run_over() { # POINT:N
	daemon_dying_at "$1"
	run amika run --final --name tau mock hello
	[ "$status" -eq 0 ]
	[ "$output" = hello ]
	[ "$(amika events tau | grep -c '"type":"turn.started"')" -eq 1 ]
}

@test "run over a daemon that dies: one session, one turn" {
	needs_crash_points
	at_each_point run_over
}

answer_over() { # POINT:N
	daemon_dying_at nowhere:1
	amika session create --agent mock tau -- --pace 0 >/dev/null
	amika send --no-wait tau permission >/dev/null
	AMIKA_NO_START=1 await tau permission.requested 2 >/dev/null # what follows there must not start the next one
	kill -KILL "$daemon"
	wait "$daemon" || :
	daemon_dying_at "$1"
	run amika decision allow d_1
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.decision_id,(.state|sub("delivered";"answered")),.answer.reply]|join(" ")' <<<"$output")" = 'd_1 answered once' ]
	run amika decision deny d_1
	[ "$status" -eq 5 ]
}

@test "decision allow over a daemon that dies: answered once, and said to be" {
	needs_crash_points
	at_each_point answer_over
}

@test "a request that was lost is sent again, one whose answer was lost is looked at" {
	local mode
	amika session list
	for mode in lose cut; do
		stand_in_start "$mode" "$there/socket"
		run amika session create --agent mock "$mode"
		[ "$status" -eq 0 ]
		stand_in_stop
	done
	AMIKA_URL='' amika send --no-wait cut permission >/dev/null
	AMIKA_URL='' await cut permission.requested 2 >/dev/null
	stand_in_start lose "$there/socket"
	run amika decision allow d_1
	[ "$status" -eq 0 ]
	stand_in_stop
	stand_in_start cut "$there/socket"
	run amika decision deny --message 'not today' d_2
	[ "$status" -eq 0 ]
	[ "$(jq -r '.answer.message' <<<"$output")" = 'not today' ]
}

answer() { # DECISION REPLY BY
	curl -sS -o /dev/null --unix-socket "$there/socket" -H 'Content-Type: application/json' \
		-d "{\"reply\":\"$2\",\"by\":\"$3\"}" "http://localhost/v1/decisions/$1"
}

@test "what somebody else did is a conflict, however the connection broke" {
	amika session create --agent mock --title theirs tau -- --pace 0 >/dev/null
	amika send --no-wait tau permission >/dev/null
	await tau permission.requested 2 >/dev/null
	stand_in_start lose "$there/socket"
	run --separate-stderr amika session create --agent mock --title mine tau -- --pace 0
	[ "$status" -eq 5 ]
	[[ $stderr = *'there is a session "tau" already'* ]]
	stand_in_stop
	answer d_1 once someone
	answer d_2 reject "$(id -un) (amika decision)"
	for id in d_1 d_2; do
		stand_in_start lose "$there/socket"
		run --separate-stderr amika decision allow "$id"
		[ "$status" -eq 5 ]
		[[ $stderr = *': conflict: '* ]]
		stand_in_stop
	done
}

@test "on this machine a session that was there before is never taken for ours" {
	amika session create --agent mock tau >/dev/null
	mkdir -m 700 "$BATS_TEST_TMPDIR/between"
	LISTEN=$BATS_TEST_TMPDIR/between/socket stand_in_start lose "$there/socket"
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/between run amika session create --agent mock tau
	[ "$status" -eq 5 ]
	stand_in_stop
	rm -f "$BATS_TEST_TMPDIR/between/socket"
	LISTEN=$BATS_TEST_TMPDIR/between/socket stand_in_start cut "$there/socket"
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/between run amika session create --agent mock sigma
	[ "$status" -eq 0 ]
}

@test "a session that was forgotten by a request whose answer was lost is forgotten" {
	amika session create --agent mock tau >/dev/null
	amika session end tau >/dev/null
	stand_in_start cut "$there/socket" DELETE
	run amika session end --forget tau
	[ "$status" -eq 0 ]
	[ "$(jq .forgotten <<<"$output")" = true ]
	[ -z "$(amika session list)" ]
}

@test "a turn whose end is not kept any more: status 1, not an endless wait" {
	amika session create --agent mock tau -- --pace 0 >/dev/null
	stand_in_start torn "$there/socket"
	run --separate-stderr timeout 60 amika send tau hello
	[ "$status" -eq 1 ]
	[ "$(jq -c '[.type,.before]' <<<"$output")" = '["gap",9]' ]
	[[ $stderr = *'how the turn ended are no longer kept'* ]]
	run --separate-stderr timeout 60 amika events --text tau
	[ "$status" -eq 0 ]
	[ "$output" = '! events 1 to 8 are no longer kept' ]
}
