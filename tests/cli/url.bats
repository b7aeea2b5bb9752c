#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tools at a daemon that is reached by a URL: which one is meant, what it is shown, what it is told of
# this machine, and streams that outlive the way to it.

load helper
load url

# The daemon has a state folder of its own; the tools' is empty and stays so.
setup() {
	helper_setup_file
	there=$AMIKA_STATE_DIRECTORY
	here=$BATS_TEST_TMPDIR/here
	amika session list
	export AMIKA_STATE_DIRECTORY=$here
	relay_start
	export AMIKA_URL=http://127.0.0.1:$port
}

teardown() {
	relay_stop
	stand_in_stop
	AMIKA_STATE_DIRECTORY=$there amikad stop
	[ ! -e "$here" ]
}

# Reads COUNT lines of a fifo, numbered from FIRST on without a hole.
read_dense() { # FD FIRST COUNT
	local line n
	for ((n = $2; n < $2 + $3; n++)); do
		read -r -t 60 line <&"$1" || return 1
		[[ $line == *"\"sequence\":$n,"* ]] || { echo "$n is not: ${line:0:80}" && return 1; }
	done
}

@test "every tool works at a URL, and nothing is started or made here" {
	amika session create --agent mock tau -- --pace 0 >"$BATS_TEST_TMPDIR/session"
	[ "$(jq -r .session_id "$BATS_TEST_TMPDIR/session")" = tau ]
	[ "$(amika send --final tau hello)" = hello ]
	[ "$(amika run --final mock hello)" = hello ]
	amika send --no-wait tau permission >"$BATS_TEST_TMPDIR/receipt"
	await tau permission.requested 2 >/dev/null
	[ "$(amika decision list | amika decision allow | jq -r .state | sort -u)" = answered ]
	amika events <"$BATS_TEST_TMPDIR/receipt" | tail -n 1 | grep -q '"outcome":"completed"'
	amika events tau | check-stream -
	amika events --all | check-stream --all -
	amika agent list | grep -q '"agent":"mock"'
	[ "$(amika doctor | jq -r 'select(.name == "daemon") | .ok')" = true ]
	[ "$(amika session end tau | jq .ended)" = true ]
}

@test "--url wins over AMIKA_URL, that over the state folder" {
	local real=$AMIKA_URL
	amika session create --agent mock far >/dev/null
	AMIKA_URL=http://127.0.0.1:1 run amika session list --url "$real"
	[ "$(jq -r .session_id <<<"$output")" = far ]
	AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/third run amika session list
	[ "$(jq -r .session_id <<<"$output")" = far ]
	[ ! -e "$BATS_TEST_TMPDIR/third" ]
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$there run amika session list --no-start
	[ "$(jq -r .session_id <<<"$output")" = far ]
	run amika session list --url "http://localhost:$port/"
	[ "$status" -eq 0 ]
}

@test "anything but http and https, a host and a port: one sentence, status 2" {
	local url tool
	for url in '' "127.0.0.1:$port" "unix:$there/socket" ftp://127.0.0.1 "http://127.0.0.1:$port/v1" http://:1 \
		http://127.0.0.1:0 "http://me:pass@127.0.0.1:$port"; do
		run --separate-stderr amika session list --url "$url"
		[ "$status" -eq 2 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr = "amika-session: usage: the daemon's URL "*'http://HOST:PORT'* ]]
		[[ $stderr != *pass* ]]
	done
	for tool in 'agent list' 'decision list' doctor 'events tau' 'run mock hello' 'send tau hello' 'session list'; do
		# shellcheck disable=SC2086 # words
		AMIKA_URL=gopher://x run amika $tool
		[ "$status" -eq 2 ]
	done
}

@test "nobody there: status 8, a sentence, a hint, and no daemon started" {
	local tool
	relay_stop
	for tool in 'agent list' 'decision list' 'events tau' 'run mock hello' 'send tau hello' 'session list'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr amika $tool
		[ "$status" -eq 8 ]
		[[ $stderr = *": unreachable: no daemon answers at $AMIKA_URL: "*'--listen'* ]]
	done
	run amika doctor
	[ "$status" -eq 1 ]
	[[ $(jq -r 'select(.name == "daemon").detail' <<<"$output") = *"$AMIKA_URL"* ]]
	run amika session list --url http://nosuch.invalid:1
	[ "$status" -eq 8 ]
	relay_start "$port"
	AMIKA_STATE_DIRECTORY=$there amikad stop >/dev/null
	run amika session list
	[ "$status" -eq 8 ]
	AMIKA_STATE_DIRECTORY=$there run amikad status
	[ "$status" -eq 8 ]
}

