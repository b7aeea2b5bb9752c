#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Hooks: what happens is told at least once, to whom the owner named, and holds nothing up.

load helper
load dying

# The hook `n` is $here/hook: what a test writes there. What it says, it says in $here/told or through fifos.
setup() {
	helper_setup_file
	here=$BATS_TEST_TMPDIR
	bindir=$(dirname "$(command -v amikad)")
	told=$here/told
	: >"$told"
}

teardown() { helper_teardown_file; }

hook() { # what it does, as a script of the shell
	printf '#!/bin/sh\nexec 3>&-\n%s\n' "$1" >"$here/hook"
	chmod 700 "$here/hook"
}

settings() { # EVENTS [MEMBERS OF THE HOOK [OTHER SETTINGS]]
	(umask 077 && cat >"$AMIKA_STATE_DIRECTORY/settings.json") <<END
{"hook_retry_ms":20${3:+,$3},"hooks":[{"name":"n","on":[$1],"command":["$here/hook","a  b",""]${2:+,$2}}]}
END
}

session() { amika session create --agent mock "$1" -- --pace 0 >/dev/null; }

# Looks until a command says yes.
until_it_is() { # COMMAND
	local looks
	for ((looks = 0; looks < 5000; looks++)); do
		if "$@"; then return; fi
	done
	echo "never: $*"
	amika hook deliveries --text
	return 1
}

is_told() { [ -z "$(amika hook deliveries --json)" ]; }
has_failed() { [ "$(amika hook deliveries --failed | wc -l)" -eq "$1" ]; }
has_lines() { [ "$(wc -l <"$told")" -eq "$1" ]; }

# Waits until nothing waits for a hook any more.
all_told() { until_it_is is_told; }

TELL='{ echo "$AMIKA_EVENT $AMIKA_SESSION $AMIKA_DELIVERY $AMIKA_ATTEMPT"; } >>'

@test "each kind of event is told once, with the event itself" {
	hook "$TELL '$told'; cat >>'$here/lines'"
	settings '"decision.open","decision.closed","turn.ended","session.ended","error"'
	session tau
	amika send --no-wait tau permission >/dev/null
	await tau permission.requested 2 >/dev/null
	all_told
	amika decision list -s tau | amika decision allow >/dev/null
	await tau turn.ended >/dev/null
	amika send --no-wait tau question >/dev/null
	await tau question.requested 2 >/dev/null
	all_told
	amika decision list -s tau | amika decision deny >/dev/null
	await tau turn.ended 2 >/dev/null
	run amika send tau error
	[ "$status" -eq 0 ]
	amika session end tau >/dev/null
	all_told
	run jq -rs 'map(.type) | group_by(.) | map("\(.[0]) \(length)") | join(", ")' "$here/lines"
	[ "$output" = 'error 1, permission.requested 2, permission.resolved 2, question.requested 2, question.resolved 2, session.ended 1, turn.ended 3' ]
	# As any reader gets them, byte for byte, and in their order.
	sort -u "$here/lines" >"$here/sorted"
	run comm -13 <(amika events --json tau | sort) "$here/sorted"
	[ -z "$output" ]
	[ "$(cut -d' ' -f3 "$told" | sort -u | wc -l)" -eq "$(wc -l <"$told")" ]
	[ "$(cut -d' ' -f4 "$told" | sort -u)" = 1 ]
	check-stream <(amika events --json tau)
}

@test "what it is given: arguments as they are, its environment and no other, no terminal, nothing open" {
	hook "{ printf '<%s>' \"\$@\"; echo; env | sort; pwd; tty; ls -l /proc/\$\$/fd | awk '/->/ { print \$9 }'; cut -d' ' -f6 /proc/\$\$/stat; echo \$\$; } >'$here/given'"
	settings '"turn.ended"'
	SECRET=1 session tau
	amika send tau hello >/dev/null
	all_told
	mapfile -t given <"$here/given"
	[ "${given[0]}" = '<a  b><>' ]
	[ "${given[*]:1:9}" = "AMIKA_ATTEMPT=1 AMIKA_DELIVERY=h_1 AMIKA_EVENT=turn.ended AMIKA_HOOK=n AMIKA_SESSION=tau AMIKA_STATE_DIRECTORY=$AMIKA_STATE_DIRECTORY HOME=$(getent passwd "$(id -u)" | cut -d: -f6) LANG=C.UTF-8 PATH=$bindir:/usr/local/bin:/usr/bin:/bin" ]
	[ "${given[10]}" = PWD=/ ]
	[ "${given[11]}" = / ]
	[ "${given[12]}" = 'not a tty' ]
}

