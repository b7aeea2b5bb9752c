#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Rules answer what the real Claude Code asks.

bats_require_minimum_version 1.5.0

load ../cli/helper
load claude

setup_file() { claude_setup_file ''; }
teardown_file() { claude_teardown_file; }
setup() { claude_setup; }

# What became of the permissions asked since a number: "accept_for_session:rule r_1 …".
resolved() { # SESSION AT
	a amika events "$1@$2" | jq -rs '[.[] | select(.type == "permission.resolved") | "\(.data.status):\(.amika.by)"] | join(" ")'
}

@test "allowed by a rule, nobody is asked; another command is" {
	rule=$(a amika decision rule add allow --agent claude --tool Bash --command 'touch rule-*.txt' | jq -r .rule_id)
	a amika send main "[[tool:bash touch rule-1.txt]]" >out
	[ "$(outcome <out)" = completed ]
	[ -e rule-1.txt ]
	some '.type == "permission.resolved" and .amika.rule.id == "'"$rule"'" and .amika.rule.scope == "daemon"' <out
	for command in 'touch rule-2.txt; touch slipped.txt' 'touch ../rule-2.txt' 'touch -c rule-2.txt'; do
		run --separate-stderr a amika send main "[[tool:bash $command]]"
		[ "$status" = 9 ]
		at=$(end_of main)
		a amika decision deny "$(tail -n 1 <<<"$output" | jq -r .amika.decision.id)" >/dev/null
		wait_for "main@$at" turn.ended >/dev/null
	done
	[ ! -e slipped.txt ]
	checked main
}

@test "denied by a rule, Claude is told why and goes on" {
	rule=$(a amika decision rule add deny --first --path '**/secret.txt' --message 'that file is mine' | jq -r .rule_id)
	a amika send main "[[tool:write secret.txt words]]" >out
	[ "$(outcome <out)" = completed ]
	[ ! -e secret.txt ]
	some '.type == "permission.resolved" and .data.status == "reject" and .amika.by == "rule '"$rule"'"' <out
	jq -rs '[.[] | select(.type == "item.completed" and .data.item.kind == "tool_result")] | last.data.item.content[0].output' \
		<out | grep -F 'that file is mine'
	checked main
}

@test "always, wider: the next command of the pattern, in this session only" {
	run --separate-stderr a amika send main "[[tool:bash mkdir wide-one]]"
	[ "$status" = 9 ]
	at=$(end_of main)
	a amika decision allow --always --command 'mkdir wide-*' "$(tail -n 1 <<<"$output" | jq -r .amika.decision.id)" |
		jq -e '.answer.rule_made | .scope == "session" and .command == "mkdir wide-*"'
	wait_for "main@$at" turn.ended >/dev/null
	at=$(end_of main)
	a amika send main "[[tool:bash mkdir wide-two]]" >out
	[ "$(outcome <out)" = completed ]
	[ -d wide-two ]
	[[ $(resolved main "$at") = 'accept_for_session:rule r_'* ]]
	run --separate-stderr a amika run -n other claude "[[tool:bash mkdir wide-three]]"
	[ "$status" = 9 ]
	a amika session end other >/dev/null
	checked main
}