@test "what answers but is no amikad is not believed" {
	stand_in_start page
	run --separate-stderr amika session list
	[ "$status" -eq 8 ]
	[[ $stderr = *"what answers at $AMIKA_URL is no amikad"* ]]
	stand_in_stop
	stand_in_start hang-up
	run --separate-stderr amika session list
	[ "$status" -eq 8 ]
}

@test "redirects are not followed, the token stays where it was meant to go" {
	local elsewhere line
	stand_in_start page
	elsewhere=$AMIKA_URL
	exec {far}<&"$asked"
	first=$stand_in
	stand_in_start redirect "$elsewhere"
	AMIKA_TOKEN=s3cret run --separate-stderr amika session list
	kill "$first"
	[ "$status" -eq 8 ]
	[[ $stderr = *'sends elsewhere, which is not followed'* ]]
	read -r line <&"$asked"
	[[ $line = 'GET /v1/sessions'*' Bearer s3cret' ]]
	run read -r line <&"$far"
	[ "$status" -ne 0 ]
}

@test "the token: from AMIKA_TOKEN, a file, the daemon's own on this machine" {
	stand_in_start token "$there/socket" s3cret
	echo s3cret >"$BATS_TEST_TMPDIR/token"
	AMIKA_TOKEN=s3cret run amika session list
	[ "$status" -eq 0 ]
	AMIKA_TOKEN=wrong run amika session list --token-file "$BATS_TEST_TMPDIR/token"
	[ "$status" -eq 0 ]
	AMIKA_TOKEN_FILE=$BATS_TEST_TMPDIR/token run amika session list
	[ "$status" -eq 0 ]
	cp "$BATS_TEST_TMPDIR/token" "$there/token"
	AMIKA_STATE_DIRECTORY=$there run amika session list
	[ "$status" -eq 0 ]
	AMIKA_TOKEN=s3cret run amika run --final mock hello
	[ "$output" = hello ]
}

@test "a token that is wrong or missing: status 6, and it is shown nowhere" {
	stand_in_start token "$there/socket" s3cret
	AMIKA_TOKEN=wr0ng run --separate-stderr amika session list
	[ "$status" -eq 6 ]
	[[ $stderr = 'amika-session: denied: the token was not accepted by the daemon at http://127.0.0.1:'*'('*')' ]]
	[[ $stderr != *wr0ng* ]]
	run --separate-stderr amika session list
	[ "$status" -eq 6 ]
	[[ $stderr = *'wants a token (set AMIKA_TOKEN, or give --token-file FILE)' ]]
	AMIKA_TOKEN=wr0ng run --separate-stderr amika events --all --follow
	[ "$status" -eq 6 ]
	run --separate-stderr amika session list --token-file /nosuch
	[ "$status" -eq 4 ]
	AMIKA_TOKEN='two words' run --separate-stderr amika session list
	[ "$status" -eq 2 ]
	[[ $stderr != *words* ]]
}

@test "a token is for a URL: the socket wants none" {
	AMIKA_URL='' AMIKA_TOKEN_FILE=/nosuch AMIKA_STATE_DIRECTORY=$there run amika session list
	[ "$status" -eq 0 ]
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$there run --separate-stderr amika session list --token-file /nosuch
	[ "$status" -eq 2 ]
	[[ $stderr = *'--token-file is for a daemon at a URL'* ]]
}

@test "a proxy of the environment sees nothing of loopback, and the token elsewhere is warned of" {
	local line real=$AMIKA_URL
	stand_in_start page
	http_proxy=$AMIKA_URL ALL_PROXY=$AMIKA_URL run amika session list --url "$real"
	[ "$status" -eq 0 ]
	export http_proxy=$AMIKA_URL AMIKA_TOKEN=s3cret
	run --separate-stderr amika session list --url http://box.invalid:7
	[ "$status" -eq 8 ]
	[ "${stderr_lines[0]}" = 'warning: the token goes to box.invalid in the clear: use https, or a tunnel' ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ $stderr != *s3cret* ]]
	read -r line <&"$asked"
	[[ $line = 'GET http://box.invalid:7/v1/sessions'*' '* ]]
	AMIKA_TOKEN='' run --separate-stderr amika session list --url http://box.invalid:7
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a session made there has the daemon's surroundings, and of ours what is named" {
	run amika session create --agent mock plain
	[ "$(jq -c .environment <<<"$output")" = '{}' ]
	[ "$(jq -r .directory <<<"$output")" != "$PWD" ]
	MINE=1 run amika session create --agent mock --env MINE --env OTHER=2 -C "$BATS_TEST_TMPDIR" named
	[ "$(jq -c '.environment | keys' <<<"$output")" = '["MINE","OTHER"]' ]
	[ "$(jq -r .directory <<<"$output")" = "$BATS_TEST_TMPDIR" ]
	run --separate-stderr amika session create --agent mock -C . relative
	[ "$status" -eq 2 ]
	[[ $stderr = *'-C . is not an absolute path'* ]]
	run amika run mock -C sub hello
	[ "$status" -eq 2 ]
	run amika session show relative
	[ "$status" -eq 4 ]
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$there run amika session create --agent mock -C . near
	[ "$(jq -r .directory <<<"$output")" = "$PWD" ]
	[ "$(jq '.environment | has("PATH")' <<<"$output")" = true ]
}

