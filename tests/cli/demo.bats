#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ./bootstrap demo, from where everything is built: it shows the main job and leaves nothing behind.

bats_require_minimum_version 1.5.0

@test "the demo shows a reply, the turn as lines, a permission answered, and cleans up" {
	local here=$BATS_TEST_TMPDIR/here
	mkdir "$here"
	cd "$here"
	TMPDIR=$here HOME=$here run --separate-stderr "$top_srcdir/share/build-aux/demo" "$(dirname "$(command -v amikad)")" 3>&-
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ $output == *"# Title"* ]]
	[ "$(grep -c '^{"event_id"' <<<"$output")" -ge 10 ]
	[[ $output == *"status 9"* ]]
	[[ $output == *"d_1 "*"answered"* ]]
	[[ $output == *"d_2 "*"answered"* ]]
	[ "$(tail -n 3 <<<"$output" | grep -c 'amika run\|amika session')" = 3 ]
	[ -z "$(ls -A "$here")" ]
	run ! grep -ls "AMIKA_STATE_DIRECTORY=$here" /proc/[0-9]*/environ
}
