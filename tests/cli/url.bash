# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What may stand between the tools and the daemon of $there. Loaded after helper.

# Bytes between a TCP port ($port) and the daemon's socket.
relay_start() { # [PORT]
	local line=
	exec {relayed}< <(exec setsid socat -d -d "TCP-LISTEN:${1:-0},bind=127.0.0.1,fork,reuseaddr" \
		"UNIX-CONNECT:$there/socket" 2>&1 3>&-)
	relay=$!
	until [[ $line == *'listening on'* ]]; do read -r -t 20 line <&"$relayed" || return 1; done
	port=${line##*:}
}

# The connections go with it.
relay_stop() {
	[ -z "${relay:-}" ] || kill -KILL -- "-$relay"
	relay=
}

stand_in_start() { # MODE ARG…: see stand-in.js; its requests: fd $asked
	exec {asked}< <(exec node "$top_srcdir/tests/cli/stand-in.js" "$@" 3>&-)
	stand_in=$!
	read -r -t 20 port <&"$asked"
	export AMIKA_URL=http://127.0.0.1:$port
}

stand_in_stop() {
	[ -z "${stand_in:-}" ] || kill "$stand_in"
	stand_in=
}
