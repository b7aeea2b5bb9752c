#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A disk that is full, read-only, broken or torn: what would be written is refused in a sentence, what is there
# can be read, agents go on, and when the disk is well again so is everything else, without a new start.

load helper
load dying

setup() {
	helper_setup_file
	printf '{"recover_ms":100}\n' >"$AMIKA_STATE_DIRECTORY/settings.json"
}

teardown() { helper_teardown_file; }

needs_mounts() {
	unshare -m true 2>/dev/null || skip "mounts: a mount namespace needs root"
}

# A preloaded library would come before the sanitizers' own.
needs_faults() {
	! grep -qa __asan_init "$bindir/amikad" || skip "faults: not with the sanitizers"
}

# Runs a function with the state folder on a disk of its own, which goes with it.
on_disk() { # SIZE FUNCTION
	BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR unshare -m bash -eEuo pipefail -c "$(declare -f)
		mount -t tmpfs -o size=$1,mode=0700 none \"\$AMIKA_STATE_DIRECTORY\"
		printf '{\"recover_ms\":100}\n' >\"\$AMIKA_STATE_DIRECTORY/settings.json\"
		trap 'amikad stop >/dev/null' EXIT
		$2"
}

fill_disk() { ! cat /dev/zero >"$AMIKA_STATE_DIRECTORY/filler" 2>/dev/null; }

# A request by hand: its status, a header of the reply, its body in $BATS_TEST_TMPDIR/body.
asks() { # METHOD PATH [BODY]
	curl -s -o "$BATS_TEST_TMPDIR/body" -w '%{http_code} %header{retry-after}' -X "$1" \
		--unix-socket "$AMIKA_STATE_DIRECTORY/socket" ${3:+-H content-type:application/json -d "$3"} "http://amika$2"
}

# As a client would: again, as often as it is told to come back.
posts_in_the_end() { # SESSION ID TEXT
	curl -sf --retry 20 -X POST --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -H content-type:application/json \
		-d "{\"message\":\"$3\",\"messageId\":\"$2\"}" "http://amika/v1/sessions/$1/messages"
}

refuses_to_write() { # SENTENCE
	local status
	[ "$(asks POST /v1/sessions/tau/messages '{"message":"hello","messageId":"refused"}')" = '503 1' ]
	status=$(jq -r '"\(.detail) (\(.hint))"' "$BATS_TEST_TMPDIR/body")
	echo "$status"
	[[ $status == *"$1"* ]]
	[ "$(asks POST /v1/sessions/new '{"agent":"mock"}')" = '503 1' ]
	[ "$(asks POST /v1/sessions/tau/terminate)" = '503 1' ]
	status=0
	amika send tau hello 2>"$BATS_TEST_TMPDIR/said" || status=$?
	[ "$status" = 8 ]
	cat "$BATS_TEST_TMPDIR/said"
	grep -q '^amika-send: unreachable: the state cannot be written: ' "$BATS_TEST_TMPDIR/said"
}

can_be_read() { # SESSION EVENTS
	[ "$(asks GET /v1/health)" = '200 ' ]
	[ "$(amika session list --json | jq -r .session_id)" = "$1" ]
	[ "$(amika session show --json "$1" | jq -r .state)" = idle ]
	[ "$(amika events --json "$1" | wc -l)" = "$2" ]
	amika decision list --all --json >"$BATS_TEST_TMPDIR/decisions"
	[ "$(asks GET /v1/decisions/d_1)" = '200 ' ]
}

# A session with a turn and a decision behind it; prints how many events that made.
begin() {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait --id a tau permission >/dev/null
	allow_all tau a
	amika events --json tau | wc -l
}

full() {
	local events
	events=$(begin)
	fill_disk
	refuses_to_write 'make room'
	can_be_read tau "$events"
	rm "$AMIKA_STATE_DIRECTORY/filler"
	posts_in_the_end tau b hello
	amika send --timeout 20000 --id c tau hello >/dev/null
	survived tau 0 a=completed b=completed c=completed
	amika doctor --store >/dev/null
}

