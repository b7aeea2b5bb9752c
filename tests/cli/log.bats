#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the daemon says of itself: where, how much, and what never.

load helper

setup() {
	helper_setup_file
	log=$AMIKA_STATE_DIRECTORY/amikad.log
}

teardown() { helper_teardown_file; }

# Waits until the log holds a line like PATTERN.
logged() { grep -m 1 "$1" < <(timeout 20 tail -n +1 -F "$log" 2>/dev/null 3>&-); }

@test "a daemon in the background says JSON lines in amikad.log, and status says so" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send tau 'a secret message' >/dev/null
	amika session end tau >/dev/null
	[ "$(amikad status | jq -r .log)" = "$log" ]
	jq -es 'all(.time and .level and .area and .message)' "$log"
	jq -es 'any(.session_id == "tau" and .message == "ended") and any(.session_id == "tau" and .run == 1)' "$log"
	run grep -c 'secret message' "$log"
	[ "$output" = 0 ]
}

@test "in the foreground it goes to standard error; on a terminal it is text" {
	mkfifo "$BATS_TEST_TMPDIR/ready"
	amikad serve --ready-fd 5 2>"$BATS_TEST_TMPDIR/err" 5>"$BATS_TEST_TMPDIR/ready" 3>&- &
	local daemon=$!
	read -r _ <"$BATS_TEST_TMPDIR/ready"
	amika session list
	[ "$(amikad status | jq .log)" = null ]
	[ ! -e "$log" ] || [ ! -s "$log" ]
	kill "$daemon"
	wait "$daemon"
	[ "$(jq -r .message "$BATS_TEST_TMPDIR/err" | tail -n 1)" = stopping ]
	on_terminal "$bindir/amikad serve"
	sees ' info daemon: serving '
	amikad stop
	ends
}

@test "levels: by AMIKA_LOG, by log_level, and by log_level again at SIGUSR1" {
	run amika session list
	run ! grep '"level":"debug"' "$log"
	amikad stop
	AMIKA_LOG=error,http=debug amika session list
	grep '"area":"http".*"message":"GET /v1/sessions"' "$log"
	[ "$(grep -c '"message":"serving ' "$log")" = 1 ]
	echo '{"log_level":"warn"}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	local lines
	lines=$(wc -l <"$log")
	kill -USR1 "$(amikad status | jq .pid)"
	amika session list
	amikad stop
	amika session list
	[ "$(wc -l <"$log")" -le $((lines + 2)) ]
	echo '{"log_level":"debug"}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	kill -USR1 "$(amikad status | jq .pid)"
	logged 'what is said from now on: debug'
	amika session list
	logged '"level":"debug"'
}

@test "a level there is not is refused, at the start and at SIGUSR1" {
	mkdir -p "$AMIKA_STATE_DIRECTORY"
	echo '{"log_level":"loud"}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run amikad serve
	[ "$status" -eq 3 ]
	[[ $output = *'settings.json: log_level: '*'not "loud"'* ]]
	echo '{"log_level":1}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run -3 amikad serve
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
	AMIKA_LOG=loud run -3 amikad serve
	amika session list
	echo '{"log_level":"loud"}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	kill -USR1 "$(amikad status | jq .pid)"
	logged 'the log stays as it is: .*loud'
	amika session list
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
}

@test "the log is begun anew at log_bytes; everything the daemon and its libraries print goes along" {
	echo '{"log_bytes":5000,"log_level":"debug"}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	for _ in {1..60}; do curl -sS -o /dev/null --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/health || amika session list; done
	[ "$(stat -c %s "$log")" -le 5000 ]
	[ "$(stat -c %s "$log.1")" -le 5000 ]
	[ "$(stat -c %s "$log.1")" -gt 4000 ]
	[ "$(readlink "/proc/$(amikad status | jq .pid)/fd/2")" = "$log" ]
	[ "$(readlink "/proc/$(amikad status | jq .pid)/fd/1")" = "$log" ]
	amikad restart
	[ "$(amikad status | jq -r .log)" = "$log" ]
	jq -es 'length > 5' "$log.1"
}
