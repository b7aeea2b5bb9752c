#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Scripts pass shellcheck; tests wait for what happens, they do not sleep.
command -v shellcheck >/dev/null || { echo "shellcheck is not installed" && exit 1; }
bad=0
# A unit program may be called run, too.
scripts="bootstrap .ci/run $(grep -l '^#!/bin/' tests/run tests/*/run share/build-aux/sync share/build-aux/demo \
	share/build-aux/check tests/bench/get-peer tests/*/*.sh share/examples/*/* 2>/dev/null | sort -u)"
# shellcheck disable=SC2086 # a list
shellcheck -f gcc -e SC1091,SC2016 $scripts || bad=1
shellcheck -f gcc -S warning -e SC1091,SC2034,SC2154,SC2031,SC2030 tests/*/*.bats tests/*/*.bash || bad=1
grep -nE '(^|[^-_.A-Za-z"])sleep +[0-9.]+( |;|$)' tests/cli/* tests/e2e/* |
	sed 's/\([^:]*:[^:]*:\).*/\1 a test that sleeps/' | grep . && bad=1
for f in tests/lint/*.sh; do
	[ "$(wc -l <"$f")" -le 45 ] || { echo "$f:45: a lint of more than 45 lines" && bad=1; }
done
exit $bad
