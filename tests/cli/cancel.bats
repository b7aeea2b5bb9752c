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
	until [ -n "$(outcomes)" ] || [ $(($(now_ms) - began)) -gt 8000 ]; do
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

# Waits for the process a tool left, whose number is the text of an item.
left_by() { # MESSAGE
	await "$tau" '"type":"item.completed".*mock_'"$1"'_left' | jq -r '.data.item.content[0].text'
}

lives() { kill -0 "$1"; } # PID

# Waits until a process is gone, 5 seconds at most.
waits_for_end() { timeout 5 tail --pid="$1" -f /dev/null; }

@test "what a tool of the turn left running is ended, though it left the session and ignores TERM" {
	amika send --no-wait --id a "$tau" leave >/dev/null
	local pid
	pid=$(left_by 1)
	lives "$pid"
	cancel
	waits_for_end "$pid"
	is_gone "$pid"
	[ "$(outcomes)" = cancelled ]
	checked
}

@test "nothing goes to the agent before that is done: the next turn does not see it" {
	amika send --no-wait --id a "$tau" leave >/dev/null
	local pid
	pid=$(left_by 1)
	amika send --no-wait --id b "$tau" hello >/dev/null
	cancel
	await "$tau" 'item.started.*mock_2_reply' >/dev/null
	is_gone "$pid"
}

@test "the agent's own helpers stay, and what an earlier turn started" {
	local early helper pid
	amika send --no-wait --id a "$tau" 'leave and end' >/dev/null
	early=$(left_by 1)
	await "$tau" turn.ended >/dev/null
	amika send --no-wait --id b "$tau" 'leave helper' >/dev/null
	helper=$(left_by 2)
	amika session cancel "$tau" >/dev/null
	await "$tau" '"type":"turn.ended"' 2 >/dev/null
	amika send --no-wait --id c "$tau" leave >/dev/null
	pid=$(left_by 3)
	amika session cancel "$tau" >/dev/null
	waits_for_end "$pid"
	lives "$helper"
	lives "$early"
	amika session end "$tau" >/dev/null
	is_gone "$helper"
	is_gone "$early"
}

@test "the daemon killed in the turn, or behind its end: what the tool left is ended all the same" {
	amika send --no-wait --id a "$tau" leave >/dev/null
	local pid
	pid=$(left_by 1)
	kill -KILL "$(amikad status | jq .pid)"
	amika session cancel "$tau" >/dev/null
	waits_for_end "$pid"
	is_gone "$pid"
}
