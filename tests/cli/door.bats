#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The network door: its token, who may knock, what browsers may do, and how it goes through a restart.

load helper
load door

# A process is over, or about to be (an ended one stays in the list until its parent has taken note).
ended() { # PID
	local state
	for _ in {1..500}; do
		state=$(ps -o stat= -p "$1") || return 0
		[[ $state != Z* ]] || return 0
	done
	return 1
}

setup() {
	helper_setup_file
	daemon=
}

teardown() { door_close && helper_teardown_file; }

@test "serve --listen: the daemon line says where, a token is made and needed" {
	door_open serve --listen 127.0.0.1:0
	[[ $url =~ ^http://127\.0\.0\.1:[1-9][0-9]*$ ]]
	[ "$(jq -r .token_file <<<"$line")" = "$AMIKA_STATE_DIRECTORY/token" ]
	[ "$(amikad status | jq -r .url)" = "$url" ]
	[ "$(stat -c %a "$AMIKA_STATE_DIRECTORY/token")" = 600 ]
	[ "$(status_of /v1/sessions -H "$(bearer)")" = 200 ]
	[ "$(body | jq -c .sessions)" = '[]' ]
	[ "$(status_of /v1/sessions)" = 401 ]
	[ "$(body)" = '{"type":"urn:sandbox-agent:error:token_invalid","title":"Token Invalid","status":401,"detail":"token invalid","details":{"message":"missing or invalid token"}}' ]
	[ "$(header content-type)" = application/problem+json ]
	[ "$(header www-authenticate)" = Bearer ]
	[ "$(status_of /v1/nothing)" = 401 ]
	[ "$(status_of /v1/health)" = 200 ]
	[ "$(status_of '/v1/sessions?token='"$(cat "$AMIKA_STATE_DIRECTORY/token")")" = 401 ]
	# The Unix socket asks for none.
	amika session list
}

@test "every form of a token, and what is none" {
	echo 'sec:ret' >"$BATS_TEST_TMPDIR/token"
	chmod 600 "$BATS_TEST_TMPDIR/token"
	door_open serve --listen localhost:0 --token-file "$BATS_TEST_TMPDIR/token"
	local form
	for form in 'Bearer sec:ret' 'bearer sec:ret' 'Token sec:ret' 'TOKEN sec:ret' 'Basic dTpzZWM6cmV0' \
		'basic dTpzZWM6cmV0' 'Basic OnNlYzpyZXQ=' 'Basic OnNlYzpyZXQ'; do
		[ "$(status_of /v1/agents -H "Authorization: $form")" = 200 ] || { echo "$form" && return 1; }
	done
	for form in 'Bearer wrong' 'Bearer sec:re' 'Bearer' 'sec:ret' 'Digest sec:ret' 'Basic sec:ret' 'Basic c2VjOnJldA=='; do
		[ "$(status_of /v1/agents -H "Authorization: $form")" = 401 ] || { echo "$form" && return 1; }
	done
	[ "$(status_of /v1/agents -u 'anyone:sec:ret')" = 200 ]
	[ "$(status_of /v1/agents -H 'Authorization: Bearer sec:ret' -H 'Authorization: Bearer sec:ret')" = 400 ]
}

@test "the token file: nobody else's, not empty, not too long" {
	local file=$BATS_TEST_TMPDIR/token
	echo secret >"$file"
	chmod 640 "$file"
	run amikad serve --listen 127.0.0.1:0 --token-file "$file"
	[ "$status" -eq 6 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output = *'can be read by others'*"chmod 600 $file"* ]]
	: >"$file"
	chmod 600 "$file"
	run amikad serve --listen 127.0.0.1:0 --token-file "$file"
	[ "$status" -eq 3 ]
	[[ $output = *'holds no token'* ]]
	head -c 5000 /dev/zero | tr '\0' x >"$file"
	run amikad serve --listen 127.0.0.1:0 --token-file "$file"
	[ "$status" -eq 3 ]
	run amikad serve --listen 127.0.0.1:0 --token-file "$BATS_TEST_TMPDIR/no/such/token"
	[ "$status" -eq 4 ]
}

@test "a token given openly is in neither argv nor environment for long, and no agent sees it" {
	AMIKA_TOKEN=hush-environment door_open serve --listen 127.0.0.1:0
	[ "$(status_of /v1/sessions -H 'Authorization: Bearer hush-environment')" = 200 ]
	[ "$(jq -r .token_file <<<"$line")" = null ]
	[ ! -e "$AMIKA_STATE_DIRECTORY/token" ]
	run ! grep -a hush "/proc/$daemon/environ"
	cat >"$BATS_TEST_TMPDIR/claude" <<-END
		#!/bin/sh
		{ env; cat /proc/\$PPID/environ /proc/$daemon/environ /proc/$daemon/cmdline; } >"$BATS_TEST_TMPDIR/seen"
	END
	chmod +x "$BATS_TEST_TMPDIR/claude"
	AMIKA_TOKEN=hush-environment PATH="$BATS_TEST_TMPDIR:$PATH" amika session create spy --agent claude
	run -1 amika send spy hello
	[ -s "$BATS_TEST_TMPDIR/seen" ]
	run ! grep -a 'hush\|AMIKA_TOKEN' "$BATS_TEST_TMPDIR/seen"
	door_close
	door_open serve --listen 127.0.0.1:0 --token hush-one --token=hush-argv
	[ "$(status_of /v1/sessions -H 'Authorization: Bearer hush-argv')" = 200 ]
	run ! grep -a hush "/proc/$daemon/cmdline"
	grep -aq -- --listen "/proc/$daemon/cmdline"
	door_close
	# A file named on the command line goes before the environment, and both at once cannot be meant.
	AMIKA_TOKEN=other door_open serve --listen 127.0.0.1:0 --token-file "$AMIKA_STATE_DIRECTORY/token"
	[ "$(status_of /v1/sessions -H "$(bearer)")" = 200 ]
	[ "$(status_of /v1/sessions -H 'Authorization: Bearer other')" = 401 ]
	door_close
	run -2 amikad serve --listen 127.0.0.1:0 --token a --token-file b
	run -2 amikad serve --listen 127.0.0.1:0 --token 'a b'
}

@test "beyond loopback only when that is said" {
	local address
	for address in 0.0.0.0:0 '[::]:0'; do
		run amikad serve --listen "$address"
		[ "$status" -eq 2 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output = *--insecure-listen* ]]
	done
	door_open serve --listen 0.0.0.0:0 --insecure-listen
	url=http://127.0.0.1:${url##*:}
	[ "$(status_of /v1/sessions)" = 401 ]
	[ "$(status_of /v1/sessions -H "$(bearer)" -H 'Host: any.example')" = 200 ]
	[ "$(status_of /v1/sessions -H "$(bearer)" -H 'Origin: http://any.example')" = 200 ]
	[ -z "$(header access-control-allow-origin)" ]
	door_close
	door_open serve --listen 0.0.0.0:0 --insecure-listen --allow-host box.example
	url=http://127.0.0.1:${url##*:}
	[ "$(status_of /v1/sessions -H "$(bearer)" -H 'Host: any.example')" = 403 ]
	[ "$(status_of /v1/sessions -H "$(bearer)" -H 'Host: box.example')" = 200 ]
}

