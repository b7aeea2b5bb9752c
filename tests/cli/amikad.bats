#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The daemon's life: one per state folder, stop, restart, death, and what survives each.

load helper

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

daemon_pid() { amikad status | jq .pid; }

flood() { # NAME COUNT: starts a turn of that many deltas, without waiting
	amika session create "$1" --agent mock -- --pace 0 >/dev/null
	amika send --no-wait "$1" "flood $2 100" >/dev/null
}

@test "status says 8 and a sentence when none runs, a daemon line when one does" {
	run amikad status
	[ "$status" -eq 8 ]
	[[ $output = 'amikad: unreachable: '* ]]
	amika session list
	run amikad status
	[ "$status" -eq 0 ]
	[ "$(jq -r .type <<<"$output")" = daemon ]
	[ "$(jq -r .socket <<<"$output")" = "$AMIKA_STATE_DIRECTORY/socket" ]
}

@test "a second daemon on the same folder is refused" {
	amika session list
	run amikad serve
	[ "$status" -eq 5 ]
	[[ $output = *'another amikad serves this state folder'* ]]
}

@test "readiness: one line on the descriptor once it serves" {
	amikad serve --ready-fd 5 5>"$BATS_TEST_TMPDIR/ready.fifo" 2>/dev/null &
	local pid=$!
	run amika session list
	[ "$status" -eq 0 ]
	[ "$(jq .pid "$BATS_TEST_TMPDIR/ready.fifo")" = "$(daemon_pid)" ]
	kill "$pid"
	wait "$pid"
}

@test "stop ends the agents, and the session goes on with the next message" {
	amika session create tau --agent mock -- --pace 0
	amika send tau hello >/dev/null
	amikad stop
	run amikad status
	[ "$status" -eq 8 ]
	run amika send --json tau again
	[ "$status" -eq 0 ]
	run amika events --json tau
	check-stream - <<<"$output"
	[ "$(jq -rs '[.[]|select(.type=="turn.ended")]|length' <<<"$output")" = 2 ]
}

@test "restart leaves the agents alone: same program, same turn" {
	amika session create tau --agent mock -- --pace 0
	amika send --no-wait tau permission
	said tau 2 permission.requested
	local before after
	before=$(daemon_pid)
	amikad restart
	after=$(daemon_pid)
	[ "$before" = "$after" ]
	for id in $(amika decision list --json | jq -r .decision_id); do
		amika decision allow "$id"
	done
	said tau 1 turn.ended
	run amika events --json tau
	check-stream - <<<"$output"
	[ "$(jq -rs '[.[]|select(.type=="turn.ended")|.amika.outcome]|join(" ")' <<<"$output")" = completed ]
}

@test "SIGKILL in mid-turn: the agent goes on, the whole turn is in the log" {
	flood tau 20000
	local pid
	pid=$(daemon_pid)
	said tau 100 item.delta
	kill -KILL "$pid"
	said tau 1 turn.ended
	amika events --json tau >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
	[ "$(grep -c '"type":"item.delta"' "$BATS_TEST_TMPDIR/events")" -eq 20000 ]
}

@test "SIGKILL again and again while a turn runs loses, repeats and reorders nothing" {
	flood tau 50000
	local pid
	for _ in 1 2 3 4 5; do
		pid=$(daemon_pid)
		kill -KILL "$pid"
		amika session list >/dev/null
	done
	said tau 1 turn.ended
	amika events --json tau >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
	[ "$(grep -c '"type":"item.delta"' "$BATS_TEST_TMPDIR/events")" -eq 50000 ]
}

@test "a decision asked before SIGKILL is answered after it" {
	amika session create tau --agent mock -- --pace 0
	amika send --no-wait tau question
	said tau 2 question.requested
	local pid
	pid=$(daemon_pid)
	kill -KILL "$pid"
	for id in $(amika decision list --json | jq -r .decision_id); do
		amika decision reply "$id" Red
	done
	said tau 1 turn.ended
	amika events --json tau | check-stream -
}

