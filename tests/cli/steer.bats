#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Messages put into a running turn: taken up there, or in a turn of their own, and never lost.

load helper
load dying

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

setup() {
	tau=$BATS_TEST_NUMBER-tau
	amika session create "$tau" --agent mock -- --pace 0 >/dev/null
}

api() { curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" "http://localhost/v1/sessions/$tau$1" "${@:2}"; }
started() { amika events "$tau" | jq -rs 'map(select(.type == "turn.started").amika.message) | join(" ")'; }
outcomes() { amika events "$tau" | jq -rs 'map(select(.type == "turn.ended").amika.outcome) | join(" ")'; }

# The user's items: MESSAGE@TURN each.
users() {
	amika events "$1" | jq -rs 'map(select(.type == "item.completed" and .data.item.role == "user")
		| "\(.amika.message)@\(.amika.turn)") | join(" ")'
}

checked() {
	amika events --json "$1" >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
}

@test "--steer: into the running turn, whose end it waits for" {
	amika send --no-wait --id first "$tau" steer >/dev/null
	await "$tau" item.completed 2 >/dev/null
	amika send --steer --id second "$tau" 'turn left' >"$BATS_TEST_TMPDIR/out"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/out" | jq -r '[.type, .data.item.role, .amika.message, (.amika.turn | tostring)] | join(" ")')" = \
		'item.started user second 1' ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r '[.type, .amika.outcome, .amika.message] | join(" ")')" = 'turn.ended completed first' ]
	jq -es 'any(.type == "item.completed" and .data.item.role == "assistant" and .data.item.content[0].text == "turn left")' \
		"$BATS_TEST_TMPDIR/out"
	[ "$(started)" = first ]
	[ "$(users "$tau")" = 'first@1 second@1' ]
	checked "$tau"
}

@test "the receipt says steered; the same id once more is a duplicate" {
	amika send --no-wait "$tau" hang >/dev/null
	[ "$(amika send --no-wait --steer --id s "$tau" left | jq -r .state)" = steered ]
	[ "$(amika send --no-wait --steer --id s "$tau" left | jq -r .state)" = duplicate ]
	amika events "$tau" | jq -es 'any(.type == "message.steered" and .data.message_id == "s")'
	[ "$(amika session show "$tau" | jq .queued)" = 0 ]
}

@test "it goes before what waits in the queue" {
	amika send --no-wait --id first "$tau" steer >/dev/null
	amika send --no-wait --id waits "$tau" hello >/dev/null
	amika send --steer --id second "$tau" left >/dev/null
	amika send --id last "$tau" hello >/dev/null
	[ "$(users "$tau")" = 'first@1 second@1 waits@2 last@3' ]
}

@test "no turn runs: an ordinary message" {
	[ "$(amika send --no-wait --steer --id s "$tau" hello | jq -r .state)" = accepted ]
	amika send --id last "$tau" hello >/dev/null
	[ "$(started)" = 's last' ]
}

@test "a turn that ends before it is taken up: a turn of its own comes next" {
	amika send --no-wait --id first "$tau" hang >/dev/null
	amika send --no-wait --id waits "$tau" hello >/dev/null
	amika send --steer --id second "$tau" 'say more' >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	await "$tau" message.steered >/dev/null
	api /cancel -X POST
	wait "$pid"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/out" | jq -r '[.type, .amika.message] | join(" ")')" = 'turn.started second' ]
	amika send --id last "$tau" hello >/dev/null
	[ "$(started)" = 'first second waits last' ]
	[ "$(outcomes)" = 'cancelled completed completed completed' ]
	checked "$tau"
}

@test "an agent that takes up none is not given ever more: what comes then waits in the queue" {
	local i
	amika send --no-wait "$tau" hang >/dev/null
	await "$tau" turn.started >/dev/null
	for ((i = 0; i < 65; i++)); do echo "{\"message\":\"m\",\"messageId\":\"s$i\",\"steer\":true}"; done |
		while IFS= read -r body; do
			api /messages -X POST -H 'Content-Type: application/json' -H 'Prefer: return=representation' -d "$body"
		done >"$BATS_TEST_TMPDIR/receipts"
	[ "$(jq -r .state "$BATS_TEST_TMPDIR/receipts" | sort | uniq -c | xargs)" = '1 queued 64 steered' ]
	[ "$(jq -rs 'last.state' "$BATS_TEST_TMPDIR/receipts")" = queued ]
	amika session cancel --all "$tau" >/dev/null
}

