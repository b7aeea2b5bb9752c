#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika agent: which agents there are, and where.

load helper

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

@test "list: the agents, what they can, what they want of the environment" {
	run amika agent list
	[ "$status" -eq 0 ]
	[ "$(jq -r .agent <<<"$output" | sort | tr '\n' ' ')" = 'claude mock ' ]
	[ "$(jq -r 'select(.agent == "mock").installed' <<<"$output")" = true ]
	jq -es 'map(select(.agent == "claude"))[0].environment | index("ANTHROPIC_*") != null' <<<"$output"
	jq -es 'map(select(.agent == "claude"))[0].permission_modes | index("plan") != null' <<<"$output"
	jq -es 'all(.capabilities | type == "object")' <<<"$output"
}

@test "they are looked for on the caller's PATH" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/bin/claude"
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run amika agent list
	[ "$(jq -r 'select(.agent == "claude").path' <<<"$output")" = "$BATS_TEST_TMPDIR/bin/claude" ]
	run env PATH="$(dirname "$(command -v amika)")" "$(command -v amika)" agent list
	[ "$(jq -c 'select(.agent == "claude") | [.installed,.path]' <<<"$output")" = '[false,null]' ]
	[[ $(jq -r 'select(.agent == "claude").install' <<<"$output") = *claude* ]]
}

@test "as a table" {
	run amika agent list --text
	[[ ${lines[0]} = AGENT* ]]
	[[ $output = *mock*yes* ]]
}

@test "modes and models of one agent" {
	run amika agent modes claude
	[ "$status" -eq 0 ]
	[ "$(jq -cs 'map([.type, .id])' <<<"$output")" = '[["mode","build"],["mode","plan"]]' ]
	run amika agent models claude
	[ "$(jq -cs '.[0] | [.type, .id, (.variants | index("high") != null)]' <<<"$output")" = '["model","default",true]' ]
	run amika agent models --text claude
	[[ ${lines[0]} = MODEL* ]]
	run --separate-stderr amika agent modes nobody
	[ "$status" -eq 4 ]
	[ "$stderr" = 'amika-agent: not_found: no agent "nobody" (see: amika agent list)' ]
}
