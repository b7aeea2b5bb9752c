#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika doctor: what is there, what is not, and what to do about it.

load helper

setup() { helper_setup_file; }
teardown() { helper_teardown_file; }

@test "on a whole machine: check lines, status 0" {
	run --separate-stderr amika doctor
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq -r 'keys_unsorted[:5] | join(" ")' <<<"${lines[0]}")" = 'type name ok needed_for remedy' ]
	[ "$(jq -r .type <<<"$output" | sort -u)" = check ]
	for name in 'state folder' flock /proc amikad amika-shim amika-once amika-mock daemon 'agent mock'; do
		[ "$(jq --arg n "$name" 'select(.name == $n).ok' <<<"$output")" = true ]
	done
	run amika doctor --text
	[[ ${lines[0]} = CHECK* ]]
}

@test "an agent that is not installed has a remedy and is no failure" {
	run env PATH="$(dirname "$(command -v amika)")" "$(command -v amika)" doctor
	[ "$status" -eq 0 ]
	[ "$(jq 'select(.name == "agent claude").ok' <<<"$output")" = false ]
	[[ $(jq -r 'select(.name == "agent claude").remedy' <<<"$output") = *install* ]]
}

@test "it needs no daemon" {
	run amika doctor --no-start
	[ "$status" -eq 0 ]
	[ "$(jq 'select(.name == "daemon").ok' <<<"$output")" = true ]
	run amikad status
	[ "$status" -eq 8 ]
}

@test "a state folder others may write: the gap, its remedy, status 1" {
	chmod 777 "$AMIKA_STATE_DIRECTORY"
	run --separate-stderr amika doctor
	[ "$status" -eq 1 ]
	[ -z "$stderr" ]
	[[ $(jq -r 'select(.name == "state folder").remedy' <<<"$output") = 'chmod 700 '* ]]
	chmod 700 "$AMIKA_STATE_DIRECTORY"
}

@test "a daemon that cannot start: its reason, status 1" {
	echo '{"nonsense":1}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run amika doctor
	[ "$status" -eq 1 ]
	[[ $(jq -r 'select(.name == "daemon").detail' <<<"$output") = *'unknown setting'* ]]
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
}

@test "programs that are missing: one line each, status 1" {
	cp "$(command -v amika)" "$(command -v amika-doctor)" "$BATS_TEST_TMPDIR"
	run "$BATS_TEST_TMPDIR/amika" doctor
	[ "$status" -eq 1 ]
	for name in amikad amika-shim amika-once amika-mock; do
		[ "$(jq --arg n "$name" 'select(.name == $n).ok' <<<"$output")" = false ]
	done
}
