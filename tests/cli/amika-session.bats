#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika session: making sessions from what their caller is and has, listing, showing, ending them.

load helper

setup() { helper_setup_file; }
teardown() { helper_teardown_file; }

# An agent of our own, which says what it got and where it stands.
make_claude() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/claude" <<-END
		#!/bin/sh
		env >"$BATS_TEST_TMPDIR/env"
		pwd >"$BATS_TEST_TMPDIR/pwd"
		printf '%s\n' "\$@" >"$BATS_TEST_TMPDIR/args"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "create prints a session line" {
	run --separate-stderr amika session create --agent mock tau
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq -r '[.type,.session_id,.agent,.state,.directory]|join(" ")' <<<"$output")" = "session tau mock idle $PWD" ]
	[ "$(jq -r 'keys_unsorted[0]' <<<"$output")" = type ]
}

@test "without a name one is made of a colour and a city" {
	run amika session create --agent mock
	[[ $(jq -r .session_id <<<"$output") =~ ^[a-z]+-[a-z]+$ ]]
}

@test "several names, a session each; a bad one among them makes none" {
	run amika session create --agent mock a b c
	[ "${#lines[@]}" -eq 3 ]
	run amika session create --agent mock d E
	[ "$status" -eq 3 ]
	run amika session show d
	[ "$status" -eq 4 ]
}

@test "list: the newest first, a line each, a table on demand" {
	amika session create --agent mock a b >/dev/null
	run amika session list
	[ "$(jq -r .session_id <<<"$output" | tr '\n' ' ')" = 'b a ' ]
	run amika session list --text
	[[ ${lines[0]} = SESSION* ]]
	[[ ${lines[1]} = b\ *mock*idle* ]]
}

@test "no sessions are no lines" {
	run --separate-stderr amika session list
	[ "$status" -eq 0 ]
	[ -z "$output$stderr" ]
}

@test "show: the whole of a session, values of variables masked" {
	amika session create --agent mock --env SECRET=topsecret --title "A title" tau
	run amika session show tau
	[ "$(jq -r .title <<<"$output")" = 'A title' ]
	[ "$(jq -r .environment.SECRET <<<"$output")" = '***' ]
	[[ $output != *topsecret* ]]
	run amika session show --text tau
	[[ $output = *title*A\ title* ]]
	run amika session list
	[[ $output != *topsecret* ]]
	run grep -a -r topsecret "$AMIKA_STATE_DIRECTORY/amikad.log"
	[ "$status" -ne 0 ]
}

@test "the agent gets the usual variables, its own, and those given: nothing else" {
	make_claude
	run env -i PATH="$PATH" HOME="$HOME" AMIKA_STATE_DIRECTORY="$AMIKA_STATE_DIRECTORY" LC_TIME=C TZ=UTC \
		ANTHROPIC_MODEL=m IS_SANDBOX=1 STRAY=1 MINE=yes AMIKA_LOG=debug \
		amika session create --agent claude --env MINE --env OTHER=a=b tau
	[ "$status" -eq 0 ]
	run amika send tau hello
	grep -qx ANTHROPIC_MODEL=m "$BATS_TEST_TMPDIR/env"
	grep -qx IS_SANDBOX=1 "$BATS_TEST_TMPDIR/env"
	grep -qx LC_TIME=C "$BATS_TEST_TMPDIR/env"
	grep -qx TZ=UTC "$BATS_TEST_TMPDIR/env"
	grep -qx MINE=yes "$BATS_TEST_TMPDIR/env"
	grep -qx OTHER=a=b "$BATS_TEST_TMPDIR/env"
	grep -q "^PATH=$BATS_TEST_TMPDIR/bin:" "$BATS_TEST_TMPDIR/env"
	# AMIKA_RUN tells the programs of one run from all others when they have to be found (SECURITY.md).
	[ "$(grep -cE '^(STRAY|AMIKA_)' "$BATS_TEST_TMPDIR/env")" = 1 ]
	grep -qE '^AMIKA_RUN=.' "$BATS_TEST_TMPDIR/env"
}

@test "a variable that is not set here, or is amika's own, is refused" {
	run --separate-stderr env -u UNSET amika session create --agent mock --env UNSET tau
	[ "$status" -eq 2 ]
	[[ $stderr = *'UNSET is not set here'* ]]
	run --separate-stderr amika session create --agent mock --env AMIKA_LOG=debug tau
	[ "$status" -eq 2 ]
	[[ $stderr = *"AMIKA_LOG is amika's own"* ]]
}