@test "a command that fails is tried again until it is done, with the same delivery" {
	hook "$TELL '$told'; echo oops >&2; [ \$AMIKA_ATTEMPT -ge 4 ]"
	settings '"turn.ended"'
	session tau
	amika send tau hello >/dev/null
	all_told
	[ "$(cat "$told")" = "$(printf 'turn.ended tau h_1 %s\n' 1 2 3 4)" ]
	[ "$(jq -r 'select(.area == "hook" and .level == "warn") | "\(.attempt) \(.message) \(.output)"' "$AMIKA_STATE_DIRECTORY/amikad.log" | grep -c '^[123] not delivered: exited with status 1; it is tried again oops$')" -eq 3 ]
}

@test "one that fails does not keep the next from being told" {
	hook "$TELL '$told'; [ \$AMIKA_DELIVERY != h_1 ]"
	settings '"turn.ended"' '' '"hook_give_up_ms":86400000'
	session tau
	amika send tau hello >/dev/null
	amika send tau hello >/dev/null
	until_it_is grep -q h_2 "$told"
	[ "$(amika hook deliveries --json | jq -r '"\(.delivery_id) \(.state) \(.error)"')" = 'h_1 waiting exited with status 1' ]
	[ "$(amika hook --json | jq -r '"\(.name) \(.waiting) \(.retrying) \(.failed)"')" = 'n 1 1 0' ]
}

@test "given up: kept, shown by the doctor, begun anew or dropped" {
	hook "$TELL '$told'; [ -e '$here/mended' ]"
	settings '"turn.ended"' '' '"hook_give_up_ms":1'
	session tau
	amika send tau hello >/dev/null
	amika send tau hello >/dev/null
	until_it_is has_failed 2
	[ "$(amika hook deliveries --json | jq -r '"\(.delivery_id) \(.state) \(.attempts) \(.due_at)"' | head -1)" = 'h_1 failed 1 null' ]
	run amika doctor --json
	[ "$(jq -r 'select(.name == "hook n") | "\(.ok) \(.detail)"' <<<"$output")" = 'false 0 to be tried again, 2 given up' ]
	amika hook drop h_2
	run amika hook drop h_2
	[ "$status" -eq 4 ]
	run amika hook retry
	[ "$status" -eq 2 ]
	: >"$here/mended"
	amika hook retry --all
	all_told
	[ "$(tail -1 "$told")" = 'turn.ended tau h_1 1' ]
	run amika doctor --json
	[ "$(jq -r 'select(.name == "hook n").ok' <<<"$output")" = true ]
}

@test "the deadline ends it and all it has started, whatever they do" {
	mkfifo "$here/alive"
	hook "trap '' TERM; (trap '' TERM; exec setsid sh -c 'trap \"\" TERM; echo \$\$ >>\"$here/pids\"; exec 9>\"$here/alive\"; exec tail -f /dev/null') & echo \$\$ >>'$here/pids'; exec tail -f /dev/null"
	settings '"turn.ended"' '"deadline_ms":300' '"grace_ms":50,"hook_give_up_ms":1'
	session tau
	amika send --no-wait tau hello >/dev/null
	cat "$here/alive" # ends with the last process that holds it
	until_it_is has_failed 1
	[ "$(amika hook deliveries --json | jq -r .error)" = 'was not done within 300 ms' ]
	while read -r pid; do is_gone "$pid"; done <"$here/pids"
}