@test "attachments go with it" {
	echo text >"$BATS_TEST_TMPDIR/notes"
	amika send --no-wait "$tau" steer >/dev/null
	amika send --steer --attach "$BATS_TEST_TMPDIR/notes" "$tau" 'look here' >"$BATS_TEST_TMPDIR/out"
	jq -es --arg path "$BATS_TEST_TMPDIR/notes" 'any(.data.item.role == "user" and
		any(.data.item.content[]; .type == "file_ref" and .path == $path))' "$BATS_TEST_TMPDIR/out"
}

@test "the API: \"steer\":true, its receipt and the stream of its turn" {
	amika send --no-wait --id first "$tau" steer >/dev/null
	run api /messages/stream -X POST -H 'Content-Type: application/json' \
		-d '{"message":"left","messageId":"second","steer":true}'
	[ "$(sed -n 's/^data: //p' <<<"$output" | tail -n 1 | jq -r .type)" = turn.ended ]
	amika send --no-wait "$tau" steer >/dev/null
	run api /messages -X POST -H 'Content-Type: application/json' -H 'Prefer: return=representation' \
		-d '{"message":"left","messageId":"third","steer":true}'
	[ "$(jq -r .state <<<"$output")" = steered ]
	[ "$(curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/agents |
		jq '.agents[] | select(.id == "mock") | .capabilities.steer')" = true ]
}

@test "the agent killed before it takes it up: it waits in the queue and gets a turn of its own" {
	amika send --no-wait --id first "$tau" hang >/dev/null
	amika send --no-wait --steer --id second "$tau" hello >/dev/null
	amika send --no-wait --id third "$tau" hello >/dev/null
	await "$tau" message.queued >/dev/null
	kill -KILL "$(pgrep -P "$(shim_of_last_run)")"
	amika send --id last "$tau" hello >/dev/null
	[ "$(users "$tau")" = 'first@1 second@2 third@3 last@4' ]
	[ "$(outcomes)" = 'failed completed completed completed' ]
	checked "$tau"
}

@test "the daemon killed behind the receipt: taken up all the same, once" {
	amika send --no-wait --id first "$tau" hang >/dev/null
	amika send --no-wait --steer --id second "$tau" 'say more' >/dev/null
	kill -KILL "$(amikad status | jq .pid)"
	amika session show "$tau" >/dev/null
	api /cancel -X POST
	amika send --id last "$tau" hello >/dev/null
	[ "$(users "$tau")" = 'first@1 second@2 last@3' ]
	checked "$tau"
}

@test "everything killed behind the receipt: it is not lost" {
	fresh_state everything
	tau=tau
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait --id first tau hang >/dev/null
	amika send --no-wait --steer --id second tau hello >/dev/null
	local shim agent
	shim=$(shim_of_last_run)
	agent=$(pgrep -P "$shim")
	kill -KILL "$(amikad status | jq .pid)" "$shim" "$agent"
	amika send --id last tau hello >/dev/null
	[ "$(users tau)" = 'first@1 second@2 last@3' ]
	checked tau
	amikad stop >/dev/null
}

@test "the daemon killed while it puts one into a turn: once, or not at all and sent again by the tool" {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
	local point
	for point in steer.before steer.after reply.before in.before in.after ring.before ring.after; do
		echo "$point"
		tau=tau
		fresh_state "$point"
		amika session create tau --agent mock -- --pace 0 >/dev/null
		amika send --no-wait --id first tau steer >/dev/null
		await tau item.completed 2 >/dev/null
		kill -KILL "$(amikad status | jq .pid)"
		daemon_dying_at "$point:1"
		amika send --steer --id second tau left >/dev/null
		daemon_has_died
		[ "$(users tau)" = 'first@1 second@1' ]
		[ "$(outcomes)" = completed ]
		checked tau
		amikad stop >/dev/null
	done
	point=steer.again
	fresh_state "$point"
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait --id first tau hang >/dev/null
	amika send --no-wait --steer --id second tau hello >/dev/null
	kill -KILL "$(amikad status | jq .pid)"
	daemon_dying_at "$point:1"
	kill -KILL "$(pgrep -P "$(shim_of_last_run)")"
	daemon_has_died
	amika send --id last tau hello >/dev/null
	[ "$(users tau)" = 'first@1 second@2 last@3' ]
	amikad stop >/dev/null
}