@test "a full disk: 503 and a sentence, reading goes on, and so does all else when there is space" {
	needs_mounts
	on_disk 16m full
}

# The flood fills the disk by itself: `out` cannot grow, nor the log.
flooded() {
	begin >/dev/null
	amika send --no-wait --id b tau 'flood 60000 100' >/dev/null
	until [ "$(stat -f -c %a "$AMIKA_STATE_DIRECTORY")" = 0 ]; do amika session list >/dev/null; done
	amika events --json tau | check-stream --open -
	[ "$(jq -s 'length' < <(amika session list --json))" = 1 ]
	mount -o remount,size=200m "$AMIKA_STATE_DIRECTORY"
	posts_in_the_end tau c hello
	amika send --timeout 60000 --id d tau hello >/dev/null
	survived tau 0 a=completed b=completed c=completed d=completed
	[ "$(jq -s 'map(select(.type == "item.delta" and .amika.turn == 2)) | length' "$events")" = 60000 ]
	amika doctor --store >/dev/null
}

@test "a flood that fills the disk waits in its pipe, and is whole in the end" {
	needs_mounts
	on_disk 12m flooded
}

# What a hook was being told when the disk became full it is told again: whether it took it could not be written.
full_while_told() {
	local here=$BATS_TEST_TMPDIR
	mkfifo "$here/began" "$here/alive"
	cat >"$here/hook" <<-END
		#!/bin/sh
		echo "\$AMIKA_DELIVERY" >>"$here/told"
		[ -e "$here/free" ] || exec 9>"$here/alive"
		echo >"$here/began"
		[ -e "$here/free" ] || exec tail -f /dev/null
	END
	chmod 700 "$here/hook"
	printf '{"recover_ms":100,"hooks":[{"name":"n","on":["turn.ended"],"command":["%s"],"deadline_ms":600000}]}\n' \
		"$here/hook" >"$AMIKA_STATE_DIRECTORY/settings.json"
	exec {alive}<>"$here/alive" {end}<"$here/alive"
	exec {alive}>&-
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --id a tau hello >/dev/null
	read -r <"$here/began"
	fill_disk
	refuses_to_write 'make room'
	[ "$(amika hook --json | jq .waiting)" = 1 ]
	cat <&"$end" # until it has ended
	: >"$here/free"
	rm "$AMIKA_STATE_DIRECTORY/filler"
	read -r <"$here/began"
	posts_in_the_end tau b hello
	read -r <"$here/began"
	[ "$(tr '\n' ' ' <"$here/told")" = 'h_1 h_1 h_2 ' ]
}

@test "a full disk while a hook runs: it is told again when there is space" {
	needs_mounts
	on_disk 16m full_while_told
}

# A daemon that dies at the full disk loses nothing of what it had acknowledged.
full_and_killed() {
	local before
	before=$(begin)
	fill_disk
	refuses_to_write 'make room'
	kill -KILL "$(amikad status | jq .pid)"
	amika session list >/dev/null 2>"$BATS_TEST_TMPDIR/said" || grep -c . "$BATS_TEST_TMPDIR/said"
	rm "$AMIKA_STATE_DIRECTORY/filler"
	amika send --timeout 20000 --id b tau hello >/dev/null
	survived tau 0 a=completed b=completed
	[ "$(jq -s '.[0:$n] | map(.amika.turn == 2) | any' --argjson n "$before" "$events")" = false ]
	amika doctor --store >/dev/null
}

@test "killed while the disk is full: nothing acknowledged is lost" {
	needs_mounts
	on_disk 16m full_and_killed
}

