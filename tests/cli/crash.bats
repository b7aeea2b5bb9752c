#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The daemon and the shim killed at each crash point (lib/core/crash.h): nothing is lost, repeated or
# reordered, and whatever was under way goes on or ends with a reason. AMIKA_CRASH_VISITS: at which
# visits of each point (default: "1 2").

load helper
load dying

points() { # PATTERN: the crash points in the code whose name matches
	grep -rhoE 'AMK_CRASH\("[a-z.]+"\)' "$top_srcdir/lib" "$top_srcdir/bin" --include='*.c' |
		cut -d'"' -f2 | sort -u | grep -E "$1"
}

setup() {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
	export XDG_RUNTIME_DIR=
}

teardown() { [ -z "${AMIKA_STATE_DIRECTORY:-}" ] || amikad stop; }

# A state folder of its own for each round: the daemon's first acts are among what is interrupted.
fresh_state() {
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/state.$1
	(umask 077 && mkdir -p "$AMIKA_STATE_DIRECTORY/run")
}

# What a person does, with what dies meanwhile coming back by itself: a message, a permission, a flood,
# an agent that exits with messages behind it in the queue. What a tool says on the way is not judged.
live_through() { # SESSION
	amika session create "$1" --agent mock -- --pace 0 >/dev/null 2>&1 || amika session show "$1" >/dev/null 2>&1 ||
		amika session create "$1" --agent mock -- --pace 0 >/dev/null
	amika send --timeout 60000 --id a "$1" hello >/dev/null 2>&1 || true
	amika send --no-wait --id b "$1" permission >/dev/null 2>&1 || true
	allow_all "$1" b
	printf '{"text":"%s"}\n' 'flood 4000 40' 'exit 3' hello hello |
		amika send --lines --no-wait --id c "$1" >/dev/null
	amika send --timeout 60000 --id d "$1" hello >/dev/null
}

@test "the daemon killed at each point: every turn whole, every decision answered once" {
	local point n status
	for point in $(points '^[^s]|^s[^h]'); do
		for n in ${AMIKA_CRASH_VISITS:-1 2}; do
			echo "$point:$n"
			fresh_state "$point.$n"
			daemon_dying_at "$point:$n"
			live_through tau >/dev/null
			status=$(amika decision list --all --json | jq -rs 'map(.state) | join(" ")')
			[ "$status" = 'answered answered' ]
			survived tau 0 a=completed b=completed c-1=completed c-2=failed c-3=completed c-4=completed d=completed
			[ "$(jq -s 'map(select(.type == "item.delta" and .amika.turn == 3)) | length' "$events")" = 4000 ]
			amikad stop >/dev/null
			status=0
			wait "$daemon" || status=$?
			# The scenario passes each at least twice.
			[ "$status" = 137 ] || [ "$n" -gt 2 ]
		done
	done
}

@test "the shim killed at each point: the turn says so, the next message works" {
	local point n status
	for point in $(points '^shim'); do
		for n in ${AMIKA_CRASH_VISITS:-1 2}; do
			echo "$point:$n"
			fresh_state "$point.$n"
			echo "$point:$n" >"$AMIKA_STATE_DIRECTORY/run/crash"
			live_through tau >/dev/null
			survived tau 0 a='completed|lost' b='completed|lost' c-1='completed|lost' c-2='failed|lost' \
				c-3='completed|lost' c-4='completed|lost' d=completed
			[ ! -e "$AMIKA_STATE_DIRECTORY/run/crash" ]
			status=$(jq -s 'map(select(.type == "error" and .data.details.reason == "lost")) | length' "$events")
			[ "$status" -le 1 ]
			# Some are passed once in the life of a shim; and once its end is on record, it is not missed.
			[ "$status" = 1 ] || [ "$n" != 1 ] || [ "$point" = shim.end.after ]
			amikad stop >/dev/null
		done
	done
}
