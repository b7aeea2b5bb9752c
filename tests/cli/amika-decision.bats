#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika decision: the inbox, and answers that count once.

load helper

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

# A session with two open permissions, or questions.
setup() {
	tau=t$BATS_TEST_NUMBER
	amika session create --agent mock "$tau" -- --pace 0 >/dev/null
}

ask() { # permission|question
	amika send --no-wait "$tau" "$1" >/dev/null
	await "$tau" "$1.requested" 2 >/dev/null
	mapfile -t ids < <(amika decision list -s "$tau" | jq -r .decision_id)
}

outcome() { await "$tau" turn.ended | jq -r .amika.outcome; }

@test "list: what is open, as lines and as a table" {
	ask permission
	run amika decision list -s "$tau"
	[ "${#lines[@]}" -eq 2 ]
	[ "$(jq -r 'keys_unsorted[:6] | join(" ")' <<<"${lines[0]}")" = 'type decision_id session_id kind state action' ]
	[ "$(jq -r '[.kind,.state,.action]|join(" ")' <<<"${lines[0]}")" = 'permission open command_execution' ]
	run amika decision list --text -s "$tau"
	[[ ${lines[0]} = DECISION* ]]
	[[ ${lines[1]} = *"$tau"*command_execution*'echo mock'* ]]
	run amika decision list -s nosuch
	[ "$status" -eq 4 ]
}

@test "show: all of what is asked" {
	ask permission
	run amika decision show "${ids[0]}"
	[ "$(jq -r .request.command <<<"$output")" = 'echo mock' ]
	run amika decision show d_99999
	[ "$status" -eq 4 ]
	[[ $output = *'amika decision list'* ]]
}

@test "allow and deny by ID: the new state, and by whom" {
	ask permission
	run amika decision allow "${ids[0]}"
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.decision_id,.state,.answer.reply]|join(" ")' <<<"$output")" = "${ids[0]} answered once" ]
	[[ $(jq -r .by <<<"$output") = *'(amika decision)' ]]
	run amika decision deny --message 'use the test database' "${ids[1]}"
	[ "$(jq -r '[.answer.reply,.answer.message]|join(" ")' <<<"$output")" = 'reject use the test database' ]
	[ "$(outcome)" = completed ]
	run amika decision list -s "$tau"
	[ -z "$output" ]
	run amika decision list --all -s "$tau"
	[ "${#lines[@]}" -eq 2 ]
}

@test "allow --always" {
	ask permission
	run amika decision allow --always "${ids[@]}"
	[ "$(jq -r .answer.reply <<<"$output" | tr '\n' ' ')" = 'always always ' ]
	# The receipt shows the rules: the command, and the file as it is.
	[ "$(jq -r '.answer.rule_made | "\(.scope) \(.action) \(.tool) \(.command // .path)"' <<<"$output")" = \
		"session allow command_execution echo mock
session allow file_change $PWD/mock_1/deny.txt" ]
}

@test "decision lines on stdin" {
	ask permission
	run bash -c "amika decision list -s $tau | amika decision allow"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "$(outcome)" = completed ]
}

@test "the turn itself on stdin: its request is answered, its other lines are not looked at" {
	run --separate-stderr bash -c "amika send $tau permission | amika decision allow"
	[ "$status" -eq 0 ]
	[ "$(jq -r .state <<<"${lines[-1]}")" = answered ]
}

@test "someone was first: status 5 and who it was; the others are answered all the same" {
	ask permission
	amika decision deny "${ids[0]}" >/dev/null
	run --separate-stderr amika decision allow "${ids[0]}" "${ids[1]}"
	[ "$status" -eq 5 ]
	[[ $stderr = "amika-decision: conflict: ${ids[0]} was answered by "*'(amika decision) at '20*'Z: reject' ]]
	[ "$(jq -r .decision_id <<<"$output")" = "${ids[1]}" ]
}

@test "ten answers at once: one is first" {
	ask permission
	local i s won=0 late=0
	local -a pids=()
	for i in 1 2 3 4 5 6 7 8 9 10; do
		amika decision allow "${ids[0]}" >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		s=0
		wait "$i" || s=$?
		case $s in 0) won=$((won + 1)) ;; 5) late=$((late + 1)) ;; esac
	done
	[ "$won $late" = '1 9' ]
}