read_only() {
	begin >/dev/null
	amikad stop >/dev/null
	# A shim may be at its last act.
	until mount -o remount,ro "$AMIKA_STATE_DIRECTORY" 2>/dev/null; do [ -d "$AMIKA_STATE_DIRECTORY" ]; done
	status=0
	amika session list 2>"$BATS_TEST_TMPDIR/said" >/dev/null || status=$?
	cat "$BATS_TEST_TMPDIR/said"
	[ "$status" != 0 ]
	grep -qE '^amika-session: [a-z_]+: .*[Rr]ead-only file system' "$BATS_TEST_TMPDIR/said"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/said")" = 1 ]
	mount -o remount,rw "$AMIKA_STATE_DIRECTORY"
	amika send --timeout 20000 --id b tau hello >/dev/null
	survived tau 0 a=completed b=completed
}

@test "a state folder that is mounted read-only: no daemon, one sentence; writable again, all is there" {
	needs_mounts
	on_disk 16m read_only
}

# Begins with a daemon of which, while the file `broken` is there, calls fail.
faulty_daemon() { # CALLS:ERRNO [FOLDER]
	rm -f "$BATS_TEST_TMPDIR/ready" "$BATS_TEST_TMPDIR/broken"
	mkfifo "$BATS_TEST_TMPDIR/ready"
	LD_PRELOAD=$top_builddir/tests/tools/fault.so AMIKA_FAULT=$1:1+ AMIKA_FAULT_PATH=$AMIKA_STATE_DIRECTORY${2:-}/ \
		AMIKA_FAULT_WHILE=$BATS_TEST_TMPDIR/broken AMIKA_FAULT_COUNT=$BATS_TEST_TMPDIR/faults \
		amikad serve --ready-fd 5 5>"$BATS_TEST_TMPDIR/ready" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
	read -r _ <"$BATS_TEST_TMPDIR/ready"
}

breaks_and_mends() { # CALLS:ERRNO SENTENCE
	local events
	faulty_daemon "$1"
	events=$(begin)
	touch "$BATS_TEST_TMPDIR/broken"
	# The first that fails may be the one by which the daemon learns of it.
	asks POST /v1/sessions/tau/messages '{"message":"hello","messageId":"b"}' >"$BATS_TEST_TMPDIR/first"
	grep -q '^503 1' "$BATS_TEST_TMPDIR/first"
	refuses_to_write "$2"
	[ "$(asks GET /v1/health)" = '200 ' ]
	[ "$(amika session list --json | jq -r .session_id)" = tau ]
	amika events --json tau | head -n "$events" | check-stream -
	rm "$BATS_TEST_TMPDIR/broken"
	posts_in_the_end tau b hello
	amika send --timeout 20000 --id c tau hello >/dev/null
	survived tau 0 a=completed b=completed c=completed
	amika doctor --store >/dev/null
	until grep -q 'the state can be written again' "$BATS_TEST_TMPDIR/log"; do amika session list >/dev/null; done
	[ "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/faults")" -ge 1 ]
}

@test "a file system that turns read-only under a running daemon" {
	needs_faults
	breaks_and_mends write,pwrite,ftruncate,openat:EROFS 'writable again'
}

@test "writes that fail with an I/O error" {
	needs_faults
	breaks_and_mends write,pwrite:EIO 'reports errors'
}

@test "flushes that fail: nothing is acknowledged on the strength of a later one" {
	needs_faults
	breaks_and_mends fsync,fdatasync:EIO 'reports errors'
}