@test "directory, model and permission mode are really applied" {
	make_claude
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR"
	amika session create --agent claude -C ./work --model opus --variant high -p plan --agent-mode plan tau -- --extra "a b"
	run amika send tau hello
	[ "$(cat pwd)" = "$BATS_TEST_TMPDIR/work" ]
	grep -qx -- opus args
	grep -qx -- high args
	grep -qx -- plan args
	[ "$(amika session show tau | jq -r .agent_mode)" = plan ]
	grep -qx -- 'a b' args
}

@test "a directory that is none" {
	run --separate-stderr amika session create --agent mock -C /nowhere tau
	[ "$status" -eq 4 ]
	[[ $stderr = *'/nowhere'* ]]
	run --separate-stderr amika session create --agent mock -C /dev/null tau
	[ "$status" -eq 3 ]
	[[ $stderr = *'/dev/null is not a directory'* ]]
}

@test "no agent, unknown agent, unknown mode, a name that is taken" {
	run --separate-stderr amika session create tau
	[ "$status" -eq 2 ]
	[[ $stderr = *'--agent is needed'*'amika agent list'* ]]
	run --separate-stderr amika session create --agent nosuch tau
	[ "$status" -eq 4 ]
	[ "$stderr" = 'amika-session: not_found: no agent "nosuch" (see: amika agent list)' ]
	run --separate-stderr amika session create --agent mock -p nosuch tau
	[ "$status" -eq 3 ]
	amika session create --agent mock tau
	run --separate-stderr amika session create --agent mock tau
	[ "$status" -eq 5 ]
	[[ $stderr = *'there is a session "tau" already'* ]]
}

@test "end: the session line, ended; a second time is no error; a message is then a conflict" {
	amika session create --agent mock tau
	amika send tau hello >/dev/null
	run amika session end tau
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.session_id,.ended]|@csv' <<<"$output")" = '"tau",true' ]
	run amika session end tau
	[ "$status" -eq 0 ]
	run --separate-stderr amika send tau hello
	[ "$status" -eq 5 ]
	[[ $stderr = *tau* ]]
}

@test "end --forget: the last line there was, then nothing, and the name is free" {
	amika session create --agent mock --env SECRET=topsecret --title mine tau sigma >/dev/null
	amika send tau hello >/dev/null
	run --separate-stderr amika session end --forget tau
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq -r '[.type,.session_id,.title,.ended,.forgotten]|join(" ")' <<<"$output")" = 'session tau mine true true' ]
	run amika session show tau
	[ "$status" -eq 4 ]
	run amika session end --forget tau
	[ "$status" -eq 4 ]
	run amika session list
	[ "$(jq -r .session_id <<<"$output")" = sigma ]
	amika session create --agent mock tau >/dev/null
	[ "$(amika events tau | jq .sequence)" = 1 ]
}

@test "end --forget takes ended sessions too, several, and none that is not named" {
	amika session create --agent mock a b c >/dev/null
	amika session end a >/dev/null
	run amika session end --forget --text a b
	[ "$status" -eq 0 ]
	[[ ${lines[0]} = SESSION* ]]
	[ "$(amika session list | jq -r .session_id)" = c ]
	run amika session end --forget
	[ "$status" -eq 2 ]
	run bash -c 'amika session list | amika session end --forget'
	[ "$status" -eq 2 ]
	run amika session end --forget nosuch c
	[ "$status" -eq 4 ]
	[ "$(amika session list | jq -r .session_id)" = c ]
}

@test "an id the API gave is accepted where names are made stricter" {
	amika session list
	curl -sS -o /dev/null --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -H 'Content-Type: application/json' \
		-d '{"agent":"mock"}' http://localhost/v1/sessions/Some_ID.7
	run amika session show Some_ID.7
	[ "$status" -eq 0 ]
	run amika send --final Some_ID.7 hello
	[ "$output" = hello ]
}

