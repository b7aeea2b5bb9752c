#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika decision rule: made, listed, removed, tried; and what they answer in a session. (The language: rule-page.bats.)

load helper

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

setup() { tau=t$BATS_TEST_NUMBER; }
teardown() { amika decision rule list | jq -r .rule_id | xargs -r amika decision rule remove; }

rule() { amika decision rule "$@"; }
made() { rule add "$@" | jq -r .rule_id; }
order() { rule list "$@" | jq -r .rule_id | tr '\n' ' '; }

# A turn that asks for a command and for a change of a file; it is over, or waits for a person.
asks() { # [OPTION…]
	amika session create --agent mock "$@" "$tau" -- --pace 0 >/dev/null
	amika send "$tau" permission >/dev/null || [ "$?" = 9 ]
}

# What became of each permission of the session: "accept_for_session:rule r_1 reject:…".
resolved() {
	amika events --json "$tau" | jq -rs '[.[] | select(.type == "permission.resolved") |
		"\(.data.status):\(.amika.by)"] | join(" ")'
}

@test "add, list, remove; the order is that of making, or as said" {
	a=$(made allow --tool A)
	b=$(made deny --tool B --message 'not here')
	c=$(made ask --tool C --first)
	d=$(made ask --tool D --before "$b")
	[ "$(order)" = "$c $a $d $b " ]
	rule list | jq -es '.[3] | .type == "rule" and .scope == "daemon" and .action == "deny" and .message == "not here" and
		.kind == "permission" and .tool == "B" and (.by | endswith("(amika decision)"))'
	rule remove "$a" "$d"
	[ "$(order)" = "$c $b " ]
	run --separate-stderr rule remove "$a"
	[ "$status" -eq 4 ]
	[[ $stderr = *"no rule $a"* ]]
	run --separate-stderr rule add ask --tool E --before "$a"
	[ "$status" -eq 4 ]
	[ "$(amika decision rule --text | head -n 1)" = "$(rule list --text | head -n 1)" ]
	# Numbers are never used again.
	rule remove "$b" "$c"
	[ "$(made ask --tool F)" = "r_$((${d#r_} + 1))" ]
}

@test "what is no rule is refused, with the reason" {
	for words in 'maybe --tool x:allow, deny or ask' 'allow:names a tool' 'allow --kind question --tool x:only deny' \
		'allow --tool x --message no:only a rule that denies' 'allow --command a;b:has a ;' \
		'allow --path ../x:no . and ..' 'allow --tool x --scope agent:needs its name' 'allow --tool x --scope session:needs its name' \
		'allow --tool x --scope world:world' 'allow --tool x --agent nobody:nobody' 'deny --kind thing:thing'; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr rule add ${words%%:*}
		[ "$status" -ne 0 ]
		[[ $stderr = *"${words#*:}"* ]]
	done
	run --separate-stderr rule add allow --tool x --session nosuch
	[ "$status" -eq 4 ]
	run --separate-stderr rule add
	[ "$status" -eq 2 ]
	[ -z "$(order)" ]
}

@test "a scope has at most 256 rules" {
	for ((i = 0; i < 256; i++)); do echo "t$i"; done | xargs -n 1 amika decision rule add ask --tool >/dev/null
	run --separate-stderr rule add ask --tool more
	[ "$status" -eq 5 ]
	[[ $stderr = *'256 rules of scope daemon'* ]]
	rule add ask --tool more --agent mock --scope agent
}

@test "rules answer in a session: the events, the record and the trace name them" {
	a=$(made allow --tool command_execution --command 'echo *')
	d=$(made deny --tool file_change --message 'use another file')
	asks
	[ "$(resolved)" = "accept_for_session:rule $a reject:rule $d" ]
	amika events --json "$tau" | jq -es 'map(select(.amika.rule) | .amika.rule | [.id, .scope, .action]) ==
		[["'"$a"'", "daemon", "allow"], ["'"$d"'", "daemon", "deny"]]'
	amika events --json "$tau" | jq -es 'map(select(.type == "turn.ended") | .amika.outcome) == ["completed"]'
	amika events --json "$tau" | check-stream -
	amika decision list --all -s "$tau" | jq -es 'all(.state == "answered" or .state == "delivered") and
		.[1].answer == { reply: "reject", message: "use another file" } and .[1].by == "rule '"$d"'" and .[1].rule == "'"$d"'"'
	id=$(amika decision list --all -s "$tau" | jq -rs '.[1].decision_id')
	rule remove "$d"
	# As it was when it was asked, and what would be now.
	rule explain "$id" | jq -e '.decision_id == "'"$id"'" and (.kept | map([.id, .result]) == [["'"$a"'", "no"], ["'"$d"'", "match"]]) and
		.by == "rule '"$d"'" and .action == "ask" and .rule.id == "mode default"'
	run rule explain --text "$id"
	[[ $output = *"$d"*'match'*'tool file_change'*" by rule $d" ]]
}

