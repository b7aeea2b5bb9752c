#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What cannot be used gets the right status, one clear sentence and the remedy, and nothing is lost by it.

bats_require_minimum_version 1.5.0

setup_file() {
	export AMIKA_STATE_DIRECTORY=$BATS_FILE_TMPDIR/state
	export XDG_RUNTIME_DIR=
	amika session create --agent mock tau -- --pace 0 3>&-
}

teardown_file() { amikad stop 3>&-; }

# Runs a command that must fail: its status, the program and code its sentence starts with, what it says.
refused() { # STATUS "PROGRAM: CODE: " WORDS COMMAND…
	local want=$1 head=$2 words=$3
	shift 3
	run --separate-stderr "$@" 3>&-
	echo "status $status; $stderr"
	[ "$status" = "$want" ] || return 1
	[ "${#stderr_lines[@]}" = 1 ] || return 1
	[[ ${stderr_lines[0]} == "$head"*"$words"* ]] || return 1
}

repeat() { # STRING TIMES
	head -c "$(($2 * ${#1}))" < <(yes "$1" | tr -d '\n')
}

# Feeds the bytes of a file to a command.
from() { # FILE COMMAND…
	local file=$1
	shift
	"$@" <"$file"
}

# tau still works, and has the events it had and those of one more turn.
still_well() {
	local before
	before=$(amika session show tau | jq .event_count)
	amika send tau "still there" >"$BATS_TEST_TMPDIR/turn"
	[ "$(jq -r 'select(.type == "turn.ended").amika.outcome' "$BATS_TEST_TMPDIR/turn")" = completed ]
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/turn" | jq .sequence)" -eq $((before + 1)) ]
}

@test "unknown agent" {
	refused 4 "amika-session: not_found: " nosuch amika session create --agent nosuch x
	refused 4 "amika-run: not_found: " nosuch amika run nosuch hello
}

@test "unknown session" {
	refused 4 "amika-send: not_found: no session \"nosuch\"" "amika session list" amika send nosuch hello
	refused 4 "amika-events: not_found: no session \"nosuch\"" "amika session list" amika events nosuch
	refused 4 "amika-session: not_found: no session \"nosuch\"" "amika session list" amika session end nosuch
}

@test "unknown option, verb, command, with the nearest one named" {
	refused 2 "amika-send: usage: " "did you mean --timeout" amika send --timeot 1 tau hello
	refused 2 "amika-session: usage: " "did you mean" amika session creat x
	refused 2 "amika: usage: " "send" amika sned tau hello
	refused 2 "amika-send: usage: " "" amika send
}

@test "bad name" {
	local name
	for name in Tau a_b "a b" ../x "" "$(repeat a 64)"; do
		run --separate-stderr amika session create --agent mock "$name" 3>&-
		echo "\"$name\": $status, $stderr"
		[ "$status" = 3 ]
		[ "${#stderr_lines[@]}" = 1 ]
	done
	refused 3 "amika-send: bad_input: " "" amika send "../x" hello
}

@test "empty message" {
	refused 3 "amika-send: bad_input: " empty amika send tau ""
	refused 3 "amika-send: bad_input: " empty from /dev/null amika send tau
	still_well
}

@test "10 MiB, not UTF-8, with a NUL" {
	repeat "0123456789abcdef" 655360 >"$BATS_TEST_TMPDIR/big"
	refused 3 "amika-send: bad_input: " "" from "$BATS_TEST_TMPDIR/big" amika send tau
	printf 'a\377b' >"$BATS_TEST_TMPDIR/latin"
	refused 3 "amika-send: bad_input: " "UTF-8" from "$BATS_TEST_TMPDIR/latin" amika send tau
	printf 'a\0b' >"$BATS_TEST_TMPDIR/nul"
	refused 3 "amika-send: bad_input: " "NUL" from "$BATS_TEST_TMPDIR/nul" amika send tau
	still_well
}

