#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each example of amika-rule(5), read from the page: its rules are made, its requests are tested.

load helper

setup_file() {
	helper_setup_file
	# What the page says of the session's directory, and its literal blocks, a file each, as a reader sees them.
	export PROJECT=$BATS_FILE_TMPDIR/project BLOCKS=$BATS_FILE_TMPDIR/blocks
	mkdir -p "$PROJECT/src" "$BLOCKS"
	ln -s /etc "$PROJECT/out"
	ln -s nothing-there "$PROJECT/lost"
	awk -v to="$BLOCKS" '/^\.Bd -literal/ { n++; next } /^\.Ed/ { shown = 0 } /^\$ amika decision rule add/ { shown = 1 }
		shown { gsub(/\\\(aq/, "\047"); gsub(/\\\(ga/, "`"); gsub(/\\\(ti/, "~"); gsub(/\\\(ha/, "^"); gsub(/\\e/, "\\")
			print >(to "/" n) }' "$top_srcdir/man/amika-rule.5"
}
teardown_file() { helper_teardown_file; }

teardown() { amika decision rule list | jq -r .rule_id | xargs -r amika decision rule remove; }

# The words for what cannot stand on a line of the page.
unspell() {
	local s=$1
	s=${s//'(newline)'/$'\n'}
	s=${s//'(return)'/$'\r'}
	s=${s//'(tab)'/$'\t'}
	s=${s//'(escape)'/$'\e'}
	s=${s//'(del)'/$'\x7f'}
	printf %s "${s//'(empty)'/}"
}

# "MODE, TOOL: ARGUMENT  OUTCOME" is what the rules say.
request() { # LINE
	local mode=default tool argument outcome said
	[[ $1 =~ ^\ \ (([A-Za-z]+),\ )?([A-Za-z]+):\ (.*[^\ ])\ \ +(allow|deny|ask)$ ]]
	[ -z "${BASH_REMATCH[2]}" ] || mode=${BASH_REMATCH[2]}
	tool=${BASH_REMATCH[3]} outcome=${BASH_REMATCH[5]}
	argument=$(unspell "${BASH_REMATCH[4]}"; echo .)
	argument=${argument%.}
	argument=${argument%$'\n'}
	local about=--path
	[ "$tool" != Bash ] || about=--command
	said=$(amika decision rule test -C "$PROJECT" --permission-mode "$mode" --tool "$tool" "$about=$argument" | jq -r .action)
	[ "$said" = "$outcome" ] || echo "$1: the page says $outcome, the rules $said" >&2
	[ "$said" = "$outcome" ]
}

# Block N of the page: so many requests.
block() { # N REQUESTS
	local line n=0
	while IFS= read -r line; do
		case $line in
		'$ amika decision rule add '*) eval "${line#\$ }" >/dev/null ;;
		*) request "$line" && n=$((n + 1)) ;;
		esac
	done <"$BLOCKS/$1"
	[ "$n" -eq "$2" ]
}

@test "example 1: what a rule names" { block 1 4; }
@test "example 2: the first that matches" { block 2 3; }
@test "example 3: command patterns" { block 3 10; }
@test "example 4: what cannot be read is asked" { block 4 4; }
@test "example 5: wildcards that could be meant" { block 5 4; }
@test "example 6: attempts to slip past a rule that denies" { block 6 43; }
@test "example 7: attempts to get more out of a rule that allows" { block 7 24; }
@test "example 8: what a rule about words cannot hold" { block 8 4; }
@test "example 9: path patterns" { block 9 12; }
@test "example 10: paths that lead nowhere certain" { block 10 5; }
@test "example 11: links in a pattern" { block 11 1; }
@test "example 12: permission modes" { block 12 10; }

@test "these are all examples of the page" {
	[ "$(find "$BLOCKS" -type f | wc -l)" -eq 12 ]
	[ "$(grep -c '^\.Bd -literal' "$top_srcdir/man/amika-rule.5")" -eq 12 ]
}
