#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the daemon grants a client, and what becomes of those who want more or are slow.

load helper
load door

setup() {
	helper_setup_file
	daemon=
}

teardown() { door_close && helper_teardown_file; }

settings() { # JSON
	printf '%s\n' "$1" >"$AMIKA_STATE_DIRECTORY/settings.json"
}

# Opens a connection to the network door as descriptor $to.
knock() { exec {to}<>"/dev/tcp/127.0.0.1/${url##*:}"; }

# Sends a byte each 20 ms until the daemon closes the connection; the milliseconds that took.
trickle() {
	local start=${EPOCHREALTIME/[.,]/} c=
	trap '' PIPE
	while :; do
		IFS= read -r -t 0.02 -N 1 -u "$to" c
		[ $? -gt 128 ] || break
		{ printf x >&"$to"; } 2>/dev/null || break
	done
	exec {to}>&-
	echo $(((${EPOCHREALTIME/[.,]/} - start) / 1000))
}

# How many of the processor's ticks (10 ms) the daemon has used.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$daemon/stat"; }

@test "a byte now and then does not extend the time for a header, a body, a pause" {
	settings '{"header_ms":300,"body_ms":1200,"idle_ms":700}'
	door_open serve --listen 127.0.0.1:0
	local ms
	knock
	ms=$(trickle)
	[ "$ms" -ge 250 ] && [ "$ms" -lt 5000 ] || { echo "first line: $ms" && return 1; }
	knock
	printf 'GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: ' >&"$to"
	ms=$(trickle)
	[ "$ms" -ge 250 ] && [ "$ms" -lt 5000 ] || { echo "header: $ms" && return 1; }
	knock
	printf 'POST /v1/sessions/x HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n' \
		"$(bearer)" >&"$to"
	ms=$(trickle)
	[ "$ms" -ge 1100 ] && [ "$ms" -lt 9000 ] || { echo "body: $ms" && return 1; }
	knock
	printf 'GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$to"
	head -c 17 <&"$to" | grep -q '200 OK'
	local start=${EPOCHREALTIME/[.,]/}
	cat <&"$to" >/dev/null
	ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
	[ "$ms" -ge 500 ] && [ "$ms" -lt 5000 ] || { echo "pause: $ms" && return 1; }
	exec {to}>&-
}

@test "sizes: 413 for a body, 431 for a header, as problems" {
	settings '{"body_bytes":2000}'
	door_open serve --listen 127.0.0.1:0
	head -c 2001 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/big"
	[ "$(status_of /v1/sessions/x -H "$(bearer)" -H 'Content-Type: application/json' -H 'Expect:' \
		--data-binary "@$BATS_TEST_TMPDIR/big")" = 413 ]
	[ "$(body | jq -r .type)" = urn:sandbox-agent:error:too_large ]
	[ "$(header content-type)" = application/problem+json ]
	[ "$(status_of /v1/health -H "X: $(head -c 7200 /dev/zero | tr '\0' x)")" = 431 ]
	[ "$(body | jq -r .type)" = urn:sandbox-agent:error:header_too_large ]
	[ "$(header content-type)" = application/problem+json ]
	door_close
	settings '{"header_bytes":16384}'
	door_open serve --listen 127.0.0.1:0
	[ "$(status_of /v1/health -H "X: $(head -c 7200 /dev/zero | tr '\0' x)")" = 200 ]
}

@test "requests per connection: pipelined and kept ones are answered, the last one closes" {
	settings '{"requests":3}'
	door_open serve --listen 127.0.0.1:0
	knock
	for _ in 1 2 3 4; do printf 'GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n'; done >&"$to"
	run cat <&"$to"
	[ "$(grep -c '200 OK' <<<"$output")" -eq 3 ]
	[ "$(grep -ci '^connection: close' <<<"$output")" -eq 1 ]
	exec {to}>&-
	# curl opens a second connection for the fourth.
	run curl -sS -o /dev/null -o /dev/null -o /dev/null -o /dev/null -w '%{http_code} %{num_connects}\n' \
		"$url/v1/health" "$url/v1/health" "$url/v1/health" "$url/v1/health"
	[ "$output" = $'200 1\n200 0\n200 0\n200 1' ]
}

@test "connections: whoever fills the network door neither spins the daemon nor closes the socket" {
	settings '{"connections":4,"streams":2}'
	door_open serve --listen 127.0.0.1:0
	local held=() before
	for _ in 1 2 3 4; do
		knock
		held+=("$to")
	done
	before=$(ticks)
	run curl -sS --max-time 1 "$url/v1/health"
	[ "$status" -eq 28 ]
	[ $(($(ticks) - before)) -lt 30 ]
	amika session list
	curl -sS --max-time 20 "$url/v1/health" >"$BATS_TEST_TMPDIR/waited" &
	for to in "${held[@]}"; do exec {to}>&-; done
	wait $!
	[ "$(jq -r .status "$BATS_TEST_TMPDIR/waited")" = ok ]
}

