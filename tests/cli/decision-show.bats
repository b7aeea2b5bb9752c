#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika decision show and list: all of what is asked, for eyes; and every change as it comes.

load helper
load dying

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

# A claude that asks for the tool on its command line, and is done when it has an answer.
claude_asks() { # TOOL INPUT
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' "{\"type\":\"control_request\",\"request_id\":\"r1\",\"request\":{\"subtype\":\"can_use_tool\",\"tool_name\":\"$1\",\"input\":$2}}" \
		>"$BATS_TEST_TMPDIR/request"
	cat >"$BATS_TEST_TMPDIR/bin/claude" <<-'END'
		#!/bin/sh
		while read -r message; do
			case $message in
			*'"type":"user"'*)
				echo '{"type":"system","subtype":"init","session_id":"11111111-2222-4333-8444-555555555555"}'
				cat "${0%/*}/../request" ;;
			*control_response*) echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}' ;;
			esac
		done
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH amika session create tau --agent claude >/dev/null
	amika send --no-wait tau hello >/dev/null
	said tau 1 '[a-z]*.requested'
	id=$(amika decision list | jq -r .decision_id)
}

has() { # LINE…: the output has these lines, whole, in this order
	local line at=0
	for line; do
		while [ "${lines[at]-}" != "$line" ]; do
			at=$((at + 1))
			[ "$at" -lt "${#lines[@]}" ] || { echo "no line: $line"; printf '%s\n' "${lines[@]}"; return 1; }
		done
	done
}

@test "show: an edit is a diff, without colour where nobody sees it" {
	claude_asks Edit '{"file_path":"/src/a.c","old_string":"one\ntwo\nthree","new_string":"one\n2\nthree","replace_all":true}'
	run amika decision show --text "$id"
	has "decision   $id" 'session    tau' 'state      open' 'tool       Edit' 'path:' '  /src/a.c' 'change:' '  --- /src/a.c' '  +++ /src/a.c' \
		'  @@ -1,3 +1,3 @@' '   one' '  -two' '  +2' '   three' '  (everywhere in the file)'
	[[ $output != *old_string* ]]
	[[ $output != *$'\033'* ]]
	run amika decision show --json "$id"
	[ "$(jq -r .request.input.old_string <<<"$output")" = $'one\ntwo\nthree' ]
}

@test "show: coloured on a terminal, not with NO_COLOR and not on a dumb one" {
	claude_asks Edit '{"file_path":"/src/a.c","old_string":"two","new_string":"2"}'
	TERM=xterm run script -qefc "amika decision show $id" /dev/null
	[[ $output = *$'\033[31m-two\033[0m'*$'\033[32m+2\033[0m'* ]]
	NO_COLOR=1 TERM=xterm run script -qefc "amika decision show $id" /dev/null
	[[ $output = *-two* ]]
	[[ $output != *$'\033'* ]]
	TERM=dumb run script -qefc "amika decision show $id" /dev/null
	[[ $output != *$'\033'* ]]
}

@test "show: several edits, and a file written anew" {
	claude_asks MultiEdit '{"file_path":"/a","edits":[{"old_string":"a","new_string":"b"},{"old_string":"c","new_string":""}]}'
	run amika decision show --text "$id"
	has '  --- /a' '  +++ /a' '  @@ -1,1 +1,1 @@' '  -a' '  +b' '  @@ -1,1 +0,0 @@' '  -c'
	amika session end tau >/dev/null
	curl -sSf --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -X DELETE http://-/v1/sessions/tau
	claude_asks Write '{"file_path":"/b","content":"x\ny\n"}'
	run amika decision show --text "$id"
	has '  --- /dev/null' '  +++ /b' '  @@ -0,0 +1,2 @@' '  +x' '  +y'
}

@test "show: a command whole, and nothing in it reaches the terminal" {
	claude_asks Bash "{\"command\":\"printf '\\u001b[2J' # $(printf '%3000s' x)\\nrm -rf build\",\"description\":\"clean \\u202eup\",\"timeout\":5}"
	run amika decision show --text "$id"
	has 'description:' '  clean \u202eup' 'command:' '  rm -rf build' 'timeout:' '  5'
	[[ $output = *"printf '\\x1b[2J' # "* ]]
	[[ $output != *$'\033'* ]]
	[ "${#output}" -gt 3000 ]
	run amika decision list --text
	[ "${#lines[@]}" = 2 ]
	[ "${#lines[1]}" -lt 200 ]
	[[ ${lines[1]} = "$id "*' tau '*' open '*" Bash: printf '"* ]]
}

