#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The end of a running turn before its time: within a second, everything closed, nothing left running.

load helper
load dying

setup_file() {
	helper_setup_file
	grace 3000
}
teardown_file() { helper_teardown_file; }

grace() { echo "{\"grace_ms\":$1}" >"$AMIKA_STATE_DIRECTORY/settings.json"; }

setup() {
	tau=$BATS_TEST_NUMBER-tau
	amika session create "$tau" --agent mock -- --pace "${PACE:-0}" >/dev/null
}

now_ms() { date +%s%3N; }
started() { amika events "$tau" | jq -rs 'map(select(.type == "turn.started").amika.message) | join(" ")'; }
outcomes() { amika events "$tau" | jq -rs 'map(select(.type == "turn.ended").amika.outcome) | join(" ")'; }
checked() {
	amika events --json "$tau" >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
}

# Cancels, and waits for the end of the turn. Its time in ms: $took.
cancel() {
	local began
	began=$(now_ms)
	amika session cancel "$tau" >/dev/null
	await "$tau" '"type":"turn.ended"' >/dev/null
	took=$(($(now_ms) - began))
}

@test "in a text: ended within a second, what was open has failed" {
	amika send --no-wait "$tau" 'clock 100000 10000' >/dev/null
	said "$tau" 5 item.delta
	cancel
	[ "$took" -lt 1000 ]
	[ "$(outcomes)" = cancelled ]
	amika events "$tau" | jq -es 'map(select(.type == "item.completed")) | last.data.item | .status == "failed" and .role == "assistant"'
	checked
}

@test "with an open permission: void, within a second" {
	amika send --no-wait "$tau" permission >/dev/null
	said "$tau" 2 permission.requested
	cancel
	[ "$took" -lt 1000 ]
	[ "$(outcomes)" = cancelled ]
	[ "$(amika decision list --all --json | jq -rs "map(select(.session_id == \"$tau\").state) | join(\" \")")" = 'void void' ]
	checked
}

@test "the next message of the queue has its turn; --all takes the queue back" {
	amika send --no-wait --id a "$tau" hang >/dev/null
	amika send --no-wait --id b "$tau" hang >/dev/null
	amika send --no-wait --id c "$tau" hello >/dev/null
	cancel
	await "$tau" '"type":"turn.started".*"message":"b"' >/dev/null
	run amika session cancel --all "$tau"
	[ "$(jq -r '[.type, .session_id, .queued] | map(tostring) | join(" ")' <<<"$output")" = "session $tau 0" ]
	amika send --id d "$tau" hello >/dev/null
	[ "$(started)" = 'a b d' ]
	[ "$(outcomes)" = 'cancelled cancelled completed' ]
	checked
}

@test "nothing to cancel is no failure; no session is status 4" {
	amika session cancel "$tau" >/dev/null
	run --separate-stderr amika session cancel nobody
	[ "$status" -eq 4 ]
}

@test "an agent that does not end its turn is ended: cancelled all the same, and the next message starts it again" {
	amika send --no-wait --id a "$tau" deaf >/dev/null
	await "$tau" turn.started >/dev/null
	local agent
	agent=$(pgrep -P "$(shim_of_last_run)")
	cancel
	[ "$took" -ge 1000 ]
	is_gone "$agent"
	amika events "$tau" | jq -es 'all(.type != "error")'
	amika send --id b "$tau" hello >/dev/null
	[ "$(outcomes)" = 'cancelled completed' ]
	checked
}

@test "cancelled again and again: that does not put the end off" {
	amika send --no-wait --id a "$tau" deaf >/dev/null
	await "$tau" turn.started >/dev/null
	local began
	began=$(now_ms)
	while [ "$(amika session show "$tau" | jq -r .state)" = working ] && [ $(($(now_ms) - began)) -lt 8000 ]; do
		amika session cancel "$tau" >/dev/null
	done
	[ $(($(now_ms) - began)) -lt 8000 ]
	[ "$(outcomes)" = cancelled ]
}

@test "the daemon killed behind the cancel: the agent that does not listen is ended by the next one" {
	amika send --no-wait --id a "$tau" deaf >/dev/null
	await "$tau" turn.started >/dev/null
	amika session cancel "$tau" >/dev/null
	kill -KILL "$(amikad status | jq .pid)"
	amika send --id b "$tau" hello >/dev/null
	[ "$(outcomes)" = 'cancelled completed' ]
	amika events "$tau" | jq -es 'all(.type != "error")'
	checked
}

@test "a message the agent was given and never took up does not hold the session after a cancel" {
	amika send --no-wait --id a "$tau" deaf >/dev/null
	amika send --no-wait --steer --id b "$tau" hello >/dev/null
	cancel
	amika send --id c "$tau" hello >/dev/null
	[ "$(started)" = 'a b c' ]
	[ "$(outcomes)" = 'cancelled completed completed' ]
	checked
}
