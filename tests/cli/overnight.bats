#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The example share/examples/overnight, as cron runs it: no terminal, next to no environment.

load helper

setup() {
	helper_setup_file
	folder=$BATS_TEST_TMPDIR/nightly
	mkdir "$folder" "$BATS_TEST_TMPDIR/project"
	cp "$top_srcdir"/share/examples/overnight/overnight "$folder"
	cd "$BATS_TEST_TMPDIR/project" || return
}

teardown() { helper_teardown_file; }

# A night with this task.
night() { # TASK [RULES]
	printf '%s\n' "$1" >"$folder/task"
	run --separate-stderr env -i PATH="$PATH" HOME="$HOME" AMIKA_STATE_DIRECTORY="$AMIKA_STATE_DIRECTORY" AGENT=mock \
		NIGHT="${NIGHT-}" PATIENCE="${PATIENCE-}" sh "$folder/overnight" nightly "$folder/task" "${@:2}" </dev/null
	echo "status $status: $output; $stderr"
}

count() { amika events --json nightly | grep -c "\"type\":\"$1\""; }

@test "done: what the agent said last, and 0; again the same night: told again, not done again" {
	night 'all is well'
	[ "$status" = 0 ]
	[ "$output" = 'all is well' ]
	[ -z "$stderr" ]
	night 'all is well'
	[ "$status" = 0 ]
	[ "$output" = 'all is well' ]
	[ "$(count turn.started)" = 1 ]
	NIGHT=another night 'all is well'
	[ "$status" = 0 ]
	[ "$(count turn.started)" = 2 ]
}

@test "something needs a person: its line, one sentence, 9; answered: it goes on to the end" {
	night permission
	[ "$status" = 9 ]
	[ "${#lines[@]}" = 1 ]
	[ "$(jq -r '[.type,.session_id,.state]|join(" ")' <<<"$output")" = 'decision nightly open' ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr = *'waits for decision d_1: '*'amika decision allow d_1'* ]]
	# The next night finds it waiting still, and puts nothing on top of it.
	NIGHT=next night permission
	[ "$status" = 9 ]
	[ "$(jq -r .decision_id <<<"$output")" = d_1 ]
	[ "$(count turn.started)" = 1 ]
	await nightly permission.requested 2
	amika decision allow d_1
	night permission
	[ "$status" = 9 ]
	[ "$(jq -r .decision_id <<<"$output")" = d_2 ]
	amika decision deny d_2
	night permission
	[ "$status" = 0 ]
	[ -n "$output" ]
	[ "$(count turn.started)" = 1 ]
}

@test "a turn that fails, one that takes too long, input that cannot be used" {
	night 'exit 3'
	[ "$status" = 1 ]
	[ -n "$stderr" ]
	NIGHT=long PATIENCE=200ms night 'clock 1000 100000'
	[ "$status" = 7 ]
	NIGHT=empty night ''
	[ "$status" = 3 ]
	run sh "$folder/overnight" nightly
	[ "$status" = 2 ]
	run sh "$folder/overnight" nightly "$folder/none"
	[ "$status" = 3 ]
}

@test "no daemon: 8, and nothing on standard output" {
	export AMIKA_NO_START=1
	echo x >"$folder/task"
	run --separate-stderr sh "$folder/overnight" nightly "$folder/task" </dev/null
	[ "$status" = 8 ]
	[ -z "$output" ]
	unset AMIKA_NO_START
	amika session list
}

@test "an agent that is not there leaves no session behind" {
	echo x >"$folder/task"
	AGENT=nosuch run --separate-stderr sh "$folder/overnight" nightly "$folder/task" </dev/null
	[ "$status" = 4 ]
	[ -z "$(amika session list)" ]
}
