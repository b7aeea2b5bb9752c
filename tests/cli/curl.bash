# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The daemon of this state folder as curl sees it. Loaded after helper.

api() { # PATH CURL-ARGUMENT…
	local path=$1
	shift
	curl -sS --max-time 20 --unix-socket "$AMIKA_STATE_DIRECTORY/socket" "$@" "http://localhost$path"
}

status_of() { # PATH CURL-ARGUMENT…
	api "$@" -o "$BATS_TEST_TMPDIR/body" -w '%{http_code} %{content_type}'
}

post() { # PATH JSON CURL-ARGUMENT…
	local path=$1 body=$2
	shift 2
	api "$path" -H 'Content-Type: application/json' -d "$body" "$@"
}

new_session() { # NAME
	post "/v1/sessions/$1" '{"agent":"mock","directory":"/","arguments":["--pace","0"]}'
}

# All events of a session once its turn N is over.
turn_over() { # NAME N
	amika events --json --follow "$1" | sed -u "/\"type\":\"turn.ended\".*\"turn\":$2,/q"
}
