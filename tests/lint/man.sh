#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pages and programs say the same: every option of --spec is in the page with its letter, and every option
# of the page in --spec; each verb is told of; the exit statuses are those of lib/core; mandoc is content.
bad=0
say() { echo "$1:1: $2" && bad=1; }
bin=${top_builddir:-.}/bin
shared='json text help version spec complete url token-file'
for name in $shared; do
	grep -q "^\.It.* Fl -$name" man/amika.1 || say man/amika.1 "does not tell of --$name"
done
for page in man/*.[1578]; do
	mandoc -T lint -W warning "$page" | sed 's/^mandoc: //' | grep -v 'sections out of conventional order' && bad=1
done
for source in bin/*.c; do
	name=$(basename "$source" .c)
	page=$(find man -name "$name.[18]")
	[ -n "$page" ] || { say "$source" "no page man/$name.1 or .8" && continue; }
	grep -q '^\.Sh EXIT STATUS' "$page" || say "$page" "no EXIT STATUS"
	case $name in amika-shim | amika-once) continue ;; esac
	grep -q '^\.Sh EXAMPLES' "$page" || say "$page" "no EXAMPLES"
	spec=$("$bin/$name" --spec) || { say "$source" "$name --spec fails" && continue; }
	# Options as "-x, --name": those of every command are told of in amika(1).
	has=$(echo "$spec" | jq -r --arg shared " $shared " '.. | .options? // empty | .[] |
		select(.name as $name | $shared | contains(" \($name) ") | not) |
		(if .letter then "-\(.letter), " else "" end) + "--\(.name)"' | sort -u)
	told=$(sed -n 's/^\.It Fl \(.\) , Fl -\([a-z-]*\).*/-\1, --\2/p; s/^\.It Fl -\([a-z-]*\).*/--\1/p' "$page" |
		grep -vE -- "--($(echo "$shared" | tr ' ' '|'))\$" | sort -u)
	[ "$name" = amika ] && told=
	[ "$has" = "$told" ] || say "$page" "options differ (< the program, > the page): $(
		{ echo "$has" | sed 's/^/< /' && echo "$told" | sed 's/^/> /'; } | sort -k 2 | uniq -u -f 1 | tr '\n' ' ')"
	# A verb of a verb is told of with both: "rule add".
	echo "$spec" | jq -r 'def names($lead): .verbs[] | ($lead + .name), names($lead + .name + " "); names("")' |
		while read -r verb; do
			grep -qE "^\.It Cm $verb( |$)" "$page" || echo "$page:1: does not tell of the verb $verb"
		done | grep . && bad=1
done
sed -n 's/^\tAMK_EXIT_[A-Z_]* = \([0-9]*\),$/\1/p' lib/core/err.h | while read -r n; do
	grep -q "^\.It $n\$" man/amika.1 || echo "man/amika.1:1: exit status $n is missing"
done | grep . && bad=1
sed -n 's/^\t\[AMK_EXIT_.*{ "[a-z_]*", "\(.*\)" },$/\1/p' lib/core/err.c | while read -r text; do
	grep -qF "${text%.}" man/amika.1 || echo "man/amika.1:1: exit status text \"$text\" is missing"
done | grep . && bad=1
exit $bad
