#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ./bootstrap where packages are missing: it says what to do, and does nothing else.

bats_require_minimum_version 1.5.0

# A PATH with next to nothing on it, and an id of our choice.
setup() {
	few=$BATS_TEST_TMPDIR/few
	mkdir "$few"
	for tool in sh dirname cat rm mktemp; do ln -s "$(command -v "$tool")" "$few/$tool"; done
	printf '#!/bin/sh\necho "%s"\n' 1000 >"$few/id"
	chmod +x "$few/id"
	cp "$top_srcdir/bootstrap" "$BATS_TEST_TMPDIR/bootstrap"
}

@test "not root: the one command for an administrator, and status 2" {
	printf '#!/bin/sh\necho must not be run; exit 1\n' >"$few/apt-get"
	chmod +x "$few/apt-get"
	run env PATH="$few" "$BATS_TEST_TMPDIR/bootstrap"
	[ "$status" = 2 ]
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[1]} == "  apt-get install --no-install-recommends autoconf automake gcc "*libuv1-dev* ]]
}

@test "no apt-get: the packages by name, and status 2" {
	run env PATH="$few" "$BATS_TEST_TMPDIR/bootstrap" demo
	[ "$status" = 2 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"missing: autoconf "*libcjson-dev* ]]
}

@test "root: says what it installs; when that fails, what apt-get said" {
	printf '#!/bin/sh\necho 0\n' >"$few/id"
	printf '#!/bin/sh\necho "no route to the mirror" >&2; exit 100\n' >"$few/apt-get"
	chmod +x "$few/apt-get"
	run env PATH="$few" "$BATS_TEST_TMPDIR/bootstrap" check
	[ "$status" = 100 ]
	[[ ${lines[0]} == "bootstrap: installing Debian packages: autoconf "*shellcheck* ]]
	[[ $output == *"no route to the mirror"* ]]
	[[ ${lines[-1]} == "bootstrap: failed: apt-get update" ]]
}

@test "another word: usage, and status 2" {
	run "$BATS_TEST_TMPDIR/bootstrap" nonsense
	[ "$status" = 2 ]
	[[ $output == usage:* ]]
}
