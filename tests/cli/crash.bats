#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The daemon killed at each crash point (lib/core/crash.h): nothing is lost, repeated or reordered, and whatever was
# under way goes on or ends with a reason. The list of points is read from the code. AMIKA_CRASH_VISITS: at
# which visits of each point (default: "1 2").

load helper
load dying

setup() {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
	export XDG_RUNTIME_DIR=
}

teardown() { [ -z "${AMIKA_STATE_DIRECTORY:-}" ] || amikad stop; }

@test "the daemon killed at each point: every turn whole, every decision answered once" {
	local point n states
	# These have tests of their own, below, in forget.bats, crash-hook.bats, queue.bats, steer.bats and life.bats.
	for point in $(points . | grep -vE '^(shim|takeup|stray|forget|keep|hook|queue|steer|sleep)\.'); do
		for n in ${AMIKA_CRASH_VISITS:-1 2}; do
			echo "$point:$n"
			fresh_state "$point.$n"
			daemon_dying_at "$point:$n"
			live_through tau >/dev/null
			states=$(amika decision list --all --json | jq -rs 'map(.state) | join(" ")')
			[[ $states =~ ^(answered|delivered)\ (answered|delivered)$ ]]
			survived tau 0 a=completed b=completed c-1=completed c-2=completed c-3=completed c-4=failed \
				c-5=completed c-6=completed d=completed
			[ "$(events_of '.type == "item.delta" and .amika.turn == 3')" = 4000 ]
			[ "$(events_of '.type == "error"')" = 1 ]
			amikad stop >/dev/null
			# The scenario passes each at least twice, but for those of the daemon's start and end.
			daemon_has_died || [ "$n" -gt 2 ] || [[ $n = 2 && $point =~ ^(lock|wal)\. ]]
		done
	done
}

@test "a daemon killed while it takes up what the one before it left: the next one does" {
	local point
	for point in $(points '^takeup\.'); do
		echo "$point"
		fresh_state "$point"
		amika session create tau --agent mock -- --pace 0 >/dev/null
		amika send --no-wait --id a tau 'flood 4000 40' >/dev/null
		amika send --no-wait --id b tau hello >/dev/null
		said tau 500 item.delta
		kill -KILL "$(amikad status | jq .pid)"
		daemon_dying_at "$point:1"
		daemon_has_died
		amika send --id c tau hello >/dev/null
		survived tau 4002 a=completed b=completed c=completed
		amikad stop >/dev/null
	done
}

@test "a daemon killed while it ends what a dead shim left: the next one does" {
	local point agent
	for point in $(points '^stray\.'); do
		echo "$point"
		fresh_state "$point"
		daemon_dying_at "$point:1"
		amika session create tau --agent mock -- --pace 0 >/dev/null
		amika send --no-wait --id a tau permission >/dev/null
		amika send --no-wait --id b tau hello >/dev/null
		said tau 2 permission.requested
		agent=$(pgrep -P "$(shim_of_last_run)")
		kill -KILL "$(shim_of_last_run)"
		daemon_has_died
		amika send --id c tau hello >/dev/null
		is_gone "$agent"
		survived tau 0 a=lost b=completed c=completed
		[ "$(amika decision list --all --json | jq -rs 'map(.state) | join(" ")')" = 'void void' ]
		amikad stop >/dev/null
	done
}

@test "no point is left out" {
	local point
	for point in $(points '^(forget|keep)\.'); do
		grep -qw "${point//./\\.}" "$top_srcdir/tests/cli/forget.bats"
	done
	for point in $(points '^(queue|steer)\.'); do
		grep -qw "${point//./\\.}" "$top_srcdir/tests/cli/${point%%.*}.bats"
	done
	for point in $(points '^sleep\.'); do
		grep -q '\^sleep' "$top_srcdir/tests/cli/life.bats"
	done
}
