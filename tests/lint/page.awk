# SPDX-License-Identifier: Apache-2.0
# From a page: the SYNOPSIS for operands and which verbs take none, the lists for verbs and options, a line each.
function letters(s) { gsub(/[^a-z]+/, " ", s); gsub(/^ +| +$/, "", s); return s }
# The arguments of a line, from its i-th word on; punctuation and macros between them do not count.
function arguments(i, all, on) {
	for (; i <= NF; i++) {
		if ($i == "Ar") on = 1
		else if ($i ~ /^(Op|Ns|Fl|Pq|Li)$/) on = 0
		else if (on && letters($i) != "") all = all " " letters($i)
	}
	return all
}
function end_block(paths, n, i) {
	n = split(path, paths, "|")
	for (i = 1; i <= n || i == 1; i++) {
		if (!((paths[i]) in first)) { first[paths[i]] = operands; order[++blocks] = paths[i] }
		else if (index(first[paths[i]] " ", operands " ") != 1 && operands != "")
			print "operands " paths[i] operands
	}
	path = operands = ""
}
/^\.Sh/ { if (synopsis && named) end_block(); synopsis = /SYNOPSIS/; next }
synopsis && /^\.Nm/ { if (named) end_block(); named = 1; next }
synopsis && /^\.(Op )?Cm/ { path = $0; sub(/^\.(Op )?Cm /, "", path); gsub(/ *\| */, "|", path); next }
synopsis && /^\.Op Fl - Ar/ { operands = operands " --"; next }
synopsis && /^\.(Op )?Ar/ && !/^\.Op Ar option/ { sub(/^\./, ""); $1 = $1; operands = operands arguments(1); next }
/^\.It Cm/ { sub(/^\.It Cm /, ""); sub(/ (Ar|Op|Fl) .*/, ""); print "verb " $0 }
/^\.It Fl/ {
	sub(/^\.It Fl /, "")
	name = $0
	sub(/ (Ar|Op) .*/, "", name)
	gsub(/ , Fl /, ", -", name)
	args = arguments(1)
	print "option -" name args
}
END { for (i = 1; i <= blocks; i++) print "operands " order[i] first[order[i]] }
