#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Forgetting: a session of which nothing remains, old events that are not kept, and both with the daemon
# killed in the middle.

load helper
load dying

setup() {
	helper_setup_file
	db=$AMIKA_STATE_DIRECTORY/amika.db
}

teardown() { helper_teardown_file; }

api() { # METHOD PATH: the status
	curl -sS -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' -X "$1" --unix-socket "$AMIKA_STATE_DIRECTORY/socket" \
		"http://localhost/v1/$2"
}

# Asked of a daemon that is to die of it: answered, or cut off (curl: refused, no reply, broken).
forget_of_dying() { # NAME
	local status=0
	api DELETE "sessions/$1" >"$BATS_TEST_TMPDIR/status" 2>/dev/null || status=$?
	[[ $status =~ ^(0|7|52|56)$ ]]
}

# A session with a live program, a decision, queued messages and a secret.
lively() { # NAME
	amika session create "$1" --agent mock --env "KEY=secret-of-$1" -- --pace 0 >/dev/null
	amika send "$1" hello >/dev/null
	amika send --no-wait "$1" permission >/dev/null
	amika send --no-wait "$1" "words of $1" >/dev/null
	said "$1" 1 permission.requested
}

# Waits until the daemon has said so many times that a session is forgotten.
forgotten() { # COUNT
	grep -m "$1" 'is forgotten' < <(timeout 60 tail -n +1 -F "$AMIKA_STATE_DIRECTORY/amikad.log" 2>/dev/null 3>&-) |
		tail -n 1 | grep .
}

