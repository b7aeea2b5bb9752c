#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session's states, with their reasons and times; sleep, and what wakes it.

load helper
load dying

setup() { helper_setup_file; }

teardown() {
	[ -z "${follower:-}" ] || kill "$follower"
	helper_teardown_file
}

settings() { printf '%s\n' "$1" >"$AMIKA_STATE_DIRECTORY/settings.json"; }

# The list of sessions as it changes, read by `becomes`.
follow_list() {
	local out
	exec {out}< <(exec amika session list --json --follow 3>&-)
	follower=$!
	changes=$out
}

# Waits until a session is in a state for a reason (a pattern).
becomes() { # SESSION STATE REASON
	local line
	while IFS= read -r -t 20 line <&"$changes"; do
		[ "$(jq -r '[.session_id, .state] | join(" ")' <<<"$line")" = "$1 $2" ] || continue
		[[ $(jq -r .state_reason <<<"$line") =~ ^($3)$ ]] && return
	done
	echo "$1 never became $2: $3"
	return 1
}

state() { amika session show --json "$1" | jq -r '[.state, .state_reason] | join(": ")'; }

program() { pgrep -P "$(shim_of_last_run)" amika-mock; }

@test "each state with its reason, as it changes" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	follow_list
	becomes tau idle new
	amika send --id one --no-wait tau hang >/dev/null
	becomes tau starting one
	curl -sS -X POST --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/tau/cancel
	becomes tau idle ready
	amika send --id two --no-wait tau hang >/dev/null
	becomes tau working two
	curl -sS -X POST --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/tau/cancel
	becomes tau idle ready
	amika send --no-wait tau permission >/dev/null
	becomes tau waiting 'd_1'
	amika decision allow d_1 >/dev/null
	becomes tau waiting 'd_2'
	amika decision deny d_2 >/dev/null
	becomes tau idle ready
	run amika send tau 'stderr the last word'
	run amika send tau 'exit 3'
	becomes tau failed 'exit 3: the last word'
	amika send tau hello >/dev/null
	becomes tau idle ready
	kill -KILL "$(program)"
	becomes tau failed 'signal 9.*'
	amika session end tau >/dev/null
	becomes tau ended terminated
	amika session create rho --agent mock >/dev/null
	becomes rho idle new
}

@test "a state, its reason and its time are the same after a restart, a kill, a stop" {
	amika session create tau rho --agent mock -- --pace 0 >/dev/null
	amika send --no-wait tau permission >/dev/null
	said tau 2 permission.requested
	run amika send rho 'exit 1'
	local before
	before=$(amika session list --json | jq -c '[.session_id,.state,.state_reason,.state_since]')
	amikad restart >/dev/null
	[ "$(amika session list --json | jq -c '[.session_id,.state,.state_reason,.state_since]')" = "$before" ]
	kill -KILL "$(amikad status | jq .pid)"
	[ "$(amika session list --json | jq -c '[.session_id,.state,.state_reason,.state_since]')" = "$before" ]
	[ "$(state tau)" = 'waiting: d_1' ]
	[ "$(state rho)" = 'failed: exit 1' ]
	amikad stop >/dev/null
	[ "$(state tau)" = 'asleep: daemon stopped' ]
	[ "$(state rho)" = 'failed: exit 1' ]
	amika send tau hello >/dev/null
	[ "$(state tau)" = 'idle: ready' ]
}

@test "the list is followed over a killed and a restarted daemon; a signal ends it well" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	follow_list
	becomes tau idle new
	kill -KILL "$(amikad status | jq .pid)"
	amika send tau hello >/dev/null
	becomes tau idle ready
	amikad restart >/dev/null
	run amika send tau 'exit 4'
	becomes tau failed 'exit 4'
	kill -TERM "$follower"
	wait "$follower"
	follower=
}

@test "resident: the memory of the program's tree, and none without one" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	[ "$(amika session show --json tau | jq .resident)" = null ]
	amika send tau hello >/dev/null
	local shown counted
	shown=$(amika session show --json tau | jq .resident)
	counted=$(($(awk '{ print $2 }' "/proc/$(program)/statm") * $(getconf PAGESIZE)))
	[ "$shown" -eq "$counted" ]
	[[ $(amika session list --text | tail -n 1) =~ ^tau\ +mock\ +idle\ +ready\ +[0-9]+s\ +[0-9]+[KM]\  ]]
	amika session sleep tau >/dev/null
	[ "$(amika session show --json tau | jq .resident)" = null ]
}

@test "a program that has nothing to do for long enough is ended, and resumed by the next message" {
	settings '{"sleep_ms":100}'
	amika session create tau --agent mock -- --pace 0 >/dev/null
	follow_list
	[ "$(amika send --final tau self)" = 'model mock, permission mode default, resumes none' ]
	becomes tau asleep 'idle for 1 s'
	[ "$(amika send --final tau self)" = 'model mock, permission mode default, resumes mock-tau' ]
	becomes tau asleep 'idle for 1 s'
	amika events tau | check-stream -
	[ "$(amika events tau | jq -r 'select(.type == "error").type')" = '' ]
}

