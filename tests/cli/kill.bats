#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL of the daemon, of a shim, of an agent, at moments of a flood that nobody chose: each round a
# session of its own. AMIKA_KILL_ROUNDS (default 30) says how often, AMIKA_KILL_SEED which moments.

load helper
load dying

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

# Waits until a session has said something so many times.
said() { # SESSION COUNT WORDS
	timeout 60 amika events --json --follow "$1" 3>&- | grep -m "$2" -F "$3" | cat >/dev/null
}

# The process of this state folder's daemon: itself, a shim below it, an agent below that. A daemon
# that was killed is no shim's parent any more, so they are found by the state folder of this test.
victim() { # daemon|shim|agent
	local daemon shim
	daemon=$(amikad status | jq .pid)
	[ "$1" != daemon ] || { echo "$daemon" && return; }
	shim=$(shim_of_last_run)
	[ "$1" != shim ] || { echo "$shim" && return; }
	pgrep -P "$shim" amika-mock
}

@test "SIGKILL at random moments of a flood loses, repeats and reorders nothing" {
	local kinds=(daemon shim agent) round who pid seed=${AMIKA_KILL_SEED:-$((RANDOM * 32768 + RANDOM))}
	echo "AMIKA_KILL_SEED=$seed"
	RANDOM=$((seed & 32767))
	for ((round = 1; round <= ${AMIKA_KILL_ROUNDS:-30}; round++)); do
		who=${kinds[RANDOM % 3]}
		amika session create "s$round" --agent mock -- --pace 0 >/dev/null
		amika send --no-wait --id a "s$round" 'flood 5000 60' >/dev/null
		amika send --no-wait --id b "s$round" hello >/dev/null
		said "s$round" $((1 + RANDOM % 4000)) '"type":"item.delta"'
		pid=$(victim "$who")
		echo "round $round: $who $pid"
		kill -KILL "$pid"
		# Until that is noticed, a message still goes to the program that died, and fails with it.
		[ "$who" = daemon ] || said "s$round" 1 '"code":"process_exit"'
		amika send --timeout 60000 --id c "s$round" hello >/dev/null
		if [ "$who" = daemon ]; then
			survived "s$round" 5002 a=completed b=completed c=completed
		else
			survived "s$round" 0 a='completed|failed|lost' b='completed|failed|lost' c=completed
		fi
	done
}