@test "messages queued before SIGKILL run after it, in order" {
	amika session create tau --agent mock -- --pace 0
	amika send --no-wait tau hang
	amika send --no-wait --id b tau second
	amika send --no-wait --id c tau third
	local pid
	pid=$(daemon_pid)
	kill -KILL "$pid"
	amika session list
	curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -X POST http://localhost/v1/sessions/tau/cancel
	said tau 3 turn.ended
	run amika events --json tau
	[ "$(jq -rs '[.[]|select(.type=="turn.started")|.amika.message]|.[1:]|join(" ")' <<<"$output")" = 'b c' ]
}

@test "the agent killed in mid-turn: the turn failed, and says why; the next message starts it anew" {
	amika session create tau --agent mock -- --pace 0
	amika send --no-wait tau hang
	said tau 1 turn.started
	pkill -KILL -P "$(pgrep -P "$(daemon_pid)" amika-shim)"
	said tau 1 turn.ended
	run amika events --json tau
	check-stream - <<<"$output"
	[ "$(jq -rs '.[-1].amika.outcome' <<<"$output")" = failed ]
	[ "$(jq -rs '[.[]|select(.type=="error")][0].data.code' <<<"$output")" = process_exit ]
	run amika send --json tau hello
	[ "$status" -eq 0 ]
}

@test "the state folder: writable by others is refused with the remedy" {
	mkdir -p "$AMIKA_STATE_DIRECTORY"
	chmod 777 "$AMIKA_STATE_DIRECTORY"
	run amikad serve
	[ "$status" -eq 6 ]
	[[ $output = *'chmod 700'* ]]
	chmod 700 "$AMIKA_STATE_DIRECTORY"
}

@test "settings: unknown names and bad values are refused by name" {
	mkdir -p "$AMIKA_STATE_DIRECTORY"
	echo '{"nonsense":1}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run amikad serve
	[ "$status" -eq 3 ]
	[[ $output = *'unknown setting "nonsense"'* ]]
	echo '{"keep_event":1}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run amikad serve
	[ "$status" -eq 3 ]
	[[ $output = *'unknown setting "keep_event" (did you mean keep_events?)' ]]
	echo '{"keepalive_ms":"x"}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run amikad serve
	[ "$status" -eq 3 ]
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
}

@test "an idle stream carries a comment every keepalive_ms" {
	echo '{"keepalive_ms":20}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	amika session create tau --agent mock >/dev/null
	run bash -c "curl -sSN --max-time 20 --unix-socket '$AMIKA_STATE_DIRECTORY/socket' \
		'http://localhost/v1/sessions/tau/events/sse?offset=99' 2>/dev/null | grep -m 4 '^: keep'"
	[ "${#lines[@]}" -eq 4 ]
}

@test "an agent has no rights on the socket" {
	amika session create tau --agent mock -- --pace 0
	amika send tau hello >/dev/null
	# In Claude's place, a program that calls the socket from below its shim, and exits in mid-turn.
	cat >"$BATS_TEST_TMPDIR/claude" <<-END
		#!/bin/sh
		curl -sS -o /dev/null -w '{"type":"%{http_code}"}\n' --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions
		curl -sS -o /dev/null -w '{"type":"%{http_code}"}\n' --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/health
	END
	chmod +x "$BATS_TEST_TMPDIR/claude"
	PATH="$BATS_TEST_TMPDIR:$PATH" amika session create spy --agent claude
	run -1 amika send spy hello
	run curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" 'http://localhost/v1/sessions/spy/events?includeRaw=true'
	[ "$(jq -c '[.events[].raw|select(.!=null)|.type]' <<<"$output")" = '["403","200"]' ]
}

@test "ten tools at once on an empty state folder start one daemon" {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		amika session create "s$i" --agent mock >"$BATS_TEST_TMPDIR/out$i" 2>&1 &
	done
	wait
	run amika session list --json
	[ "${#lines[@]}" -eq 10 ]
}
