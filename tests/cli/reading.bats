#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every way to read the log gives the same events: pages, streams, one turn, all sessions; a reader that
# stalls costs nothing.

load helper
load curl

setup_file() {
	helper_setup_file
	amika session list >/dev/null
}

teardown_file() { helper_teardown_file; }

# An event stream as lines of JSON.
stream() { # PATH
	curl -sSN --max-time 200 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" "http://localhost$1" 3>&- |
		sed -un 's/^data: //p'
}

# All pages behind a cursor, a few events at a time.
pages() { # CURSOR
	local at=$1 page=$BATS_TEST_TMPDIR/page more=true
	while [ "$more" = true ]; do
		api "/v1/events?profile=amika&limit=7&offset=$at" >"$page"
		jq -c '.events[]' "$page"
		at=$(jq .cursor "$page")
		more=$(jq .hasMore "$page")
	done
}

# Reads a stream in the background up to the line that has WORDS in it, into $seen; `finished` waits for it.
reading() { # PATH WORDS
	seen=$(mktemp "$BATS_TEST_TMPDIR/seen.XXXXXX")
	stream "$1" | sed -u "/$2/q" >"$seen" &
	reader=$!
	until [ -s "$seen" ] || ! kill -0 "$reader"; do :; done
}

finished() { timeout 200 tail --pid="$reader" -f /dev/null; }

@test "profile=amika: hello first, then the events, then each new state; without it only events" {
	new_session told
	reading '/v1/sessions/told/events/sse?profile=amika&offset=1' '"state":"ended"'
	post /v1/sessions/told/messages '{"message":"hello"}'
	turn_over told 1 >/dev/null
	amika session end told >/dev/null
	finished
	[ "$(head -n 1 "$seen" | jq -c 'del(.version,.state_since)')" = \
		'{"type":"hello","session_id":"told","after":1,"state":"idle","state_reason":"new"}' ]
	[ "$(jq -r 'select(.type == "session.state").state' "$seen" | tail -n 1)" = ended ]
	# A state is told behind the last event that led to it.
	jq -es 'reduce .[] as $line ({at: 0, ok: true}; if $line.sequence then .at = $line.sequence
		else .ok = (.ok and ($line.type == "hello" or $line.after == .at)) end) | .ok' "$seen"
	reading '/v1/sessions/told/events/sse' session.ended
	finished
	jq -es 'all(.sequence) and (map(.sequence) == [range(1; length + 1)])' "$seen"
}

@test "messages/stream: the turn of this message and no more; a line that is not understood ends nothing" {
	new_session turns
	post /v1/sessions/turns/messages/stream '{"message":"unparsed"}' | sed -un 's/^data: //p' >"$BATS_TEST_TMPDIR/turn"
	[ "$(jq -rs 'map(.type) | [first, last] | join(" ")' "$BATS_TEST_TMPDIR/turn")" = 'turn.started turn.ended' ]
	jq -es 'any(.type == "agent.unparsed")' "$BATS_TEST_TMPDIR/turn"
	run bash -c "$(declare -f api post); post /v1/sessions/turns/messages/stream '{\"message\":\"permission\"}' | sed -un 's/^data: //p'"
	[ "$(jq -r .type <<<"${lines[-1]}")" = permission.requested ]
	# Behind a turn that waits, it is not that turn's end that ends the stream.
	reading_turn() { post /v1/sessions/turns/messages/stream '{"message":"hello","messageId":"mine"}' | sed -un 's/^data: //p'; }
	reading_turn >"$BATS_TEST_TMPDIR/turn" &
	reader=$!
	said turns 1 message.queued
	api /v1/sessions/turns/cancel -X POST
	finished
	jq -es '.[-1].type == "turn.ended" and .[-1].amika.message == "mine" and any(.type == "turn.ended" and .amika.message != "mine")' \
		"$BATS_TEST_TMPDIR/turn"
	amika session end turns >/dev/null
	[ "$(post /v1/sessions/turns/messages/stream '{"message":"x"}' -o /dev/null -w '%{http_code}')" = 400 ]
}

@test "/v1/events: all sessions in the order of commits, one cursor, also over a killed daemon" {
	local s seen_before
	for s in one two three; do
		new_session "$s"
		post "/v1/sessions/$s/messages" '{"message":"flood 300 40"}'
	done
	reading '/v1/events/sse?profile=amika' '"session_id":"three".*"type":"turn.ended"'
	finished
	cp "$seen" "$BATS_TEST_TMPDIR/all"
	seen_before=$(jq -s '.[-1].cursor' "$BATS_TEST_TMPDIR/all")
	kill -KILL "$(amikad status | jq .pid)"
	for s in one two three; do
		amika send --no-wait "$s" 'flood 200 40' >/dev/null
	done
	for s in one two three; do
		turn_over "$s" 2 >/dev/null
	done
	pages "$seen_before" >>"$BATS_TEST_TMPDIR/all"
	jq -es 'map(select(.cursor)) | map(.cursor) | . == (sort | unique)' "$BATS_TEST_TMPDIR/all"
	for s in one two three; do
		jq -c "select(.session_id == \"$s\") | del(.cursor)" "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/$s"
		amika events --json "$s" | jq -c . | diff - "$BATS_TEST_TMPDIR/$s"
	done
	# From now on, and from the last number on: the same place.
	[ "$(api '/v1/events?offset=now' | jq -c '[.events, .hasMore, .cursor]')" = "[[],false,$(jq -s '.[-1].cursor' "$BATS_TEST_TMPDIR/all")]" ]
}

@test "a reader that stalls costs no memory and delays nobody; it misses nothing" {
	local pid before after curl seen=$BATS_TEST_TMPDIR/slow
	new_session slow
	pid=$(amikad status | jq .pid)
	curl -sSN --max-time 200 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" \
		http://localhost/v1/sessions/slow/events/sse >"$seen" 3>&- &
	curl=$!
	until [ -s "$seen" ]; do kill -0 "$curl"; done
	kill -STOP "$curl"
	amika send slow 'flood 20000 300' >/dev/null
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	amika send slow 'flood 40000 300' >/dev/null
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	kill -CONT "$curl"
	echo "$before kB, then $after kB"
	# The sanitizer keeps what was freed.
	grep -qa __asan_init "$bindir/amikad" || [ "$after" -le $((before + 4096)) ]
	until grep -q '"type":"turn.ended".*"turn":2,' "$seen"; do kill -0 "$curl"; done
	kill "$curl"
	sed -n 's/^data: //p' "$seen" | jq -es 'map(.sequence) == [range(1; length + 1)] and length == '"$(api /v1/sessions/slow | jq .eventCount)"
}