@test "a hook that takes its time holds up no event, and no other session's hook" {
	mkfifo "$here/go"
	hook "$TELL '$told'; [ \$AMIKA_SESSION = rho ] || read -r _ <'$here/go'"
	settings '"turn.ended"' '"deadline_ms":600000'
	session tau
	session rho
	amika send tau hello >/dev/null
	amika send tau hello >/dev/null
	amika send rho hello >/dev/null
	until_it_is has_lines 2
	[ "$(cut -d' ' -f2 "$told" | sort | tr '\n' ' ')" = 'rho tau ' ]
	# The second one of tau waits for the first.
	[ "$(amika hook deliveries --json | jq -r '"\(.delivery_id) \(.attempts)"' | tr '\n' ' ')" = 'h_1 1 h_2 0 ' ]
	echo >"$here/go"
	until_it_is has_lines 3
	[ "$(tail -1 "$told")" = 'turn.ended tau h_2 1' ]
	echo >"$here/go"
	all_told
}

@test "a record of megabytes arrives whole" {
	mkdir "$here/bin"
	cat >"$here/bin/claude" <<-'END'
		#!/bin/sh
		read -r line
		printf '{"type":"control_request","request_id":"r","request":{"subtype":"can_use_tool","tool_name":"Write","tool_use_id":"t","input":{"file_path":"/x","content":"'
		head -c 3000000 /dev/zero | tr '\0' x
		printf '"}}}\n'
		exec cat >/dev/null
	END
	chmod 700 "$here/bin/claude"
	hook "exec cat >'$here/record'"
	settings '"decision.open"'
	PATH=$here/bin:$PATH amika session create --agent claude tau >/dev/null
	amika send --no-wait tau write >/dev/null
	await tau permission.requested >"$here/event"
	[ "$(wc -c <"$here/event")" -gt 6000000 ]
	all_told
	cmp "$here/event" "$here/record"
}

@test "the hook may answer: it is the owner" {
	hook "exec amika decision allow >>'$told' 2>&1"
	settings '"decision.open"'
	session tau
	amika send --no-wait tau permission >/dev/null
	[ "$(await tau turn.ended | jq -r .amika.outcome)" = completed ]
	all_told
	[ "$(jq -r .state "$told" | tr '\n' ' ')" = 'answered answered ' ]
}

@test "what was answered before anyone could be told is told as closed, not as open" {
	hook "$TELL '$told'"
	settings '"decision.open","decision.closed"'
	session tau
	amika send --no-wait tau permission >/dev/null
	await tau permission.requested 2 >/dev/null
	amika decision list -s tau | amika decision allow --always >/dev/null
	await tau turn.ended >/dev/null
	all_told
	: >"$told"
	# The first of the two is the same command again, and answered as it is asked.
	amika send --no-wait tau permission >/dev/null
	await tau permission.requested 4 >/dev/null
	all_told
	[ "$(cut -d' ' -f1 "$told" | sort | tr '\n' ' ')" = 'decision.closed decision.open ' ]
}

@test "no settings but the owner's: a project's do nothing, those others can write are refused" {
	hook "$TELL '$told'"
	mkdir -p "$here/project/.amika" "$here/project/amika"
	settings '"turn.ended"'
	for at in . .amika amika; do cp "$AMIKA_STATE_DIRECTORY/settings.json" "$here/project/$at"; done
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
	cd "$here/project"
	session tau
	amika send tau hello >/dev/null
	[ -z "$(amika hook)" ]
	amikad stop >/dev/null
	[ ! -s "$told" ]
	cp settings.json "$AMIKA_STATE_DIRECTORY"
	for mode in 620 602; do
		chmod "$mode" "$AMIKA_STATE_DIRECTORY/settings.json"
		run amikad serve --check
		[ "$status" -eq 6 ]
		[[ $output = *'holds hooks, and others can write it'*'chmod go-w'* ]]
	done
	chmod 600 "$AMIKA_STATE_DIRECTORY/settings.json"
	amikad serve --check
}

