#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika doctor --store on a terminal: a long check shows that it goes on.

load helper

setup_file() {
	helper_setup_file
	amika session create tau --agent mock -- --pace 0
	amika send --timeout 60s tau 'flood 20000 20' | tail -n 1
	amikad stop
} >/dev/null

teardown_file() { helper_teardown_file; }

@test "the check that runs is named, and taken back before its row" {
	on_terminal 'amika doctor --store'
	sees $'\r\e[Kchecking: '
	sees $'\r\e[K'
	sees NEEDED
	ends
	[[ $screen = *integrity* && $screen != *checking:* ]]
}

@test "elsewhere nothing is shown of it" {
	run --separate-stderr amika doctor --store --text
	[ "$status" = 0 ]
	[[ $output = *integrity* && $output != *checking:* ]]
	[ -z "$stderr" ]
}
