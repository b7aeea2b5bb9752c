#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sessions that have ended stay readable and cost the daemon nothing.

load helper

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

comparable() { ! grep -qa __asan_init "$bindir/amikad" || skip "rss: the sanitizer keeps what was freed"; }

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(amikad status | jq .pid)/status"; }

# As if so many more sessions like the one there is had been made and ended.
as_if_ended() { # COUNT
	sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" "
		WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO session(id, agent, native_id, state, sequence, created, updated, ended)
			SELECT 's' || i, agent, native_id, state, sequence, created, updated, 1 FROM n, session WHERE id = 'tau';
		INSERT INTO spec SELECT session.row, spec.spec FROM session, spec WHERE id <> 'tau' AND spec.session = 1;"
}

@test "a session that has ended is shown, listed and read; its id stays taken" {
	amika session create tau --agent mock -- --pace 0
	amika session create rho --agent mock -- --pace 0
	amika send tau hello >/dev/null
	amika session end tau
	amika session list --json >"$BATS_TEST_TMPDIR/list"
	[ "$(jq -r '[.session_id, .state] | join(" ")' "$BATS_TEST_TMPDIR/list")" = $'rho idle\ntau ended' ]
	[ "$(amika session show --json tau | jq -r '[.state, .ended, .directory, .queued] | join(" ")')" = "ended true $PWD 0" ]
	amika events --json tau | check-stream -
	run -5 amika send tau again
	[[ $output = *'session terminated: tau'* ]]
	run -5 amika session create tau --agent mock
	amika session end tau
}

@test "the list comes in pages" {
	local s=$AMIKA_STATE_DIRECTORY/socket page before=0 seen=
	for name in a b c d e; do amika session create "$name" --agent mock >/dev/null; done
	amika session end b d
	for _ in 1 2 3; do
		page=$(curl -sS --unix-socket "$s" "http://localhost/v1/sessions?limit=2&before=$before")
		seen+=$(jq -r '[.sessions[].sessionId] | join("")' <<<"$page")
		before=$(jq -r '.before // 0' <<<"$page")
	done
	[ "$seen" = edcba ]
	[ "$(jq .hasMore <<<"$page")" = false ]
	run curl -sS --unix-socket "$s" "http://localhost/v1/sessions?limit=x"
	[ "$(jq .status <<<"$output")" = 400 ]
}

@test "10,000 sessions that have ended cost no memory, and all are listed" {
	comparable
	local few many
	amika session create tau --agent mock --env "LONG=$(printf '%01500d' 0)" >/dev/null
	amika session end tau
	few=$(rss)
	amikad stop
	as_if_ended 10000
	amika session show s7777 >/dev/null
	many=$(rss)
	echo "RSS $few kB with one, $many kB with 10,001"
	[ "$many" -lt $((few + 1024)) ]
	[ "$(amika session list --json | wc -l)" -eq 10001 ]
	[ "$(rss)" -lt $((few + 4096)) ]
}

@test "a session that ends leaves the daemon's memory" {
	comparable
	local before
	amika session create tau --agent mock >/dev/null
	amika session end tau
	for i in {1..50}; do amika session create "a$i" --agent mock --env "LONG=$(printf '%0100000d' 0)"; done >/dev/null
	before=$(rss)
	for i in {1..50}; do amika session end "a$i"; done >/dev/null
	for i in {1..50}; do amika session create "b$i" --agent mock --env "LONG=$(printf '%0100000d' 0)"; done >/dev/null
	echo "RSS $before kB with 50 sessions, $(rss) kB after as many more"
	[ "$(rss)" -lt $((before + 2500)) ]
}
