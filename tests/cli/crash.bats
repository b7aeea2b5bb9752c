#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The daemon and the shim killed at each crash point (lib/core/crash.h): nothing is lost, repeated or
# reordered, and whatever was under way goes on or ends with a reason. The list of points is read from the
# code. AMIKA_CRASH_VISITS: at which visits of each point (default: "1 2").

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
# words on stderr, an agent that exits with messages behind it in the queue. What a tool says on the way
# is not judged.
live_through() { # SESSION
	amika session create "$1" --agent mock -- --pace 0 >/dev/null 2>&1 || amika session show "$1" >/dev/null 2>&1 ||
		amika session create "$1" --agent mock -- --pace 0 >/dev/null
	amika send --timeout 60000 --id a "$1" hello >/dev/null 2>&1 || true
	amika send --no-wait --id b "$1" permission >/dev/null 2>&1 || true
	allow_all "$1" b
	printf '{"text":"%s"}\n' 'flood 4000 40' 'stderr one' 'stderr two' 'exit 3' hello hello |
		amika send --lines --no-wait --id c "$1" >/dev/null
	amika send --timeout 60000 --id d "$1" hello >/dev/null
}

events_of() { jq -s "map(select($1)) | length" "$events"; }

# Waits for the daemon of daemon_dying_at; it was killed.
daemon_has_died() {
	local status=0
	wait "$daemon" || status=$?
	[ "$status" = 137 ]
}

@test "the daemon killed at each point: every turn whole, every decision answered once" {
	local point n states
	for point in $(points . | grep -vE '^(shim|takeup|stray|forget|keep)\.'); do
		for n in ${AMIKA_CRASH_VISITS:-1 2}; do
			echo "$point:$n"
			fresh_state "$point.$n"
			daemon_dying_at "$point:$n"
			live_through tau >/dev/null
			states=$(amika decision list --all --json | jq -rs 'map(.state) | join(" ")')
			[ "$states" = 'answered answered' ]
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

# The first message is sent again if nothing of it had begun, else it is lost: never both, never neither.
first_outcome() { # POINT:N
	case $1 in
	shim.start.*:1 | shim.tree.*:[12] | shim.begun.before:1) echo 'completed 1' ;;
	shim.begun.after:1 | shim.done.*:1 | shim.ring.*:1 | shim.out.before:1) echo 'lost 0' ;;
	shim.begun.before:2) echo 'completed 1' ;; # it is the second message then
	*) echo 'completed|lost 0' ;;
	esac
}

@test "the shim killed at each point: the turn says so or goes on, the next message works" {
	local point n first again lost
	for point in $(points '^shim\.'); do
		for n in ${AMIKA_CRASH_VISITS:-1 2}; do
			echo "$point:$n"
			fresh_state "$point.$n"
			echo "$point:$n" >"$AMIKA_STATE_DIRECTORY/run/crash"
			live_through tau >/dev/null
			read -r first again < <(first_outcome "$point:$n")
			survived tau 0 a="$first" b='completed|lost' c-1='completed|lost' c-2='completed|lost' \
				c-3='completed|lost' c-4='failed|lost' c-5='completed|lost' c-6='completed|lost' d=completed
			[ ! -e "$AMIKA_STATE_DIRECTORY/run/crash" ]
			[ "$(events_of '.data.details.sent_again == true')" -ge "$again" ]
			[ "$(events_of '.amika.outcome == "lost"')" -le 1 ]
			lost=$(events_of '.type == "error" and .data.details.reason == "lost"')
			[ "$lost" -le 1 ]
			# Some are passed once in the life of a shim; and once its end is on record, it is not missed.
			[ "$lost" = 1 ] || [ "$n" != 1 ] || [ "$point" = shim.end.after ]
			amikad stop >/dev/null
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
