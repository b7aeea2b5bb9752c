#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Another amikad in the place of the running one: a newer goes on, one that cannot is not let in.

load helper

setup() {
	helper_setup_file
	# An installation of our own, whose amikad can be exchanged.
	installed=$BATS_TEST_TMPDIR/installed
	mkdir "$installed"
	cp "$bindir"/amika{,d,-session,-send,-events,-decision,-shim,-mock} "$installed"
	PATH=$installed:$PATH
}

teardown() { helper_teardown_file; }

install_amikad() { # FILE
	cp "$1" "$installed/new"
	chmod +x "$installed/new"
	mv -f "$installed/new" "$installed/amikad"
}

version() { sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" 'PRAGMA user_version'; }

# A flood in tau, and the restart in the middle of it.
restart_in_flood() {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait --id a tau "flood 20000 60" >/dev/null
	amika send --no-wait --id b tau hello >/dev/null
	said tau 500 item.delta
	run "$@"
}

whole() {
	said tau 2 turn.ended
	amika events --json tau >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
	[ "$(jq -s 'map(select(.type == "item.delta" and .amika.turn == 1)) | length' "$BATS_TEST_TMPDIR/events")" = 20000 ]
	[ "$(jq -rs 'map(select(.type == "turn.ended").amika.outcome) | join(" ")' "$BATS_TEST_TMPDIR/events")" = 'completed completed' ]
}

@test "into a newer version, in mid-flood: its migration, then the flood goes on" {
	local before
	amika session list
	before=$(version)
	install_amikad "$top_builddir/tests/tools/amikad-next"
	restart_in_flood amikad restart
	[ "$status" -eq 0 ]
	[ "$(version)" = $((before + 1)) ]
	whole
}

@test "into an older version, in mid-flood: refused in one sentence, and nothing changes" {
	local pid now
	install_amikad "$top_builddir/tests/tools/amikad-next"
	amika session list
	pid=$(amikad status | jq .pid)
	now=$(awk '{ print $22 }' "/proc/$pid/stat")
	install_amikad "$bindir/amikad"
	restart_in_flood amikad restart
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output = 'amikad: failed: not restarted: '*'the database was written by a newer amika (version '*')'* ]]
	[ "$(amikad status | jq .pid)" = "$pid" ]
	[ "$(awk '{ print $22 }' "/proc/$pid/stat")" = "$now" ]
	[[ $(amikad status | jq -r .refused) = *'newer amika'* ]]
	jq -es 'any(.level == "error" and (.message | startswith("not restarted: ")))' "$AMIKA_STATE_DIRECTORY/amikad.log"
	whole
	# With the right one there it works, and the refusal is history.
	install_amikad "$top_builddir/tests/tools/amikad-next"
	amikad restart | jq -e '.refused == null'
}

@test "an older one is refused at a start, too, and leaves the database as it is" {
	install_amikad "$top_builddir/tests/tools/amikad-next"
	amika session list
	amikad stop
	install_amikad "$bindir/amikad"
	local before
	before=$(version)
	run amikad serve
	[ "$status" -eq 1 ]
	[[ $output = *'written by a newer amika'* ]]
	[ "$(version)" = "$before" ]
}

@test "what is no amikad, is not there, or does not answer the question is not started" {
	amika session list
	printf '#!/bin/sh\necho "amikad: usage: serve has no option --check" >&2\nexit 2\n' >"$BATS_TEST_TMPDIR/ancient"
	install_amikad "$BATS_TEST_TMPDIR/ancient"
	run "$bindir/amikad" restart
	[ "$status" -eq 1 ]
	[[ $output = *'not restarted: serve has no option --check' ]]
	printf '#!/bin/sh\nexit 7\n' >"$BATS_TEST_TMPDIR/mute"
	install_amikad "$BATS_TEST_TMPDIR/mute"
	run "$bindir/amikad" restart
	[ "$status" -eq 1 ]
	[[ $output = *'does not say that it can serve this state folder (status 7)' ]]
	rm "$installed/amikad"
	run "$bindir/amikad" restart
	[ "$status" -eq 1 ]
	[[ $output = *'not restarted: '* ]]
	amika session list
	install_amikad "$bindir/amikad"
	amikad restart
}

@test "settings that cannot be used keep the daemon from being exchanged" {
	amika session list
	echo '{"nonsense":1}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run amikad restart
	[ "$status" -eq 1 ]
	[[ $output = *'not restarted: settings.json: unknown setting "nonsense"'* ]]
	amika session list
	run amikad serve --check
	[ "$status" -eq 3 ]
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
	amikad serve --check
	amikad restart
}

@test "a session without a program takes messages after a stop" {
	amika session create idle --agent mock -- --pace 0 >/dev/null
	amikad stop
	amika send --timeout 20000 idle hello | jq -es 'map(select(.type == "turn.ended").amika.outcome) == ["completed"]'
}
