#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The way of a decision: open, answered, delivered; void or expired, and why.

load helper
load dying

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

# A session of the mock in whose turn both permissions are open: $ids.
asked() { # SESSION [WHAT]
	amika session create "$1" --agent mock -- --pace 0 >/dev/null 2>&1 || amika session show "$1" >/dev/null
	ask_again "$1" "${2:-permission}"
}

ask_again() { # SESSION WHAT
	local line after
	after=$(amika session show --json "$1" | jq .after)
	amika send --no-wait "$1" "$2" >/dev/null
	ids=()
	while IFS= read -r line; do
		[[ $line = *'"type":"'$2'.requested"'* ]] || continue
		ids+=("$(jq -r .amika.decision.id <<<"$line")")
		[ "${#ids[@]}" -lt 2 ] || break
	done < <(amika events --json --follow "$1@$after" 3>&-)
}

# The members of a decision's record, joined.
of() { # ID MEMBER…
	local id=$1
	shift
	amika decision show --json "$id" | jq -r '[.[$ARGS.positional[]]] | map(tostring) | join(" ")' --args "$@"
}

agent() { pgrep -P "$(shim_of_last_run)" amika-mock; }

checked() { # SESSION
	amika events --json "$1" | check-stream -
}

@test "an answer is on record, then delivered: when the agent can read it" {
	asked tau
	[ "$(of "${ids[0]}" state delivered_at)" = 'open null' ]
	kill -STOP "$(shim_of_last_run)"
	amika decision allow "${ids[0]}" | jq -e '.state == "answered" and .delivered_at == null'
	[ "$(of "${ids[0]}" state)" = answered ]
	kill -CONT "$(shim_of_last_run)"
	amika decision allow "${ids[1]}" >/dev/null
	said tau 1 turn.ended
	[[ $(of "${ids[0]}" state delivered_at) = 'delivered 20'*Z ]]
	[[ $(of "${ids[1]}" state delivered_at) = 'delivered 20'*Z ]]
	checked tau
}

@test "delivered is known after a restart of the daemon, too" {
	asked tau
	kill -STOP "$(shim_of_last_run)"
	amika decision allow "${ids[@]}" >/dev/null
	kill -KILL "$(amikad status | jq .pid)"
	amika session list >/dev/null
	[ "$(of "${ids[0]}" state)" = answered ]
	kill -CONT "$(shim_of_last_run)"
	said tau 1 turn.ended
	[ "$(of "${ids[0]}" state) $(of "${ids[1]}" state)" = 'delivered delivered' ]
}

# The event that tells of it, and the record.
is_undelivered() { # SESSION ID REPLY
	[ "$(of "$2" state reason delivered_at)" = 'void undelivered null' ]
	amika decision show --json "$2" | jq -e --arg reply "$3" '.answer.reply == $reply and (.by | test("amika decision"))'
	amika events --json "$1" | jq -es --arg id "$2" 'map(select(.type == "decision.changed" and .data.decision_id == $id))
		| length == 1 and (.[0] | .data.state == "void" and .data.reason == "undelivered" and
		.amika.decision.answer.reply and .amika.by)'
	checked "$1"
}

@test "the program ends with the answer unread in its pipe: void, the answer is kept, and an event says so" {
	asked tau
	kill -STOP "$(agent)"
	amika decision deny "${ids[0]}" >/dev/null
	kill -KILL "$(agent)"
	said tau 1 turn.ended
	is_undelivered tau "${ids[0]}" reject
	[ "$(of "${ids[1]}" state reason answer)" = 'void program_gone null' ]
	# Readers who did not ask for it see each request resolved once, and nothing else.
	curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://-/v1/sessions/tau/events |
		jq -c '.events[]' >"$BATS_TEST_TMPDIR/plain"
	check-stream --universal "$BATS_TEST_TMPDIR/plain"
	run grep decision.changed "$BATS_TEST_TMPDIR/plain"
	[ "$status" = 1 ]
}

@test "the shim is killed before it has fed the answer: the same" {
	asked tau
	kill -STOP "$(shim_of_last_run)"
	amika decision allow "${ids[0]}" >/dev/null
	kill -KILL "$(shim_of_last_run)"
	said tau 1 turn.ended
	is_undelivered tau "${ids[0]}" once
}

@test "what the resumed agent asks again names the decision it repeats; once, and only when it is the same" {
	asked tau
	local old=("${ids[@]}")
	kill -STOP "$(agent)"
	amika decision deny "${old[0]}" >/dev/null
	kill -KILL "$(agent)"
	said tau 1 turn.ended
	asked tau
	[ "$(of "${ids[0]}" previous) $(of "${ids[1]}" previous)" = "${old[0]} null" ]
	amika events --json tau | jq -es --arg old "${old[0]}" --arg id "${ids[0]}" 'map(select(.type == "permission.requested"
		and .amika.decision.id == $id)) | .[0].amika.decision.previous == $old'
	amika decision allow "${ids[@]}" >/dev/null
	said tau 2 turn.ended
	asked tau
	[ "$(of "${ids[0]}" previous)" = null ]
	checked_open tau
}

