#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika doctor --store: a busy store is all well, also beside its daemon; each thing that is damaged has its row.

load helper
load dying

setup_file() {
	helper_setup_file
	amika session create tau --agent mock -- --pace 0
	amika session create rho --agent mock -- --pace 0
	amika session create eta --agent mock -- --pace 0
	amika send --no-wait --id a tau permission
	allow_all tau a
	amika send --timeout 60000 --id b tau 'flood 3000 50' >/dev/null
	amika send --timeout 60000 rho 'exit 3' >/dev/null || [ $? = 1 ]
	amika session end eta
	# Left in the middle: a decision is open, its program lives, two messages wait.
	amika send --no-wait --id c tau permission
	amika send --no-wait --id d tau hello
	amika send --no-wait --id e tau hello
	await tau permission.requested 2
	amika doctor --store >"$BATS_FILE_TMPDIR/beside"
	kill -KILL "$(amikad status | jq .pid)"
	export WHOLE=$BATS_FILE_TMPDIR/whole
	cp -a "$AMIKA_STATE_DIRECTORY" "$WHOLE"
} >/dev/null

teardown_file() { helper_teardown_file; }

# A copy that may be damaged. No amikad was ever at work in it.
setup() {
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/state
	cp -a "$WHOLE" "$AMIKA_STATE_DIRECTORY"
	rm -f "$AMIKA_STATE_DIRECTORY/socket"
}

