# SPDX-License-Identifier: Apache-2.0
# For tests with the real Claude Code, which talks to a scripted model in a namespace that has only loopback. One daemon
# for the file. See tests/tools/fake-llm for the [[directives]].

claude_setup_file() { # RULES of the model, beside its directives
	local top=${top_srcdir:-$BATS_TEST_DIRNAME/../..}
	lacks=
	PATH=${bindir:-$top/bin}:${top_builddir:-$top}/tests/tools:$PATH
	export PATH
	claude=$("$BATS_TEST_DIRNAME/get-claude" "${CLAUDE_FOLDER:-$top/check/npm}" --no-install) ||
		lacks="claude: run ./bootstrap check, which installs it"
	command -v node >/dev/null || lacks="claude: no node for the model's stand-in"
	[ "$(tail -n +3 /proc/net/dev | grep -c -v '^ *lo:')" = 0 ] || lacks="netns: run through tests/run"
	export claude lacks
	[ -z "$lacks" ] || return 0
	PATH=$(dirname "$claude"):$PATH
	export HOME=$BATS_FILE_TMPDIR/home XDG_STATE_HOME=
	export AMIKA_STATE_DIRECTORY=$BATS_FILE_TMPDIR/state
	mkdir -p "$HOME" "$BATS_FILE_TMPDIR/work"
	mkfifo "$BATS_FILE_TMPDIR/first"
	echo "{\"rules\": [$1]}" >"$BATS_FILE_TMPDIR/rules"
	node "$top/tests/tools/fake-llm/server.js" --port 0 --scenario "$BATS_FILE_TMPDIR/rules" --log "$BATS_FILE_TMPDIR/requests" \
		>"$BATS_FILE_TMPDIR/first" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/model.pid"
	read -r line <"$BATS_FILE_TMPDIR/first"
	export ANTHROPIC_BASE_URL=${line##* }
	export ANTHROPIC_API_KEY=sk-test-not-real CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \
		CLAUDE_CODE_MAX_RETRIES=1 DISABLE_TELEMETRY=1 DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1
	cd "$BATS_FILE_TMPDIR/work" || return
	amika session create --agent claude --title "end to end" main 3>&-
}

claude_teardown_file() {
	[ -z "$lacks" ] || return 0
	amikad stop 3>&-
	kill "$(cat "$BATS_FILE_TMPDIR/model.pid")"
}

claude_setup() {
	[ -z "$lacks" ] || skip "$lacks"
	cd "$BATS_FILE_TMPDIR/work" || return
}

# A command that may start the daemon, without bats's own descriptor in it.
a() { "$@" 3>&-; }

# The text of the last assistant message in the events on stdin.
last_text() {
	jq -rs '[.[] | select(.type == "item.completed" and .data.item.kind == "message"
		and .data.item.role == "assistant")] | last.data.item.content | map(.text // empty) | join("")'
}

outcome() { jq -r 'select(.type == "turn.ended").amika.outcome'; }

# Follows a session until an event of that type is there, and prints it.
wait_for() { # SESSION[@N] TYPE
	local line follow pid
	exec {follow}< <(exec amika events --json --follow "$1" 3>&-)
	pid=$!
	while read -r -u "$follow" line; do
		[[ $line != *"\"type\":\"$2\",\"data\""* ]] || break
	done
	kill "$pid"
	exec {follow}<&-
	echo "$line"
}

# True when the filter is true of one of the events on stdin.
some() { # FILTER
	jq -se "any(.[]; $1)" >/dev/null
}

# The events of a session, which the independent checker agrees with.
checked() { # SESSION
	a amika events "$1" >"$BATS_TEST_TMPDIR/events"
	check-stream "$BATS_TEST_TMPDIR/events"
}

# The number of its last event.
end_of() { a amika session show "$1" | jq .after; }

# Where the request log of the model's stand-in ends, and what was asked after that.
asked_upto() { wc -l <"$BATS_FILE_TMPDIR/requests"; }
asked_since() { tail -n "+$(($1 + 1))" "$BATS_FILE_TMPDIR/requests"; } # N
