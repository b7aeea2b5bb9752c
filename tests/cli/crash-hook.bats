#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The daemon killed between an event and its hook, and around the hook's run: every event is told, always as one delivery.

load helper
load dying

setup() {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
	export XDG_RUNTIME_DIR=
}

teardown() { [ -z "${AMIKA_STATE_DIRECTORY:-}" ] || amikad stop; }

# A state folder with a hook that writes down what it was told, and as which delivery.
hooked_state() { # NAME
	fresh_state "$1"
	told=$BATS_TEST_TMPDIR/told.$1
	: >"$told"
	cat >"$BATS_TEST_TMPDIR/hook" <<-END
		#!/bin/sh
		read -r line
		printf '%s %s\n' "\$AMIKA_DELIVERY" "\$line" >>'$told'
	END
	chmod 700 "$BATS_TEST_TMPDIR/hook"
	(umask 077 && cat >"$AMIKA_STATE_DIRECTORY/settings.json") <<-END
		{"hooks":[{"name":"n","on":["turn.ended","decision.open","decision.closed","session.ended"],"command":["$BATS_TEST_TMPDIR/hook"]}]}
	END
}

is_told() { [ -z "$(amika hook deliveries --json)" ]; }

@test "the daemon killed at each point of a hook's way: told at least once, as one delivery" {
	local point n looks
	for point in $(points '^(hook|commit)\.'); do
		for n in ${AMIKA_CRASH_VISITS:-1 2 3}; do
			echo "$point:$n"
			hooked_state "$point.$n"
			daemon_dying_at "$point:$n"
			amika session create tau --agent mock -- --pace 0 >/dev/null 2>&1 || amika session show tau >/dev/null
			for m in a b c; do amika send --id "$m" tau hello >/dev/null; done
			amika send --no-wait --id d tau permission >/dev/null
			allow_all tau d
			amika session end tau >/dev/null || amika session end tau >/dev/null
			for ((looks = 0; looks < 2000; looks++)); do ! is_told || break; done
			is_told
			daemon_has_died
			amika events --json tau | jq -r 'select(.type | IN("turn.ended", "permission.resolved", "session.ended")).event_id' |
				sort >"$BATS_TEST_TMPDIR/all"
			[ "$(wc -l <"$BATS_TEST_TMPDIR/all")" -eq 7 ]
			cut -d' ' -f2- "$told" | jq -r 'select(.type != "permission.requested").event_id' | sort -u |
				cmp - "$BATS_TEST_TMPDIR/all"
			# An event has one delivery, however often it was told.
			sed 's/ .*"event_id":"\([^"]*\)".*/ \1/' "$told" | sort -u | cut -d' ' -f2 | uniq -d >"$BATS_TEST_TMPDIR/twice"
			[ ! -s "$BATS_TEST_TMPDIR/twice" ]
			amikad stop >/dev/null
		done
	done
}