@test "JSON lines: empty, cut, duplicate keys, 100 deep, not UTF-8, NUL, not an object, no text" {
	local f=$BATS_TEST_TMPDIR/line text
	for text in '' '{"text":"a' '{"text":"a","text":"b"}' "{\"text\":\"a\",\"x\":$(repeat '[' 100)$(repeat ']' 100)}" \
		'{"text":"\u0000"}' '["text"]' '{}' '{"text":7}' 'hello'; do
		printf '%s\n' "$text" >"$f"
		refused 3 "amika-send: bad_input: line 1" "" from "$f" amika send --lines tau
	done
	printf '{"text":"\377"}\n' >"$f"
	refused 3 "amika-send: bad_input: line 1" "UTF-8" from "$f" amika send --lines tau
	printf '{"text":"a\0b"}\n' >"$f"
	refused 3 "amika-send: bad_input: line 1" "" from "$f" amika send --lines tau
	still_well
}

@test "a bad line after good ones: those are done, the bad one is named" {
	printf '{"text":"one"}\n{"text":"two"}\n{"text":\n' >"$BATS_TEST_TMPDIR/lines"
	run --separate-stderr from "$BATS_TEST_TMPDIR/lines" amika send --lines tau 3>&-
	[ "$status" = 3 ]
	[[ $stderr == "amika-send: bad_input: line 3"* ]]
	[ "$(jq -r 'select(.type == "turn.ended").amika.outcome' <<<"$output" | grep -c completed)" = 2 ]
}

@test "lines that are no receipts or decisions" {
	printf '{"type":"receipt"}\n' >"$BATS_TEST_TMPDIR/r"
	refused 3 "amika-events: bad_input: line 1" "" from "$BATS_TEST_TMPDIR/r" amika events
	printf 'nonsense\n' >"$BATS_TEST_TMPDIR/d"
	refused 3 "amika-decision: bad_input: line 1" "" from "$BATS_TEST_TMPDIR/d" amika decision allow
	refused 3 "amika-send: bad_input: " "" from "$BATS_TEST_TMPDIR/d" amika send - hello
}

@test "standard input closed" {
	run --separate-stderr bash -c 'amika send tau <&- 3>&-'
	[ "$status" = 1 ] || [ "$status" = 3 ]
	[ "${#stderr_lines[@]}" = 1 ]
	still_well
}

@test "standard output full or closed" {
	run --separate-stderr bash -c 'amika events tau >/dev/full 3>&-'
	[ "$status" = 1 ]
	[[ $stderr == "amika-events: failed: "*"No space left"* ]]
	run --separate-stderr bash -c 'amika events tau >&- 3>&-'
	[ "$status" = 1 ]
	[ "${#stderr_lines[@]}" = 1 ]
	run --separate-stderr bash -c 'amika send tau "to nowhere" >/dev/full 3>&-'
	[ "$status" = 1 ]
	still_well
}

@test "nobody reads any more: a quiet end" {
	run --separate-stderr bash -c 'amika events tau 3>&- | head -n 1; echo "${PIPESTATUS[0]}"'
	[ "${lines[1]}" = 0 ]
	[ -z "$stderr" ]
	still_well
}

@test "state folder: not writable, writable by others, a file, relative" {
	local d=$BATS_TEST_TMPDIR/d
	mkdir -m 500 "$d"
	# Root may write everywhere unless it lets go of that right.
	cat >"$BATS_TEST_TMPDIR/plain" <<-'END'
		#!/bin/sh
		if [ "$(id -u)" = 0 ]; then
			exec setpriv --bounding-set=-dac_override,-dac_read_search "$@"
		fi
		exec "$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/plain"
	export AMIKA_STATE_DIRECTORY=$d/state
	refused 6 "amika-session: denied: " "AMIKA_STATE_DIRECTORY" "$BATS_TEST_TMPDIR/plain" amika session list
	mkdir -m 777 "$BATS_TEST_TMPDIR/open"
	chmod 777 "$BATS_TEST_TMPDIR/open"
	AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/open
	refused 6 "amika-session: denied: " "writable by others" amika session list
	echo >"$BATS_TEST_TMPDIR/file"
	AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/file
	refused 1 "amika-session: failed: " "$BATS_TEST_TMPDIR/file" amika session list
	AMIKA_STATE_DIRECTORY=relative
	refused 2 "amika-session: usage: " "absolute" amika session list
}

