#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# File name = thing name = symbol prefix: what lib/X/NAME.c makes visible is amk_NAME or amk_NAME_….
# The exceptions are families that one header documents together.
# (Read from the objects of this build.)
for f in lib/*/*.c; do
	o=${top_builddir:-.}/${f%.c}.o
	[ -e "$o" ] || { echo "$f:1: not built, cannot be read" && bad=1 && continue; }
	stem=$(basename "$f" .c)
	case $f in
	lib/core/buf.c) also='malloc|calloc|realloc|strdup|strndup|strf|take_fd' ;;
	lib/core/err.c) also='bug|codes|exits' ;;
	lib/core/lines.c) also='write_all|out_record' ;;
	lib/loop/loop.c) also='timer_[a-z_]+|watch_[a-z_]+' ;;
	lib/agent/agents.c) also='agent_[a-z]+' ;;
	lib/agent/*.c) also="agent_$stem|track_[a-z_]+" ;;
	lib/http/*.c) also='(request|stream|http|conn|sse)_[a-z_]+' ;;
	lib/session/*.c) also='session_[a-z_]+' ;;
	*) also="$(basename "$(dirname "$f")")_${stem}" ;;
	esac
	nm -g --defined-only "$o" | awk -v f="$f" -v law="^amk_(auto_[a-z]+|${stem}s?(_.*)?|${stem%s}_.*|$also)$" '
		$3 !~ law { print f ":1: " $3 " is visible and is not named after its file"; bad = 1 }
		END { exit bad }' || bad=1
done
for a in util d; do # in an archive the second file of a name replaces the first
	for twice in $(ar t "${top_builddir:-.}/lib/libamika$a.a" | sort | uniq -d); do
		echo "lib/sources.mk:1: two files make $twice in libamika$a.a" && bad=1
	done
done
exit "${bad:-0}"