@test "a state folder with a path of 200 bytes, from a bare environment" {
	local long=$BATS_TEST_TMPDIR
	while [ ${#long} -lt 200 ]; do long+=/0123456789; done
	run env -i PATH="$PATH" HOME=/ AMIKA_STATE_DIRECTORY="$long" amika run --final mock hello
	[ "$status" -eq 0 ]
	[ "$output" = hello ]
	AMIKA_STATE_DIRECTORY=$long amikad stop
}

@test "without HOME, XDG and TERM the state folder is below the home of the user database" {
	mkdir "$BATS_TEST_TMPDIR/home"
	run env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR/home" amika run --final mock hello
	[ "$output" = hello ]
	[ -S "$BATS_TEST_TMPDIR/home/.local/state/amika/socket" ]
	env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR/home" amikad stop
}

@test "--no-start and AMIKA_NO_START=1: status 8 and the remedy" {
	run --separate-stderr amika session list --no-start
	[ "$status" -eq 8 ]
	[[ $stderr = 'amika-session: unreachable: no daemon runs in '*'(start one: amikad serve)' ]]
	AMIKA_NO_START=1 run amika session list
	[ "$status" -eq 8 ]
	AMIKA_NO_START=0 run amika session list
	[ "$status" -eq 0 ]
	run amika session list --no-start
	[ "$status" -eq 0 ]
}

@test "a daemon that cannot start: its reason is the sentence" {
	mkdir -p "$AMIKA_STATE_DIRECTORY"
	echo '{"nonsense":1}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	run --separate-stderr amika session list
	[ "$status" -eq 8 ]
	[[ $stderr = *'unknown setting "nonsense"'*'amikad.log'* ]]
	rm "$AMIKA_STATE_DIRECTORY/settings.json"
}

@test "a started daemon has its own session, / as directory, a log, nothing of its starter" {
	local x pid
	x=$(STRAY=1 PATH=$PATH amika run --final mock hello 9>"$BATS_TEST_TMPDIR/nine")
	[ "$x" = hello ]
	pid=$(amikad status | jq .pid)
	[ "$(readlink "/proc/$pid/cwd")" = / ]
	[ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$pid" ]
	[ "$(stat -c %a "$AMIKA_STATE_DIRECTORY/amikad.log")" = 600 ]
	[ "$(readlink "/proc/$pid/fd/0")" = /dev/null ]
	[ "$(readlink "/proc/$pid/fd/2")" = "$AMIKA_STATE_DIRECTORY/amikad.log" ]
	run bash -c "ls -l /proc/$pid/fd | grep -c nine"
	[ "$output" = 0 ]
	run bash -c "tr '\0' '\n' </proc/$pid/environ | cut -d = -f 1 | sort | tr '\n' ' '"
	[ "$output" = 'AMIKA_STATE_DIRECTORY HOME PATH ' ]
}

@test "ignored and blocked signals of the starter are not the daemon's" {
	(trap '' HUP TERM INT; amika session list)
	amikad stop
	run amikad status
	[ "$status" -eq 8 ]
}

# A stand-in for the socket of systemd's user manager, in $run.
start_manager() {
	local line
	run=$BATS_TEST_TMPDIR/run
	mkdir -p "$run/systemd" "$BATS_TEST_TMPDIR/bin"
	mkfifo "$run/log"
	socat -d -d -u "UNIX-LISTEN:$run/systemd/private,fork" /dev/null 2>"$run/log" 3>&- &
	manager=$!
	exec 8<"$run/log"
	until [[ $line == *'listening on'* ]]; do read -r line <&8 || return 1; done
}

@test "where a systemd user manager answers the daemon is a unit of it" {
	start_manager
	# A stand-in for systemd-run: it starts what it is told, waits for READY=1.
	cat >"$BATS_TEST_TMPDIR/bin/systemd-run" <<-END
		#!/bin/bash
		printf '%s\n' "\$@" >"$BATS_TEST_TMPDIR/asked"
		environment=()
		while [[ \$1 == --* ]]; do
			[[ \$1 != --setenv=* ]] || environment+=("\${1#--setenv=}")
			shift
		done
		rm -f "$run/notify"
		exec {ready}< <(exec socat -d -d -u UNIX-RECVFROM:"$run/notify" - 2>&1)
		until [[ \$line == *'receiving on'* ]]; do read -r line <&"\$ready" || exit 1; done
		env -i "\${environment[@]}" NOTIFY_SOCKET="$run/notify" setsid "\$@" >/dev/null 2>&1 &
		while read -r line <&"\$ready" && [[ \$line != *READY=1* ]]; do :; done
		[[ \$line == *READY=1* ]]
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/systemd-run"
	XDG_RUNTIME_DIR=$run PATH=$BATS_TEST_TMPDIR/bin:$PATH run amika session create --agent mock tau
	kill "$manager"
	[ "$status" -eq 0 ]
	grep -qx -- --user "$BATS_TEST_TMPDIR/asked"
	grep -qx -- --property=Type=notify "$BATS_TEST_TMPDIR/asked"
	grep -qx -- --property=KillMode=process "$BATS_TEST_TMPDIR/asked"
	grep -qE -- '^--unit=amikad-[0-9a-f]{16}$' "$BATS_TEST_TMPDIR/asked"
	grep -qx -- "--setenv=AMIKA_STATE_DIRECTORY=$AMIKA_STATE_DIRECTORY" "$BATS_TEST_TMPDIR/asked"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/asked")" = serve ]
	run amikad status
	[ "$status" -eq 0 ]
}

@test "a manager that fails is no reason to fail" {
	start_manager
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/systemd-run"
	chmod +x "$BATS_TEST_TMPDIR/bin/systemd-run"
	XDG_RUNTIME_DIR=$run PATH=$BATS_TEST_TMPDIR/bin:$PATH run amika session list
	kill "$manager"
	[ "$status" -eq 0 ]
}