@test "addresses: IPv6, what is none, one in use" {
	door_open serve --listen '[::1]:0'
	[[ $url = 'http://[::1]:'* ]]
	[ "$(status_of /v1/sessions -H "$(bearer)")" = 200 ]
	local address=${url#http://} other=$BATS_TEST_TMPDIR/other
	mkdir -m 700 "$other"
	AMIKA_STATE_DIRECTORY=$other run amikad serve --listen "$address"
	[ "$status" -eq 5 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output = *"$address is in use by another program"* ]]
	for address in 127.0.0.1 :80 127.0.0.1:x 127.0.0.1:65536 127.0.0.1:-1 ::1:80 '[::1]' example.com:80 ''; do
		AMIKA_STATE_DIRECTORY=$other run amikad serve --listen "$address"
		[ "$status" -eq 2 ] || { echo "$address: $output" && return 1; }
	done
	run -2 amikad serve --token x
	[[ $output = *--listen* ]]
}

@test "a foreign Host or Origin is refused before anything is said of the path" {
	door_open serve --listen 127.0.0.1:0 --allow-host Box.Example -O https://app.example
	local port=${url##*:} host
	for host in localhost "localhost:$port" 127.0.0.1 '[::1]' "[::1]:$port" LOCALHOST:1 box.example "box.example:$port"; do
		[ "$(status_of /v1/sessions -H "$(bearer)" -H "Host: $host")" = 200 ] || { echo "$host" && return 1; }
	done
	# The last two are what a rebound name looks like: it resolves to loopback, and says so nowhere.
	for host in evil.example 127.0.0.1.evil.example localhost.evil.example 'localhost.' '[::2]' 10.0.0.1 "rebind.example:$port"; do
		[ "$(status_of /v1/health -H "Host: $host")" = 403 ] || { echo "$host" && return 1; }
		[ "$(body | jq -r .type)" = urn:sandbox-agent:error:permission_denied ]
		[ "$(status_of /v1/sessions -H "$(bearer)" -H "Host: $host")" = 403 ]
		[ "$(status_of /v1/nothing -H "Host: $host")" = 403 ]
	done
	url=http://rebind.example:$port
	[ "$(status_of /v1/sessions -H "$(bearer)" --resolve "rebind.example:$port:127.0.0.1")" = 403 ]
	url=http://127.0.0.1:$port
	for host in http://evil.example "http://127.0.0.1:$port" http://localhost:3000 null https://app.example.evil http://app.example; do
		[ "$(status_of /v1/sessions -H "$(bearer)" -H "Origin: $host")" = 403 ] || { echo "$host" && return 1; }
		[ "$(status_of /v1/sessions -X OPTIONS -H "Origin: $host" -H 'Access-Control-Request-Method: GET')" = 403 ]
		[ -z "$(header access-control-allow-origin)" ]
	done
	[ "$(status_of /v1/sessions -H "$(bearer)" -H 'Origin: https://app.example')" = 200 ]
	[ "$(header access-control-allow-origin)" = https://app.example ]
	# The socket is not the web: there any name will do.
	[ "$(curl -sS -o /dev/null -w '%{http_code}' --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://any.example/v1/sessions)" = 200 ]
}

@test "CORS: preflight and request as the original answers them" {
	door_open serve --listen 127.0.0.1:0 --cors-allow-origin http://example.com --cors-allow-method GET -M POST \
		-A Content-Type --cors-allow-header authorization
	local vary='origin, access-control-request-method, access-control-request-headers'
	[ "$(status_of /v1/sessions -X OPTIONS -H 'Origin: http://example.com' -H 'Access-Control-Request-Method: POST' \
		-H 'Access-Control-Request-Headers: authorization,content-type')" = 200 ]
	[ "$(header access-control-allow-origin)" = http://example.com ]
	[ "$(header access-control-allow-methods)" = GET,POST ]
	[ "$(header access-control-allow-headers)" = content-type,authorization ]
	[ "$(header vary)" = "$vary" ]
	[ -z "$(header access-control-allow-credentials)" ]
	[ -z "$(body)" ]
	[ "$(status_of /v1/sessions -H "$(bearer)" -H 'Origin: http://example.com')" = 200 ]
	[ "$(header access-control-allow-origin)" = http://example.com ]
	[ "$(header vary)" = "$vary" ]
	# A page that may ask also reads why it was refused.
	[ "$(status_of /v1/sessions -H 'Origin: http://example.com')" = 401 ]
	[ "$(header access-control-allow-origin)" = http://example.com ]
	door_close
	door_open serve --listen 127.0.0.1:0
	[ "$(status_of /v1/sessions -X OPTIONS -H 'Access-Control-Request-Method: PUT')" = 200 ]
	[ "$(header vary)" = "$vary" ]
	[ -z "$(header access-control-allow-origin)" ]
	door_close
	door_open serve --listen 127.0.0.1:0 -O http://a.example -O http://b.example -C
	[ "$(status_of /v1/x -X OPTIONS -H 'Origin: http://b.example' -H 'Access-Control-Request-Method: PUT' \
		-H 'Access-Control-Request-Headers: x-one')" = 200 ]
	[ "$(header access-control-allow-origin)" = http://b.example ]
	[ "$(header access-control-allow-credentials)" = true ]
	[ "$(header access-control-allow-methods)" = PUT ]
	[ "$(header access-control-allow-headers)" = x-one ]
	door_close
	local bad
	for bad in '*' example.com http://example.com/ 'http://a b' 'http://*.example'; do
		run amikad serve --listen 127.0.0.1:0 -O "$bad"
		[ "$status" -eq 2 ] || { echo "$bad" && return 1; }
	done
	run -2 amikad serve --listen 127.0.0.1:0 -M 'GET, POST'
	run -2 amikad serve --listen 127.0.0.1:0 -A ''
	run -2 amikad serve --listen 127.0.0.1:0 --allow-host http://x
}

@test "restart: the same port, the same token, the same origins, wherever the token came from" {
	local how
	for how in --token-file="$BATS_TEST_TMPDIR/t" --token=open environment; do
		case $how in
		environment) AMIKA_TOKEN=open door_open serve --listen 127.0.0.1:0 -O http://app.example ;;
		*) door_open serve --listen 127.0.0.1:0 -O http://app.example "$how" ;;
		esac
		local token=open
		[ ! -e "$BATS_TEST_TMPDIR/t" ] || [ "$how" != "--token-file=$BATS_TEST_TMPDIR/t" ] || token=$(cat "$BATS_TEST_TMPDIR/t")
		run amikad restart
		[ "$status" -eq 0 ]
		[ "$(jq -r .url <<<"$output")" = "$url" ]
		[ "$(jq -r .pid <<<"$output")" = "$daemon" ]
		[ "$(status_of /v1/sessions -H "Authorization: Bearer $token" -H 'Origin: http://app.example')" = 200 ]
		[ "$(header access-control-allow-origin)" = http://app.example ]
		[ "$(status_of /v1/sessions)" = 401 ]
		run ! grep -a 'open' "/proc/$daemon/cmdline" "/proc/$daemon/environ"
		amikad restart
		[ "$(status_of /v1/sessions -H "Authorization: Bearer $token")" = 200 ]
		door_close
	done
}

@test "restart takes a new token from the file, and keeps the old one when the file has become unusable" {
	door_open serve --listen 127.0.0.1:0
	local old
	old=$(bearer)
	echo another >"$AMIKA_STATE_DIRECTORY/token"
	[ "$(status_of /v1/sessions -H "$old")" = 200 ]
	amikad restart
	[ "$(status_of /v1/sessions -H "$old")" = 401 ]
	[ "$(status_of /v1/sessions -H 'Authorization: Bearer another')" = 200 ]
	chmod 644 "$AMIKA_STATE_DIRECTORY/token"
	amikad restart
	[ "$(status_of /v1/sessions -H 'Authorization: Bearer another')" = 200 ]
	grep -q 'the token stays as it was' "$BATS_TEST_TMPDIR/said"
	door_close
	run -2 amikad serve --door-fd 0 </dev/null
	run -2 amikad serve --door-fd 99
}

@test "SIGTERM frees the port and leaves nothing behind" {
	door_open serve --listen 127.0.0.1:0
	amika session create tau --agent mock -- --pace 0
	amika send --no-wait tau hang
	said tau 1 turn.started
	local port=${url##*:} shim
	shim=$(pgrep -P "$daemon" amika-shim)
	# Connections that are open when it ends leave the port busy for those who do not know better.
	exec {kept}<>"/dev/tcp/127.0.0.1/$port"
	door_close
	ended "$shim"
	[ ! -e "$AMIKA_STATE_DIRECTORY/socket" ]
	run ! curl -sS "$url/v1/health"
	door_open serve --listen "127.0.0.1:$port"
	[ "$url" = "http://127.0.0.1:$port" ]
	exec {kept}>&-
}

@test "amikad server: the original's spelling" {
	AMIKA_LOG=error door_open server --port 0
	[[ $url = http://127.0.0.1:* ]]
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "amikad: the token is in $AMIKA_STATE_DIRECTORY/token" ]
	[ "$(status_of /v1/health)" = 200 ]
	[ "$(status_of /v1/sessions)" = 401 ]
	[ "$(status_of /v1/sessions -H "$(bearer)")" = 200 ]
	door_close
	run -2 amikad server --port 0 --no-token
	[ "${#lines[@]}" -eq 1 ]
	run -2 amikad server --port 0 -n --token x
	run -2 amikad server --port 65536
	run -2 amikad server --host nowhere.example --port 0
	run -2 amikad server --host 0.0.0.0 --port 0
	[[ $output = *--insecure-listen* ]]
	door_open server --host 0.0.0.0 -p 0 --token far
	[ "$(jq -r .token_file <<<"$line")" = null ]
	url=http://127.0.0.1:${url##*:}
	[ "$(status_of /v1/sessions -H 'Authorization: Bearer far')" = 200 ]
	door_close
	door_open server -H ::1 -p 0 -t near -O http://app.example
	[[ $url = 'http://[::1]:'* ]]
	[ "$(status_of /v1/sessions -X OPTIONS -H 'Origin: http://app.example')" = 200 ]
	[ "$(header access-control-allow-origin)" = http://app.example ]
	door_close
	run amikad server --help
	[[ $output = *'2468 by default'* ]]
}

# Makes a session of a stand-in for Claude over HTTP and has it say what environment it got.
environment_of() { # NAME JSON URL OPTIONS…
	local name=$1 json=$2 at=$3/v1/sessions/$1
	shift 3
	curl -sSf -H 'Content-Type: application/json' -d "$json" "$@" "$at"
	curl -sSf -H 'Content-Type: application/json' -d '{"message":"hello"}' "$@" "$at/messages"
	said "$name" 1 turn.ended
	tr '\0' '\n' <"$BATS_TEST_TMPDIR/seen" | sort
}

@test "sessions made over TCP take PATH, HOME and the agent's variables from the daemon" {
	cat >"$BATS_TEST_TMPDIR/claude" <<-END
		#!/bin/sh
		cat /proc/\$\$/environ >"$BATS_TEST_TMPDIR/seen"
	END
	chmod +x "$BATS_TEST_TMPDIR/claude"
	PATH="$BATS_TEST_TMPDIR:$PATH" ANTHROPIC_API_KEY=key-1 OTHER=no AMIKA_TOKEN=t door_open serve --listen 127.0.0.1:0
	local auth='Authorization: Bearer t'
	run environment_of one '{"agent":"claude"}' "$url" -H "$auth"
	[ "$status" -eq 0 ]
	[[ $output = *ANTHROPIC_API_KEY=key-1* ]]
	[[ $output = *PATH=$BATS_TEST_TMPDIR:* ]]
	[[ $output = *HOME=$HOME* ]]
	[[ $output != *OTHER=* ]]
	[[ $output != *AMIKA_TOKEN* ]]
	[ "$(status_of /v1/agents -H "$auth")" = 200 ]
	[ "$(body | jq -r '.agents[]|select(.id=="claude").path')" = "$BATS_TEST_TMPDIR/claude" ]
	[ "$(status_of /v1/agents/claude/install -H "$auth" -H 'Content-Type: application/json' -d '{}')" = 204 ]
	# What the request brings goes before it.
	run environment_of two '{"agent":"claude","environment":{"ANTHROPIC_API_KEY":"key-0","MINE":"1"}}' "$url" -H "$auth"
	[ "$status" -eq 0 ]
	[[ $output = *ANTHROPIC_API_KEY=key-0* ]]
	[[ $output = *MINE=1* ]]
	[[ $output = *PATH=$BATS_TEST_TMPDIR:* ]]
	[ "$(status_of /v1/sessions/bad -H "$auth" -H 'Content-Type: application/json' -d '{"agent":"claude","environment":[]}')" = 400 ]
	# On the socket the caller is known, and has an environment of its own.
	run curl -sS -o /dev/null -w '%{http_code}' --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -d '{"agent":"claude"}' \
		-H 'Content-Type: application/json' http://amika/v1/sessions/three
	[ "$output" = 404 ]
	# An agent over TCP is no agent of ours to name.
	[ "$(status_of /v1/sessions/four -H "$auth" -H 'Content-Type: application/json' -d '{"agent":"nobody"}')" = 400 ]
	door_close
	PATH="$BATS_TEST_TMPDIR:$PATH" ANTHROPIC_API_KEY=key-2 door_open server --port 0
	amikad restart
	run environment_of five '{"agent":"claude","environment":null}' http://amika --unix-socket "$AMIKA_STATE_DIRECTORY/socket"
	[ "$status" -eq 0 ]
	[[ $output = *ANTHROPIC_API_KEY=key-2* ]]
}

@test "who answered: an address where there is no user to name" {
	door_open serve --listen 127.0.0.1:0
	amika session create tau --agent mock -- --pace 0
	amika send --no-wait tau permission
	local id
	id=$(await tau '"type":"permission.requested"' | jq -r .amika.decision.id)
	[ "$(status_of "/v1/decisions/$id" -H "$(bearer)" -H 'Content-Type: application/json' -d '{"reply":"reject"}')" = 200 ]
	[ "$(body | jq -r .by)" = 'address 127.0.0.1' ] || { body && return 1; }
}
