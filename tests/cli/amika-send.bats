#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# amika send: a message in, its turn out; what it waits for and what it does not.

load helper

setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

# Each test has a session of its own, named by its number.
setup() {
	tau=t$BATS_TEST_NUMBER
	amika session create --agent mock "$tau" -- --pace 0 >/dev/null
}

types_of() { jq -r .type <<<"$1" | tr '\n' ' '; }

@test "the turn's events, from its start to its end, one object a line" {
	run --separate-stderr amika send "$tau" hello
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(types_of "$output")" = 'turn.started item.started item.completed item.started item.delta item.completed turn.ended ' ]
	[ "$(jq -r 'select(.type == "turn.ended").amika.outcome' <<<"$output")" = completed ]
}

@test "all of stdin is one message, whatever it looks like" {
	run amika send "$tau" <<<'{"text":"not a record"}'
	[ "$(jq -r 'select(.type == "item.completed" and .data.item.role == "user").data.item.content[0].text' <<<"$output")" = \
		'{"text":"not a record"}' ]
	run amika send --final "$tau" < <(printf 'two\nlines')
	[ "$output" = $'two\nlines' ]
}

@test "--lines: one turn for each object, in order" {
	run amika send --lines "$tau" < <(printf '{"text":"one"}\n{"text":"two\\nlines"}\n{"text":"three"}')
	[ "$status" -eq 0 ]
	[ "$(jq -r 'select(.type == "turn.ended").amika.turn' <<<"$output" | tr '\n' ' ')" = '1 2 3 ' ]
	[ "$(jq -r 'select(.type == "item.completed" and .data.item.role == "user").data.item.content[0].text' <<<"$output")" = \
		$'one\ntwo\nlines\nthree' ]
}

@test "--lines --no-wait --id: receipts with numbered ids" {
	run amika send --lines --no-wait --id key "$tau" < <(printf '{"text":"one"}\n{"text":"two"}\n')
	[ "$(jq -r .message_id <<<"$output" | tr '\n' ' ')" = 'key-1 key-2 ' ]
	run amika send --lines --no-wait "$tau" <<<'{"text":"x","message_id":"own"}'
	[ "$(jq -r .message_id <<<"$output")" = own ]
}

@test "--no-wait prints a receipt; amika events makes a turn of it" {
	run amika send --no-wait "$tau" hello
	[ "$status" -eq 0 ]
	[ "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" = 'type session_id message_id after state' ]
	[ "$(jq -r '[.type,.session_id,.after,.state]|join(" ")' <<<"$output")" = "receipt $tau 1 accepted" ]
	run amika events <<<"$output"
	[ "$(types_of "$output")" = 'turn.started item.started item.completed item.started item.delta item.completed turn.ended ' ]
}

@test "a session line names the session; what follows stays unread" {
	run bash -c 'amika session show '"$tau"' | { amika send --no-wait - hello; cat; }'
	[ "$(jq -r .session_id <<<"$output")" = "$tau" ]
	printf '{"type":"session","session_id":"%s"}\nthe rest\n' "$tau" >"$BATS_TEST_TMPDIR/in"
	run bash -c '{ amika send --final - hello; cat; } <"$1"' -- "$BATS_TEST_TMPDIR/in"
	[ "$output" = $'hello\nthe rest' ]
}

@test "the pipeline of the README: create, send, events" {
	run bash -c 'amika session create --agent mock | amika send --no-wait - "fix the tests" | amika events'
	[ "$status" -eq 0 ]
	[ "$(jq -r 'select(.type == "turn.ended").amika.outcome' <<<"$output")" = completed ]
}

@test "- needs TEXT, and a line with a session_id" {
	run --separate-stderr amika send - </dev/null
	[ "$status" -eq 2 ]
	run --separate-stderr amika send - hello </dev/null
	[ "$status" -eq 3 ]
	run --separate-stderr amika send - hello <<<'{"type":"session"}'
	[ "$status" -eq 3 ]
	[[ $stderr = *'no session_id'* ]]
	run --separate-stderr amika send --lines "$tau" hello
	[ "$status" -eq 2 ]
}

