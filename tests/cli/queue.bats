#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What waits in a session: listed in order, taken back, never sent then, whatever dies.

load helper
load dying

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

setup() {
	tau=$BATS_TEST_NUMBER-tau
	amika session create "$tau" --agent mock -- --pace 0 >/dev/null
}

api() { curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" "http://localhost/v1/sessions/$tau$1" "${@:2}"; }
status_of() { api "$@" -o /dev/null -w '%{http_code}'; }

# A turn that does not end, and messages a, b, c behind it.
fill() {
	amika send --no-wait --id running "$tau" hang >/dev/null
	printf '{"text":"say %s","message_id":"%s"}\n' a a b b c c | amika send --no-wait --lines "$tau" >/dev/null
}

started() { amika events "$tau" | jq -rs 'map(select(.type == "turn.started").amika.message) | join(" ")'; }
cancelled() { amika events "$tau" | jq -rs 'map(select(.type == "message.cancelled").data.message_id) | join(" ")'; }
ids() { jq -rs 'map(.message_id) | join(" ")'; }

@test "the queue is listed in order, one message line each" {
	fill
	run amika session queue "$tau"
	[ "$(jq -s 'length' <<<"$output")" = 3 ]
	[ "$(jq -rs 'map([.type, .session_id, .message_id, .position, .text] | map(tostring) | join(",")) | join(" ")' <<<"$output")" = \
		"message,$tau,a,1,say a message,$tau,b,2,say b message,$tau,c,3,say c" ]
	jq -es 'all(.queued_at | test("^20.*Z$"))' <<<"$output"
	[ "$(amika session queue "$tau" --text | head -n 1)" = 'POSITION  MESSAGE  QUEUED                          TEXT' ]
}

@test "an empty queue is no line; no session is status 4" {
	[ -z "$(amika session queue "$tau")" ]
	run --separate-stderr amika session queue nobody
	[ "$status" -eq 4 ]
}

@test "what was listed can be sent to another session" {
	fill
	amika session create "other-$tau" --agent mock -- --pace 0 >/dev/null
	amika session queue "$tau" | amika send --lines "other-$tau" >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -rs 'map(select(.type == "turn.ended").amika.message) | join(" ")' "$BATS_TEST_TMPDIR/out")" = 'a b c' ]
}

@test "pages: limit and after" {
	fill
	local page
	page=$(api '/queue?limit=2')
	[ "$(jq -r '[(.messages | map(.messageId) | join(" ")), .hasMore] | map(tostring) | join(",")' <<<"$page")" = 'a b,true' ]
	page=$(api "/queue?after=$(jq .after <<<"$page")")
	[ "$(jq -r '[.messages[0].messageId, .messages[0].position, .hasMore, .after] | map(tostring) | join(",")' <<<"$page")" = \
		'c,3,false,null' ]
}

@test "attachments are listed by name, without their bytes" {
	printf '\x89PNG\r\n\x1a\n' >"$BATS_TEST_TMPDIR/p.png"
	amika send --no-wait "$tau" hang >/dev/null
	amika send --no-wait --attach "$BATS_TEST_TMPDIR/p.png" "$tau" look >/dev/null
	[ "$(amika session queue "$tau" | jq -c .attachments)" = "[{\"path\":\"$BATS_TEST_TMPDIR/p.png\"}]" ]
}

@test "--cancel: taken back, said in the log, never sent; the others keep their order" {
	fill
	run amika session queue "$tau" --cancel b
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.type, .message_id, .state] | join(" ")' <<<"$output")" = 'message b cancelled' ]
	[ "$(amika session queue "$tau" | ids)" = 'a c' ]
	[ "$(amika session show "$tau" | jq .queued)" = 2 ]
	api /cancel -X POST
	amika send --id last "$tau" hello >/dev/null
	[ "$(started)" = 'running a c last' ]
	[ "$(cancelled)" = b ]
	amika events "$tau" | jq -es 'any(.type == "message.cancelled" and (.data.by | startswith("uid ")))'
	run amika send --no-wait --id b "$tau" 'say b'
	[ "$(jq -r .state <<<"$output")" = duplicate ]
}

@test "--cancel: 404 and 4 for an unknown message, 409 and 5 for one that has started, twice is fine" {
	fill
	run --separate-stderr amika session queue "$tau" --cancel nobody
	[ "$status" -eq 4 ]
	[ "$stderr" = "amika-session: not_found: no message \"nobody\" in session $tau (see: amika session queue $tau)" ]
	run --separate-stderr amika session queue "$tau" --cancel running
	[ "$status" -eq 5 ]
	[ "$stderr" = "amika-session: conflict: message running has left the queue of session $tau (its turn is ended by: amika session cancel $tau)" ]
	[ "$(status_of /queue/nobody -X DELETE)" = 404 ]
	[ "$(status_of /queue/running -X DELETE)" = 409 ]
	[ "$(status_of /queue/c -X DELETE)" = 204 ]
	[ "$(status_of /queue/c -X DELETE)" = 204 ]
	[ "$(cancelled)" = c ]
	run --separate-stderr amika session queue "$tau" --cancel a --cancel-all
	[ "$status" -eq 2 ]
}

@test "--cancel-all empties it; DELETE of the queue does" {
	fill
	[ "$(amika session queue "$tau" --cancel-all | ids)" = 'a b c' ]
	[ -z "$(amika session queue "$tau")" ]
	amika send --no-wait --id d "$tau" 'say d' >/dev/null
	[ "$(status_of /queue -X DELETE)" = 204 ]
	[ "$(cancelled)" = 'a b c d' ]
	[ "$(amika session show "$tau" | jq .queued)" = 0 ]
}

@test "who waits for a message that is taken back is told: status 1" {
	amika send --no-wait "$tau" hang >/dev/null
	amika send --id mine "$tau" hello >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! status=0
	await "$tau" message.queued >/dev/null
	amika session queue "$tau" --cancel mine >/dev/null
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	grep -q '^amika-send: failed: the message was cancelled before its turn, by uid ' "$BATS_TEST_TMPDIR/err"
}

@test "the daemon killed behind an acknowledged cancel: it stays cancelled, in order" {
	fill
	amika session queue "$tau" --cancel b >/dev/null
	kill -KILL "$(amikad status | jq .pid)"
	[ "$(amika session queue "$tau" | ids)" = 'a c' ]
	api /cancel -X POST
	amika send --id last "$tau" hello >/dev/null
	[ "$(started)" = 'running a c last' ]
	amika events --json "$tau" >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
}

# ---- the daemon killed in the middle of it ----

has_crash_points() { grep -qa shim.begun "$bindir/amika-shim"; }

@test "the daemon killed while a message is taken back: taken back once, or not at all, and sent again by the tool" {
	has_crash_points || skip "crash points: configure --enable-crash-points"
	local point
	for point in queue.cancel.before queue.cancel.after reply.before; do
		echo "$point"
		tau=tau
		fresh_state "$point"
		amika session create tau --agent mock -- --pace 0 >/dev/null
		fill
		kill -KILL "$(amikad status | jq .pid)"
		daemon_dying_at "$point:1"
		amika session queue tau --cancel b >/dev/null
		daemon_has_died
		[ "$(amika session queue tau | ids)" = 'a c' ]
		[ "$(cancelled)" = b ]
		api /cancel -X POST
		amika send --id last tau hello >/dev/null
		[ "$(started)" = 'running a c last' ]
		amikad stop >/dev/null
	done
}
