# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A state folder of its own for a file of tests, and no daemon left behind.

bats_require_minimum_version 1.5.0

helper_setup_file() {
	export AMIKA_STATE_DIRECTORY
	AMIKA_STATE_DIRECTORY=$(mktemp -d "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/state.XXXXXX")
	export XDG_RUNTIME_DIR=
}

helper_teardown_file() { amikad stop; }

# Waits for the COUNT-th event of a session whose line matches PATTERN, and prints it.
await() { # SESSION PATTERN [COUNT]
	local line left=${3:-1}
	while IFS= read -r line; do
		[[ $line =~ $2 ]] || continue
		left=$((left - 1))
		if [ "$left" -eq 0 ]; then
			printf '%s\n' "$line"
			return
		fi
	done < <(amika events --json --follow "$1" 3>&-)
	echo "no event like $2 in $1"
	return 1
}

# Waits until a session has said something so many times. (grep without -q: it must not drain a stream.)
said() { # SESSION COUNT TYPE
	amika events --json --follow "$1" | grep -m "$2" "\"type\":\"$3\"" | cat >/dev/null
}

# A command on a terminal of its own, typed to by `types`, read by `sees`.
on_terminal() { # COMMAND LINE
	screen=
	coproc TERMINAL { TERM=dumb exec script -qefc "exec $1" /dev/null 2>&1 3>&-; }
	terminal=$TERMINAL_PID
	# bash closes a coprocess's descriptors as soon as it has ended.
	exec {shown}<&"${TERMINAL[0]}" {keys}>&"${TERMINAL[1]}"
}

types() { printf '%b' "$1" >&"$keys"; }

# Waits until the screen shows WORDS after what was seen before.
sees() { # WORDS
	local c
	until [[ $screen == *"$1"* ]]; do
		if ! IFS= read -r -t 20 -N 1 -u "$shown" c; then
			echo "the screen shows: $screen"
			echo "and not: $1"
			return 1
		fi
		screen+=$c
	done
	screen=${screen#*"$1"}
}

# The rest of the screen, to the command's end; its status is ours.
ends() {
	local c
	while IFS= read -r -t 20 -N 1 -u "$shown" c; do screen+=$c; done
	wait "$terminal"
}
