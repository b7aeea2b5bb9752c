#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The variables of --spec, of the pages and of the source are the same.
# variables.sh FOLDER looks at other pages: tests/cli/man.bats shows that each difference is found.
man=${1:-man}
bin=${top_builddir:-.}/bin
bad=0
say() { echo "$1:1: $2" && bad=1; }

compare() { # PAGE HAS
	told=$(sed -n 's/^\.It Ev //p' "$1" | sort -u)
	[ "$2" = "$told" ] || say "$1" "variables of the programs (<) and the page (>) differ: $(
		{ echo "$2" | sed 's/^/< /' && echo "$told" | sed 's/^/> /'; } | sort -k 2 | uniq -u -f 1 | paste -sd ' ')"
}

all=$(for source in bin/*.c; do
	name=$(basename "$source" .c)
	case $name in amika-shim | amika-once) ;; *) "$bin/$name" --spec | jq -r '.environment[]' ;; esac
done | sort -u)
compare "$man/amika.1" "$all"
compare "$man/amikad.8" "$("$bin/amikad" --spec | jq -r '.environment[]' | sort -u)"
# Crash points are of one kind of build, for tests.
for name in $(grep -rhoE --include='*.[ch]' 'getenv\("[A-Z_]+"\)' lib bin | tr -cd 'A-Z_\n' | sort -u); do
	case $name in
	AMIKA_CRASH) ;;
	AMIKA_*) echo "$all" | grep -qx "$name" || say bin/amika.c "no program's --spec has $name, which is read" ;;
	*) grep -qE "(Ev|Pa) .*$name( |/|$)" "$man"/* || say "$man/amika.1" "no page tells of $name" ;;
	esac
done
exit $bad