@test "one that runs a turn or waits for a person does not fall asleep" {
	settings '{"sleep_ms":1}'
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika session create rho --agent mock -- --pace 0 >/dev/null
	follow_list
	amika send --no-wait tau permission >/dev/null
	said tau 2 permission.requested
	# The other one has slept meanwhile, and again.
	amika send rho hello >/dev/null
	becomes rho asleep 'idle for 1 s'
	amika send rho hello >/dev/null
	becomes rho asleep 'idle for 1 s'
	[ "$(state tau)" = 'waiting: d_1' ]
	run -5 --separate-stderr amika session sleep tau
	[[ $stderr = *'session tau waits for a decision'*'amika decision list'* ]]
	amika decision allow d_1 >/dev/null
	amika decision allow d_2 >/dev/null
	becomes tau asleep 'idle for 1 s'
}

@test "sleep and warm by hand; what is not there or ended" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	run amika session sleep --json tau
	[ "$(jq -r .state <<<"$output")" = idle ]
	amika session warm tau >/dev/null
	follow_list
	becomes tau idle ready
	program
	amika session warm tau >/dev/null
	[ "$(last_run)" = 1 ]
	run amika session sleep --json tau
	[ "$(jq -r '[.state, .state_reason] | join(": ")' <<<"$output")" = 'asleep: stopped' ]
	amika session warm tau >/dev/null
	becomes tau idle ready
	[ "$(amika send --final tau self)" = 'model mock, permission mode default, resumes mock-tau' ]
	[ "$(last_run)" = 2 ]
	run -4 amika session warm nosuch
	amika session end tau >/dev/null
	run -5 amika session warm tau
	run -5 amika session sleep tau
}

@test "messages that come while the program is put to sleep are worked on by the next one" {
	local n status
	amika session create tau --agent mock -- --pace 0 >/dev/null
	for n in 1 2 3 4 5 6 7 8 9 10; do
		amika send --id "a$n" tau hello >/dev/null
		amika session sleep tau >/dev/null &
		amika send --id "b$n" tau hello >/dev/null
		status=0
		wait $! || status=$?
		# The message may have been faster: then it is not put to sleep.
		[ "$status" = 0 ] || [ "$status" = 5 ]
	done
	survived tau 0 a1=completed b1=completed a2=completed b2=completed a3=completed b3=completed a4=completed \
		b4=completed a5=completed b5=completed a6=completed b6=completed a7=completed b7=completed a8=completed \
		b8=completed a9=completed b9=completed a10=completed b10=completed
}

@test "the daemon killed while it puts a program to sleep: the next one goes on with that, and loses no message" {
	grep -qa shim.begun "$bindir/amika-shim" || skip "crash points: configure --enable-crash-points"
	local point
	for point in $(points '^sleep\.'); do
		echo "$point"
		fresh_state "$point"
		daemon_dying_at "$point:1"
		amika session create tau --agent mock -- --pace 0 >/dev/null
		amika send --id a tau hello >/dev/null
		run amika session sleep tau
		daemon_has_died
		amika send --id b tau self >/dev/null
		survived tau 0 a=completed b=completed
		[[ $(cat "$events") = *'resumes mock-tau'* ]]
		amikad stop >/dev/null
	done
}

changes_of() { # SESSION: WHAT FROM TO HOW
	amika events --json "$1" | jq -r 'select(.type == "session.changed").data | [.what, .from, .to, .how] | join(" ")'
}

@test "set: at once where the agent takes it, else its next program has it; said in the log" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	[ "$(amika session set --json --model big tau | jq -r .model)" = big ]
	[ "$(amika send --final tau self)" = 'model big, permission mode default, resumes none' ]
	amika session set --model small tau >/dev/null
	[ "$(amika send --final tau self)" = 'model small, permission mode default, resumes none' ]
	[ "$(last_run)" = 1 ]
	amika session set --permission-mode plan --title 'A title' tau >/dev/null
	[ "$(amika send --final tau self)" = 'model small, permission mode plan, resumes mock-tau' ]
	[ "$(last_run)" = 2 ]
	[ "$(changes_of tau)" = $'model mock big start\nmodel big small live\npermission_mode default plan restart' ]
	# What is so already changes nothing.
	amika session set --model small --permission-mode plan tau >/dev/null
	[ "$(changes_of tau | wc -l)" = 3 ]
	amikad stop >/dev/null
	[ "$(amika session show --json tau | jq -r '[.model, .permission_mode, .title] | join(" ")')" = 'small plan A title' ]
	[ "$(amika send --final tau self)" = 'model small, permission mode plan, resumes mock-tau' ]
	# Nobody who reads the original's events is told.
	[ "$(curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/tau/events |
		jq '[.events[] | select(.type == "session.changed")] | length')" = 0 ]
	amika events --json tau | check-stream -
}

@test "set while a turn runs: the program is ended only when that is over, and what waits goes to the next" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send --no-wait --id a tau permission >/dev/null
	said tau 2 permission.requested
	amika session set --permission-mode plan tau >/dev/null
	amika send --no-wait --id b tau self >/dev/null
	[ "$(state tau)" = 'waiting: d_1' ]
	kill -KILL "$(amikad status | jq .pid)"
	amika decision allow d_1 >/dev/null
	amika decision allow d_2 >/dev/null
	amika send --id c tau hello >/dev/null
	survived tau 0 a=completed b=completed c=completed
	[[ $(cat "$events") = *'permission mode plan, resumes mock-tau'* ]]
	[ "$(last_run)" = 2 ]
}

@test "set: what cannot be" {
	amika session create tau --agent mock -- --pace 0 >/dev/null
	run -2 amika session set tau
	run -3 amika session set --permission-mode nosuch tau
	run -3 amika session set --model '' tau
	run -4 amika session set --model x nosuch
	amika session end tau >/dev/null
	run -5 amika session set --model x tau
	[ "$(changes_of tau)" = '' ]
}