@test "reply: an answer for the question" {
	ask question
	run amika decision reply "${ids[0]}" Blue
	[ "$status" -eq 0 ]
	[ "$(jq -c .answer.answers <<<"$output")" = '[["Blue"]]' ]
	run bash -c "amika decision list -s $tau | amika decision reply --answer No"
	[ "$(jq -c .answer.answers <<<"$output")" = '[["No"]]' ]
	[ "$(outcome)" = completed ]
	run amika events --text "$tau"
	[[ $output = *'answered: Blue by '* ]]
}

@test "reply without an answer, to a permission, allow to a question" {
	ask question
	run amika decision reply "${ids[0]}"
	[ "$status" -eq 2 ]
	run amika decision allow "${ids[0]}"
	[ "$status" -eq 3 ]
	run amika decision deny "${ids[0]}"
	[ "$status" -eq 0 ]
	run amika decision reply "${ids[1]}" Yes
	[ "$status" -eq 0 ]
}

@test "an answer that does not fit is refused, and nothing is recorded" {
	ask question
	run amika decision reply "${ids[0]}" Blue Red
	[ "$status" -eq 3 ]
	[[ $output = *'1 question is asked: 1 list of answers, not 2'* ]]
	run amika decision reply --answers '[[]]' "${ids[0]}"
	[ "$status" -eq 3 ]
	run amika decision reply --answers '"Blue"' "${ids[0]}"
	[ "$status" -eq 3 ]
	run amika decision reply --answers '[["Blue"]]' "${ids[0]}" Red
	[ "$status" -eq 2 ]
	run amika decision deny --stop "${ids[0]}"
	[ "$status" -eq 3 ]
	[[ $output = *'Mock agent cannot be denied and stopped at once'* ]]
	run amika decision show "${ids[0]}"
	[ "$(jq -c '[.state,.answer]' <<<"$output")" = '["open",null]' ]
	echo '[["Blue"]]' >"$BATS_TEST_TMPDIR/answers"
	run amika decision reply --answers "@$BATS_TEST_TMPDIR/answers" "${ids[0]}"
	[ "$(jq -c .answer.answers <<<"$output")" = '[["Blue"]]' ]
	run bash -c "echo '[[\"No\"]]' | amika decision reply --answers @- ${ids[1]}"
	[ "$(jq -c .answer.answers <<<"$output")" = '[["No"]]' ]
	[ "$(outcome)" = completed ]
}

@test "another input: not for an agent that does not take it, and only a JSON object" {
	ask permission
	run amika decision allow --input '{"command":"true"}' "${ids[0]}"
	[ "$status" -eq 3 ]
	[[ $output = *'Mock agent takes no changed input'* ]]
	run amika decision allow --input '["true"]' "${ids[0]}"
	[ "$status" -eq 3 ]
	run amika decision allow --input '{' "${ids[0]}"
	[ "$status" -eq 3 ]
	run amika decision allow --input '{}' "${ids[@]}"
	[ "$status" -eq 2 ]
	run amika decision allow --always --input '{}' "${ids[0]}"
	[ "$status" -eq 2 ]
	run amika decision allow --input @/nosuch "${ids[0]}"
	[ "$status" -eq 3 ]
	run amika decision show "${ids[0]}"
	[ "$(jq -r .state <<<"$output")" = open ]
}

@test "lines that are no decisions" {
	run --separate-stderr amika decision allow <<<'{"type":"decision"}'
	[ "$status" -eq 3 ]
	[ "$stderr" = 'amika-decision: bad_input: line 1: no decision_id' ]
	run amika decision allow <<<'nonsense'
	[ "$status" -eq 3 ]
	run amika decision allow </dev/null
	[ "$status" -eq 0 ]
}

@test "ids that are none" {
	run amika decision allow nosuch
	[ "$status" -eq 4 ]
	run amika decision show '../x'
	[ "$status" -eq 3 ]
}
