#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session nobody named is called after a colour and a city; a name that is taken is not insisted on.

load helper
load url

setup_file() {
	helper_setup_file
	export there=$AMIKA_STATE_DIRECTORY
	amika session list
}

teardown_file() { helper_teardown_file; }

setup() { stand_in=; }

teardown() { stand_in_stop; }

# The names asked for of a daemon that says of the first N that they are taken: $names.
asked_for() { # N COMMAND…
	local n=$1 line
	shift
	stand_in_start taken "$there/socket" "$n"
	run --separate-stderr "$@"
	stand_in_stop
	names=()
	while read -r line; do
		[[ $line != POST\ */v1/sessions/* || $line = */messages\ * ]] || names+=("$(basename "${line% *}")")
	done <&"$asked"
}

@test "run prints the name it made, on a terminal's text and in the record" {
	run amika run --text mock hello
	[[ ${lines[0]} =~ ^session\ ([a-z]+-[a-z]+)$ ]]
	amika session show "${BASH_REMATCH[1]}"
	run amika run mock hello
	[[ $(jq -r .session_id <<<"${lines[0]}") =~ ^[a-z]+-[a-z]+$ ]]
}

@test "a name that is taken: the next, the eleventh with a number" {
	asked_for 3 amika session create --agent mock
	[ "$status" = 0 ]
	[ "${#names[@]}" = 4 ]
	[ "$(jq -r .session_id <<<"$output")" = "${names[3]}" ]
	[[ ${names[3]} =~ ^[a-z]+-[a-z]+$ ]]
	asked_for 10 amika run mock hello
	[ "$status" = 0 ]
	[ "${#names[@]}" = 11 ]
	[[ ${names[9]} =~ ^[a-z]+-[a-z]+$ ]]
	[[ ${names[10]} =~ ^[a-z]+-[a-z]+-[0-9]{4}$ ]]
	[ "$(jq -r 'select(.type == "session").session_id' <<<"$output")" = "${names[10]}" ]
}

@test "after twenty it is given up in a sentence" {
	asked_for 99 amika session create --agent mock
	[ "$status" = 5 ]
	[ -z "$output" ]
	[ "${#names[@]}" = 20 ]
	[ "$stderr" = 'amika-session: conflict: each of 20 names made up was taken already (name the session yourself)' ]
}

@test "a name that was given is never another" {
	asked_for 1 amika session create --agent mock given
	[ "$status" = 5 ]
	[ "${names[*]}" = given ]
}
