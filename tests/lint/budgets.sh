#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What one reading can hold: functions of at most 70 lines, files of at most 600, headers of at most 180.
# shellcheck disable=SC2016 # awk's own
find lib bin tests -name '*.[ch]' | sort | xargs awk '
function say(line, text) { print FILENAME ":" line ": " text; bad = 1 }
FNR == 1 { open = 0; limit = FILENAME ~ /^lib.*\.h$/ ? 180 : 600 }
FNR == limit + 1 { say(FNR, "more than " limit " lines") }
/^{$/ { open = FNR }
/^}/ && open { if (FNR - open + 1 > 70) say(open, "a function of " FNR - open + 1 " lines; 70 are allowed"); open = 0 }
END { exit bad }'
