#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The documents name only what exists, and stay short; nothing names one machine's folders.
bad=0
for doc in README.md HACKING.md SECURITY.md CONTRIBUTING.md SPECIFICATION.md lib/*/README.md; do
	# Paths in code quotes or links that start with a folder of ours.
	grep -noE '[`(](bin|lib|tests|share|man|completions|\.ci)/[A-Za-z0-9_./*{},-]*' "$doc" | tr -d '`(' |
		while IFS=: read -r line path; do
			case $path in tests/log* | *NAME* | *NOUN* | *TOPIC* | *'{'* | *'*'*) continue ;; esac
			[ -e "${path%.}" ] || echo "$doc:$line: $path is not there"
		done | grep . && bad=1
done
grep -noE 'tests/[A-Za-z0-9_./-]+' tests/clauses.tsv | while IFS=: read -r line path; do
	[ -e "$path" ] || echo "tests/clauses.tsv:$line: $path is not there"
done | grep . && bad=1
awk -F '\t' 'NF != 3 || (NR > 1 && $3 != "shown" && $3 != "open") || ($3 == "shown" && $2 == "") {
	print FILENAME ":" NR ": not clause, command, shown or open"; bad = 1 } END { exit bad }' tests/clauses.tsv || bad=1
short() { [ "$(wc -l <"$1")" -le "$2" ] || { echo "$1:$2: longer than $2 lines" && bad=1; }; }
short README.md 120
short HACKING.md 200
for readme in lib/*/README.md; do short "$readme" 30; done
for room in lib/*/; do
	[ -e "$room/README.md" ] || ! ls "$room"*.c >/dev/null 2>&1 || { echo "$room:1: no README.md" && bad=1; }
done
grep -rnE '/(work|root|opt/agents)/|/tmp/amika/|/home/[a-z]+/' . --include='*' -I \
	--exclude-dir=.git --exclude-dir=check --exclude-dir=autom4te.cache --exclude-dir=agents --exclude-dir=.deps --exclude-dir=log --exclude-dir='amika-[0-9]*' \
	--exclude=.git --exclude='config.*' --exclude=configure --exclude='*.o' --exclude=Makefile --exclude=paths.sh 2>/dev/null |
	sed 's/\([^:]*:[^:]*:\).*/\1 a path of one machine/' | grep . && bad=1
exit $bad