# The shims of the state folder: each holds the lock on its run's positions.
shims() {
	local pid file pos major minor inode
	awk '$2 == "FLOCK" { print $5, $6 }' /proc/locks | while read -r pid file; do
		for pos in "$AMIKA_STATE_DIRECTORY"/run/*/pos; do
			read -r major minor inode < <(stat -c '%Hd %Ld %i' "$pos")
			[ "$file" != "$(printf '%02x:%02x:%d' "$major" "$minor" "$inode")" ] || echo "$pid"
		done
	done
}

# All processes of the state folder at once, as the power takes them.
cut_power() {
	local pids pid shim
	pids="$(amikad status | jq .pid) $(shims)"
	for shim in $(shims); do pids+=" $(pgrep -P "$shim" amika-mock || true)"; done
	# shellcheck disable=SC2086 # a list
	kill -KILL $pids
	for pid in $pids; do tail --pid="$pid" -s 0.01 -f /dev/null; done
}

@test "power loss: output that is on record and not on the disk any more" {
	local left out session=0
	for left in 0 100 1000 -1; do
		session=$((session + 1))
		echo "$left"
		amika session create "s$session" --agent mock -- --pace 0 >/dev/null
		amika send --timeout 20000 --id a "s$session" tool >/dev/null
		amika send --no-wait --id b "s$session" permission >/dev/null
		await "s$session" permission.requested 2 >/dev/null
		amika send --no-wait --id c "s$session" hello >/dev/null
		cut_power
		out=$(echo "$AMIKA_STATE_DIRECTORY"/run/*/out)
		[ "$(stat -c %s "$out")" -gt 1000 ]
		truncate -s "$left" "$out"
		amika send --timeout 20000 --id d "s$session" hello >/dev/null
		survived "s$session" 0 a=completed b=lost c=completed d=completed
		amika doctor --store >/dev/null
		amikad stop >/dev/null
		rm -r "$AMIKA_STATE_DIRECTORY"/run "$AMIKA_STATE_DIRECTORY"/amika.db*
	done
}

