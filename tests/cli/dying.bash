# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What must hold of a session after anything was killed. Loaded after helper.

points() { # PATTERN: the crash points in the code whose name matches
	grep -rhoE 'AMK_CRASH\("[a-z.]+"\)' "$top_srcdir/lib" "$top_srcdir/bin" --include='*.c' |
		cut -d'"' -f2 | sort -u | grep -E "$1"
}

# A state folder of its own for each round: the daemon's first acts are among what is interrupted.
fresh_state() {
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/state.$1
	(umask 077 && mkdir -p "$AMIKA_STATE_DIRECTORY/run")
}

# What a person does, with what dies meanwhile coming back by itself: a message, a permission, a flood,
# words on stderr, an agent that exits with messages behind it in the queue. What a tool says on the way
# is not judged.
live_through() { # SESSION
	amika session create "$1" --agent mock -- --pace 0 >/dev/null 2>&1 || amika session show "$1" >/dev/null 2>&1 ||
		amika session create "$1" --agent mock -- --pace 0 >/dev/null
	amika send --timeout 60000 --id a "$1" hello >/dev/null 2>&1 || true
	amika send --no-wait --id b "$1" permission >/dev/null 2>&1 || true
	allow_all "$1" b
	printf '{"text":"%s"}\n' 'flood 4000 40' 'stderr one' 'stderr two' 'exit 3' hello hello |
		amika send --lines --no-wait --id c "$1" >/dev/null
	amika send --timeout 60000 --id d "$1" hello >/dev/null
}

events_of() { jq -s "map(select($1)) | length" "$events"; }

# Waits for the daemon of daemon_dying_at; it was killed.
daemon_has_died() {
	local status=0
	wait "$daemon" || status=$?
	[ "$status" = 137 ]
}

# Starts a daemon that dies at a crash point, and waits until it serves or has died. Its pid: $daemon.
daemon_dying_at() { # POINT:N
	local line
	rm -f "$BATS_TEST_TMPDIR/ready"
	mkfifo "$BATS_TEST_TMPDIR/ready"
	AMIKA_CRASH=$1 amikad serve --ready-fd 5 5>"$BATS_TEST_TMPDIR/ready" 2>/dev/null 3>&- &
	daemon=$!
	read -r line <"$BATS_TEST_TMPDIR/ready" || true
}

# Allows one decision, however often the daemon dies over it.
allow() { # DECISION
	for _ in 1 2 3 4 5; do
		! amika decision allow "$1" >/dev/null 2>&1 || return 0
		[ "$(amika decision show --json "$1" | jq -r .state)" = open ] || return 0
	done
}

# Allows what the turn of a message asks, until that turn has ended.
allow_all() { # SESSION MESSAGE
	local line
	while IFS= read -r line; do
		case $line in
		*'"type":"permission.requested"'*) allow "$(jq -r .amika.decision.id <<<"$line")" ;;
		*'"type":"turn.ended"'*"\"message\":\"$2\""*) return 0 ;;
		esac
	done < <(timeout 60 amika events --json --follow "$1" 3>&-)
	return 1
}

last_run() {
	local run last=0
	for run in "$AMIKA_STATE_DIRECTORY"/run/[0-9]*; do
		run=${run##*/}
		[ "$run" = '[0-9]*' ] || [ "$run" -lt "$last" ] || last=$run
	done
	echo "$last"
}

# The shim holds the lock on its run's positions. Where locks come and go, one reading of the list may miss it.
shim_of_last_run() {
	local major minor inode file pid='' looks
	read -r major minor inode < <(stat -c '%Hd %Ld %i' "$AMIKA_STATE_DIRECTORY/run/$(last_run)/pos")
	printf -v file '%02x:%02x:%d' "$major" "$minor" "$inode"
	for ((looks = 0; looks < 100 && ${#pid} == 0; looks++)); do
		pid=$(awk -v file="$file" '$2 == "FLOCK" && $6 == file { print $5; exit }' /proc/locks)
	done
	echo "$pid"
}

# Also as a zombie: who reaps it is not ours to say.
is_gone() { # PID
	[[ $(ps -o state= -p "$1") != [^Z]* ]]
}

# The events of a session, checked: for each of the messages one turn, in order, ended once with the
# outcome expected of it (a pattern); of each decision one end; what did not complete has an error.
survived() { # SESSION DELTAS MESSAGE=OUTCOME…
	local session=$1 deltas=$2 expected='' messages=''
	shift 2
	for m; do messages+="${m%%=*} " && expected+="${m#*=} "; done
	events=$BATS_TEST_TMPDIR/events
	amika events --json "$session" >"$events"
	check-stream "$events" || return 1
	jq -es --arg messages "${messages% }" --arg expected "${expected% }" --argjson deltas "$deltas" '
		def of($type): map(select(.type == $type));
		def need($name; condition): if condition then . else error($name) end;
		. as $all | ($expected / " ") as $expected
		| need("turns started"; (of("turn.started") | map(.amika.message)) == ($messages / " "))
		| need("turns ended"; (of("turn.ended") | map(.amika.message)) == ($messages / " "))
		| need("outcomes"; of("turn.ended") | [range(length) as $i
			| .[$i].amika.outcome | test("^(" + $expected[$i] + ")$")] | all)
		| need("errors"; of("turn.ended") | map(select(.amika.outcome | IN("failed", "lost"))) | all(
			.amika.turn as $turn | $all | of("error") | any(.amika.turn == $turn)))
		| need("decisions"; (of("permission.requested") | map(.amika.decision.id) | sort)
			== (of("permission.resolved") | map(.amika.decision.id) | sort))
		| need("deltas"; $deltas == 0 or (of("item.delta") | length) == $deltas)' "$events" >/dev/null
}
