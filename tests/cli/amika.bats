#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika: finding commands, becoming them, listing them.

load helper

setup() {
	helper_setup_file
	mkdir "$BATS_TEST_TMPDIR/bin"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# A command of somebody else's on PATH.
make_command() { # NAME BODY
	printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
	chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

@test "alone it lists the commands with what they are for" {
	run amika
	[ "$status" -eq 0 ]
	for word in agent decision doctor events run send session; do
		[[ $output = *"  $word "* ]]
	done
	[[ $output != *mock* && $output != *shim* ]]
	run amika --help
	[ "$status" -eq 0 ]
	[[ $output = *'  session '* ]]
}

@test "help fits the terminal it is on" {
	on_terminal "sh -c 'stty cols 40; exec amika run --help'"
	sees '  -p, --permission-mode MODE'
	sees '      what the agent may do unasked'
	sees '      (see: amika agent list)'
	ends
	on_terminal "sh -c 'stty cols 50; exec amika'"
	sees '  doctor'
	sees '      Check what this machine can do, and say what'
	ends
}

@test "a table fits the terminal it is on: what has no room stands below its row; in a pipe nothing moves" {
	local wide
	on_terminal "sh -c 'stty cols 60; exec amika doctor'"
	sees 'CHECK         OK'
	sees 'state folder  yes'
	sees "    FOUND: $AMIKA_STATE_DIRECTORY"
	ends
	on_terminal "sh -c 'stty cols 250; exec amika doctor'"
	sees 'REMEDY'
	ends
	[[ $screen != *FOUND:* ]]
	wide=$(amika doctor --text | head -n 1)
	[[ $wide = CHECK*OK*'NEEDED FOR'*FOUND*REMEDY ]]
	amikad stop
}

@test "a word becomes a program: its arguments, its stdin, its status" {
	make_command amika-echo 'echo "$#:$1:$2"; cat; exit 42'
	run amika echo --final "a  b" <<<"from stdin"
	[ "$status" -eq 42 ]
	[ "${lines[0]}" = '2:--final:a  b' ]
	[ "${lines[1]}" = 'from stdin' ]
}

@test "it is the same process" {
	make_command amika-pid 'echo $$'
	amika pid >"$BATS_TEST_TMPDIR/pid" &
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/pid")" = $! ]
}

@test "commands of others appear in the list by their table; one that hangs or talks does no harm" {
	make_command amika-mine 'echo "{\"type\":\"spec\",\"name\":\"amika-mine\",\"summary\":\"Something of mine\"}"'
	make_command amika-noise 'echo hello'
	make_command amika-stuck 'exec tail -f /dev/null'
	run amika
	[ "$status" -eq 0 ]
	[[ $output = *'  mine       Something of mine'* ]]
	[[ $output != *noise* && $output != *stuck* ]]
}

@test "a command beside it goes before one on PATH" {
	make_command amika-session 'echo stolen'
	run amika session --version
	[[ $output = amika-session\ * ]]
}

@test "an unknown word names the nearest one and runs nothing" {
	run --separate-stderr amika sesion list
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[ "$stderr" = 'amika: usage: no command "sesion" (did you mean amika session?)' ]
	run --separate-stderr amika xyzzyx
	[ "$status" -eq 2 ]
	[ "$stderr" = 'amika: usage: no command "xyzzyx" (see: amika help)' ]
	run --separate-stderr amika ../bin/amika-session
	[ "$status" -eq 2 ]
}

@test "answer is decision" {
	run amika answer --version
	[[ $output = amika-decision\ * ]]
}

@test "help: the manual page, else --help" {
	make_command man 'echo "man $*"'
	run amika help send
	[ "$output" = 'man amika-send' ]
	run amika help answer
	[ "$output" = 'man amika-decision' ]
	make_command man 'exit 16'
	run amika help send
	[ "$status" -eq 0 ]
	[[ $output = *'usage: amika-send '* ]]
	run amika help nosuch
	[ "$status" -eq 2 ]
	run amika help
	[ "$status" -eq 0 ]
	[[ $output = *'  session '* ]]
}

@test "version, table and completion" {
	run amika --version
	[ "$status" -eq 0 ]
	[[ $output = amika\ [0-9]* ]]
	run amika --spec
	[ "$(jq -r .name <<<"$output")" = amika ]
	run amika --complete
	[[ $output = *$'session\tMake, list'* ]]
	run amika --nonsense
	[ "$status" -eq 2 ]
}

@test "every program has help, a version and a table, without a daemon" {
	local p name
	for p in "$(dirname "$(command -v amikad)")"/amika*; do
		name=$(basename "$p")
		if [ ! -x "$p" ] || [ -d "$p" ] || [[ $name == *.* || $name == amika-shim || $name == amika-once ]]; then continue; fi
		run "$p" --help
		[ "$status" -eq 0 ]
		run "$p" --version
		[[ $output = "$name "* ]]
		run "$p" --spec
		[ "$(jq -r .name <<<"$output")" = "$name" ]
	done
	[ ! -e "$AMIKA_STATE_DIRECTORY/lock" ]
}

@test "completion never runs anything: options and verbs come from the tables" {
	run amika session create --complete
	[ "$status" -eq 0 ]
	[[ $output = *$'--agent\t'* ]]
	[ ! -e "$AMIKA_STATE_DIRECTORY/lock" ]
}