@test "settings that are not understood: a running daemon stays, with its hooks" {
	hook "$TELL '$told'"
	settings '"turn.ended"'
	session tau
	settings '"everything"'
	run amikad restart
	[ "$status" -eq 1 ]
	[[ $output = *'hook n: on: there is no "everything"'* ]]
	amika send tau hello >/dev/null
	all_told
	[ "$(cat "$told")" = 'turn.ended tau h_1 1' ]
}

@test "a hook that is there later is not told what was; one that is gone is given up" {
	hook "$TELL '$told'; false"
	session tau
	amika send tau hello >/dev/null
	settings '"turn.ended"'
	amikad restart >/dev/null
	amika send tau hello >/dev/null
	until_it_is test -s "$told"
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
	amikad restart >/dev/null
	until_it_is has_failed 1
	[ "$(amika hook deliveries --failed | jq -r '"\(.delivery_id) \(.error)"')" = 'h_1 there is no hook of this name any more' ]
	[ "$(cut -d' ' -f3 "$told" | sort -u)" = h_1 ]
}

@test "a forgotten session takes its deliveries along" {
	hook false
	settings '"turn.ended","session.ended"'
	session tau
	amika send tau hello >/dev/null
	[ "$(amika hook deliveries | jq -r .session_id)" = tau ]
	amika session end --forget tau >/dev/null
	[ -z "$(amika hook deliveries)" ]
}

@test "the daemon stops while a hook runs: it may finish, or is told again" {
	mkfifo "$here/go" "$here/began"
	hook "$TELL '$told'; echo >'$here/began'; read -r _ <'$here/go'"
	settings '"turn.ended"' '"deadline_ms":600000' '"grace_ms":100'
	session tau
	amika send tau hello >/dev/null
	read -r <"$here/began"
	amikad stop >/dev/null
	amika hook >/dev/null
	read -r <"$here/began"
	echo >"$here/go"
	all_told
	[ "$(cat "$told")" = "$(printf 'turn.ended tau h_1 %s\n' 1 2)" ]
}

@test "the daemon is killed while a hook runs: the hook ends, and is told again, as the same" {
	mkfifo "$here/go" "$here/began" "$here/alive"
	hook "$TELL '$told'; [ \$AMIKA_ATTEMPT -gt 1 ] || exec 9>'$here/alive'; echo >'$here/began'; read -r _ <'$here/go'"
	settings '"turn.ended"' '"deadline_ms":600000' '"grace_ms":100'
	session tau
	exec {alive}<>"$here/alive" {end}<"$here/alive"
	exec {alive}>&-
	amika send tau hello >/dev/null
	read -r <"$here/began"
	kill -KILL "$(amikad status | jq .pid)"
	cat <&"$end" # until the first one is gone
	exec {end}<&-
	amika hook >/dev/null
	read -r <"$here/began"
	echo >"$here/go"
	all_told
	[ "$(cat "$told")" = "$(printf 'turn.ended tau h_1 %s\n' 1 2)" ]
}

@test "the example: a mail with all that is asked, the same Message-ID each time" {
	# shellcheck disable=SC2016 # they are for the hook's shell
	printf '#!/bin/sh\n[ "$*" = -t ] || exit 9\n{ cat; echo --; } >>"%s"\n[ "$AMIKA_ATTEMPT" -gt 1 ]\n' "$here/mails" >"$here/sendmail"
	chmod 700 "$here/sendmail"
	hook "exec '$top_srcdir/share/examples/hooks/mail' you@example.org '$here/sendmail'"
	settings '"decision.open","error"'
	session tau
	amika send --no-wait tau permission >/dev/null
	await tau permission.requested 2 >/dev/null
	all_told
	[ "$(grep -c '^To: you@example.org$' "$here/mails")" -eq 4 ]
	[ "$(grep '^Message-ID: <h_' "$here/mails" | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" = '2 2 ' ]
	grep -q '^Subject: amika: tau: decision.open$' "$here/mails"
	grep -q 'echo mock' "$here/mails"
}
