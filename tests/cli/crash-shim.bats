#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The shim killed at each crash point (lib/core/crash.h): nothing is lost, repeated or reordered, and whatever was
# under way goes on or ends with a reason. The list of points is read from the code. AMIKA_CRASH_VISITS: at
# which visits of each point (default: "1 2").

load helper
load dying

setup() {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
	export XDG_RUNTIME_DIR=
}

teardown() { [ -z "${AMIKA_STATE_DIRECTORY:-}" ] || amikad stop; }

# The first message is sent again if nothing of it had begun, else it is lost: never both, never neither.
first_outcome() { # POINT:N
	case $1 in
	shim.start.*:1 | shim.tree.*:1 | shim.begun.before:1) echo 'completed 1' ;;
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