@test "show: every question with every option; a plan" {
	claude_asks AskUserQuestion '{"questions":[{"question":"Which colour?","header":"Colour","multiSelect":false,"options":[{"label":"Red","description":"warm"},{"label":"Blue","description":"cold"}]},{"question":"Which sizes?","header":"Size","multiSelect":true,"options":[{"label":"S","description":"small"},{"label":"L","description":"large"}]}]}'
	run amika decision show --text "$id"
	has 'question 1:' '  [Colour]' '  Which colour?' '  - Red' '      warm' '  - Blue' '      cold' '  (one of these, or words of your own)' \
		'question 2:' '  Which sizes?' '  - S' '  - L' '  (any of these, or words of your own)'
}

@test "show: a plan is text" {
	claude_asks ExitPlanMode '{"plan":"1. Write tests\n2. Make them pass"}'
	run amika decision show --text "$id"
	has 'plan:' '  1. Write tests' '  2. Make them pass'
}

@test "show: how it ended" {
	claude_asks Bash '{"command":"make"}'
	amika decision deny --message 'not now' "$id" >/dev/null
	said tau 1 turn.ended
	run amika decision show --text "$id"
	has 'state      delivered' 'answer:' '  reject' '  not now'
	[[ $output = *$'\ndelivered  20'*$'Z\nby         '*'(amika decision)'* ]]
}

@test "list --follow: what is open, then each change as it was, over a daemon's death; it ends with its reader" {
	local line first second
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait tau permission >/dev/null
	said tau 2 permission.requested
	exec {follow}< <(exec amika decision list --follow --json 3>&-)
	read -r -t 20 -u "$follow" line && first=$(jq -r 'select(.state == "open") | .decision_id' <<<"$line")
	read -r -t 20 -u "$follow" line && second=$(jq -r 'select(.state == "open") | .decision_id' <<<"$line")
	amika decision deny --message no "$first" >/dev/null
	read -r -t 20 -u "$follow" line
	jq -e --arg id "$first" '.type == "decision" and .decision_id == $id and .state == "answered" and .answer.message == "no"
		and .delivered_at == null and .request.command == "echo mock"' <<<"$line"
	kill -KILL "$(amikad status | jq .pid)"
	amika decision allow "$second" >/dev/null
	read -r -t 20 -u "$follow" line
	jq -e --arg id "$second" '.decision_id == $id and .state == "answered" and .closed_at' <<<"$line"
	amika send --no-wait tau permission >/dev/null
	read -r -t 20 -u "$follow" line
	jq -e '.state == "open" and .answer == null and .by == null and .closed_at == null' <<<"$line"
	exec {follow}<&-
	run bash -o pipefail -c 'amika decision list --follow --text | head -n 1'
	[ "$status" = 0 ]
	[[ $output = 'd_'*'  tau  permission  open  command_execution: echo mock' ]]
}

@test "list --follow: of one session, and void ones with their reason" {
	local line
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika session create other --agent mock -- --pace 0 >/dev/null
	exec {follow}< <(exec amika decision list --follow -s tau --json 3>&-)
	amika send --no-wait other permission >/dev/null
	said other 2 permission.requested
	amika send --no-wait tau permission >/dev/null
	read -r -t 20 -u "$follow" line && [ "$(jq -r '"\(.session_id) \(.state)"' <<<"$line")" = 'tau open' ]
	read -r -t 20 -u "$follow" line && [ "$(jq -r '"\(.session_id) \(.state)"' <<<"$line")" = 'tau open' ]
	amika session end tau >/dev/null
	read -r -t 20 -u "$follow" line
	[ "$(jq -r '"\(.session_id) \(.state) \(.reason)"' <<<"$line")" = 'tau void session_ended' ]
	exec {follow}<&-
}