# A claude of our own on PATH: $1 is its script, "" for none.
fake_claude() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/bin/claude"
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "the agent's program is missing" {
	run --separate-stderr env PATH="$(dirname "$(command -v amikad)"):/nowhere" amika run claude hello 3>&-
	[ "$status" = 4 ]
	[[ $stderr == *"install"* ]]
}

@test "the agent's program may not be executed" {
	fake_claude ""
	chmod -x "$BATS_TEST_TMPDIR/bin/claude"
	run --separate-stderr env PATH="$(dirname "$(command -v amikad)"):$BATS_TEST_TMPDIR/bin" amika run claude hello 3>&-
	[ "$status" = 6 ]
	[[ $stderr == *claude* ]]
}

@test "the agent's program exits at once" {
	fake_claude 'echo "no licence" >&2; exit 3'
	amika session create --agent claude exits 3>&-
	run --separate-stderr amika send exits hello 3>&-
	[ "$status" = 1 ]
	[ "$(jq -r 'select(.type == "turn.ended").amika.outcome' <<<"$output")" = failed ]
	jq -se 'any(.[]; .type == "error" and (.data | tostring | test("status 3|licence")))' <<<"$output"
	still_well
}

@test "the agent's program prints garbage" {
	fake_claude 'read -r x; echo "{{{{"; printf "\377\376\000\n"; echo "[1,2]"; echo null; head -c 100000 /dev/zero; echo; exit 0'
	amika session create --agent claude garbage 3>&-
	run --separate-stderr amika send garbage hello 3>&-
	[ "$status" = 1 ]
	[ "$(jq -r 'select(.type == "agent.unparsed").type' <<<"$output" | wc -l)" -ge 4 ]
	[ "$(jq -r 'select(.type == "turn.ended").amika.outcome' <<<"$output")" = failed ]
	still_well
}

@test "two creations of one name at once: one is first" {
	local i n=0 conflicts=0
	local -a pids=()
	for i in 1 2 3 4; do
		amika session create --agent mock same >/dev/null 2>"$BATS_TEST_TMPDIR/e$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		local s=0
		wait "$i" || s=$?
		if [ "$s" = 0 ]; then n=$((n + 1)); fi
		if [ "$s" = 5 ]; then conflicts=$((conflicts + 1)); fi
	done
	[ "$n" = 1 ]
	[ "$conflicts" = 3 ]
	grep -q "^amika-session: conflict: .*same" "$BATS_TEST_TMPDIR"/e*
}

@test "replies to unknown and to answered requests" {
	refused 4 "amika-decision: not_found: " "d_4711" amika decision allow d_4711
	refused 4 "amika-decision: not_found: " "" amika decision show nonsense
	run amika send tau permission 3>&-
	[ "$status" = 9 ]
	local id
	for id in $(amika decision list | jq -r .decision_id); do
		amika decision deny "$id"
		refused 5 "amika-decision: conflict: " "$id" amika decision allow "$id"
	done
	still_well
}

@test "the same message id with another text" {
	amika send --id key1 tau one >/dev/null
	amika send --id key1 --no-wait tau one | jq -e '.state == "duplicate"'
	refused 5 "amika-send: conflict: " "key1" amika send --id key1 tau two
	still_well
}

@test "errors as one JSON object" {
	run --separate-stderr amika send --json nosuch hello 3>&-
	[ "$status" = 4 ]
	jq -e '.type == "error" and .code == "not_found" and .retry == false and (.hint | length > 0)' <<<"$stderr"
}