@test "the daemon's rules first, then the agent's, then the session's" {
	amika session create --agent mock "$tau" -- --pace 0 >/dev/null
	s=$(made deny --session "$tau" --tool command_execution)
	g=$(made allow --scope agent --agent mock --tool command_execution)
	d=$(made ask --tool file_change)
	other=$(made deny --scope agent --agent claude --tool command_execution --first)
	[ "$(order --session "$tau")" = "$d $g $s " ]
	[ "$(order)" = "$d $other $g $s " ]
	amika send "$tau" permission >/dev/null || [ "$?" = 9 ]
	[ "$(resolved)" = "accept_for_session:rule $g" ]
	rule test --session "$tau" --tool file_change | jq -e '.action == "ask" and .rule.id == "'"$d"'"'
	rule test --agent claude --tool command_execution | jq -e '.action == "deny" and .rule.id == "'"$other"'"'
	rule test --tool command_execution | jq -e '.action == "ask" and .rule.scope == "mode"'
	run --separate-stderr rule add ask --session "$tau" --before "$d"
	[ "$status" -eq 3 ]
	[[ $stderr = *'another scope'* ]]
	# A session's go with it.
	amika session end "$tau" >/dev/null
	[ "$(order)" = "$d $other $g " ]
	run --separate-stderr rule add ask --session "$tau"
	[ "$status" -eq 5 ]
	amika session end --forget "$tau" >/dev/null
	amika session create --agent mock "$tau" -- --pace 0 >/dev/null
	[ "$(order --session "$tau")" = "$d $g " ]
}

@test "a permission mode answers last, with the same trace" {
	d=$(made deny --tool command_execution)
	asks --permission-mode bypass
	[ "$(resolved)" = "reject:rule $d accept_for_session:mode bypass" ]
	amika events --json "$tau" | jq -es 'map(select(.amika.rule.scope == "mode") | .amika.rule) ==
		[{ id: "mode bypass", scope: "mode", action: "allow", why: "every permission" }]'
}

@test "questions are a person's: no mode answers them, a rule can refuse them" {
	amika session create --agent mock --permission-mode bypass "$tau" -- --pace 0 >/dev/null
	run amika send "$tau" question
	[ "$status" -eq 9 ]
	amika decision deny "$(amika decision list -s "$tau" | jq -rs '.[0].decision_id')" "$(amika decision list -s "$tau" | jq -rs '.[1].decision_id')" >/dev/null
	made deny --kind question --message 'nobody is here'
	await "$tau" turn.ended >/dev/null
	amika send "$tau" question >/dev/null
	amika events --json "$tau" | jq -es 'map(select(.type == "question.resolved" and .amika.rule) | .data.status) == ["rejected", "rejected"]'
}

@test "always: the rule is the request, the receipt shows it, and it goes when it is removed" {
	asks
	mapfile -t ids < <(amika decision list -s "$tau" | jq -r .decision_id)
	run amika decision allow --always --text "${ids[0]}"
	[[ $output = *'from now on r_'*': command_execution, command echo mock'* ]]
	amika decision deny "${ids[1]}" >/dev/null
	await "$tau" turn.ended >/dev/null
	r=$(order --session "$tau")
	rule list | jq -e '.scope == "session" and .session_id == "'"$tau"'" and .command == "echo mock"'
	[[ $(amika events --text "$tau") = *"allowed always by "*"and from now on ${r% }: command_execution, command echo mock"* ]]
	amika send "$tau" permission >/dev/null || [ "$?" = 9 ]
	[[ $(resolved) = *"accept_for_session:rule ${r% }" ]]
	amika decision deny "$(amika decision list -s "$tau" | jq -r .decision_id)" >/dev/null
	await "$tau" turn.ended 2 >/dev/null
	# Twice the same is one rule.
	rule remove "${r% }"
	amika send "$tau" permission >/dev/null || [ "$?" = 9 ]
	[ "$(amika decision list -s "$tau" | wc -l)" -eq 2 ]
}

@test "always, wider: only as somebody says, and only about what was asked" {
	asks
	mapfile -t ids < <(amika decision list -s "$tau" | jq -r .decision_id)
	run --separate-stderr amika decision allow --command 'echo **' "${ids[0]}"
	[ "$status" -eq 2 ]
	run --separate-stderr amika decision allow --always --command 'ls **' "${ids[0]}"
	[ "$status" -eq 3 ]
	[[ $stderr = *'would not allow this request'* ]]
	run --separate-stderr amika decision allow --always --command 'echo **' --tool-wide "${ids[0]}"
	[ "$status" -eq 3 ]
	[ -z "$(order)" ]
	amika decision list -s "$tau" | jq -es 'map(.state) == ["open", "open"]'
	amika decision allow --always --scope agent --command 'echo **' "${ids[0]}" |
		jq -e '.answer.rule_made | .scope == "agent" and .agent == "mock" and .command == "echo **"'
	amika decision allow --always --path '**/deny.txt' "${ids[1]}" |
		jq -e '.answer.rule_made | .scope == "session" and .path == "**/deny.txt"'
	await "$tau" turn.ended >/dev/null
	# Both hold: the second file has another name.
	amika send "$tau" permission >/dev/null
	[[ $(resolved) = *'accept_for_session:rule r_'*' accept_for_session:rule r_'* ]]
}

@test "a daemon that was killed goes on from what the rules answered, and does not ask them again" {
	a=$(made allow --tool command_execution)
	asks
	[ "$(resolved)" = "accept_for_session:rule $a" ]
	rule remove "$a"
	d=$(made deny --tool command_execution)
	kill -KILL "$(jq -r .pid < <(amikad status --json))"
	mapfile -t ids < <(amika decision list -s "$tau" | jq -r .decision_id)
	[ "${#ids[@]}" -eq 1 ]
	amika decision allow "${ids[0]}" >/dev/null
	await "$tau" turn.ended >/dev/null
	[[ $(resolved) = "accept_for_session:rule $a accept:"* ]]
	amika events --json "$tau" | check-stream -
	# The program was told what the first rule said.
	amika events "$tau" | jq -es 'map(select(.type == "item.completed" and .data.item.role == "assistant") |
		.data.item.content[0].text // "") | join(" ") | test("mock_1_permission: always")'
}