@test "--id: the same text counts once and shows its turn again; another text is a conflict" {
	run amika send --id key "$tau" one
	local first=$output
	run amika send --id key "$tau" one
	[ "$status" -eq 0 ]
	[ "$output" = "$first" ]
	run amika send --no-wait --id key "$tau" one
	[ "$(jq -r .state <<<"$output")" = duplicate ]
	run amika send --id key "$tau" two
	[ "$status" -eq 5 ]
	run amika send --id 'not an id' "$tau" two
	[ "$status" -eq 3 ]
}

@test "--final: the last text of the assistant and nothing else" {
	run --separate-stderr amika send --final "$tau" 'echo one two'
	[ "$output" = 'one two' ]
	[ -z "$stderr" ]
	local x
	x=$(amika send --final --json "$tau" hello)
	[ "$x" = hello ]
}

@test "text: read as it comes, without control characters of the agent" {
	run amika send --text "$tau" markdown
	[[ $output = *'# Title'* ]]
	run amika send --text "$tau" "$(printf 'say \033[31mred\a\302\233')"
	[ "$output" = '\x1b[31mred\x07\u009b' ]
	run amika send --final "$tau" "$(printf 'say \033[31mred')"
	[ "$output" = '\x1b[31mred' ]
}

@test "a turn that waits: the request is the last record, status 9, the turn stays open" {
	run --separate-stderr amika send "$tau" permission
	[ "$status" -eq 9 ]
	[ "$(tail -n 1 <<<"$output" | jq -r .type)" = permission.requested ]
	[[ $stderr = 'amika-send: waiting: the turn waits for decision d_'*'(amika decision allow d_'* ]]
	[ "$(amika session show "$tau" | jq .open_decisions)" -gt 0 ]
}

@test "sent again with its --id after the answer, it shows the turn past the request" {
	run amika send --id again "$tau" permission
	[ "$status" -eq 9 ]
	await "$tau" permission.requested 2 >/dev/null
	amika decision list -s "$tau" | amika decision allow >/dev/null
	run amika send --id again "$tau" permission
	[ "$status" -eq 0 ]
	[ "$(tail -n 1 <<<"$output" | jq -r .amika.outcome)" = completed ]
}

@test "--wait goes on until the turn ends, whoever answers" {
	amika send --wait "$tau" question >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$! id
	await "$tau" question.requested 2 >/dev/null
	for id in $(amika decision list -s "$tau" | jq -r .decision_id); do amika decision reply "$id" Red >/dev/null; done
	wait "$pid"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r .amika.outcome)" = completed ]
	[ "$(grep -c question.resolved "$BATS_TEST_TMPDIR/out")" -eq 2 ]
}

@test "a failed turn is status 1 and says why" {
	run --separate-stderr amika send "$tau" exit
	[ "$status" -eq 1 ]
	[[ $stderr = 'amika-send: failed: the turn ended as failed'* ]]
}

@test "--timeout: status 7, the turn goes on" {
	run --separate-stderr amika send --timeout 100ms "$tau" hang
	[ "$status" -eq 7 ]
	[[ $stderr = *'it goes on'*"amika events --follow $tau"* ]]
	[ "$(amika session show "$tau" | jq -r .state)" != idle ]
}

@test "--timeout in a flood, too" {
	run bash -c "amika send --timeout 200ms $tau 'flood 2000000 10' | tail -n 1; exit \${PIPESTATUS[0]}"
	[ "$status" -eq 7 ]
	amika session end "$tau" >/dev/null
}

@test "options that contradict each other" {
	run amika send --no-wait --wait "$tau" x
	[ "$status" -eq 2 ]
	run amika send --no-wait --final "$tau" x
	[ "$status" -eq 2 ]
}

# What the user's item holds besides its text: "type path", a line each.
attached() { jq -r 'select(.type == "item.completed" and .data.item.role == "user").data.item.content[1:][] | .type + " " + .path' <<<"$1"; }

