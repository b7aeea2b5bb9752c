#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The shells ask the programs what could follow; the programs ask a daemon that runs, and start none.

load helper

setup_file() {
	helper_setup_file
	mkdir -p "$BATS_FILE_TMPDIR/files/a folder" "$BATS_FILE_TMPDIR/files/notes" "$BATS_FILE_TMPDIR/home"
	touch "$BATS_FILE_TMPDIR/files/notes.txt"
	amika session create --agent mock --title "two: words" teal-tokyo
	amika session create --agent mock red-rome
	amika session create --agent mock old-oslo
	amika session end old-oslo
	amika send --no-wait teal-tokyo permission
	await teal-tokyo permission.requested 2
	decision=$(amika decision list --json | jq -sr '.[0].decision_id')
	export decision
	amika decision list --json | tail -n 1 | amika decision deny
} >/dev/null

teardown_file() { helper_teardown_file; }

setup() { cd "$BATS_FILE_TMPDIR/files" || return; }

# What the program says could stand in the place of the last word.
offered() { # PROGRAM WORD…
	local program=$1
	shift
	"$program" --complete -- "$@" | cut -f 1 | paste -sd ' '
}

is_offered() { # WORDS PROGRAM WORD…
	local want=$1 got
	shift
	got=$(offered "$@")
	[ "$got" = "$want" ] || { echo "$*: $got, not $want" && return 1; }
}

# Each shell completes the same, in its own way: $1 is a function that has WORDS completed and sees what comes.
common() {
	"$1" 'amika ses' 'amika session '
	"$1" 'amika session cr' 'create '
	"$1" 'amika session create --agent m' 'mock '
	"$1" 'amika session create --agent=m' 'mock '
	"$1" 'amika session create -a mock --permission-mode by' 'bypass '
	"$1" 'amika run claude --model so' 'sonnet '
	"$1" 'amika send te' 'teal-tokyo '
	"$1" 'amika-session show r' 'red-rome '
	"$1" 'amika decision allow ' "$decision "
	"$1" 'amika answer al' 'allow '
	"$1" 'amika help dec' 'decision '
	"$1" 'amika run mock --attach notes.' 'notes.txt '
	"$1" 'amika run mock --attach=notes.' 'notes.txt '
	"$1" 'amika run mock --directory not' 'notes/'
	"$1" 'amikad sto' 'stop '
	"$1" 'amikad serve --allow-h' '--allow-host '
}

@test "the programs: commands, nested words, options, no option twice, none behind --" {
	is_offered 'send session' amika s
	is_offered 'decision' amika help dec
	is_offered '' amika nosuch ''
	is_offered 'show' amika-session sh
	is_offered '' amika-session nosuch ''
	is_offered '--title' amika-session create --ti
	is_offered '--no-start --url --token-file --json --text --help --version' amika-agent list ''
	is_offered '' amika-session create --title x --title
	is_offered '--env' amika-session create --env A=1 --env
	is_offered '' amika-send tau -- --fin
	is_offered ':file' amika-session create tau --agent mock -- --pa
	is_offered '--spec' amika-send --spec
	is_offered '--listen --lock-fd' amikad --l
}

