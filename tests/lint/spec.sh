#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program's --spec and its page have the same verbs, operands and options, with their letters and arguments.
# spec.sh FOLDER looks at other pages: tests/cli/man.bats shows that each difference is found.
LC_ALL=C.UTF-8
export LC_ALL
man=${1:-man}
bin=${top_builddir:-.}/bin
shared='json text help version spec complete url token-file'
bad=0
say() { echo "$1:1: $2" && bad=1; }

has() { # SPEC
	printf %s "$1" | jq -r --arg shared " $shared " -f tests/lint/spec.jq | sed 's/ *$//' | sort -u
}

told() { # PAGE
	awk -f tests/lint/page.awk "$1" | grep -vE -- "^option (-., )?--($(echo "$shared" | tr ' ' '|'))( |\$)" |
		sed 's/  */ /g; s/ *$//' | sort -u
}

# Options of the SYNOPSIS that the program does not have.
strange() { # PAGE SPEC
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh [^S]/p' "$1" | grep -oE 'Fl -?[A-Za-z][A-Za-z-]*' | sed 's/^Fl -*//' |
		jq -Rr --argjson spec "$2" 'select(. as $name | $spec | [.. | .options? // empty | .[] | .name, .letter] |
			index($name) | not)'
}

differ() { # HAS TOLD: what is in one of them only, on one line
	{ printf '%s\n' "$1" | sed 's/^/< /' && printf '%s\n' "$2" | sed 's/^/> /'; } | sort -k 2 | uniq -u -f 1 |
		grep -v '^[<>] *$' | paste -sd ';' | sed 's/;/; /g'
}

for source in bin/*.c; do
	name=$(basename "$source" .c)
	page=$(find "$man" -name "$name.[18]")
	case $page:$name in :* | *:amika-shim | *:amika-once) continue ;; esac
	spec=$("$bin/$name" --spec) || { say "$page" "$name --spec fails" && continue; }
	difference=$(differ "$(has "$spec")" "$(told "$page")")
	[ -z "$difference" ] || say "$page" "the program (<) and its page (>) differ: $difference"
	for word in $(strange "$page" "$spec"); do say "$page" "SYNOPSIS has an option that is none: $word"; done
done
exit $bad