@test "a file to attach is one of the daemon's: below the session's folder, or absolute" {
	mkdir "$BATS_TEST_TMPDIR/there"
	echo words >"$BATS_TEST_TMPDIR/there/notes"
	amika session create --agent mock -C "$BATS_TEST_TMPDIR/there" given -- --pace 0 >/dev/null
	run amika send --attach notes --attach "$BATS_TEST_TMPDIR/there/notes" given see
	[ "$(jq -rs 'map(select(.type == "item.completed"))[0].data.item.content[1:] | map(.path) | join(" ")' <<<"$output")" = \
		"notes $BATS_TEST_TMPDIR/there/notes" ]
	run --separate-stderr amika send --attach nosuch given see
	[ "$status" -eq 3 ]
	[[ $stderr = *'no such file to attach: nosuch'* ]]
}

@test "the way to the daemon dies in mid-stream and comes back: nothing lost or repeated" {
	amika session create --agent mock tau -- --pace 0 >/dev/null
	amika send --no-wait tau 'flood 20000 40' >/dev/null
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow tau >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	exec 7<"$BATS_TEST_TMPDIR/out"
	read_dense 7 1 5000
	relay_stop
	relay_start "$port"
	read_dense 7 5001 5000
	relay_stop
	relay_start "$port"
	read_dense 7 10001 10006
	kill -TERM "$pid"
	wait "$pid"
}

@test "the daemon killed, restarted and stopped behind a URL: the stream goes on" {
	amika session create --agent mock tau -- --pace 0 >/dev/null
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow tau >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	exec 7<"$BATS_TEST_TMPDIR/out"
	read_dense 7 1 1
	AMIKA_STATE_DIRECTORY=$there amikad restart >/dev/null
	amika send tau hello >/dev/null
	read_dense 7 2 7
	kill -KILL "$(AMIKA_STATE_DIRECTORY=$there amikad status | jq .pid)"
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$there amika send tau hello >/dev/null
	read_dense 7 9 7
	AMIKA_STATE_DIRECTORY=$there amikad stop >/dev/null
	AMIKA_URL='' AMIKA_STATE_DIRECTORY=$there amika send tau hello >/dev/null
	read_dense 7 16 7
	kill -TERM "$pid"
	wait "$pid"
}

@test "while the daemon is away: a signal and --timeout count at once" {
	amika session create --agent mock tau -- --pace 0 >/dev/null
	mkfifo "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/turn"
	amika events --follow tau >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$! send status=0 started=$SECONDS line
	exec 7<"$BATS_TEST_TMPDIR/out"
	read_dense 7 1 1
	amika send --wait --timeout 4 tau permission >"$BATS_TEST_TMPDIR/turn" 2>/dev/null 3>&- &
	send=$!
	exec 8<"$BATS_TEST_TMPDIR/turn"
	until [[ $line = *permission.requested* ]]; do read -r -t 20 line <&8; done
	relay_stop
	kill -TERM "$pid"
	wait "$pid"
	wait "$send" || status=$?
	[ "$status" -eq 7 ]
	[ $((SECONDS - started)) -lt 20 ]
}

@test "a daemon that stays away: status 8, and how to go on" {
	amika session create --agent mock tau -- --pace 0 >/dev/null
	mkfifo "$BATS_TEST_TMPDIR/out"
	amika events --follow tau >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! status=0
	exec 7<"$BATS_TEST_TMPDIR/out"
	read_dense 7 1 1
	relay_stop
	wait "$pid" || status=$?
	[ "$status" -eq 8 ]
	[[ $(cat "$BATS_TEST_TMPDIR/err") = *'unreachable: no daemon answers'*'(to go on: amika events --follow tau@1)' ]]
}
