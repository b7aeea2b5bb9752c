#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The check that pages and programs say the same finds what differs: each kind of mistake in a page, and in a program.

setup() {
	cd "$top_srcdir" || return
	pages=$BATS_TEST_TMPDIR/man
	cp -r man "$pages"
	chmod -R u+w "$pages"
}

check() { run bash -c 'for check in man spec variables; do sh "tests/lint/$check.sh" "$1" || bad=1; done; exit ${bad:-0}' - "$pages"; }

# With the page so changed the check says this of it, and nothing else.
mistake() { # PAGE SED-SCRIPT WORDS
	sed "$2" "man/$1" >"$pages/$1"
	! cmp -s "man/$1" "$pages/$1" || { echo "$2 changes nothing" && return 1; }
	check
	echo "$2: $output"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output = "$pages/$1:1: "*"$3" ]]
	cp "man/$1" "$pages/$1"
}

@test "the pages as they are" {
	check
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "options: one that is missing, made up, without its letter, with another argument" {
	mistake amika-run.1 '/^\.It Fl -title/d' 'differ: < option --title text'
	mistake amika-run.1 's/^\.It Fl -title Ar text/&\n.It Fl -tint Ar colour/' 'differ: > option --tint colour'
	mistake amika-run.1 's/^\.It Fl n , Fl -name/.It Fl -name/' 'differ: > option --name name; < option -n, --name name'
	mistake amika-send.1 's/Fl -timeout Ar time$/Fl -timeout Ar seconds/' \
		'differ: > option -t, --timeout seconds; < option -t, --timeout time'
	mistake amika-send.1 's/^\.It Fl -final/& Ar how/' 'differ: < option --final; > option --final how'
	mistake amika-session.1 's/\.Op Fl -forget/.Op Fl -forgive/' 'SYNOPSIS has an option that is none: forgive'
}

@test "verbs and operands" {
	mistake amika-session.1 's/^\.It Cm show/.It Cm shew/' 'differ: > verb shew; < verb show'
	mistake amika-session.1 '/^\.Op Ar name/d' 'differ: > operands create --; < operands create name --'
	mistake amika-session.1 '/^\.Op Fl - Ar/d' 'differ: > operands create name; < operands create name --'
	mistake amika-agent.1 's/^\.Cm modes/.Cm moods/' 'differ: < operands modes agent; > operands moods agent'
	mistake amika-send.1 '0,/^\.Op Ar text/s/^\.Op Ar text/.Op Ar words/' \
		'differ: < operands session text; > operands session words'
}

@test "exit statuses and the environment" {
	mistake amika-send.1 's/; 9 it waits/; 19 it waits/' 'exit status 19 is none'
	mistake amika.1 's/^\.It 9$/.It 10/' '--spec says: > 10 The turn waits for a decision. < 9 The turn waits for a decision.'
	mistake amika.1 's/^No daemon answers/Nobody is there/' '--spec says: < 8 No daemon answers. > 8 Nobody is there.'
	mistake amika.1 '/^\.It Ev AMIKA_NO_START/d' 'differ: < AMIKA_NO_START'
	mistake amika.1 's/^\.It Ev AMIKA_URL/&\n.It Ev AMIKA_NICE/' 'differ: > AMIKA_NICE'
	mistake amikad.8 's/^\.It Ev AMIKA_LOG/.It Ev AMIKA_LOUD/' 'differ: < AMIKA_LOG > AMIKA_LOUD'
	sed 's/NOTIFY_SOCKET/NOTIFY/' man/amikad.8 >"$pages/amikad.8"
	check
	[ "$status" = 1 ]
	[ "$output" = "$pages/amika.1:1: no page tells of NOTIFY_SOCKET" ]
}

@test "a page that is not there, or lacks a section" {
	rm "$pages/amika-send.1"
	check
	[ "$status" = 1 ]
	[[ $output = *"no page $pages/amika-send.1 or .8"* ]]
	cp man/amika-send.1 "$pages"
	mistake amika-send.1 's/^\.Sh EXAMPLES/.Sh SAMPLES/' 'no EXAMPLES'
}
