#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls that have a safer relative, and words that promise work for later.
calls='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|system|popen|alloca|localtime|gmtime|tmpnam|mktemp|rand|usleep|sleep'
bad=0
grep -nE "(^|[^A-Za-z0-9_])($calls)\(" -r lib bin tests/unit tests/fuzz tests/tools tests/bench tests/soak \
	--include='*.[ch]' 2>/dev/null | sed 's/\([^:]*:[^:]*:\).*/\1 a banned call/' | grep . && bad=1
grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -r lib bin tests share man ./*.md bootstrap 2>/dev/null |
	grep -vE '^tests/lint/banned.sh|^tests/agents/|^share/build-aux/(ar-lib|compile|depcomp|install-sh|missing):' |
	sed 's/\([^:]*:[^:]*:\).*/\1 a promise instead of a piece of work/' | grep . && bad=1
for f in lib/*/*.[ch] bin/*.c tests/unit/*.[ch] tests/fuzz/*.c tests/bench/*.[ch] tests/soak/*.[ch]; do
	[ ! -e "$f" ] || head -n 1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
		{ echo "$f:1: no licence line" && bad=1; }
	[ ! -e "$f" ] || sed -n 2p "$f" | grep -q '^/\*' || { echo "$f:2: no sentence that says what it is for" && bad=1; }
done
exit $bad