@test "--attach: files of the caller's, by their absolute paths" {
	cd "$BATS_TEST_TMPDIR"
	mkdir folder
	printf 'GIF89a' >folder/picture
	echo words >'two words'
	run amika send --attach folder/../folder/picture --attach "$PWD/two words" "$tau" see
	[ "$status" -eq 0 ]
	[ "$(attached "$output")" = "image $PWD/folder/../folder/picture"$'\n'"file_ref $PWD/two words" ]
	run amika send --attach 'two words' --text --no-input "$tau" see
	[ "${lines[1]}" = "- file $PWD/two words" ]
	run amika run -n "attach-$tau" --attach folder/picture mock see
	[ "$(attached "$output")" = "image $PWD/folder/picture" ]
	run --separate-stderr amika send --attach folder "$tau" see
	[ "$status" -eq 3 ]
	[ "$stderr" = "amika-send: bad_input: cannot attach $PWD/folder: it is no file" ]
	run --separate-stderr amika send --attach $'\xff' "$tau" see
	[ "$status" -eq 3 ]
	run --separate-stderr amika send --attach '' "$tau" see
	[ "$status" -eq 2 ]
	run --separate-stderr amika send --lines --attach folder/picture "$tau" </dev/null
	[ "$status" -eq 2 ]
}

@test "--lines: each line has its own attachments, below the session's folder" {
	cd "$BATS_TEST_TMPDIR"
	echo words >notes
	amika session create --agent mock "here-$tau" -- --pace 0
	run amika send --lines "here-$tau" <<-'END'
		{"text":"one","attachments":[{"path":"notes","mime":"text/plain"}]}
		{"text":"two","attachments":null}
		{"text":"three"}
	END
	[ "$status" -eq 0 ]
	[ "$(attached "$output")" = 'file_ref notes' ]
	run --separate-stderr amika send --lines "here-$tau" <<<'{"text":"one","attachments":"notes"}'
	[ "$status" -eq 3 ]
	[ "$stderr" = 'amika-send: bad_input: line 1: "attachments" must be an array' ]
}

@test "a busy session queues; each sender gets its own turn" {
	amika send --no-wait "$tau" hang >/dev/null
	run amika send --no-wait --id second "$tau" hello
	[ "$(jq -r .state <<<"$output")" = queued ]
	amika send --id second "$tau" hello >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" -X POST "http://localhost/v1/sessions/$tau/cancel"
	wait "$pid"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/out" | jq -r '[.type,.amika.message]|join(" ")')" = 'turn.started second' ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r .amika.outcome)" = completed ]
}

@test "a queued message whose session ends: status 1" {
	amika send --no-wait "$tau" hang >/dev/null
	amika send "$tau" hello >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! status=0
	await "$tau" message.queued >/dev/null
	amika session end "$tau" >/dev/null
	wait "$pid" || status=$?
	[ "$status" -eq 1 ] || [ "$status" -eq 5 ]
	[ -s "$BATS_TEST_TMPDIR/err" ]
}

@test "SIGTERM detaches: the turn goes on" {
	amika send "$tau" hang >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! status=0
	await "$tau" turn.started >/dev/null
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[[ $(cat "$BATS_TEST_TMPDIR/err") = 'left; the turn goes on'* ]]
	run amika events "$tau"
	[[ $output != *turn.ended* ]]
}

@test "a reader that goes away detaches at once: the turn goes on, status 0" {
	run bash -c "amika send $tau hang | sed -n '/turn.started/q'; echo \"\${PIPESTATUS[0]}\""
	[ "$output" = 0 ]
	run amika events "$tau"
	[[ $output != *turn.ended* ]]
}

# ^C reaches a process that has the terminal; here a signal to it alone.
interrupt() { kill -INT "$1"; }

@test "^C cancels the turn and waits for its end" {
	# A job in the background ignores ^C unless it is started with job control.
	set -m
	amika send "$tau" hang >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! status=0
	set +m
	await "$tau" turn.started >/dev/null
	interrupt "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r .amika.outcome)" = cancelled ]
}

@test "^C twice detaches: 130" {
	make_deaf
	set -m
	amika send "deaf$BATS_TEST_NUMBER" hello >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$! status=0
	set +m
	await "deaf$BATS_TEST_NUMBER" turn.started >/dev/null
	interrupt "$pid"
	tail -f --pid="$pid" "$BATS_TEST_TMPDIR/err" 3>&- | sed -n '/cancelling/q'
	interrupt "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 130 ]
	amika session end "deaf$BATS_TEST_NUMBER" >/dev/null
}

# A session whose agent never answers and cannot be interrupted.
make_deaf() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexec cat >/dev/null\n' >"$BATS_TEST_TMPDIR/bin/claude"
	chmod +x "$BATS_TEST_TMPDIR/bin/claude"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH amika session create --agent claude "deaf$BATS_TEST_NUMBER" >/dev/null
}

