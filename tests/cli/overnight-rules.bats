#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The example share/examples/overnight with rules: what they answer needs nobody.

load helper

setup() {
	helper_setup_file
	folder=$BATS_TEST_TMPDIR/nightly
	cp -r "$top_srcdir"/share/examples/overnight "$folder"
	echo permission >"$folder/task"
}

teardown() { helper_teardown_file; }

night() { # RULE…
	printf '%s\n' "$@" >"$folder/rules"
	run --separate-stderr env -i PATH="$PATH" HOME="$HOME" AMIKA_STATE_DIRECTORY="$AMIKA_STATE_DIRECTORY" AGENT=mock \
		sh "$folder/overnight" nightly "$folder/task" "$folder/rules" </dev/null
	echo "status $status: $output; $stderr"
}

@test "everything is ruled: done, unattended, and the log names the rules" {
	night '# Two rules.' '' 'allow command_execution command echo mock' 'deny file_change path **'
	[ "$status" = 0 ]
	[ -n "$output" ]
	[ -z "$stderr" ]
	[ "$(amika decision list --all --json | jq -s 'map(.by | startswith("rule")) | all and length == 2')" = true ]
	[ "$(amika decision rule list --session nightly --json | wc -l)" = 2 ]
	# The rules are not made again.
	night 'allow command_execution command echo mock'
	[ "$status" = 0 ]
	[ "$(amika decision rule list --session nightly --json | wc -l)" = 2 ]
}

@test "what no rule answers waits for a person: its line, and 9" {
	night 'deny file_change path **'
	[ "$status" = 9 ]
	[ "$(jq -r '[.state,.request.command]|join(" ")' <<<"$output")" = 'open echo mock' ]
	amika decision allow "$(jq -r .decision_id <<<"$output")"
	night
	[ "$status" = 0 ]
}

@test "a rule that cannot be used: no session is made without it" {
	night 'permit command_execution command echo mock'
	[ "$status" = 2 ] || [ "$status" = 3 ]
	[ -n "$stderr" ]
	[ -z "$(amika session list)" ]
}

@test "the rules of the example are rules" {
	night "$(cat "$top_srcdir/share/examples/overnight/rules")"
	[ "$status" = 9 ]
	[ "$(amika decision rule list --session nightly --json | wc -l)" = "$(grep -c '^[a-z]' "$folder/rules")" ]
}
