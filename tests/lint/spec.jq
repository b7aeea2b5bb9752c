# SPDX-License-Identifier: Apache-2.0
# From --spec: the verbs, operands and options of a program, a line each. $shared are those of every program.
def words: [scan("[A-Za-z]+") | ascii_downcase] | join(" ");
def options: .options[] | .name as $name | select($shared | contains(" \($name) ") | not) |
	"option " + (if .letter then "-\(.letter), " else "" end) + "--\(.name)" +
	(if .arg then " " + (.arg | words) else "" end);
def verbs($path): options, if (.verbs | length) > 0 then
		.verbs[] | "verb \($path)\(.name)", verbs("\($path)\(.name) ")
	else "operands \($path)\((.operands // "") | words)\(if .rest then " --" else "" end)" end;
verbs("")