@test "every program is known to all three shells" {
	local source
	for source in "$top_srcdir"/bin/*.c; do
		case $(basename "$source" .c) in amika-mock | amika-once | amika-shim) continue ;; esac
		[ "$(grep -cE "^(complete|#compdef|for program in).* $(basename "$source" .c)( |\$)" \
			"$top_srcdir"/completions/* | grep -c ':1$')" = 3 ]
	done
}

@test "the programs: names from the daemon, in their place" {
	is_offered 'red-rome teal-tokyo' amika-send ''
	is_offered 'old-oslo red-rome teal-tokyo' amika-session show ''
	is_offered 'red-rome teal-tokyo' amika-session end red-rome ''
	is_offered '' amika-session create te
	is_offered '' amika-run mock -n te
	is_offered '--session=teal-tokyo' amika-decision list --session=t
	is_offered "$decision" amika-decision reply ''
	is_offered 'claude mock' amika-run ''
	is_offered 'claude mock' amika-agent models ''
	is_offered 'build' amika-run mock --agent-mode b
	is_offered 'add list remove test explain' amika-decision rule ""
	is_offered 'allow ask' amika-decision rule add a
	is_offered '--scope=daemon' amika-decision rule add deny --scope=d
	rule=$(amika decision rule add ask --tool Bash --json | jq -r .rule_id)
	is_offered "$rule" amika-decision rule remove ''
	is_offered "$rule" amika-decision rule add allow --before ''
	amika decision rule remove "$rule"
	is_offered 'low medium high xhigh max' amika-run claude --variant ''
	is_offered '--hook' amika-hook deliveries --ho
	is_offered '' amika-session create --permission-mode ''
	[ "$(amika --complete -- send te)" = "$(printf 'teal-tokyo\tmock, waiting: two: words')" ] ||
		[ "$(amika --complete -- send te)" = "$(printf 'teal-tokyo\tmock, running: two: words')" ]
}

@test "no daemon: none is started, nothing is made, nothing is said, nobody waits" {
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/none
	run --separate-stderr amika --complete -- send ''
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	run --separate-stderr amika --complete -- send --url nonsense ''
	[ -z "$output$stderr" ]
	[ ! -e "$AMIKA_STATE_DIRECTORY" ]
	is_offered 'send session' amika s
}

@test "a daemon that does not answer is left alone within a second" {
	local began
	mkdir -m 700 "$BATS_TEST_TMPDIR/deaf"
	export AMIKA_STATE_DIRECTORY=$BATS_TEST_TMPDIR/deaf
	exec {said}< <(exec socat -d -d UNIX-LISTEN:"$AMIKA_STATE_DIRECTORY/socket",fork SYSTEM:'cat >/dev/null' 2>&1 3>&-)
	deaf=$!
	until [[ $REPLY == *listening* ]]; do read -r -t 20 -u "$said"; done
	began=${EPOCHREALTIME/./}
	run --separate-stderr amika-send --complete -- ''
	kill "$deaf"
	[ -z "$output$stderr" ]
	[ $((${EPOCHREALTIME/./} - began)) -lt 1000000 ]
	[ $((${EPOCHREALTIME/./} - began)) -ge 250000 ]
}

@test "a command of others that has no table is not run" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n[ "$1" = --spec ] || touch "%s/ran"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/amika-other"
	chmod +x "$BATS_TEST_TMPDIR/bin/amika-other"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH is_offered '' amika other ''
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "a hostile title is text" {
	amika session create --agent mock --title $'$(touch ran)\x1b[2J`touch ran`;\ttab' zz-top
	[ "$(amika --complete -- send zz | tr -d -c '\033\t' | wc -c)" = 1 ]
	on_shell 'bash --norc --noprofile -i' ". '$top_srcdir/completions/amika.bash'"
	completed 'amika send zz' 'zz-top '
	types '\x15exit\n'
	ends
	amika session end zz-top
	[ ! -e ran ]
}

# An interactive shell, ready.
on_shell() { # COMMAND SET-UP
	export HOME=$BATS_FILE_TMPDIR/home PS1='> '
	on_terminal "$1"
	types "$2; echo rea''dy\n"
	sees ready
}

# What was typed and TAB shows the whole, and the line is taken back.
completed() { # TYPED WHOLE
	types "$1\t"
	sees "$2"
	types '\x15'
}

@test "bash on a terminal" {
	on_shell 'bash --norc --noprofile -i' ". '$top_srcdir/completions/amika.bash'"
	common completed
	types 'amika session create --agent=\t\t'
	sees claude
	sees mock
	types '\x15amika run mock --attach a\t'
	sees 'a\ folder/'
	types '\x15exit\n'
	ends
}

@test "zsh on a terminal" {
	command -v zsh >/dev/null || skip "zsh: not installed"
	on_shell 'zsh -f -i' "fpath=('$top_srcdir/completions' \$fpath); autoload -U compinit; compinit -u -D; unsetopt PROMPT_SP"
	common completed
	types 'amika session \t'
	sees 'Make a session for each NAME'
	types '\x15amika run mock --attach a\t'
	sees 'a\ folder/'
	types '\x15amika send te\t'
	sees 'teal-tokyo '
	types '\x15exit\n'
	ends
}

# The whole is what fish would put in place of the last word.
fish_completes() { # TYPED WHOLE
	local got
	got=$(fish --no-config -c "source '$top_srcdir/completions/amika.fish'; complete -C '$1'" | cut -f 1)
	got=${got#--*=}
	[ "${got% }" = "$(sed 's/^amika \(.\)/\1/; s/ $//' <<<"$2")" ] || { echo "$1: $got, not $2" && return 1; }
}

@test "fish" {
	command -v fish >/dev/null || skip "fish: not installed"
	export HOME=$BATS_FILE_TMPDIR/home
	common fish_completes
	[ "$(fish --no-config -c "source '$top_srcdir/completions/amika.fish'; complete -C 'amika-send te'")" = \
		"$(amika-send --complete -- te)" ]
	run --separate-stderr fish --no-config -c "source '$top_srcdir/completions/amika.fish'; complete -C './amika ses'"
	[ -z "$output$stderr" ]
}
