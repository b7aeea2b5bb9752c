#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/run counts what happened, also when a file hangs, dies or promises more than it does.

bats_require_minimum_version 1.5.0

setup() {
	src=$BATS_TEST_TMPDIR/src
	mkdir -p "$src/tests/unit" "$src/tests/lint"
}

unit() { # NAME SCRIPT: a unit program
	: >"$src/tests/unit/$1.c"
	printf '#!/bin/sh\n%s\n' "$2" >"$src/tests/unit/$1"
	chmod +x "$src/tests/unit/$1"
}

runs() { # WORD…
	run env -u AMIKA_REQUIRE top_srcdir="$src" top_builddir="$src" TEST_LIMIT=2 ${required:+AMIKA_REQUIRE="$required"} \
		"$top_srcdir/tests/run" "$@"
}

@test "all is well" {
	unit one 'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2'
	printf 'exit 0\n' >"$src/tests/lint/fine.sh"
	runs unit lint
	[ "$status" = 0 ]
	[ "${lines[-1]}" = "3 passed, 0 failed" ]
}

@test "failures are named, with what was said about them" {
	unit one 'echo "ok 1 - a"; echo "not ok 2 - b is b"; echo "# at one.c:7"; echo 1..2; exit 1'
	printf 'echo "lib/x.c:1: a sentence"; exit 1\n' >"$src/tests/lint/bad.sh"
	runs unit lint
	[ "$status" != 0 ]
	[[ $output == *"not ok 2 - b is b"*"# at one.c:7"* ]]
	[[ $output == *"lint bad"* ]]
	[ "${lines[-1]}" = "1 passed, 2 failed" ]
}

@test "a file that dies, says less than planned, says nothing, or hangs has failed" {
	unit dies 'echo "ok 1 - a"; kill -SEGV $$'
	unit less 'echo 1..3; echo "ok 1 - a"'
	unit mute 'exit 0'
	unit status 'echo "ok 1 - a"; echo 1..1; exit 3'
	unit hangs 'echo "ok 1 - a"; exec tail -f /dev/null'
	runs unit
	[ "$status" != 0 ]
	[ "${lines[-1]}" = "4 passed, 5 failed" ]
	[[ $output == *"unit-hangs did not end within 2 s"* ]]
}

@test "what a file leaves behind is stopped and removed" {
	mkdir "$BATS_TEST_TMPDIR/tmp"
	unit leaves 'AMIKA_STATE_DIRECTORY=$TMPDIR/state amika session list; echo "ok 1 - a"; echo 1..1'
	TMPDIR=$BATS_TEST_TMPDIR/tmp runs unit
	[ "${lines[-1]}" = "1 passed, 0 failed" ]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
	run ! grep -ls "AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/tmp" /proc/[0-9]*/environ
}

@test "a skip is named, and fails where it is required" {
	unit one 'echo "ok 1 - a # skip moon: not full"; echo "ok 2 - b"; echo 1..2'
	runs unit
	[ "$status" = 0 ]
	[[ $output == *"skipped: ok 1 - a # skip moon: not full"* ]]
	[ "${lines[-1]}" = "1 passed, 0 failed, 1 skipped" ]
	required=sun,moon
	runs unit
	[ "$status" != 0 ]
	[ "${lines[-1]}" = "1 passed, 1 failed" ]
}

@test "nothing run is no success; an unknown suite is named" {
	runs unit
	[ "$status" != 0 ]
	runs nosuch
	[[ $output == *'no suite "nosuch"'* ]]
	[ "$status" != 0 ]
}