# What is left of all but the living sessions: rows, folders.
leftovers() {
	sqlite3 "$db" "
		SELECT 'session ' || id FROM session WHERE forgotten = 1;
		SELECT 'log of ' || session FROM log WHERE session NOT IN (SELECT row FROM session) GROUP BY session;
		SELECT 'message of ' || session FROM message WHERE session NOT IN (SELECT row FROM session);
		SELECT 'run of ' || session FROM run WHERE session NOT IN (SELECT row FROM session);
		SELECT 'input of run ' || run FROM input WHERE run NOT IN (SELECT row FROM run);
		SELECT 'decision of ' || session FROM decision WHERE session NOT IN (SELECT row FROM session);
		SELECT 'shape of ' || session FROM shape WHERE session NOT IN (SELECT row FROM session);
		SELECT 'spec of ' || session FROM spec WHERE session NOT IN (SELECT row FROM session);"
	local run
	for run in "$AMIKA_STATE_DIRECTORY"/run/[0-9]*; do
		[ ! -e "$run" ] || [ "$(sqlite3 "$db" "SELECT count(*) FROM run WHERE row = ${run##*/}")" = 1 ] || echo "$run"
	done
}

@test "DELETE: nothing of a session is left, not a byte of its environment, and its id is free" {
	lively tau
	lively rho
	local shim
	shim=$(pgrep -o -P "$(amikad status | jq .pid)" amika-shim)
	grep -q secret-of-tau "$db" "$db-wal"
	[ "$(api DELETE sessions/none)" = 404 ]
	[ "$(jq -r .type "$BATS_TEST_TMPDIR/body")" = urn:sandbox-agent:error:session_not_found ]
	[ "$(api DELETE sessions/tau)" = 204 ]
	[ ! -e "/proc/$shim" ]
	[ "$(api GET sessions/tau)" = 404 ]
	[ "$(api DELETE sessions/tau)" = 404 ]
	[ "$(amika session list --json | jq -r .session_id)" = rho ]
	[ "$(amika decision list --all --json | jq -r .session_id | sort -u)" = rho ]
	[ -z "$(leftovers)" ]
	run grep -rlE 'secret-of-tau|words of tau' "$AMIKA_STATE_DIRECTORY"
	[ "$status" -eq 1 ]
	grep -q secret-of-rho "$db"
	amika session create tau --agent mock -- --pace 0
	amika send tau hello >/dev/null
	amika events --json tau | check-stream -
	[ "$(amika events --json tau | head -n 1 | jq .sequence)" = 1 ]
	amika decision list --json | amika decision allow >/dev/null
	said rho 1 permission.resolved
}

@test "one that has ended long ago is forgotten, too" {
	amika session create tau --agent mock --env KEY=secret-of-tau >/dev/null
	amika session end tau >/dev/null
	amikad stop
	amika session list >/dev/null
	[ "$(api DELETE sessions/tau)" = 204 ]
	[ -z "$(leftovers)" ]
	run grep -rl secret-of-tau "$AMIKA_STATE_DIRECTORY"
	[ "$status" -eq 1 ]
}

@test "asked twice at once, it is forgotten once, and both are told" {
	lively tau
	(api DELETE sessions/tau >"$BATS_TEST_TMPDIR/one") &
	[ "$(api DELETE sessions/tau | tr -d '\n')" != 500 ]
	wait $!
	[[ $(cat "$BATS_TEST_TMPDIR/one") = 20[04] || $(cat "$BATS_TEST_TMPDIR/one") = 404 ]]
	[ -z "$(leftovers)" ]
}

@test "its readers see the end of the session, then that of the stream" {
	lively tau
	lively rho
	curl -sSN --unix-socket "$AMIKA_STATE_DIRECTORY/socket" 'http://localhost/v1/sessions/tau/events/sse' \
		>"$BATS_TEST_TMPDIR/stream" 2>/dev/null 3>&- &
	local reader=$!
	# One that is behind gets the end of the stream only.
	grep -m 2 permission.requested < <(timeout 20 tail -n +1 -F "$BATS_TEST_TMPDIR/stream" 2>/dev/null 3>&-) >/dev/null
	[ "$(api DELETE sessions/tau)" = 204 ]
	wait "$reader"
	[ "$(sed -n 's/^data: //p' "$BATS_TEST_TMPDIR/stream" | tail -n 1 | jq -r .type)" = session.ended ]
	[ "$(api GET sessions/rho)" = 200 ]
}

@test "200,000 events go while the daemon answers everybody else" {
	amika session create tau --agent mock >/dev/null
	amika session create rho --agent mock >/dev/null
	amikad stop
	sqlite3 "$db" "
		WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
		INSERT INTO log(session, sequence, hidden, raw_at, run, raw_offset, raw_n, line)
			SELECT 1 + i % 2, 1 + i / 2, 0, 0, NULL, 0, 0, printf('%0300d', i) FROM n;
		UPDATE session SET sequence = (SELECT max(sequence) FROM log WHERE log.session = session.row);"
	amika session list >/dev/null
	(api DELETE sessions/tau >"$BATS_TEST_TMPDIR/deleted") 3>&- &
	local deleting=$! n=0 took slowest=0 wal=0
	while [ -e "/proc/$deleting" ]; do
		took=$(curl -sS -o /dev/null -w '%{time_total}' --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/health)
		took=$((10#${took/./} / 1000))
		[ "$took" -le "$slowest" ] || slowest=$took
		took=$(stat -c %s "$db-wal")
		[ "$took" -le "$wal" ] || wal=$took
		n=$((n + 1))
	done
	wait "$deleting"
	echo "$n answers meanwhile, the slowest after $slowest ms; the WAL grew to $wal bytes"
	[ "$(cat "$BATS_TEST_TMPDIR/deleted")" = 204 ]
	[ "$n" -gt 3 ]
	[ "$slowest" -lt 500 ]
	[ "$wal" -lt $((32 << 20)) ]
	[ -z "$(leftovers)" ]
	[ "$(sqlite3 "$db" 'SELECT count(*) FROM log WHERE session = 2')" = 200000 ]
}

@test "the daemon killed at each point of forgetting: the next one finishes it, and nothing else suffers" {
	grep -qaF forget.marked "$bindir/amikad" || skip "crash points: configure --enable-crash-points"
	local point n killed=0
	for point in forget.marked forget.folders forget.some forget.last; do
		for n in 1 2; do
			echo "$point:$n"
			export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/$point.$n
			db=$AMIKA_STATE_DIRECTORY/amika.db
			(umask 077 && mkdir "$AMIKA_STATE_DIRECTORY")
			daemon_dying_at "$point:$n"
			for name in tau rho chi; do lively "$name"; done
			forget_of_dying tau
			forget_of_dying rho
			wait "$daemon" || [ $? = 137 ]
			killed=$((killed + 1))
			# What was not even begun is asked for again.
			amika session list --json >"$BATS_TEST_TMPDIR/list"
			! grep -q '"rho"' "$BATS_TEST_TMPDIR/list" || [ "$(api DELETE sessions/rho)" = 204 ]
			# At the last point all is done but for the saying.
			[ "$point" = forget.last ] || forgotten 1
			amika session create tau --agent mock -- --pace 0 >/dev/null
			amika send tau hello >/dev/null
			[ -z "$(leftovers)" ]
			amika decision list --json | amika decision allow >/dev/null
			amika send chi hello >/dev/null
			amika events --json chi | check-stream -
			amikad stop >/dev/null
			run grep -rlE 'secret-of-(tau|rho)' "$AMIKA_STATE_DIRECTORY"
			[ "$status" -eq 1 ]
		done
	done
	[ "$killed" = 8 ]
}

# The sequences that are kept, once they begin behind FIRST: "FROM-TO", or what is wrong with them.
kept() { # SESSION FIRST
	local page from=0
	while [ "$from" -lt "$2" ]; do
		page=$(curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" \
			"http://localhost/v1/sessions/$1/events?limit=100000&profile=amika" | jq -c '[.events[].sequence // empty]')
		from=$(jq '.[0]' <<<"$page")
	done
	jq -r 'if . == [range(.[0]; .[-1] + 1)] then "\(.[0])-\(.[-1])" else "holes" end' <<<"$page"
}

@test "keep_events: at a quiet point the oldest go, the numbers go on, readers are told of the gap" {
	echo '{"keep_events":100}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send tau "flood 180 20" >/dev/null
	[ "$(kept tau 1)" = "1-$(amika session show --json tau | jq .after)" ]
	amika send tau "flood 400 20" >/dev/null
	local last
	last=$(amika session show --json tau | jq .after)
	[ "$last" -gt 580 ]
	[ "$(kept tau 100)" = "$((last - 99))-$last" ]
	amika events --json tau | head -n 1 | jq -e --argjson first $((last - 99)) \
		'.type == "gap" and .after == 0 and .before == $first'
	amika send --json tau hello | head -n 1 | jq -e --argjson last "$last" '.sequence > $last'
	amikad restart
	amika send tau hello >/dev/null
	[[ $(kept tau 100) = "$((last - 99))"-* ]]
	amika session end tau
	[[ $(kept tau 100) = "$((last - 99))"-* ]]
}

@test "keep_events: the daemon killed in the middle, in a flood and out of it" {
	grep -qaF keep.some "$bindir/amikad" || skip "crash points: configure --enable-crash-points"
	local n last
	for n in 1 2 3 5; do
		export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/keep.$n
		(umask 077 && mkdir "$AMIKA_STATE_DIRECTORY")
		echo '{"keep_events":60,"checkpoint_bytes":20000}' >"$AMIKA_STATE_DIRECTORY/settings.json"
		daemon_dying_at "keep.some:$n"
		amika session create tau --agent mock -- --pace 0 >/dev/null
		amika send --no-wait --id a tau "flood 300 20" >/dev/null
		amika send --no-wait --id b tau "flood 3000 20" >/dev/null
		amika send --timeout 60000 --id c tau hello >/dev/null
		wait "$daemon" || [ $? = 137 ]
		last=$(amika session show --json tau | jq .after)
		# 3 turns of 6 events and 3,302 deltas, hello's included, besides what is said of sessions and queues.
		[ "$last" -ge 3320 ]
		[ "$(kept tau $((last - 120)))" != holes ]
		amika send --timeout 60000 --id d tau hello >/dev/null
		[ "$(amika session show --json tau | jq .after)" -gt "$last" ]
		amikad stop >/dev/null
	done
}