sql() { sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" "$1"; }

# The row says so, with a remedy, and the status.
sees() { # ROW WORDS
	run --separate-stderr amika doctor --store
	echo "$output"
	[ "$status" = 1 ]
	[ -z "$stderr" ]
	jq -es --arg name "$1" --arg words "$2" 'map(select(.name == $name))[0]
		| .ok == false and (.detail | contains($words)) and (.remedy | length > 10)' <<<"$output"
}

run_of() { sql "SELECT max(run.row) FROM run JOIN session ON session.row = run.session WHERE session.id = '$1'"; }

@test "a busy store is all well: beside its daemon, after it was killed, and looking changes nothing" {
	local before
	[ "$(jq -s 'map(.ok) | all' "$BATS_FILE_TMPDIR/beside")" = true ]
	before=$(sha256sum "$AMIKA_STATE_DIRECTORY"/amika.db "$AMIKA_STATE_DIRECTORY"/amika.db-wal)
	run --separate-stderr amika doctor --store
	echo "$output"
	[ "$status" = 0 ]
	[ "$(jq -rs 'map(.name) | join(" ")' <<<"$output")" = "database integrity foreign keys sequences shapes orphans \
decisions messages runs checkpoints positions spools leftovers" ]
	[ "$before" = "$(sha256sum "$AMIKA_STATE_DIRECTORY"/amika.db "$AMIKA_STATE_DIRECTORY"/amika.db-wal)" ]
	run amikad status
	[ "$status" = 8 ]
}

@test "where there is no database none is made" {
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/empty
	mkdir -m 700 "$AMIKA_STATE_DIRECTORY"
	run amika doctor --store
	[ "$status" = 0 ]
	[ -z "$(ls -A "$AMIKA_STATE_DIRECTORY")" ]
	rmdir "$AMIKA_STATE_DIRECTORY"
	run amika doctor --store
	[ "$status" = 4 ]
	[ ! -e "$AMIKA_STATE_DIRECTORY" ]
}

@test "database: garbage, another program's, a newer one" {
	sql 'PRAGMA user_version = 99'
	sees database 'newer amika (version 99'
	sql 'PRAGMA application_id = 7'
	sees database 'not made by amika'
	printf 'garbage and no database at all, and more of it' | dd of="$AMIKA_STATE_DIRECTORY/amika.db" conv=notrunc status=none
	rm "$AMIKA_STATE_DIRECTORY"/amika.db-*
	sees database 'not a database'
}

@test "integrity: a page that nothing leads to" {
	sql "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'message_queued'"
	sees integrity 'never used'
}

@test "foreign keys and orphans: a session that is gone" {
	sql "DELETE FROM session WHERE id = 'rho'"
	sees 'foreign keys' 'names no session'
	sees orphans 'belongs to no session'
}

@test "orphans: inputs and decisions of a run that is gone" {
	sql "DELETE FROM run WHERE row = $(run_of tau)"
	sees orphans 'belongs to no run'
}

@test "sequences: a hole, a beginning, an order, an end that are not what they should be" {
	sql "DELETE FROM log WHERE sequence = 7 AND session = 1"
	sees sequences 'session tau: 8 follows 6'
	sql "DELETE FROM log WHERE sequence = 1 AND session = 2"
	sees sequences 'session rho: its first event is 2'
	sql "UPDATE log SET row = 1000000 WHERE session = 3 AND sequence = 1"
	sees sequences 'session eta: 2 was written before 1'
	sql "UPDATE session SET sequence = sequence + 1 WHERE id = 'eta'"
	sees sequences '; and 1 more'
}

@test "sequences: a session whose row is ahead of its log" {
	sql "UPDATE session SET sequence = sequence + 1 WHERE id = 'eta'"
	sees sequences 'session eta: ends with'
}

@test "shapes: one that is gone, one that is too short" {
	sql "UPDATE shape SET text = x'7b' WHERE row = (SELECT max(shape) FROM log)"
	sees shapes 'does not fit its shape'
	sql "DELETE FROM shape WHERE row = (SELECT max(shape) FROM log)"
	sees shapes 'session tau: event '
	sees shapes 'has lost its shape'
}

@test "sequences: what was forgotten is not missing" {
	sql "DELETE FROM log WHERE sequence < 5 AND session = 1; UPDATE counter SET value = 8 WHERE name = 'log_forgotten'"
	amika doctor --store
}

@test "decisions and runs: one that is open after its program, one that lives after its session" {
	sql "UPDATE run SET ended = 1 WHERE row = $(run_of tau)"
	sees decisions 'd_3 is open, and what asked has ended'
	sql "UPDATE run SET ended = 0 WHERE row = $(run_of tau); UPDATE session SET ended = 1 WHERE id = 'tau'"
	sees runs 'its session tau has'
	sees messages 'waits in session tau'
	sql "INSERT INTO run SELECT 77, session, 9, 0, 0, 0, 0, 0, NULL FROM run WHERE row = $(run_of tau)"
	sees runs 'has not ended, and a later one'
}

@test "checkpoints: ahead of the log, inputs on the wrong side" {
	local run
	run=$(run_of tau)
	sql "UPDATE run SET checkpoint_out = out_n + 1 WHERE row = $run"
	sees checkpoints "run $run: its checkpoint is at"
	sql "UPDATE run SET checkpoint_input = 100000 WHERE row = $run"
	sees checkpoints 'is kept behind its checkpoint'
	sql "UPDATE input SET out_n = 100000000 WHERE run = $run"
	sees checkpoints 'the log is at'
}

@test "positions: spools that are shorter or longer than what is on record" {
	local folder run
	run=$(run_of tau)
	folder=$AMIKA_STATE_DIRECTORY/run/$run
	cp "$folder/in" "$BATS_TEST_TMPDIR/in"
	echo more >>"$folder/in"
	sees positions "run $run (tau): in has"
	cp "$BATS_TEST_TMPDIR/in" "$folder/in"
	sql "DELETE FROM input WHERE run = $run"
	truncate -s -1 "$folder/in"
	sees positions 'and the rest is not recorded'
	cp "$BATS_TEST_TMPDIR/in" "$folder/in"
	cp "$folder/pos" "$BATS_TEST_TMPDIR/pos"
	printf '\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0' | dd of="$folder/pos" conv=notrunc status=none
	sees positions 'pos says begun 1, done 2'
	cp "$BATS_TEST_TMPDIR/pos" "$folder/pos"
	truncate -s 10 "$folder/out"
	sees positions 'of its output, out has 10'
}

@test "spools: folders of nothing, and a program without one" {
	mkdir "$AMIKA_STATE_DIRECTORY/run/999" "$AMIKA_STATE_DIRECTORY/run/what"
	sees spools 'run/999 belongs to no run on record'
	sees spools 'run/what is no folder of a program'
	rm -r "$AMIKA_STATE_DIRECTORY/run/$(run_of tau)"
	sees spools '(tau) has not ended and has no folder'
}

@test "leftovers: files that were to be renamed" {
	touch "$AMIKA_STATE_DIRECTORY/.token.new" "$AMIKA_STATE_DIRECTORY/run/$(run_of rho)/.end.new"
	sees leftovers .token.new
	sees leftovers "run/$(run_of rho)/.end.new"
}
