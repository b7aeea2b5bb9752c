# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A daemon with a network door, and requests to it. Loaded after helper.

# Starts `amikad WORDS…` and waits until it serves. Its pid: $daemon, its line: $line, its address: $url.
door_open() { # WORDS…
	rm -f "$BATS_TEST_TMPDIR/ready"
	mkfifo "$BATS_TEST_TMPDIR/ready"
	amikad "$@" --ready-fd 5 5>"$BATS_TEST_TMPDIR/ready" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	daemon=$!
	line=$(cat "$BATS_TEST_TMPDIR/ready")
	url=$(jq -r .url <<<"$line")
	[ -n "$url" ]
}

# Ends it and waits for that.
door_close() {
	[ -z "$daemon" ] || ! kill "$daemon" 2>/dev/null || wait "$daemon" || return 1
	daemon=
}

# The status of a request: /v1/… and curl's options.
status_of() { # PATH OPTIONS…
	local path=$1
	shift
	curl -sS -o "$BATS_TEST_TMPDIR/body" -D "$BATS_TEST_TMPDIR/head" -w '%{http_code}' --max-time 20 "$@" "$url$path"
}

body() { cat "$BATS_TEST_TMPDIR/body"; }

header() { # NAME: its value in the last reply
	tr -d '\r' <"$BATS_TEST_TMPDIR/head" | sed -n "s/^$1: //Ip"
}

bearer() { printf 'Authorization: Bearer %s' "$(cat "${1:-$AMIKA_STATE_DIRECTORY/token}")"; }
