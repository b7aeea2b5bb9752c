#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL of the daemon, of a shim, of an agent, at moments of a flood that nobody chose: each round a
# session of its own. AMIKA_KILL_ROUNDS (default 200) says how often, AMIKA_KILL_SEED which moments.

load helper
load dying

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

# The process of this state folder's daemon: itself, the shim of the last run, the agent below that. A daemon
# that was killed is no shim's parent any more, so that is found by its lock.
victim() { # daemon|shim|agent
	case $1 in
	daemon) amikad status | jq .pid ;;
	shim) shim_of_last_run ;;
	agent) pgrep -P "$(shim_of_last_run)" amika-mock ;;
	esac
}

# Deltas that agents wrote in whole lines since run N.
written_since() { # N
	local run text=0
	for run in "$AMIKA_STATE_DIRECTORY"/run/*; do
		[ "${run##*/}" -le "$1" ] || text=$((text + $(grep -c '^{"type":"delta".*}$' "$run/out")))
	done
	echo "$text"
}

said_deltas() { jq -n '[inputs | select(.type == "item.delta" and .synthetic == false)] | length' "$events"; }

# A flood, a message behind it, a kill, a message as soon as it is done.
flood_and_kill() { # SESSION WHO DELTAS
	local pid before
	before=$(last_run)
	amika session create "$1" --agent mock -- --pace 0 >/dev/null
	printf '{"text":"%s"}\n' 'flood 1500 60' hello | amika send --lines --no-wait --id a "$1" >/dev/null
	said "$1" "$3" item.delta
	pid=$(victim "$2")
	kill -KILL "$pid"
	amika send --timeout 60000 --id b "$1" hello >/dev/null
	case $2 in
	daemon) survived "$1" 1502 a-1=completed a-2=completed b=completed ;;
	shim) survived "$1" 0 a-1='completed|lost' a-2='completed|lost' b=completed ;;
	agent) survived "$1" 0 a-1='completed|failed' a-2='completed|failed' b=completed ;;
	esac
	[ "$(said_deltas)" = "$(written_since "$before")" ]
}

@test "SIGKILL at random moments of a flood loses, repeats and reorders nothing" {
	local kinds=(daemon shim agent) round who deltas seed=${AMIKA_KILL_SEED:-$((RANDOM * 32768 + RANDOM))}
	echo "AMIKA_KILL_SEED=$seed"
	RANDOM=$((seed & 32767))
	for ((round = 1; round <= ${AMIKA_KILL_ROUNDS:-200}; round++)); do
		who=${kinds[RANDOM % 3]} deltas=$((1 + RANDOM % 1400))
		echo "round $round: $who after $deltas"
		flood_and_kill "s$round" "$who" "$deltas"
	done
}

@test "restart again and again in a flood: one program, nothing lost, repeated, reordered" {
	local n agent
	amika session create tau --agent mock -- --pace 0 >/dev/null
	printf '{"text":"%s"}\n' 'flood 20000 60' hello | amika send --lines --no-wait --id a tau >/dev/null
	said tau 1 item.delta
	agent=$(victim agent)
	for n in 1500 4000 6500 9000 11500 14000 16500 19000; do
		said tau "$n" item.delta
		amikad restart
	done
	amika send --timeout 60000 --id b tau hello >/dev/null
	survived tau 20002 a-1=completed a-2=completed b=completed
	[ "$(last_run)" = 1 ]
	[ "$(victim agent)" = "$agent" ]
}

@test "the daemon and the shim killed together: lost, and the next daemon says so" {
	local order who pid agent
	for order in 'daemon shim' 'shim daemon'; do
		echo "$order"
		amika session create "${order% *}" --agent mock -- --pace 0 >/dev/null
		printf '{"text":"%s"}\n' permission hello | amika send --lines --no-wait --id a "${order% *}" >/dev/null
		said "${order% *}" 2 permission.requested
		agent=$(victim agent)
		for who in $order; do
			pid=$(victim "$who")
			kill -KILL "$pid"
		done
		amika send --timeout 60000 --id b "${order% *}" hello >/dev/null
		survived "${order% *}" 0 a-1=lost a-2=completed b=completed
		is_gone "$agent"
		run amika decision list
		[ -z "$output" ]
	done
}

# A claude of our own, from stdin, and a session of it.
claude_is() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/claude"
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH amika session create tau --agent claude >/dev/null
}

@test "a killed agent: its turn fails with the status, the next message resumes by its own id" {
	claude_is <<-'END'
		#!/bin/sh
		echo "$*" >>"${0%/*}/arguments"
		while read -r message; do
			echo '{"type":"system","subtype":"init","session_id":"11111111-2222-4333-8444-555555555555"}'
			case $message in *wait*) echo read >"${0%/*}/waits" && continue ;; esac
			echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'
		done
	END
	mkfifo "$BATS_TEST_TMPDIR/bin/waits"
	amika send --id a tau hello >/dev/null
	amika send --no-wait --id b tau wait >/dev/null
	cat "$BATS_TEST_TMPDIR/bin/waits"
	kill -KILL "$(pgrep -P "$(shim_of_last_run)")"
	amika send --id c tau hello >/dev/null
	survived tau 0 a=completed b=failed c=completed
	[ "$(jq -rs 'map(select(.type == "error").data.details | "\(.signal) \(.reason)") | join(" ")' "$events")" = '9 exited' ]
	jq -es 'map(select(.amika.outcome == "failed").amika) | length == 1 and all(.signal == 9 and .reason == "exited")' "$events"
	[ "$(grep -c . "$BATS_TEST_TMPDIR/bin/arguments")" = 2 ]
	[[ $(tail -n 1 "$BATS_TEST_TMPDIR/bin/arguments") == *'--resume 11111111-2222-4333-8444-555555555555'* ]]
}

# Its tools, each of which leaves it in another way, write their numbers into fifos.
claude_with_tools() {
	local tool
	for tool in bare apart orphan; do mkfifo "$BATS_TEST_TMPDIR/$tool"; done
	claude_is <<-'END'
		#!/bin/sh
		read -r message && cd "${0%/*}/.." || exit
		env -i sh -c 'echo $$ >bare; exec tail -f /dev/null' &
		setsid sh -c 'echo $$ >apart; exec tail -f /dev/null' &
		(setsid sh -c 'trap "" TERM HUP; echo $$ >orphan; exec tail -f /dev/null' &)
		cat >/dev/null
	END
	amika send --no-wait --id a tau hello >/dev/null
	tools=()
	for tool in bare apart orphan; do tools+=("$(cat "$BATS_TEST_TMPDIR/$tool")"); done
}

tools_are_gone() {
	local tool
	for tool in "${tools[@]}"; do is_gone "$tool" || return 1; done
}

@test "an agent's tools end when its shim is killed" {
	claude_with_tools
	kill -KILL "$(shim_of_last_run)"
	said tau 1 turn.ended
	tools_are_gone
	survived tau 0 a=lost
}

@test "an agent's tools end when its shim is killed while no daemon is there" {
	claude_with_tools
	kill -KILL "$(victim daemon)"
	kill -KILL "$(shim_of_last_run)"
	kill -0 "${tools[2]}"
	said tau 1 turn.ended
	tools_are_gone
	survived tau 0 a=lost
}