@test "a torn end of the log's file: all but the torn turn is there, and the agent's output brings that back" {
	local before
	begin >/dev/null
	amika send --timeout 20000 --id b tau 'flood 200 50' >/dev/null
	before=$(amika events --json tau | jq -c 'del(.time, .sequence, .event_id)' | sha256sum)
	kill -KILL "$(amikad status | jq .pid)"
	truncate -s -1000 "$AMIKA_STATE_DIRECTORY/amika.db-wal"
	amika send --timeout 20000 --id c tau hello >/dev/null
	survived tau 0 a=completed b=completed c=completed
	# The third message may have met the second turn while its end was brought back.
	[ "$before" = "$(jq -c 'select(.amika.turn != 3 and .type != "message.queued")
		| del(.time, .sequence, .event_id)' "$events" | sha256sum)" ]
	amika doctor --store >/dev/null
}

# No daemon comes up, in one sentence with a remedy, and nothing was touched.
refused_at_start() { # WORDS
	local was
	was=$(sha256sum <"$AMIKA_STATE_DIRECTORY/amika.db")
	for tool in 'amika session list' 'amikad serve'; do
		run --separate-stderr $tool
		echo "$stderr"
		[ "$status" -ne 0 ]
		[[ $stderr == *"$1"* ]]
		[ "$(grep -c . <<<"$stderr")" = 1 ]
		[[ $stderr == *'('*')' ]]
	done
	[ "$was" = "$(sha256sum <"$AMIKA_STATE_DIRECTORY/amika.db")" ]
	[ ! -s "$AMIKA_STATE_DIRECTORY/amika.db-wal" ]
	run amikad status
	[ "$status" = 8 ]
}

root_page() { # TABLE
	sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" "SELECT rootpage FROM sqlite_master WHERE name = '$1'"
}

spoil_page() { # NUMBER
	head -c 4096 /dev/urandom | dd of="$AMIKA_STATE_DIRECTORY/amika.db" bs=4096 seek=$(($1 - 1)) conv=notrunc status=none
}

@test "a database that is corrupt, of something else, or newer: refused at the start, untouched" {
	begin >/dev/null
	amikad stop >/dev/null
	cp -a "$AMIKA_STATE_DIRECTORY" "$BATS_TEST_TMPDIR/whole"
	again() { cp "$BATS_TEST_TMPDIR/whole/amika.db" "$AMIKA_STATE_DIRECTORY/amika.db"; }
	spoil_page 1
	refused_at_start 'not a database'
	again
	spoil_page "$(root_page session)"
	refused_at_start 'malformed'
	again
	truncate -s 5000 "$AMIKA_STATE_DIRECTORY/amika.db"
	refused_at_start 'malformed'
	again
	sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" 'PRAGMA user_version = 99'
	refused_at_start 'newer amika'
	again
	sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" 'PRAGMA application_id = 1'
	refused_at_start 'not made by amika'
	again
	amika send --timeout 20000 --id b tau hello >/dev/null
	survived tau 0 a=completed b=completed
}

@test "a database found corrupt while at work: said, not written any more, the rest is read" {
	local was
	amika session create rho --agent mock >/dev/null
	begin >/dev/null
	amika send --timeout 20000 --id b tau 'flood 3000 100' >/dev/null
	amikad stop >/dev/null
	spoil_page "$(sqlite3 "$AMIKA_STATE_DIRECTORY/amika.db" \
		"SELECT pageno FROM dbstat WHERE name = 'log' AND pagetype = 'leaf' LIMIT 1 OFFSET 9")"
	amika session list --json | jq -e -s 'length == 2'
	run --separate-stderr amika events tau
	echo "$stderr"
	[ "$status" = 1 ]
	[[ $stderr == *malformed*'(stop amikad, then put a copy of amika.db back, or move it away to begin anew)' ]]
	was=$(sha256sum <"$AMIKA_STATE_DIRECTORY/amika.db")
	[ "$(asks POST /v1/sessions/rho/messages '{"message":"hello"}')" = '503 1' ]
	jq -r .detail "$BATS_TEST_TMPDIR/body" | grep malformed
	amika session list --json | jq -e -s 'length == 2'
	amikad stop >/dev/null
	[ "$was" = "$(sha256sum <"$AMIKA_STATE_DIRECTORY/amika.db")" ]
}

# Only what belongs to programs fails: their folders, `in`. What is on record waits for better times.
@test "spools that cannot be made or written: the message waits, and is sent once" {
	needs_faults
	faulty_daemon write,pwrite,openat,mkdirat:ENOSPC /run
	amika session create tau --agent mock -- --pace 0 >/dev/null
	touch "$BATS_TEST_TMPDIR/broken"
	amika send --no-wait --id a tau hello >/dev/null
	until grep -q 'it is tried again' "$BATS_TEST_TMPDIR/log"; do [ -d "$AMIKA_STATE_DIRECTORY" ]; done
	[ "$(amika session show --json tau | jq -r .state)" = starting ]
	rm "$BATS_TEST_TMPDIR/broken"
	await tau 'turn.ended.*"message":"a"' >/dev/null
	touch "$BATS_TEST_TMPDIR/broken"
	amika send --no-wait --id b tau hello >/dev/null
	[ "$(amika session show --json tau | jq -r .state)" = working ]
	rm "$BATS_TEST_TMPDIR/broken"
	await tau 'turn.ended.*"message":"b"' >/dev/null
	survived tau 0 a=completed b=completed
	[ "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/faults")" -ge 1 ]
	amika doctor --store >/dev/null
}

# The shim has output it cannot save, and an end it cannot record.
killed_in_the_flood() {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait --id a tau 'flood 60000 100' >/dev/null
	until [ "$(stat -f -c %a "$AMIKA_STATE_DIRECTORY")" = 0 ]; do amika session list >/dev/null; done
	kill -KILL "$(pgrep -P "$(shims)" amika-mock)"
	[ ! -e "$AMIKA_STATE_DIRECTORY/run/1/end" ]
	mount -o remount,size=200m "$AMIKA_STATE_DIRECTORY"
	await tau 'turn.ended.*"message":"a"' >/dev/null
	amika send --timeout 20000 --id b tau hello >/dev/null
	survived tau 0 a=failed b=completed
	amika doctor --store >/dev/null
}

@test "an agent that is killed while the disk is full: all it had written is in the log, and its end" {
	needs_mounts
	on_disk 12m killed_in_the_flood
}
