#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The shell asks the programs what could follow. No daemon is started for it.

setup() {
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/state
	# shellcheck source=completions/amika.bash
	source "$top_srcdir/completions/amika.bash"
}

# What could follow these words, the last of which is begun.
offered() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_amika
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "a command, its verbs, its options" {
	[ "$(offered amika se)" = "$(printf 'send\nsession')" ]
	[ "$(offered amika session cr)" = create ]
	[ "$(offered amika session create --ti)" = --title ]
	[ "$(offered amika send --no-w)" = --no-wait ]
	[ "$(offered amika-session create --perm)" = --permission-mode ]
	[ "$(offered amikad st)" = "$(printf 'stop\nstatus')" ]
	[ ! -e "$AMIKA_STATE_DIRECTORY" ]
}

@test "an unknown command offers nothing" {
	[ -z "$(offered amika nosuch --x)" ]
}