checked_open() { amika events --json "$1" | check-stream --open -; }

@test "void says why: cancelled, the session's end, the program's" {
	asked a
	curl -sSf --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -X POST http://-/v1/sessions/a/cancel
	said a 1 turn.ended
	[ "$(of "${ids[0]}" state reason)" = 'void cancelled' ]
	amika events --json a | jq -es 'map(select(.type == "permission.resolved") | .amika.decision.reason) == ["cancelled","cancelled"]'
	asked b
	amika session end b >/dev/null
	[ "$(of "${ids[0]}" state reason)" = 'void session_ended' ]
	asked c
	amikad stop
	[ "$(of "${ids[0]}" state reason)" = 'void program_gone' ]
	run --separate-stderr amika decision allow "${ids[0]}"
	[ "$status" = 5 ]
	[[ $stderr = "amika-decision: conflict: ${ids[0]} is void (program_gone) since 20"* ]]
}

# A claude of our own, from stdin.
claude_is() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/claude"
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH amika session create tau --agent claude >/dev/null
}

@test "void says why: withdrawn by the agent" {
	claude_is <<-'END'
		#!/bin/sh
		while read -r message; do
			case $message in *'"type":"user"'*) ;; *) continue ;; esac
			echo '{"type":"system","subtype":"init","session_id":"11111111-2222-4333-8444-555555555555"}'
			echo '{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"ls"}}}'
			echo '{"type":"control_cancel_request","request_id":"r1"}'
			echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'
		done
	END
	amika send --no-wait tau hello >/dev/null
	said tau 1 turn.ended
	amika decision list --all -s tau | jq -e '.state == "void" and .reason == "withdrawn"'
	checked tau
}

@test "a deadline: expired, the agent is told no with the reason, and the log says so" {
	echo '{"permission_deadline_ms":300}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	asked tau
	said tau 1 turn.ended
	[ "$(of "${ids[0]}" state reason by)" = 'expired deadline deadline' ]
	amika decision show --json "${ids[0]}" |
		jq -e '.answer.reply == "reject" and (.answer.message | test("before the deadline, 20")) and .deadline < .closed_at
			and .delivered_at'
	amika events --json tau | jq -es 'map(select(.type == "permission.resolved")) | length == 2 and all(.data.status == "reject"
		and .amika.decision.state == "expired" and .amika.decision.reason == "deadline" and .amika.decision.deadline)'
	amika events --json tau | jq -es 'map(select(.type == "item.completed") | .data.item.content[].text // "") | any(test("reject"))'
	run --separate-stderr amika decision allow "${ids[0]}"
	[ "$status" = 5 ]
	[[ $stderr = *"${ids[0]} expired at 20"*'Z: reject' ]]
	checked tau
}

@test "a deadline with a default: allowed, or that answer to the question" {
	echo '{"permission_deadline_ms":100,"question_deadline_ms":100,"permission_default":"allow","question_default":"Blue"}' \
		>"$AMIKA_STATE_DIRECTORY/settings.json"
	asked tau
	said tau 1 turn.ended
	[ "$(of "${ids[0]}" state) $(amika decision show --json "${ids[0]}" | jq -r .answer.reply)" = 'expired once' ]
	asked tau question
	said tau 2 turn.ended
	amika decision show --json "${ids[0]}" | jq -e '.state == "expired" and .answer.answers == [["Blue"]]'
	checked tau
}

@test "a deadline is a moment: kept over a restart, and due at the start when it passed before" {
	echo '{"permission_deadline_ms":3600000}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	asked tau
	local deadline
	deadline=$(of "${ids[0]}" deadline)
	kill -KILL "$(amikad status | jq .pid)"
	echo '{}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	[ "$(of "${ids[0]}" state deadline)" = "open $deadline" ]
	kill -KILL "$(amikad status | jq .pid)"
	# As if it had been a long time until the next start.
	sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" 'UPDATE decision SET deadline = 1000000 WHERE deadline > 0'
	said tau 1 turn.ended
	[ "$(of "${ids[0]}" state) $(of "${ids[1]}" state)" = 'expired expired' ]
	checked tau
}

@test "left open over restarts of daemon and client: answered, and the turn completes" {
	asked tau
	kill -KILL "$(amikad status | jq .pid)"
	amika decision list | jq -es 'length == 2 and all(.state == "open")'
	amikad restart
	amika decision list | amika decision allow >/dev/null
	[ "$(await tau turn.ended | jq -r .amika.outcome)" = completed ]
	[ "$(of "${ids[0]}" state)" = delivered ]
	checked tau
}

@test "left open over a restart of daemon, agent and client: asked again, answered, and the turn completes" {
	asked tau
	local old=("${ids[@]}")
	amikad stop
	asked tau
	# The other one asks for another file each time.
	[ "$(of "${ids[0]}" previous) $(of "${ids[1]}" previous)" = "${old[0]} null" ]
	amika decision list | amika decision allow >/dev/null
	[ "$(await tau turn.ended 2 | jq -r .amika.outcome)" = completed ]
	checked tau
}
