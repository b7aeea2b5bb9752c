#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The WebSocket with clients nobody here wrote: node's ws, Python's websockets.

bats_require_minimum_version 1.5.0

setup_file() {
	local top=${top_srcdir:-$BATS_TEST_DIRNAME/../..}
	PATH=${bindir:-$top/bin}:${top_builddir:-$top}/tests/tools:$PATH
	export PATH npm_folder=${CLAUDE_FOLDER:-$top/check/npm}
	export HOME=$BATS_FILE_TMPDIR/home XDG_STATE_HOME='' AMIKA_STATE_DIRECTORY=$BATS_FILE_TMPDIR/state
	mkdir -p "$HOME"
	amika session list >/dev/null 3>&-
}

teardown_file() { amikad stop 3>&-; }

# What the client printed is the whole session, in order, and what it asked for.
turn_is_whole() { # SESSION FILE
	check-stream <(jq -c 'select(.sequence)' "$2")
	diff <(jq -c 'select(.sequence)' "$2") <(amika events --json "$1" | jq -c .)
	[ "$(jq -r 'select(.type == "permission.resolved").data.status' "$2" | xargs)" = 'accept reject' ]
	[ "$(jq -r 'select(.type == "pong").text' "$2")" = 'are you there?' ]
	[ "$(jq -r 'select(.type == "receipt").request_id' "$2")" = m ]
	[ "$(jq -r 'select(.type == "decision").answer.reply' "$2" | xargs)" = 'once reject' ]
	[ "$(tail -n 1 "$2" | jq -r '"\(.type) \(.code)"')" = 'closed 1000' ]
}

@test "node's ws" {
	local ws
	ws=$("$BATS_TEST_DIRNAME/get-ws" "$npm_folder" --no-install) || skip "ws: run ./bootstrap check, which installs it"
	amika session create --agent mock node -- --pace 0 >/dev/null
	timeout 60 node "$BATS_TEST_DIRNAME/ws-node.js" "$ws" "$AMIKA_STATE_DIRECTORY/socket" node >"$BATS_TEST_TMPDIR/out"
	turn_is_whole node "$BATS_TEST_TMPDIR/out"
}

@test "Python's websockets" {
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || skip "websockets: python3-websockets is not installed"
	amika session create --agent mock python -- --pace 0 >/dev/null
	timeout 60 /usr/bin/python3 "$BATS_TEST_DIRNAME/ws-python.py" "$AMIKA_STATE_DIRECTORY/socket" python >"$BATS_TEST_TMPDIR/out"
	turn_is_whole python "$BATS_TEST_TMPDIR/out"
}
