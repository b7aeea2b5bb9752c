#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A word that is refused comes with the nearest one there is; nothing is done about it.

load helper

setup_file() {
	helper_setup_file
	amika session create --agent mock teal-tokyo red-rome
} >/dev/null

teardown_file() { helper_teardown_file; }

# The command is refused with this last line, and prints nothing.
refused() { # STATUS LINE COMMAND…
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	echo "$stderr"
	[ "$status" -eq "$want" ]
	[ -z "$output" ]
	[ "${stderr_lines[-1]}" = "$line" ]
}

@test "commands, verbs, options" {
	refused 2 'amika: usage: no command "sesion" (did you mean amika session?)' amika sesion list
	refused 2 'amika: usage: no command "sess" (did you mean amika session?)' amika sess list
	refused 2 'amika-session: usage: unknown verb "craete" (did you mean amika-session create?)' \
		amika session craete --agent mock tau
	refused 2 'amika-session: usage: unknown option --agnet (did you mean --agent?)' \
		amika session create --agnet mock tau
	refused 2 'amika-session: usage: unknown option --xyzzy (see amika-session create --help)' \
		amika session create --xyzzy
	[ "$(amika session list | jq -s length)" = 2 ]
}

@test "agents and modes" {
	refused 4 'amika-session: not_found: no agent "mcok" (did you mean mock?)' amika session create --agent mcok tau
	refused 4 'amika-run: not_found: no agent "cluade" (did you mean claude?)' amika run cluade hello
	refused 4 'amika-agent: not_found: no agent "claud" (did you mean claude?)' amika agent modes claud
	refused 4 'amika-agent: not_found: no agent "xyzzy" (see: amika agent list)' amika agent modes xyzzy
	refused 3 'amika-session: bad_input: invalid permission mode: byapss (did you mean bypass?)' \
		amika session create --agent mock --permission-mode byapss tau
	refused 3 'amika-session: bad_input: mode not supported: mock biuld (did you mean build?)' \
		amika session create --agent mock --agent-mode biuld tau
	refused 3 'amika-session: bad_input: mode not supported: mock xyzzy (see: amika agent modes mock)' \
		amika session create --agent mock --agent-mode xyzzy tau
}

@test "names of sessions, wherever one is named" {
	refused 4 'amika-session: not_found: no session "teal-tokio" (did you mean teal-tokyo?)' amika session show teal-tokio
	refused 4 'amika-session: not_found: no session "red" (did you mean red-rome?)' amika session end red
	refused 4 'amika-send: not_found: no session "teal-toyko" (did you mean teal-tokyo?)' amika send teal-toyko hello
	refused 4 'amika-events: not_found: no session "teal" (did you mean teal-tokyo?)' amika events teal
	refused 4 'amika-events: not_found: no session "red-rom" (did you mean red-rome?)' amika events --follow red-rom
	refused 4 'amika-decision: not_found: session not found: rd-rome (did you mean red-rome?)' \
		amika decision list --session rd-rome
	refused 4 'amika-session: not_found: no session "xyzzy" (see: amika session list)' amika session show xyzzy
	[ "$(amika session show red-rome | jq .ended)" = false ]
}

@test "the daemon says it to programs, too" {
	run curl -s --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -H 'Content-Type: application/json' \
		-d '{"agent":"mcok"}' http://localhost/v1/sessions/rho
	[ "$(jq -r .hint <<<"$output")" = 'did you mean mock?' ]
}