@test "a SIGINT that was ignored stays ignored" {
	amika send "$tau" hang >/dev/null 2>&1 3>&- & # in the background the shell has it ignored
	local pid=$!
	await "$tau" turn.started >/dev/null
	kill -INT "$pid"
	kill -0 "$pid"
	kill -TERM "$pid"
	local status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ] # SIGTERM ended it, the SIGINT before did not
}

@test "a daemon killed in the middle: the stream goes on where it was" {
	amika session create --agent mock "slow$BATS_TEST_NUMBER" -- --pace 50 >/dev/null
	amika send "slow$BATS_TEST_NUMBER" markdown >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	await "slow$BATS_TEST_NUMBER" item.delta 2 >/dev/null
	kill -KILL "$(amikad status | jq .pid)"
	wait "$pid"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r .amika.outcome)" = completed ]
	[ "$(jq -s '[.[].sequence] == [range(2; 2 + length)]' "$BATS_TEST_TMPDIR/out")" = true ]
}

@test "a daemon that is restarted: the same" {
	amika session create --agent mock "slow$BATS_TEST_NUMBER" -- --pace 50 >/dev/null
	amika send "slow$BATS_TEST_NUMBER" markdown >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$!
	await "slow$BATS_TEST_NUMBER" item.delta 2 >/dev/null
	amikad restart >/dev/null
	wait "$pid"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -r .amika.outcome)" = completed ]
	[ "$(jq -s '[.[].sequence] == [range(2; 2 + length)]' "$BATS_TEST_TMPDIR/out")" = true ]
}

@test "a proxy of the environment is not asked" {
	http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 \
		run amika send --final "$tau" hello
	[ "$output" = hello ]
}

@test "on a terminal: a permission is asked there, and answered there" {
	on_terminal "amika send $tau permission"
	sees 'permission d_'
	sees ': command_execution: echo mock'
	sees 'y once, a always, n deny: '
	types 'what?\n'
	sees 'y once, a always, n deny: '
	types 'y\n'
	sees ': file_change:'
	sees 'y once, a always, n deny: '
	types 'n\n'
	ends
	[[ $screen = *once*reject* ]]
	[ "$(amika decision list --all -s "$tau" | jq -r .answer.reply | tr '\n' ' ')" = 'once reject ' ]
	[[ $(amika decision list --all -s "$tau" | jq -r .by | head -n 1) = *' on /dev/pts/'* ]]
}

@test "on a terminal: a question, by number and in own words" {
	on_terminal "amika send $tau question"
	sees 'Choose a color'
	sees '1 Red'
	sees '2 Blue'
	sees 'own words, or - to decline: '
	types '2\n'
	sees 'Proceed?'
	sees 'to decline: '
	types 'perhaps\n'
	ends
	[ "$(amika decision list --all -s "$tau" | jq -r '.answer.answers[0][0]' | tr '\n' ' ')" = 'Blue perhaps ' ]
}

@test "on a terminal: someone else is first, the question is taken back with their name" {
	on_terminal "amika send $tau permission"
	sees 'y once, a always, n deny: '
	await "$tau" permission.requested 2 >/dev/null
	amika decision list -s "$tau" | amika decision deny >/dev/null
	sees 'denied by '
	sees '(amika decision)'
	ends
}

@test "on a terminal: --no-input and --json ask nothing" {
	on_terminal "amika send --no-input $tau permission"
	local status=0
	ends || status=$?
	[ "$status" -eq 9 ]
	[[ $screen != *'y once'* ]]
}

@test "on a terminal without TEXT the message is read to ^D" {
	on_terminal "amika send $tau"
	types 'hello from a terminal\n\004'
	ends
	[[ $screen = *$'hello from a terminal'* ]]
	run amika events "$tau"
	[[ $output = *'"text":"hello from a terminal\n"'* ]]
}

@test "on a terminal: ^C cancels" {
	on_terminal "amika send $tau hang"
	await "$tau" turn.started >/dev/null
	types '\003'
	sees 'cancelling the turn'
	sees 'turn cancelled'
	local status=0
	ends || status=$?
	[ "$status" -eq 1 ]
}

@test "records from a terminal: one line says so" {
	on_terminal "amika send --lines --json $tau"
	sees 'amika-send: reading messages from the terminal, one JSON object a line, to ^D'
	types '\004'
	ends
}
