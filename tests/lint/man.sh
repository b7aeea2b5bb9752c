#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every program has a page with the sections a reader looks for, amika(1) tells of what all programs share, and
# exit statuses are those of the programs; mandoc is content. Options and verbs: spec.sh, variables: variables.sh.
man=${1:-man}
bin=${top_builddir:-.}/bin
bad=0
say() { echo "$1:1: $2" && bad=1; }

# The numbers an EXIT STATUS tells of; 130 is the signal's.
statuses() { # PAGE
	sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [^E]/p' "$1" | grep -oE '(^|; )[0-9]+' | tr -cd '0-9\n' | grep -vx 130
}

for name in json text help version spec complete url token-file; do
	grep -q "^\.It.* Fl -$name" "$man/amika.1" || say "$man/amika.1" "does not tell of --$name"
done
for page in "$man"/*.[1578]; do
	mandoc -T lint -W warning "$page" | sed 's/^mandoc: //' | grep -v 'sections out of conventional order' && bad=1
done
known=$("$bin/amika" --spec | jq -c '[.statuses[].status]')
for source in bin/*.c; do
	name=$(basename "$source" .c)
	page=$(find "$man" -name "$name.[18]")
	[ -n "$page" ] || { say "$source" "no page $man/$name.1 or .8" && continue; }
	grep -q '^\.Sh EXIT STATUS' "$page" || say "$page" "no EXIT STATUS"
	case $name in amika-shim | amika-once) ;; *) grep -q '^\.Sh EXAMPLES' "$page" || say "$page" "no EXAMPLES" ;; esac
	for n in $(statuses "$page"); do
		echo "$known" | jq -e "index($n)" >/dev/null || say "$page" "exit status $n is none"
	done
done
has=$("$bin/amika" --spec | jq -r '.statuses[] | "\(.status) \(.text)"')
told=$(awk '/^\.Sh/ { on = /EXIT STATUS/ } on && /^\.It [0-9]/ { n = $2; getline; if (n < 130) print n, $0 }' "$man/amika.1")
[ "$has" = "$told" ] || say "$man/amika.1" "EXIT STATUS is not what --spec says: $(
	{ echo "$has" | sed 's/^/< /' && echo "$told" | sed 's/^/> /'; } | sort -k 2 | uniq -u -f 1 | paste -sd ' ')"
exit $bad