# The status and Retry-After of one more event stream.
one_more() { # CURL-WORDS…
	curl -sS --max-time 20 -o "$BATS_TEST_TMPDIR/body" -D "$BATS_TEST_TMPDIR/head" -w '%{http_code}' "$@"
	echo " $(header retry-after)"
}

# Starts an event stream in the background and waits for its head.
stream() { # CURL-WORDS…
	local first
	coproc curl -sSN -i "$@" 2>/dev/null 3>&-
	IFS= read -r -t 20 first <&"${COPROC[0]}"
	[[ $first = *' 200 '* ]] || return 1
	streams+=("$COPROC_PID")
}

@test "streams per peer: one user, one address cannot have them all" {
	settings '{"streams":6,"streams_per_peer":2}'
	door_open serve --listen 127.0.0.1:0
	amika session create tau --agent mock >/dev/null
	local streams=() at=$url/v1/sessions/tau/events/sse socket=$AMIKA_STATE_DIRECTORY/socket
	for _ in 1 2; do stream -H "$(bearer)" "$at"; done 2>/dev/null
	[ "$(one_more -H "$(bearer)" "$at")" = '503 1' ]
	[ "$(body | jq -r .type)" = urn:sandbox-agent:error:unavailable ]
	stream --interface 127.0.0.9 -H "$(bearer)" "$at"
	for _ in 1 2; do stream --unix-socket "$socket" http://amika/v1/sessions/tau/events/sse; done 2>/dev/null
	[ "$(one_more --unix-socket "$socket" http://amika/v1/sessions/tau/events/sse)" = '503 1' ]
	# When one ends there is room; the daemon notices without having anything to send.
	kill "${streams[0]}"
	until stream -H "$(bearer)" "$at"; do :; done 2>/dev/null
	kill "${streams[@]:1}"
}

@test "no descriptors left: no spinning, streams go on, and clients are served when there are some again" {
	door_open serve --listen 127.0.0.1:0
	amika session create tau --agent mock -- --pace 20 >/dev/null
	amika send --no-wait tau 'flood 100 10' >/dev/null
	local streams=() hard before
	hard=$(ulimit -Hn)
	stream --max-time 60 -H "$(bearer)" "$url/v1/sessions/tau/events/sse"
	prlimit --pid "$daemon" --nofile="3:$hard"
	before=$(ticks)
	run curl -sS --max-time 1 "$url/v1/health"
	[ "$status" -eq 28 ]
	run curl -sS --max-time 1 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://amika/v1/health
	[ "$status" -eq 28 ]
	[ $(($(ticks) - before)) -lt 60 ]
	sed -u -n '/turn.ended/q;s/^data: //p' <&"${COPROC[0]}" >"$BATS_TEST_TMPDIR/events"
	[ "$(grep -c '"type":"item.delta"' "$BATS_TEST_TMPDIR/events")" -eq 100 ]
	curl -sS --max-time 20 "$url/v1/health" >"$BATS_TEST_TMPDIR/waited" &
	local waiting=$!
	prlimit --pid "$daemon" --nofile="$hard:$hard"
	wait "$waiting"
	[ "$(jq -r .status "$BATS_TEST_TMPDIR/waited")" = ok ]
	amika send tau hello >/dev/null
	grep -q 'no descriptors are left' "$BATS_TEST_TMPDIR/said"
	kill "${streams[@]}"
}

@test "few descriptors: some are kept for the daemon's own work" {
	# 60 are enough for 22 connections at each door; more clients wait, and sessions work.
	mkfifo "$BATS_TEST_TMPDIR/ready"
	(ulimit -n 60 && exec amikad serve --listen 127.0.0.1:0 --ready-fd 5) 5>"$BATS_TEST_TMPDIR/ready" \
		2>"$BATS_TEST_TMPDIR/said" 3>&- &
	daemon=$!
	url=$(jq -r .url "$BATS_TEST_TMPDIR/ready")
	grep -q '60 descriptors are enough for 22 connections' "$BATS_TEST_TMPDIR/said"
	local held=()
	for _ in {1..60}; do
		knock
		held+=("$to")
	done
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send tau hello >/dev/null
	for to in "${held[@]}"; do exec {to}>&-; done
}
